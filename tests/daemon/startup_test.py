#!/usr/bin/python3
"""Starting: addresses that cannot be had, upstreams that are not there, every kind of listener."""

import os
import pathlib
import random
import socket
import signal
import stat
import subprocess
import time
import unittest

import grpc

from harness.byte_client import call, code_of
from harness.case import DaemonTest, both_kinds, main
from harness.lanekeeper import SANITIZED
from harness.ports import free_port
from harness.waiting import wait_until

# An unavailable upstream must be answered quickly, not after a timeout.
QUICK = 5
# lanekeeper tries again at least every 5 s, give or take gRPC's jitter.
RECONNECT_BOUND = 15
DNS_BOUND = 15


def occupied_port(test):
    occupied = test.stack.enter_context(socket.socket())
    occupied.bind(("127.0.0.1", 0))
    occupied.listen()
    return occupied.getsockname()[1]


@unittest.skipIf(SANITIZED, "the sanitizers have a malloc of their own")
class Refusals(DaemonTest):
    def assert_refused(self, daemon, *words):
        """Exit code 1, and one line that says why."""
        self.assertEqual(daemon.await_exit(), 1)
        complaints = [line for line in daemon.lines if " error " in line]
        self.assertEqual(len(complaints), 1, daemon.lines)
        for word in words:
            self.assertIn(word, complaints[0])
        self.assertEqual(daemon.count_lines("listening on"), 0)

    def test_used_listen_port_is_named_with_the_reason(self):
        address = f"127.0.0.1:{occupied_port(self)}"
        self.assert_refused(self.launch(listen=[address]), address, "Address already in use")

    def test_used_metrics_port_is_named_with_the_reason(self):
        address = f"127.0.0.1:{occupied_port(self)}"
        self.assert_refused(self.launch(metrics={"address": address}), address, "metrics",
                            "Address already in use")

    def test_used_admin_port_is_named_with_the_reason(self):
        address = f"127.0.0.1:{occupied_port(self)}"
        self.assert_refused(self.launch(admin={"address": address}), address, "admin",
                            "Address already in use")

    def test_a_second_daemon_does_not_share_the_firsts_ports(self):
        first = self.start()
        self.assert_refused(self.launch(listen=[first.target]), first.target)
        self.assert_refused(self.launch(metrics={"address": first.metrics_address}),
                            first.metrics_address)
        self.assert_refused(self.launch(admin={"address": first.admin_address}),
                            first.admin_address)

    def test_refusal_of_one_listener_leaves_no_socket_file_of_another(self):
        path = pathlib.Path(self.folder, "proxy.sock")
        address = f"127.0.0.1:{occupied_port(self)}"
        self.assert_refused(self.launch(listen=[f"unix://{path}", address]), address)
        self.assertFalse(path.exists())

    def test_address_of_another_machine_is_named_with_the_reason(self):
        self.assert_refused(self.launch(listen=["192.0.2.1:50051"]), "192.0.2.1:50051",
                            "Cannot assign requested address")


@both_kinds
class UnavailableUpstream(DaemonTest):
    def assert_unavailable_quickly(self, channel):
        start = time.monotonic()
        self.assertEqual(code_of(channel), grpc.StatusCode.UNAVAILABLE)
        self.assertLess(time.monotonic() - start, QUICK)

    def test_closed_port_is_one_warning_and_recovers(self):
        port = free_port()
        daemon = self.start(f"127.0.0.1:{port}")
        channel = self.open_channel(daemon.target)
        self.assert_unavailable_quickly(channel)
        daemon.await_line(rf" warn.* upstream 127\.0\.0\.1:{port}: ")
        self.assert_unavailable_quickly(channel)
        self.assertEqual(daemon.count_lines(" warn upstream"), 1, daemon.lines)
        self.start_upstream(port)
        wait_until(lambda: code_of(channel) == grpc.StatusCode.OK, "the upstream found",
                   RECONNECT_BOUND)
        daemon.await_line(" info .*connected")

    def test_unresolvable_name_is_one_warning_that_says_so(self):
        daemon = self.start("no-such-host.invalid:50051")
        channel = self.open_channel(daemon.target)
        self.assert_unavailable_quickly(channel)
        daemon.await_line(r" warn.*no-such-host\.invalid.*resolve")
        self.assert_unavailable_quickly(channel)
        self.assertEqual(daemon.count_lines(" warn upstream"), 1, daemon.lines)

    def test_wait_for_ready_holds_rpcs_until_the_upstream_comes(self):
        port = free_port()
        daemon = self.start({"address": f"127.0.0.1:{port}", "wait_for_ready": True})
        answer = self.open_channel(daemon.target).unary_unary("/daemon.Unary/Echo").future(
            b"early", timeout=RECONNECT_BOUND)
        daemon.await_line(" warn")
        self.assertFalse(answer.done())
        self.start_upstream(port)
        self.assertEqual(answer.result(), b"early")


