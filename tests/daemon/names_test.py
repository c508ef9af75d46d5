#!/usr/bin/python3
"""A name whose addresses come late, change and go, and a network that swallows what is sent: with a
name server and addresses of the test's own, in a network namespace of its own. Exits with 77 where
there may be none."""

import os
import pathlib
import subprocess
import sys
import tempfile

import grpc

from harness.byte_client import Stream, call, code_of
from harness.case import DaemonTest, both_kinds, main
from harness.lanekeeper import SANITIZED
from harness.ports import free_port
from harness.waiting import wait_until
from name_server import NameServer

UNAVAILABLE = grpc.StatusCode.UNAVAILABLE
NAME = "orders.lanekeeper.test"
A, B, C = "127.0.0.2", "127.0.0.3", "127.0.0.4"
# A look-up at most each second, and the first pauses between dials.
FOLLOW_BOUND = 30
SKIPPED = 77
INSIDE = "LANEKEEPER_IN_NAMESPACE"


@both_kinds
class Names(DaemonTest):
    def setUp(self):
        super().setUp()
        self.names = NameServer()
        self.addCleanup(self.names.close)
        self.port = free_port()

    def serve(self, host):
        return self.start_upstream(self.port, host=host)

    def start_with(self, **more):
        self.daemon = self.start({"address": f"dns:///{NAME}:{self.port}", **more})
        self.channel = self.open_channel(self.daemon.target)

    def await_served(self):
        wait_until(lambda: code_of(self.channel) == grpc.StatusCode.OK, "the RPC is served",
                   FOLLOW_BOUND)

    def assert_unresolved(self):
        with self.assertRaises(grpc.RpcError) as raised:
            call(self.channel)
        self.assertEqual(raised.exception.code(), UNAVAILABLE)
        self.assertIn(f"cannot resolve '{NAME}'", raised.exception.details())

    def test_name_without_an_address_is_asked_again(self):
        for nothing in ([], None):
            self.names.addresses = nothing
            self.start_with()
            self.assert_unresolved()
            upstream = self.serve(A)
            self.names.addresses = [A]
            self.await_served()
            upstream.kill()

    def test_name_server_that_is_silent_costs_one_look_up_and_serves_when_it_speaks(self):
        self.names.addresses = NameServer.SILENT
        self.start_with()
        self.assert_unresolved()
        self.serve(A)
        self.names.addresses = [A]
        self.await_served()

    def test_name_that_moves_is_found_when_the_old_address_is_lost(self):
        for more in ({}, {"wait_for_ready": True}, {"load_balancing": "round_robin"}):
            self.names.addresses = [A]
            old = self.serve(A)
            self.start_with(**more)
            self.await_served()
            new = self.serve(B)
            self.names.addresses = [B]
            old.kill()
            self.await_served()
            new.kill()

    def test_upstream_that_comes_back_is_found_without_a_name_server(self):
        self.names.addresses = [A]
        upstream = self.serve(A)
        self.start_with(resolve_interval="1s")
        self.await_served()
        asked = self.names.asked
        self.names.addresses = None
        wait_until(lambda: self.names.asked > asked + 1, "the name is asked for")
        self.assertEqual(code_of(self.channel), grpc.StatusCode.OK)
        self.names.addresses = NameServer.SILENT
        upstream.kill()
        self.serve(A)
        self.await_served()

    def test_round_robin_follows_addresses_that_come_and_go(self):
        upstreams = {host: self.serve(host) for host in (A, B, C)}
        self.names.addresses = [A, B]
        self.start_with(load_balancing="round_robin", resolve_interval="1s")
        self.await_spread_over(upstreams, {A, B})
        stays = Stream(self.channel).echo()
        self.names.addresses = [B, C]
        self.await_spread_over(upstreams, {B, C})
        stays.echo().half_close()
        self.assertEqual(stays.end()[0], grpc.StatusCode.OK)
        self.names.addresses = [A, C]
        self.await_spread_over(upstreams, {A, C})
        self.daemon.await_metric("lanekeeper_upstream_connections", 2)

    def await_spread_over(self, upstreams, wanted):
        def served():
            before = {host: one.counters()["finished"] for host, one in upstreams.items()}
            for _ in range(6):
                call(self.channel)
            return {host for host, one in upstreams.items()
                    if one.counters()["finished"] > before[host]}

        wait_until(lambda: served() == wanted, f"RPCs go to {wanted}", FOLLOW_BOUND)

    def test_upstream_that_vanishes_without_a_word_is_lost_within_the_keepalive_timeout(self):
        vanishing = "10.99.0.1/32"
        subprocess.run(["ip", "address", "add", vanishing, "dev", "lo"], check=True)
        self.names.addresses = [vanishing.split("/")[0]]
        self.serve(self.names.addresses[0])
        self.start_with(keepalive={"time": "1h", "timeout": "1s"})
        stream = Stream(self.channel).echo()
        subprocess.run(["ip", "address", "delete", vanishing, "dev", "lo"], check=True)
        stream.send(b"into the void")
        code, _ = stream.end(bound=10 * (5 if SANITIZED else 1))
        self.assertEqual(code, UNAVAILABLE)
        self.serve(A)
        self.names.addresses = [A]
        self.await_served()


def enter_namespace():
    """Runs this test anew where the network, and what resolv.conf says, are its own."""
    probe = subprocess.run(["unshare", "--net", "--mount", "true"], capture_output=True, text=True)
    if probe.returncode != 0:
        print("skipped: there may be no network namespace:", probe.stderr.strip())
        sys.exit(SKIPPED)
    os.environ[INSIDE] = "1"
    os.execvp("unshare", ["unshare", "--net", "--mount", sys.executable, *sys.argv])


def set_up_namespace(folder):
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    resolv_conf = pathlib.Path(folder, "resolv.conf")
    resolv_conf.write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:2\n")
    subprocess.run(["mount", "--bind", resolv_conf, "/etc/resolv.conf"], check=True)


if __name__ == "__main__":
    if INSIDE not in os.environ:
        enter_namespace()
    with tempfile.TemporaryDirectory() as folder:
        set_up_namespace(folder)
        main()
