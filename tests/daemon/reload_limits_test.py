#!/usr/bin/python3
"""Each limit of a reload is the one that counts from then on, up and down; what is open stays."""

import grpc

from harness.byte_client import Stream, call, code_of
from harness.case import DaemonTest, both_kinds, main

OK = grpc.StatusCode.OK
EXHAUSTED = grpc.StatusCode.RESOURCE_EXHAUSTED
UNWATCHED = {"reload": {"watch": False}}
REJECTED = "lanekeeper_rpcs_rejected_total"
STAGE = "lanekeeper_buffered_bytes_stage"
HELD = "lanekeeper_buffered_bytes"
STOPPED = 30  # streams whose reader has stopped
SENT = 65_536  # bytes of each message, of which a window waits in the daemon


@both_kinds
class ReloadLimits(DaemonTest):
    def start_with(self, max_streams=None, upstream=None, **limits):
        """The daemon, a channel, and a stream on it that no reload may disturb."""
        words = [] if max_streams is None else [max_streams]
        self.upstream = self.start_upstream(0, *words)
        self.target = {"address": self.upstream.address, **(upstream or {})}
        self.daemon = self.start(self.target, limits=limits, **UNWATCHED)
        self.channel = self.open_channel(self.daemon.target)
        self.neighbour = Stream(self.channel).echo()

    def limit(self, **limits):
        self.daemon.reload(self.config(self.target, limits=limits, **UNWATCHED))
        self.neighbour.echo()

    def assert_refused(self, reason, key, channel=None, **options):
        before = self.daemon.scrape().value(REJECTED, reason=reason)
        with self.assertRaises(grpc.RpcError) as refused:
            call(channel or self.channel, **options)
        self.assertEqual(refused.exception.code(), EXHAUSTED)
        self.assertIn(key, refused.exception.details())
        self.daemon.await_metric(REJECTED, before + 1, reason=reason)

    def test_of_connections(self):
        self.start_with()
        self.limit(connections=1)
        refused = self.open_channel(self.daemon.target)
        self.assertEqual(code_of(refused), grpc.StatusCode.UNAVAILABLE)
        refused.close()  # it would dial again
        self.daemon.await_line(r"connection refused .*limits.connections reached \(1\)")
        self.limit(connections=2)
        self.assertEqual(code_of(self.open_channel(self.daemon.target)), OK)
        self.neighbour.echo()

    def test_of_one_connection(self):
        self.start_with()
        self.limit(streams_per_connection=1)
        self.assert_refused("streams_per_connection", "limits.streams_per_connection")
        self.assertEqual(code_of(self.open_channel(self.daemon.target)), OK)
        self.limit(streams_per_connection=2)
        self.assertEqual(code_of(self.channel), OK)

    def test_of_methods(self):
        self.start_with()
        entry = {"match": "/daemon.Bidi/*", "open_rpcs": 1}
        self.limit(methods=[entry])
        held = Stream(self.channel).echo()
        self.assertEqual(Stream(self.channel).end()[0], EXHAUSTED)
        self.daemon.await_metric(REJECTED, 1, reason="methods")
        self.assertEqual(code_of(self.channel), OK)
        # The entry keeps what it has counted, under another number too.
        self.limit(methods=[{**entry, "open_rpcs": 2}])
        second = Stream(self.channel).echo()
        self.assertEqual(Stream(self.channel).end()[0], EXHAUSTED)
        self.limit()
        Stream(self.channel).echo()
        for stream in (held, second):
            stream.echo()

    def test_of_open_rpcs_and_their_queue(self):
        self.start_with(open_rpcs=1)
        self.assert_refused("open_rpcs", "limits.open_rpcs")
        self.limit(open_rpcs=1, queue={"length": 1})
        waiting = self.channel.unary_unary("/daemon.Unary/Echo").future(b"x", timeout=60)
        self.daemon.await_metric("lanekeeper_rpcs_queued", 1)
        self.assert_refused("queue_full", "limits.queue")
        # More room lets in who waits already.
        self.limit(open_rpcs=2, queue={"length": 1})
        self.assertEqual(waiting.result(), b"x")

    def test_of_those_that_wait_for_the_upstream(self):
        self.start_with(max_streams=1)
        waiting = Stream(self.channel)
        self.daemon.await_metric("lanekeeper_streams_awaiting_upstream", 1)
        self.limit(upstream_waiting=1)
        self.assert_refused("upstream_waiting", "limits.upstream_waiting")
        self.neighbour.half_close()
        waiting.echo()

    def test_of_metadata_of_answers(self):
        self.start_with(metadata_size="4KiB")
        request = b'{"headers": 3000, "trailers": 1}'
        self.assertEqual(code_of(self.channel, request, "/daemon.Metadata/Send"), OK)
        self.limit(metadata_size="4KiB", response_metadata_size="2KiB")
        self.assertEqual(code_of(self.channel, request, "/daemon.Metadata/Send"), EXHAUSTED)

    def test_of_what_is_held(self):
        self.start_with()
        request = b'{"count": 1000, "bytes": %d}' % SENT
        for _ in range(STOPPED):
            rpc = self.channel.unary_stream("/daemon.Produce/Unread")(request)
            self.stack.callback(rpc.cancel)
            rpc.initial_metadata()
        self.daemon.await_at_least(HELD, 1 << 20)
        self.assertEqual(self.daemon.scrape().value(STAGE), 0)
        self.limit(buffered_bytes="1MiB")
        self.daemon.await_metric(STAGE, 3)
        self.assert_refused("buffered_bytes", "limits.buffered_bytes")
        self.limit(buffered_bytes="64MiB")
        self.daemon.await_metric(STAGE, 0)
        self.assertEqual(code_of(self.channel), OK)


if __name__ == "__main__":
    main()