def own_mounts_refused():
    """Why this machine lets a test have no mounts of its own (a container, say); empty if it does."""
    tried = subprocess.run(["unshare", "--mount", "true"], capture_output=True, text=True, timeout=30)
    return tried.stderr.strip() if tried.returncode else ""


@unittest.skipIf(own_mounts_refused(), f"needs a resolv.conf of its own: {own_mounts_refused()}")
class SilentDns(DaemonTest):
    """A name server that takes questions and never answers."""

    def setUp(self):
        super().setUp()
        address = f"127.{random.randrange(1, 255)}.{random.randrange(256)}.53"
        server = self.stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        server.bind((address, 53))
        resolv_conf = pathlib.Path(self.folder, "resolv.conf")
        resolv_conf.write_text(f"nameserver {address}\n")
        mount = f'mount --bind {resolv_conf} /etc/resolv.conf && exec "$@"'
        self.daemon = self.start("orders.example:50051",
                                 launcher=["unshare", "--mount", "sh", "-c", mount, "sh"])

    def test_rpcs_are_unavailable_and_the_log_says_why(self):
        channel = self.open_channel(self.daemon.target)
        self.assertEqual(code_of(channel, timeout=DNS_BOUND), grpc.StatusCode.UNAVAILABLE)
        self.daemon.await_line(r" warn.*orders\.example", bound=DNS_BOUND)
        self.daemon.signal(signal.SIGTERM)
        self.assertEqual(self.daemon.await_exit(QUICK), 0)

    def test_signal_ends_it_at_once(self):
        self.daemon.signal(signal.SIGTERM)
        self.assertEqual(self.daemon.await_exit(QUICK), 0)


class Signals(DaemonTest):
    def test_signal_during_the_start_ends_it_cleanly(self):
        for _ in range(10):
            daemon = self.launch()
            daemon.await_line(" info lanekeeper ")
            daemon.signal(signal.SIGTERM)
            self.assertEqual(daemon.await_exit(QUICK), 0)


class Listeners(DaemonTest):
    def setUp(self):
        super().setUp()
        self.path = pathlib.Path(self.folder, "proxy.sock")
        self.address = f"unix://{self.path}"

    def assert_serves(self, target):
        self.assertEqual(call(self.open_channel(target), b"hello"), b"hello")

    def test_unix_socket_serves_and_is_removed_at_the_end(self):
        daemon = self.start(self.start_upstream().address, [self.address])
        self.assertTrue(stat.S_ISSOCK(os.stat(self.path).st_mode))
        self.assert_serves(f"unix:{self.path}")
        daemon.signal(signal.SIGTERM)
        self.assertEqual(daemon.await_exit(), 0)
        self.assertFalse(self.path.exists())

    def test_unix_socket_of_a_killed_daemon_is_replaced(self):
        upstream = self.start_upstream()
        self.start(upstream.address, [self.address]).kill()
        self.assertTrue(self.path.exists())
        self.start(upstream.address, [self.address])
        self.assert_serves(f"unix:{self.path}")

    def test_unix_socket_of_a_running_daemon_is_refused_and_goes_on(self):
        self.start(self.start_upstream().address, [self.address])
        second = self.launch(listen=[self.address])
        self.assertEqual(second.await_exit(), 1)
        second.await_line(f" error .*{self.path}.*in use")
        self.assert_serves(f"unix:{self.path}")

    def test_other_files_at_the_path_are_refused_and_left_alone(self):
        self.path.write_text("precious")
        daemon = self.launch(listen=[self.address])
        self.assertEqual(daemon.await_exit(), 1)
        daemon.await_line(f" error .*{self.path}.*not a socket")
        self.assertEqual(self.path.read_text(), "precious")

    def test_missing_directory_is_named(self):
        daemon = self.launch(listen=[f"unix://{self.folder}/absent/proxy.sock"])
        self.assertEqual(daemon.await_exit(), 1)
        daemon.await_line(f" error .*{self.folder}/absent/proxy.sock.*No such file or directory")

    @unittest.skipUnless(os.path.exists("/proc/net/if_inet6"), "the machine has no IPv6")
    def test_ipv6(self):
        daemon = self.start(self.start_upstream().address, ["[::1]:0"])
        self.assertRegex(daemon.target, r"^\[::1\]:\d+$")
        self.assert_serves(daemon.target)

    def test_several_listeners_serve_at_once(self):
        daemon = self.start(self.start_upstream().address,
                            ["127.0.0.1:0", self.address, "127.0.0.2:0", "localhost:0"])
        self.assertGreaterEqual(len(daemon.targets), 4)
        for target in daemon.targets:
            self.assert_serves(target)
        daemon.await_metric("lanekeeper_downstream_connections", len(daemon.targets))
        daemon.await_metric("lanekeeper_upstream_connections", 1)


if __name__ == "__main__":
    main()
