#!/usr/bin/python3
"""The workers of Node's cluster: deploy/recipes/node.md."""

import subprocess

from recipe import NPM_MODULES, RecipeTest, ask_by_http, main, pages


class Node(RecipeTest):
    page = "node"

    @classmethod
    def setUpClass(cls):
        cls.modules = subprocess.check_output([NPM_MODULES, pages.FOLDER / cls.page],
                                              text=True).strip()

    def test_cluster_has_the_connections_that_the_page_tells(self):
        self.check_figures("cluster", self.start_cluster, ask_by_http)

    def start_cluster(self, workers, *environment):
        return self.run_example(
            ["node", "server.js"],
            [f"WEB_CONCURRENCY={workers}", "PORT=0", f"NODE_PATH={self.modules}", *environment])


if __name__ == "__main__":
    main()
