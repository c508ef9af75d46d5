#!/usr/bin/python3
"""gunicorn's workers, and processes of asyncio: deploy/recipes/python.md."""

from recipe import RecipeTest, ask_by_http, await_answers, main


class Python(RecipeTest):
    page = "python"

    def test_gunicorn_has_the_connections_that_the_page_tells(self):
        self.check_figures("gunicorn, sync workers", self.start_gunicorn, ask_by_http)

    def test_asyncio_has_the_connections_that_the_page_tells(self):
        self.check_figures("asyncio, processes", self.start_processes, await_answers)

    def start_gunicorn(self, workers, *environment):
        return self.run_example(
            ["/usr/bin/gunicorn", "--bind", "127.0.0.1:0", "orders:application"],
            [f"WEB_CONCURRENCY={workers}", *environment])

    def start_processes(self, workers, *environment):
        return self.run_example(["/usr/bin/python3", "workers.py", workers], environment)


if __name__ == "__main__":
    main()
