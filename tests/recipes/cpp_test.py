#!/usr/bin/python3
"""Forked workers in C++: deploy/recipes/cpp.md."""

import subprocess

from recipe import RecipeTest, await_answers, build, main


class Cpp(RecipeTest):
    page = "cpp"

    @classmethod
    def setUpClass(cls):
        flags = subprocess.check_output(["pkg-config", "--cflags", "--libs", "grpc++"], text=True)
        cls.program = build(cls.page, "workers", ["g++", "-std=c++20", "workers.cc", *flags.split(),
                                                  "-o"])

    def test_workers_have_the_connections_that_the_page_tells(self):
        self.check_figures("forked workers", self.start_workers, await_answers)

    def start_workers(self, workers, *environment):
        return self.run_example([self.program, workers], environment)


if __name__ == "__main__":
    main()
