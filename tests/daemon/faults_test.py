#!/usr/bin/python3
"""Killing and freezing each of the three parties while streams are open, at random moments."""

import json
import random
import signal
import time

import grpc

from harness.byte_client import Stream, call, code_of
from harness.case import DaemonTest, both_kinds, main
from harness.lanekeeper import SANITIZED
from harness.waiting import ANSWER_BOUND, wait_until

ROUNDS = 4
STREAMS = 20
SEED = 2016
RECONNECT_BOUND = 15
SOON = 5
# What the daemon may keep for the next burst: pooled threads, gRPC's arenas, one connection.
SPARE_BYTES = 12 * 2**20
SPARE_FDS = 4
SPARE_THREADS = 10


@both_kinds
class Faults(DaemonTest):
    def setUp(self):
        super().setUp()
        self.random = random.Random(SEED)
        self.upstream = self.start_upstream()
        self.daemon = self.start(self.upstream.address)

    def start_pingpong(self):
        """A client with STREAMS streams that has run for a random while."""
        client = self.start_client("pingpong", self.daemon.target, 2, STREAMS // 2)
        client.await_line("^holding$")
        echoes = self.random.randrange(STREAMS, 600)
        client.await_line(r"^echoes (\d+)", lambda found: int(found.group(1)) >= echoes)
        return client

    def assert_codes(self, client, *allowed):
        codes = json.loads(client.await_line("^ended (.*)").group(1))
        self.assertEqual(sum(codes.values()), STREAMS)
        self.assertLessEqual(set(codes), set(allowed), codes)

    def await_quiet(self):
        for name in ("lanekeeper_streams_open", "lanekeeper_stream_ops_in_flight",
                     "lanekeeper_downstream_connections"):
            self.daemon.await_metric(name, 0)

    def assert_works(self):
        with self.open_channel(self.daemon.target) as channel:
            self.assertEqual(call(channel, b"still here"), b"still here")
        self.assertEqual(
            self.daemon.scrape().value("lanekeeper_stream_contract_violations_total"), 0)

    def repeat(self, fault):
        """Runs the fault several times; after the first the daemon must not grow any more."""
        threads = len(self.daemon.thread_names())
        for number in range(ROUNDS):
            fault()
            self.assert_works()
            self.await_quiet()
            if number == 0:
                memory, fds = self.daemon.rss_bytes(), self.daemon.fd_count()
        if not SANITIZED:
            self.assertLess(self.daemon.rss_bytes(), memory + SPARE_BYTES)
        self.assertLessEqual(self.daemon.fd_count(), fds + SPARE_FDS)
        # The pool of kernel threads holds one for each stream of a round, not of all rounds.
        self.assertLess(len(self.daemon.thread_names()), threads + SPARE_THREADS + STREAMS)

    def test_killed_client_cancels_the_upstream(self):
        def fault():
            cancelled = self.upstream.counters()["cancelled"]
            client = self.start_pingpong()
            client.kill()
            start = time.monotonic()
            self.upstream.await_counter("active", 0)
            self.assertLess(time.monotonic() - start, SOON)
            self.assertEqual(self.upstream.counters()["cancelled"], cancelled + STREAMS)
            self.daemon.await_metric("lanekeeper_streams_open", 0)

        self.repeat(fault)

    def test_killed_upstream_is_unavailable_until_it_is_back(self):
        def fault():
            client = self.start_pingpong()
            self.upstream.kill()
            self.assert_codes(client, "UNAVAILABLE")
            self.upstream = self.start_upstream(self.upstream.port)
            with self.open_channel(self.daemon.target) as channel:
                wait_until(lambda: code_of(channel) == grpc.StatusCode.OK, "the upstream found",
                           RECONNECT_BOUND)

        self.repeat(fault)

    def test_frozen_upstream_lets_deadlines_pass_on_time(self):
        channel = self.open_channel(self.daemon.target)
        for _ in range(ROUNDS):
            timeout = self.random.uniform(0.1, 0.6)
            self.upstream.signal(signal.SIGSTOP)
            start = time.monotonic()
            rpcs = [channel.unary_unary("/daemon.Unary/Echo").future(b"x", timeout=timeout)
                    for _ in range(STREAMS)]
            for rpc in rpcs:
                self.assertEqual(rpc.exception().code(), grpc.StatusCode.DEADLINE_EXCEEDED)
            taken = time.monotonic() - start
            self.assertGreaterEqual(taken, timeout)
            self.assertLess(taken, timeout + 1)
            # The daemon has given up on them as well, not only the client.
            self.daemon.await_metric("lanekeeper_streams_open", 0, bound=SOON)
            self.upstream.signal(signal.SIGCONT)
            self.assertEqual(call(channel), b"hello")

    def test_frozen_upstream_goes_on_where_it_was(self):
        client = self.start_client("hold", self.daemon.target, 2, STREAMS // 2)
        client.await_line("^holding$")
        self.upstream.signal(signal.SIGSTOP)
        client.tell("echo")
        # All requests are on their way, and no answer can have come.
        messages = {"direction": "to_upstream"}
        self.daemon.await_metric("lanekeeper_stream_messages_total", 2 * STREAMS, **messages)
        self.assertEqual(client.count_lines("^echoed$"), 0)
        self.upstream.signal(signal.SIGCONT)
        client.await_line("^echoed$")
        client.tell("end")
        self.assert_codes(client, "OK")

    def test_killed_daemon_is_unavailable_and_cancels_the_upstream(self):
        for _ in range(ROUNDS):
            cancelled = self.upstream.counters()["cancelled"]
            client = self.start_pingpong()
            self.daemon.kill()
            self.assert_codes(client, "UNAVAILABLE")
            self.upstream.await_counter("active", 0)
            self.assertEqual(self.upstream.counters()["cancelled"], cancelled + STREAMS)
            self.daemon = self.start(self.upstream.address)
            self.assert_works()

    def test_frozen_daemon_goes_on_where_it_was(self):
        client = self.start_client("hold", self.daemon.target, 2, STREAMS // 2)
        client.await_line("^holding$")
        self.daemon.signal(signal.SIGSTOP)
        client.tell("echo")
        stream = Stream(self.open_channel(self.daemon.target))
        stream.send(b"first")
        self.daemon.signal(signal.SIGCONT)
        client.await_line("^echoed$")
        self.assertEqual(stream.receive(ANSWER_BOUND), b"first")
        client.tell("end")
        self.assert_codes(client, "OK")


if __name__ == "__main__":
    main()
