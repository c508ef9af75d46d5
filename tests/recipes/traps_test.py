#!/usr/bin/python3
"""The traps that the pages of deploy/recipes warn of are there: who does not do as the page says,
fails. Where a newer library has mended one, the page has to change."""

import os
import subprocess

from recipe import HERE, NPM_MODULES, OrdersService, PROXIES, RecipeTest, main, pages

BOUND = 60
PYTHON = "/usr/bin/python3"
RUBY = "/usr/bin/ruby"


class Traps(RecipeTest):
    def setUp(self):
        super().setUp()
        self.upstream = self.keep(OrdersService(self.folder))

    def outcome(self, program, script, *words, **environment):
        """What the script prints; warnings go elsewhere."""
        done = subprocess.run([program, HERE / "traps" / script, *words], text=True, timeout=BOUND,
                              env={**os.environ, **environment}, capture_output=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def test_python_workers_inherit_a_broken_connection(self):
        for which in ("inherited", "new"):
            with self.subTest(which):
                said = self.outcome(PYTHON, "fork.py", self.upstream.address, which)
                self.assertRegex(said, "^worker: .*UNAVAILABLE.*Bad file descriptor")

    def test_python_fork_support_closes_the_inherited_channel(self):
        said = [self.outcome(PYTHON, "fork.py", self.upstream.address, which,
                             GRPC_ENABLE_FORK_SUPPORT="1") for which in ("inherited", "new")]
        self.assertEqual(said, ["worker: Cannot invoke RPC on closed channel!\n", "worker: OK\n"])

    def test_ruby_refuses_to_work_after_the_fork(self):
        said = self.outcome(RUBY, "fork.rb", self.upstream.address)
        self.assertEqual(
            said, "worker: RuntimeError: grpc cannot be used before and after forking\n")

    def test_proxy_variables_catch_tcp_and_leave_unix_sockets(self):
        modules = subprocess.check_output([NPM_MODULES, pages.FOLDER / "node"], text=True).strip()
        proxies = dict(entry.split("=", 1) for entry in PROXIES)
        targets = [self.upstream.address, f"unix://{self.upstream.socket}"]
        for program, script in [(PYTHON, "proxied.py"), (RUBY, "proxied.rb"),
                                ("node", "proxied.js")]:
            with self.subTest(script):
                said = self.outcome(program, script, *targets, NODE_PATH=modules, no_proxy="",
                                    NO_PROXY="", **proxies)
                self.assertEqual(said.split(), ["UNAVAILABLE", "OK"])


if __name__ == "__main__":
    main()
