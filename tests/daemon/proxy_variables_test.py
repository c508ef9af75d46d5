#!/usr/bin/python3
"""Variables that name a proxy for HTTP are none of ours: the daemon dials its upstream, and every
command the daemon, whatever they say."""

import os
import subprocess
import sys

from harness.byte_client import call
from harness.case import DaemonTest, main
from harness.lanekeeper import LANEKEEPER
from harness.ports import free_port
from harness.processes import Process

NAMES = ("http_proxy", "https_proxy", "grpc_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
# What a gRPC client does that heeds them, with Python's as the example.
HEEDS = ("import grpc, sys\n"
         "channel = grpc.insecure_channel(sys.argv[1])\n"
         "print(channel.unary_unary('/daemon.Unary/Echo')(b'x', timeout=20))\n")


class ProxyVariables(DaemonTest):
    def setUp(self):
        super().setUp()
        closed = f"http://127.0.0.1:{free_port()}"
        kept = {name: value for name, value in os.environ.items()
                if name.lower() not in ("no_proxy", "no_grpc_proxy")}
        self.environment = {**kept, **{name: closed for name in NAMES}}
        self.launcher = ("env", "-u", "no_proxy", "-u", "NO_PROXY", "-u", "no_grpc_proxy",
                         *(f"{name}={closed}" for name in NAMES))

    def run_with_them(self, *words):
        return subprocess.run(list(map(str, words)), env=self.environment, text=True,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=60)

    def succeed(self, *words):
        done = self.run_with_them(LANEKEEPER, *words)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def test_they_mean_something_to_others(self):
        daemon = self.start(self.start_upstream().address)
        done = self.run_with_them(sys.executable, "-c", HEEDS, daemon.target)
        self.assertEqual(done.returncode, 1)
        self.assertIn("UNAVAILABLE", done.stderr)

    def test_the_daemon_dials_its_upstream_over_tcp_and_by_a_socket(self):
        path = f"{self.folder}/demo.sock"
        upstream = self.start_upstream()
        first = self.start(upstream.address, listen=(f"unix://{path}",), launcher=self.launcher)
        second = self.start(f"unix://{path}", launcher=self.launcher)
        for daemon in (first, second):
            self.assertEqual(call(self.open_channel(daemon.target)), b"hello")

    def test_commands_dial_the_daemon(self):
        daemon = self.start(self.start_upstream().address)
        admin = ("--admin", daemon.admin_address)
        self.assertIn("0 of 0 shown", self.succeed("streams", *admin))
        self.assertIn("nothing differs", self.succeed("reload", *admin))
        self.assertIn("log level", self.succeed("loglevel", "debug", *admin))
        self.succeed("health", "--metrics", daemon.metrics_address)
        self.succeed("drain", "--wait", *admin)

    def test_clients_of_the_demonstration_dial_their_target(self):
        demo = self.keep(Process("demo", [LANEKEEPER, "demo", "--listen", "127.0.0.1:0"]))
        target = demo.await_line(r"(127\.0\.0\.1:[1-9]\d*)").group(1)
        self.succeed("demo-clients", "--target", target, "--connections", 2, "--rpcs", 3)


if __name__ == "__main__":
    main()
