#!/usr/bin/python3
"""A Go web server of several processes: deploy/recipes/go.md."""

from recipe import CACHE, RecipeTest, ask_by_http, build, main

# As tests/clients/runner/building.py: Debian's packages are a GOPATH.
ENVIRONMENT = {"GOPATH": "/usr/share/gocode", "GO111MODULE": "off", "GOFLAGS": "",
               "GOCACHE": str(CACHE / "go-build")}


class Go(RecipeTest):
    page = "go"

    @classmethod
    def setUpClass(cls):
        cls.program = build(cls.page, "prefork", ["go", "build", "-o"], ["main.go"], ENVIRONMENT)

    def test_processes_have_the_connections_that_the_page_tells(self):
        self.check_figures("net/http, processes", self.start_server, ask_by_http)

    def start_server(self, workers, *environment):
        return self.run_example([self.program],
                                [f"WEB_CONCURRENCY={workers}", "PORT=0", *environment])


if __name__ == "__main__":
    main()
