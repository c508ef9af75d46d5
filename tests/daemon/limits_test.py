#!/usr/bin/python3
"""Limits refuse one RPC with RESOURCE_EXHAUSTED and leave its neighbours alone."""

import json
import time

import grpc

from harness.byte_client import Stream, call, code_of
from harness.case import DaemonTest, both_kinds, main
from harness.lanekeeper import SANITIZED
from harness.waiting import wait_until

EXHAUSTED = grpc.StatusCode.RESOURCE_EXHAUSTED
AT_ONCE = 1
CAP = 100
KIB = 1024


@both_kinds
class Limits(DaemonTest):
    def start_with(self, **limits):
        """The daemon, a channel, and a stream on it that nothing may disturb."""
        self.upstream = self.start_upstream()
        self.daemon = self.start(self.upstream.address, limits=limits)
        self.channel = self.open_channel(self.daemon.target)
        self.neighbour = Stream(self.channel).echo()

    def assert_undisturbed(self):
        self.neighbour.echo()
        scrape = self.daemon.scrape()
        self.assertEqual(scrape.value("lanekeeper_downstream_connections"), 1)
        self.assertEqual(scrape.value("lanekeeper_upstream_connections"), 1)

    def refusal(self, *arguments, **options):
        """Code and message of an RPC that must fail."""
        with self.assertRaises(grpc.RpcError) as raised:
            call(self.channel, *arguments, **options)
        return raised.exception.code(), raised.exception.details()

    def test_one_rpc_too_many_is_refused_at_once_and_room_is_given_back(self):
        self.start_with(open_rpcs=5)
        others = [Stream(self.channel).echo() for _ in range(4)]
        start = time.monotonic()
        code, details = self.refusal()
        self.assertLess(time.monotonic() - start, AT_ONCE)
        self.assertEqual(code, EXHAUSTED)
        self.assertIn("limits.open_rpcs", details)
        self.assertEqual(Stream(self.channel).end()[0], EXHAUSTED)
        self.daemon.await_metric("lanekeeper_rpcs_rejected_total", 2, reason="open_rpcs")
        self.assert_undisturbed()
        # They never reached the upstream.
        self.assertEqual(self.upstream.counters(), {"active": 5, "finished": 0, "cancelled": 0})

        for round_number in range(10):
            others[0].half_close()
            self.assertEqual(others[0].end()[0], grpc.StatusCode.OK)
            self.daemon.await_metric("lanekeeper_streams_open", 4)
            others[0] = Stream(self.channel).echo()
            self.assertEqual(code_of(self.channel), EXHAUSTED, f"round {round_number}")
        others[1].rpc.cancel()
        self.daemon.await_metric("lanekeeper_streams_open", 4)
        self.assertEqual(code_of(self.channel), grpc.StatusCode.OK)

    def test_limit_of_open_rpcs_holds_over_all_connections(self):
        self.start_with(open_rpcs=5)
        streams = [Stream(self.open_channel(self.daemon.target)).echo() for _ in range(4)]
        self.assertEqual(code_of(self.open_channel(self.daemon.target)), EXHAUSTED)
        for stream in streams:
            stream.echo()
        self.neighbour.echo()

    def test_limit_of_open_rpcs_holds_in_a_burst(self):
        self.start_with(open_rpcs=20)
        rpcs = [self.channel.unary_unary("/daemon.Silent/Wait").future(b"", timeout=2)
                for _ in range(100)]
        wait_until(lambda: sum(rpc.done() for rpc in rpcs) >= 81, "81 refusals")
        codes = [rpc.exception().code() for rpc in rpcs]
        self.assertEqual(codes.count(EXHAUSTED), 81)
        self.assertEqual(codes.count(grpc.StatusCode.DEADLINE_EXCEEDED), 19)
        self.daemon.await_metric("lanekeeper_streams_open", 1)
        self.assertEqual(code_of(self.channel), grpc.StatusCode.OK)

    def test_twice_the_cap_again_and_again_is_half_refused_and_memory_stays_small(self):
        self.start_with(open_rpcs=CAP + 1)
        for round_number in range(1, 6):
            rpcs = [self.channel.unary_unary("/daemon.Silent/Wait").future(b"x" * KIB, timeout=60)
                    for _ in range(2 * CAP)]
            wait_until(lambda: sum(rpc.done() for rpc in rpcs) == CAP, "as many refusals")
            self.assertEqual({rpc.code() for rpc in rpcs if rpc.done()}, {EXHAUSTED})
            self.neighbour.echo(bytes(KIB))
            for rpc in rpcs:
                rpc.cancel()
            self.daemon.await_metric("lanekeeper_streams_open", 1)
            self.daemon.await_metric("lanekeeper_rpcs_rejected_total", round_number * CAP,
                                     reason="open_rpcs")
        if not SANITIZED:
            self.assertLess(self.daemon.peak_rss_bytes(), 128 * KIB * KIB)

    def test_twice_the_cap_with_a_queue_is_all_answered(self):
        self.start_with(open_rpcs=CAP + 1, queue={"length": CAP, "timeout": "60s"})
        held = [Stream(self.channel).echo() for _ in range(CAP)]
        rpcs = [self.channel.unary_unary("/daemon.Unary/Echo").future(b"x", timeout=60)
                for _ in range(CAP)]
        self.daemon.await_metric("lanekeeper_rpcs_queued", CAP)
        self.assertEqual(code_of(self.channel), EXHAUSTED)
        self.assertFalse(any(rpc.done() for rpc in rpcs))
        for stream in held:
            stream.half_close()
        self.assertEqual({rpc.code() for rpc in rpcs}, {grpc.StatusCode.OK})
        self.daemon.await_metric("lanekeeper_queue_wait_seconds_count", CAP)
        self.assert_undisturbed()

    def test_message_of_the_limit_passes_and_a_larger_request_is_refused(self):
        self.start_with(message_size="64KiB")
        at_limit = bytes(64 * KIB)
        self.assertEqual(call(self.channel, at_limit), at_limit)
        self.neighbour.echo(at_limit)
        for size in (64 * KIB + 1, 8 * KIB * KIB):
            with self.subTest(size=size):
                self.assertEqual(self.refusal(bytes(size))[0], EXHAUSTED)
                stream = Stream(self.channel).echo()
                stream.send(bytes(size))
                self.assertEqual(stream.end()[0], EXHAUSTED)
                self.assert_undisturbed()
        # Nothing is left open upstream either.
        self.upstream.await_counter("active", 1)

    def test_larger_response_is_refused(self):
        self.start_with(message_size="64KiB")
        for size, want in ((64 * KIB, grpc.StatusCode.OK), (64 * KIB + 1, EXHAUSTED),
                           (8 * KIB * KIB, EXHAUSTED)):
            with self.subTest(size=size):
                answers = self.channel.unary_stream("/daemon.Produce/Big")(
                    json.dumps({"count": 3, "bytes": size}).encode(), timeout=20)
                received = []
                try:
                    received.extend(answers)
                except grpc.RpcError as error:
                    self.assertEqual(error.code(), want)
                self.assertEqual(answers.code(), want)
                self.assertEqual(len(received), 3 if want == grpc.StatusCode.OK else 0)
                self.assert_undisturbed()
        self.upstream.await_counter("active", 1)

    def test_message_refusals_count_as_limit(self):
        self.start_with(message_size="64KiB")
        self.refusal(bytes(100 * KIB))
        self.refusal(json.dumps({"count": 1, "bytes": 100 * KIB}).encode(), "/daemon.Produce/Big")
        self.daemon.await_metric("lanekeeper_streams_terminated_total", 2, cause="limit")
        self.daemon.await_metric("grpc_server_handled_total", 2, grpc_code="ResourceExhausted")

    def test_larger_request_metadata_is_refused(self):
        self.start_with(metadata_size="2KiB")
        self.assertEqual(code_of(self.channel, metadata=[("k", "v" * KIB)]), grpc.StatusCode.OK)
        for size in (3 * KIB, 40 * KIB):
            with self.subTest(size=size):
                code, details = self.refusal(metadata=[("k", "v" * size)])
                self.assertEqual(code, EXHAUSTED)
                self.assertIn("limits.metadata_size", details)
                self.assert_undisturbed()
        many = [(f"key-{number}", "v") for number in range(100)]
        self.assertEqual(self.refusal(metadata=many)[0], EXHAUSTED)
        self.assert_undisturbed()

    def test_larger_response_metadata_is_refused(self):
        self.start_with(metadata_size="2KiB")
        for headers, trailers, want in ((KIB, KIB, grpc.StatusCode.OK), (3 * KIB, 1, EXHAUSTED),
                                        (1, 3 * KIB, EXHAUSTED), (60 * KIB, 1, EXHAUSTED),
                                        (1, 60 * KIB, EXHAUSTED)):
            with self.subTest(headers=headers, trailers=trailers):
                request = json.dumps({"headers": headers, "trailers": trailers}).encode()
                self.assertEqual(code_of(self.channel, request, "/daemon.Metadata/Send"), want)
                self.assert_undisturbed()


if __name__ == "__main__":
    main()
