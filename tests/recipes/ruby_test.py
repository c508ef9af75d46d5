#!/usr/bin/python3
"""puma's workers: deploy/recipes/ruby.md."""

from recipe import RecipeTest, ask_by_http, main


class Ruby(RecipeTest):
    page = "ruby"

    def test_puma_has_the_connections_that_the_page_tells(self):
        self.check_figures("puma, cluster of 2 threads each", self.start_puma, ask_by_http)

    def start_puma(self, workers, *environment):
        return self.run_example(
            # Debian's, which has Debian's ruby-grpc: another ruby on PATH may not.
            ["/usr/bin/ruby", "/usr/bin/puma", "--config", "puma.rb",
             "--bind", "tcp://127.0.0.1:0"],
            [f"WEB_CONCURRENCY={workers}", *environment])


if __name__ == "__main__":
    main()
