#!/usr/bin/python3
"""An upstream that is out of order, in each way there is: the RPCs get UNAVAILABLE in time, it is
dialled with pauses, and serves again without a restart of the daemon."""

import signal
import time

import grpc

from harness.byte_client import Stream, call, code_of
from harness.case import DaemonTest, both_kinds, main
from harness.lanekeeper import SANITIZED
from harness.ports import free_port
from harness.waiting import wait_until
from odd_upstreams import SETTINGS, BlackHole, OddUpstream

UNAVAILABLE = grpc.StatusCode.UNAVAILABLE
SLOWER = 5 if SANITIZED else 1
# Where the network says no; where a connection or its SETTINGS do not come, which may take 5 s.
AT_ONCE = 1 * SLOWER
DIAL_BOUND = 5 + 2 * SLOWER
# The longest pause between dials so early in an outage, with a dial in vain.
RECOVERY_BOUND = 20
STREAMS = 20


@both_kinds
class Outage(DaemonTest):
    def start_with(self, upstream, **more):
        self.daemon = self.start({"address": upstream, **more})
        self.channel = self.open_channel(self.daemon.target)

    def assert_unavailable(self, within, why):
        """An RPC that has no other time than this, or it would end with DEADLINE_EXCEEDED."""
        with self.assertRaises(grpc.RpcError) as raised:
            call(self.channel, timeout=within)
        self.assertEqual(raised.exception.code(), UNAVAILABLE, raised.exception.details())
        self.assertRegex(raised.exception.details(), why)

    def assert_recovers(self):
        wait_until(lambda: code_of(self.channel) == grpc.StatusCode.OK, "it serves again",
                   RECOVERY_BOUND)
        self.daemon.await_metric("lanekeeper_upstream_state", 1, state="ready")

    def test_refused_is_unavailable_at_once(self):
        port = free_port()
        self.start_with(f"127.0.0.1:{port}")
        for _ in range(3):
            self.assert_unavailable(AT_ONCE, "Connection refused")
        self.daemon.await_metric("lanekeeper_upstream_state", 1, state="transient_failure")
        self.start_upstream(port)
        self.assert_recovers()

    def test_black_hole_is_unavailable_after_one_dial_and_at_once_from_then_on(self):
        hole = BlackHole()
        self.addCleanup(hole.close)
        self.start_with(hole.address)
        self.assert_unavailable(DIAL_BOUND, "no answer within 5 s")
        self.assert_unavailable(AT_ONCE, "no answer within 5 s")
        hole.close()
        self.start_upstream(int(hole.address.rsplit(":", 1)[1]))
        self.assert_recovers()

    def test_silence_instead_of_settings_is_unavailable_after_one_dial(self):
        silent = OddUpstream(closes=False)
        self.addCleanup(silent.close)
        self.start_with(silent.address)
        self.assert_unavailable(DIAL_BOUND, "no SETTINGS within 5 s")
        self.assert_unavailable(AT_ONCE, "no SETTINGS within 5 s")
        silent.close()
        self.start_upstream(silent.port)
        self.assert_recovers()

    def assert_dialled_with_pauses(self, says):
        upstream = OddUpstream(says)
        self.start_with(upstream.address)
        end = time.monotonic() + 3
        while time.monotonic() < end:
            self.assert_unavailable(AT_ONCE, "closed the connection|Connection reset|was lost")
        self.assertGreaterEqual(upstream.dials, 2)
        # As one that refuses: after 0, 1 and 2.6 s, and the first time once more.
        self.assertLessEqual(upstream.dials, 5)
        # Of a state that stays the same there is one line, however many RPCs fail.
        self.assertLessEqual(self.daemon.count_lines("RPCs get UNAVAILABLE"), upstream.dials)
        upstream.close()
        self.start_upstream(upstream.port)
        self.assert_recovers()

    def test_upstream_that_accepts_and_closes_is_dialled_with_pauses(self):
        self.assert_dialled_with_pauses(b"")

    def test_upstream_that_says_settings_and_closes_is_dialled_with_pauses(self):
        self.assert_dialled_with_pauses(SETTINGS)

    def test_frozen_upstream_is_found_by_keepalive(self):
        upstream = self.start_upstream()
        self.start_with(upstream.address, keepalive={"time": "10s", "timeout": "1s"})
        stream = Stream(self.channel).echo()
        upstream.signal(signal.SIGSTOP)
        code, details = stream.end(bound=10 + 1 + 2 * SLOWER)
        self.assertEqual(code, UNAVAILABLE)
        self.assertIn("the connection to the upstream was lost", details)
        # The kernel still takes connections for it.
        self.assert_unavailable(DIAL_BOUND, "no SETTINGS within 5 s")
        upstream.signal(signal.SIGCONT)
        self.assert_recovers()

    def test_killed_upstream_ends_all_rpcs_at_once_and_serves_when_it_is_back(self):
        upstream = self.start_upstream()
        self.start_with(upstream.address)
        for _ in range(2):
            streams = [Stream(self.channel).echo() for _ in range(STREAMS)]
            upstream.kill()
            killed = time.monotonic()
            for stream in streams:
                self.assertEqual(stream.end()[0], UNAVAILABLE)
            self.assertLess(time.monotonic() - killed, AT_ONCE)
            # The first dial may meet the dying process.
            self.assert_unavailable(AT_ONCE, "Connection (refused|reset)")
            upstream = self.start_upstream(upstream.port)
            self.assert_recovers()
        self.daemon.await_metric("lanekeeper_streams_open", 0)

    def test_rpc_that_may_wait_is_served_when_the_upstream_comes(self):
        port = free_port()
        self.start_with(f"127.0.0.1:{port}", wait_for_ready=True)
        waiting = self.channel.unary_unary("/daemon.Unary/Echo").future(b"x")
        self.daemon.await_metric("lanekeeper_streams_awaiting_upstream", 1)
        self.daemon.await_metric("lanekeeper_upstream_state", 1, state="transient_failure")
        self.start_upstream(port)
        self.assertEqual(waiting.result(RECOVERY_BOUND), b"x")

    def test_more_connections_are_made_while_rpcs_wait_and_no_more_than_allowed(self):
        upstream = self.start_upstream(0, 2)
        self.start_with(upstream.address, connections=2)
        streams = [Stream(self.channel).echo() for _ in range(2)]
        self.daemon.await_metric("lanekeeper_upstream_connections", 1)
        streams += [Stream(self.channel).echo() for _ in range(2)]
        self.daemon.await_metric("lanekeeper_upstream_connections", 2)
        waits = Stream(self.channel)
        self.daemon.await_metric("lanekeeper_streams_awaiting_upstream", 1)
        self.assertEqual(self.daemon.scrape().value("lanekeeper_upstream_connections"), 2)
        streams.pop().half_close()
        for stream in [*streams, waits]:
            stream.echo().half_close()
            self.assertEqual(stream.end()[0], grpc.StatusCode.OK)

    def test_old_connections_are_replaced_and_no_rpc_fails(self):
        upstream = self.start_upstream()
        self.start_with(upstream.address, max_age="1s")
        stays = Stream(self.channel).echo()
        end = time.monotonic() + RECOVERY_BOUND
        # The stream's own, which drains, and the one that takes the next RPCs.
        while self.daemon.scrape().value("lanekeeper_upstream_connections") < 2:
            self.assertEqual(code_of(self.channel), grpc.StatusCode.OK)
            self.assertLess(time.monotonic(), end, "it is not replaced")
        stays.echo().half_close()
        self.assertEqual(stays.end()[0], grpc.StatusCode.OK)
        self.daemon.await_metric("lanekeeper_upstream_connections", 1)


if __name__ == "__main__":
    main()
