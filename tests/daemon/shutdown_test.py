#!/usr/bin/python3
"""Ending on a signal: open RPCs get their time, new ones are turned away, the exit code is 0."""

import json
import signal
import socket
import time

import grpc

from harness.byte_client import Stream, call, code_of
from harness.case import DaemonTest, both_kinds, main
from harness.scrape import http_get
from harness.waiting import wait_until

FAST = 3  # for an end that has nothing to wait for
NEVER_SENT = "failed to connect"  # gRPC's words
LOAD_ROUNDS = 3
LOAD_PROCESSES = 3


def can_connect(target):
    host, port = target.rsplit(":", 1)
    try:
        socket.create_connection((host, int(port)), timeout=5).close()
        return True
    except (ConnectionRefusedError, ConnectionResetError):
        return False  # reset: it was in the queue of the socket as that was closed


@both_kinds
class Shutdown(DaemonTest):
    def start_both(self, **sections):
        daemon = self.start(self.start_upstream().address, **sections)
        return daemon, self.open_channel(daemon.target)

    def assert_ends(self, daemon, at_least=0, at_most=FAST, since=None):
        since = since or time.monotonic()
        self.assertEqual(daemon.await_exit(), 0)
        taken = time.monotonic() - since
        self.assertGreaterEqual(taken, at_least)
        self.assertLess(taken, at_most)

    def list_streams(self, daemon):
        """As the list of streams shows them, by id, with their ages in seconds."""
        status, text = http_get(daemon.admin_address, "/streams")
        self.assertEqual(status, 200, text)
        streams = json.loads(text).get("streams", [])
        return {int(one["id"]): {**one, "age": float(one["age"].rstrip("s"))} for one in streams}

    def await_age(self, daemon, least):
        """Of the first stream, once it is as old as that."""
        return wait_until(lambda: (age := self.list_streams(daemon)[1]["age"]) >= least and age,
                          f"the stream is {least} s old")

    def test_without_rpcs_ends_fast(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(number.name):
                daemon, channel = self.start_both()
                call(channel)
                daemon.signal(number)
                self.assert_ends(daemon)

    def test_before_any_connection_ends_fast(self):
        daemon = self.start("127.0.0.1:1")
        daemon.signal(signal.SIGTERM)
        self.assert_ends(daemon)

    def test_open_stream_finishes_normally_while_all_else_is_turned_away(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(number.name):
                daemon, channel = self.start_both()
                self.assertEqual(http_get(daemon.metrics_address, "/readyz")[0], 200)
                stream = Stream(channel).echo()
                daemon.signal(number)
                wait_until(lambda: http_get(daemon.metrics_address, "/readyz")[0] == 503,
                           "not ready")
                self.assertEqual(http_get(daemon.metrics_address, "/livez")[0], 200)
                wait_until(lambda: not can_connect(daemon.target), "new connections refused")
                # RPCs that leave the client before it has seen the GOAWAY are served.
                wait_until(lambda: code_of(channel) == grpc.StatusCode.UNAVAILABLE,
                           "new RPCs turned away", FAST)
                self.assertEqual(code_of(self.open_channel(daemon.target)),
                                 grpc.StatusCode.UNAVAILABLE)
                for number_of_echo in range(100):
                    stream.echo(b"still here %d" % number_of_echo)
                stream.half_close()
                self.assertEqual(stream.end()[0], grpc.StatusCode.OK)
                self.assert_ends(daemon)

    def test_stream_that_ends_within_the_timeout_keeps_its_status(self):
        """All of the timeout is given, not a thousandth, which would be over long before."""
        daemon, channel = self.start_both(drain={"timeout": "60s"})
        stream = Stream(channel).echo()
        daemon.signal(signal.SIGTERM)
        daemon.await_line("draining")
        began = self.list_streams(daemon)[1]["age"]
        wait_until(lambda: code_of(channel) == grpc.StatusCode.UNAVAILABLE, "the GOAWAY is here")
        self.await_age(daemon, began + 0.5)
        stream.half_close()
        self.assertEqual(stream.receive(), b"bye")
        self.assertEqual(stream.end()[0], grpc.StatusCode.OK)
        self.assert_ends(daemon)

    def test_stream_longer_than_the_timeout_gets_unavailable_with_the_reason(self):
        daemon, channel = self.start_both(drain={"timeout": "1500ms"})
        streams = [Stream(channel).echo() for _ in range(5)]
        start = time.monotonic()
        daemon.signal(signal.SIGTERM)
        for stream in streams:
            code, details = stream.end()
            self.assertEqual(code, grpc.StatusCode.UNAVAILABLE)
            self.assertIn("shutting down", details)
        self.assert_ends(daemon, at_least=1.5, at_most=1.5 + FAST, since=start)

    def test_timeout_of_zero_ends_streams_at_once(self):
        daemon, channel = self.start_both(drain={"timeout": "0"})
        stream = Stream(channel).echo()
        daemon.signal(signal.SIGTERM)
        self.assert_ends(daemon)
        code, details = stream.end()
        self.assertEqual((code, "shutting down" in details), (grpc.StatusCode.UNAVAILABLE, True))

    def test_client_that_reads_nothing_does_not_hold_the_end_up(self):
        daemon, channel = self.start_both(drain={"timeout": "500ms"})
        request = json.dumps({"count": 1000, "bytes": 65536}).encode()
        unread = channel.unary_stream("/daemon.Produce/Big")(request)
        unread.initial_metadata()
        wait_until(lambda: daemon.scrape().value("lanekeeper_stream_ops_in_flight",
                                                 direction="to_downstream", op="send") == 1,
                   "a stalled send")
        daemon.signal(signal.SIGTERM)
        self.assert_ends(daemon, at_most=0.5 + FAST)

    def test_upstream_that_answers_nothing_does_not_hold_the_end_up(self):
        upstream = self.start_upstream()
        daemon = self.start(upstream.address, drain={"timeout": "500ms"})
        stream = Stream(self.open_channel(daemon.target)).echo()
        upstream.signal(signal.SIGSTOP)
        daemon.signal(signal.SIGTERM)
        self.assert_ends(daemon, at_most=0.5 + FAST)
        self.assertEqual(stream.end()[0], grpc.StatusCode.UNAVAILABLE)

    def test_second_signal_ends_at_once(self):
        for first, second in ((signal.SIGTERM, signal.SIGTERM), (signal.SIGINT, signal.SIGTERM),
                              (signal.SIGTERM, signal.SIGINT)):
            with self.subTest(first=first.name, second=second.name):
                daemon, channel = self.start_both()
                stream = Stream(channel).echo()
                daemon.signal(first)
                daemon.await_line("draining")
                stream.echo()
                daemon.signal(second)
                self.assert_ends(daemon, at_most=1)
                self.assertEqual(stream.end()[0], grpc.StatusCode.UNAVAILABLE)

    def test_idle_frozen_client_does_not_hold_the_end_up(self):
        daemon, _ = self.start_both(drain={"timeout": "500ms"})
        client = self.start_client("unary", daemon.target, 1, 1)
        client.await_line("^calling$")
        client.signal(signal.SIGSTOP)
        daemon.await_metric("lanekeeper_streams_open", 0)
        daemon.signal(signal.SIGTERM)
        self.assert_ends(daemon, at_most=0.5 + FAST)

    def test_log_says_how_many_rpcs_are_open(self):
        daemon, channel = self.start_both(drain={"timeout": "100ms"})
        for _ in range(3):
            Stream(channel).echo()
        daemon.signal(signal.SIGTERM)
        daemon.await_line("draining, 3 RPCs open")

    def test_each_stream_that_delays_the_end_gets_a_line_whatever_the_access_log_says(self):
        for timeout in ("0", "300ms", "60s"):
            with self.subTest(timeout=timeout):
                daemon, channel = self.start_both(drain={"timeout": timeout},
                                                  log={"access": "off", "format": "json"})
                streams = [Stream(channel).echo() for _ in range(3)]
                call(channel)
                daemon.signal(signal.SIGTERM)
                lines = []
                for number in range(1, 4):
                    daemon.await_line(rf'"stream delays the end".*"id":{number},')
                if timeout == "60s":  # it goes on all the same
                    for stream in streams:
                        stream.echo()
                        stream.half_close()
                        self.assertEqual(stream.end()[0], grpc.StatusCode.OK)
                self.assert_ends(daemon)
                lines = [json.loads(line) for line in daemon.lines if "delays the end" in line]
                self.assertEqual(sorted(line["id"] for line in lines), [1, 2, 3])
                for line in lines:
                    self.assertEqual(line["method"], "/daemon.Bidi/Echo")
                    self.assertIn("127.0.0.1", line["peer"])
                    self.assertEqual(line["to_upstream_waiting_for"], "sender")

    def test_the_line_of_a_stream_that_delays_the_end_says_how_old_it_is_and_who_waits(self):
        for access in ("off", "errors", "all"):
            with self.subTest(access=access):
                before = time.monotonic()
                daemon, channel = self.start_both(drain={"timeout": "0"},
                                                  log={"access": access, "format": "json"})
                Stream(channel).echo()
                request = json.dumps({"count": 1000, "bytes": 65536}).encode()
                unread = channel.unary_stream("/daemon.Produce/Unread")(request)
                self.stack.callback(unread.cancel)
                unread.initial_metadata()
                wait_until(lambda: self.list_streams(daemon)[2]["to_downstream"]["waiting_for"]
                           == "RECEIVER", "a stalled send")
                listed = self.await_age(daemon, 0.3)
                daemon.signal(signal.SIGTERM)
                for number in (1, 2):
                    daemon.await_line(rf'"stream delays the end".*"id":{number},')
                most = time.monotonic() - before
                self.assert_ends(daemon)
                lines = {line["id"]: line for line in map(json.loads, daemon.lines)
                         if line["message"] == "stream delays the end"}
                echo, flood = lines[1], lines[2]
                self.assertTrue(listed - 0.001 <= echo["age_s"] <= most + 0.001,
                                f"{echo['age_s']} s, listed with {listed}, at most {most}")
                self.assertTrue(0 < flood["age_s"] <= echo["age_s"], (flood, echo))
                self.assertEqual([(line["to_upstream_waiting_for"],
                                   line["to_downstream_waiting_for"]) for line in (echo, flood)],
                                 [("sender", "sender"), ("nobody", "receiver")])

    def test_rpcs_under_way_do_not_fail_and_later_ones_may_be_tried_again(self):
        upstream = self.start_upstream()
        for number in range(LOAD_ROUNDS):
            daemon = self.start(upstream.address)
            clients = [self.start_client("unary", daemon.target, 2, 4)
                       for _ in range(LOAD_PROCESSES)]
            for client in clients:
                client.await_line("^calling$")
            signalled = time.monotonic()
            daemon.signal(signal.SIGTERM)
            self.assert_ends(daemon)
            failures = []
            for client in clients:
                client.tell("end")
                failures += json.loads(client.await_line("^ended (.*)").group(1))
            # Those that had not left the client are not the daemon's.
            failures = [(f"{1e3 * (start - signalled):.2f} ms after the signal", status)
                        for start, status in failures if NEVER_SENT not in status]
            print(f"round {number}: {len(failures)} RPCs failed: {failures[:5]}")
            with self.subTest("under way", round=number):
                self.assertEqual([one for one in failures if one[0].startswith("-")], [])
            with self.subTest("later", round=number):
                self.assertEqual([one for one in failures if "UNAVAILABLE" not in one[1]], [])


if __name__ == "__main__":
    main()
