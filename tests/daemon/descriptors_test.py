#!/usr/bin/python3
"""Running out of file descriptors: established RPCs go on, the upstream and the operator are within
reach, and new RPCs work again afterwards."""

import contextlib
import os
import socket

import grpc

from harness.byte_client import Stream, call
from harness.case import DaemonTest, both_kinds, main
from harness.scrape import http_get
from harness.waiting import wait_until

DESCRIPTORS = 64
CONNECTIONS = 100  # more than it can hold
PAUSES = 5  # of the accepting thread, while there are no descriptors
BUSY_MOST = 0.5  # of one core, while it can do nothing


@both_kinds
class Descriptors(DaemonTest):
    def setUp(self):
        super().setUp()
        self.upstream = self.start_upstream()
        self.daemon = self.start(
            self.upstream.address, launcher=["prlimit", f"--nofile={DESCRIPTORS}:{DESCRIPTORS}"])
        self.stream = Stream(self.open_channel(self.daemon.target)).echo()

    def flood(self, stack):
        host, port = self.daemon.target.rsplit(":", 1)
        for _ in range(CONNECTIONS):
            stack.enter_context(socket.create_connection((host, int(port)), timeout=5))

    def exhaust(self, stack):
        self.flood(stack)
        self.daemon.await_line(" warn.*Too many open files")

    def test_established_stream_goes_on_and_new_rpcs_work_afterwards(self):
        for _ in range(3):
            with contextlib.ExitStack() as stack:
                self.exhaust(stack)
                for _ in range(100):
                    self.stream.echo()
            self.assertEqual(call(self.open_channel(self.daemon.target)), b"hello")
            self.stream.echo()
        self.assertGreater(self.daemon.scrape().value("lanekeeper_accept_failures_total"), 0)
        self.stream.half_close()
        self.assertEqual(self.stream.end()[0], grpc.StatusCode.OK)

    def test_new_rpcs_on_an_established_connection_work_meanwhile(self):
        channel = self.open_channel(self.daemon.target)
        call(channel)
        with contextlib.ExitStack() as stack:
            self.exhaust(stack)
            for _ in range(100):
                self.assertEqual(call(channel), b"hello")

    def test_the_last_descriptors_are_for_the_upstream_and_the_operator(self):
        channel = self.open_channel(self.daemon.target)
        call(channel)
        other = self.start_upstream()
        with contextlib.ExitStack() as stack:
            self.exhaust(stack)
            self.assertEqual(http_get(self.daemon.metrics_address, "/livez")[0], 200)
            self.daemon.reload(self.config(other.address))
            self.assertEqual(call(channel), b"hello")
            self.stream.echo()
            self.assertEqual(self.daemon.scrape().value("lanekeeper_upstream_connections"), 2)

    def test_waiting_client_is_served_as_soon_as_a_descriptor_is_free(self):
        with contextlib.ExitStack() as stack:
            self.exhaust(stack)
            answer = self.open_channel(self.daemon.target).unary_unary("/daemon.Unary/Echo").future(
                b"patient", timeout=30, wait_for_ready=True)
            self.stream.echo()
            self.assertFalse(answer.done())
        self.assertEqual(answer.result(), b"patient")

    def test_exhaustion_does_not_spin(self):
        with contextlib.ExitStack() as stack:
            self.exhaust(stack)
            cpu = self.daemon.cpu_seconds()
            start = os.times().elapsed
            seen = self.daemon.count_lines("Too many open files")
            wait_until(lambda: self.daemon.count_lines("Too many open files") >= seen + PAUSES
                       or os.times().elapsed > start + 3, "more of the same")
            share = (self.daemon.cpu_seconds() - cpu) / (os.times().elapsed - start)
            self.assertLess(share, BUSY_MOST)

    def test_connections_are_counted_down_again(self):
        with contextlib.ExitStack() as stack:
            self.exhaust(stack)
        self.daemon.await_metric("lanekeeper_downstream_connections", 1)
        baseline = self.daemon.fd_count()
        with contextlib.ExitStack() as stack:
            self.exhaust(stack)
        self.daemon.await_metric("lanekeeper_downstream_connections", 1)
        wait_until(lambda: self.daemon.fd_count() <= baseline, "descriptors closed")


if __name__ == "__main__":
    main()
