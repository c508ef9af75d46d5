#!/usr/bin/python3
"""What lanekeeper does about stuck streams: with stuck.action: cancel it ends those that are blocked,
and only those; of very many it writes few lines; none of them holds up an operator or the end."""

import signal
import time

import grpc

from harness.case import both_kinds, main
from harness.ports import free_port
from harness.waiting import wait_until
from stuck_streams import (NAMED_BOUND, SECOND, TO_DOWNSTREAM, TO_UPSTREAM, StuckTest)

CANCEL = {"stuck": {**SECOND, "action": "cancel"}}
MANY = 200
# The lines of 200 streams that get stuck at once: a burst, and some more on a slow machine.
LINES_AT_ONCE = 10
LINES_A_SECOND = 10
BLOCKED = grpc.StatusCode.ABORTED


@both_kinds
class Cancel(StuckTest):
    def assert_cancelled(self, rpc, code, why, method, kind, direction):
        try:
            for _ in rpc:
                pass
        except grpc.RpcError:
            pass
        self.assertEqual(rpc.code(), code, rpc.details())
        self.assertRegex(rpc.details(), rf"^lanekeeper: stuck\.after passed: {why} for \d+\.\d s$")
        self.daemon.await_metric("lanekeeper_streams_terminated_total", 1, cause="stuck")
        self.daemon.await_metric("lanekeeper_streams_open", 0)
        self.await_stuck({})
        self.assertEqual(
            self.stall_values("lanekeeper_stream_stalls_total")[direction, kind], 1)
        wait_until(lambda: self.log_lines("RPC ended"), "the line of its end")
        [stuck] = self.log_lines("stream is stuck: ")
        [ended] = self.log_lines("RPC ended")
        self.assertEqual((stuck["method"], stuck["kind"], stuck["direction"]),
                         (method, kind, direction))
        self.assertEqual((ended["id"], ended["peer"], ended["cause"]),
                         (stuck["id"], stuck["peer"], "stuck"))
        self.assertEqual(ended["code"].upper(), code.name.replace("_", ""))

    def test_application_that_does_not_read_is_cut_off(self):
        self.start_both(**CANCEL)
        rpc = self.open_unread()
        # Nothing is read before it has been cancelled.
        self.upstream.await_counter("cancelled", 1)
        self.assert_cancelled(rpc, BLOCKED, "the application did not read",
                              "/daemon.Produce/Flood", "slow_receiver", TO_DOWNSTREAM)

    def test_upstream_that_does_not_read_is_cut_off(self):
        self.start_both(**CANCEL)
        stream = self.open_untaken()
        self.upstream.await_counter("cancelled", 1)
        self.assert_cancelled(stream.rpc, BLOCKED, "the upstream did not read",
                              "/daemon.Unread/Upload", "slow_receiver", TO_UPSTREAM)

    def test_rpc_that_gets_no_stream_is_refused(self):
        self.start_both(max_streams=1, **CANCEL)
        holder = self.open_stream("/daemon.Bidi/Holder").echo()
        stream = self.open_stream("/daemon.Bidi/OneTooMany")
        self.assertEqual(stream.end(NAMED_BOUND)[0], grpc.StatusCode.RESOURCE_EXHAUSTED)
        holder.echo()
        holder.half_close()
        self.assertEqual(holder.end()[0], grpc.StatusCode.OK)
        self.assert_cancelled(stream.rpc, grpc.StatusCode.RESOURCE_EXHAUSTED,
                              "the upstream allowed no further stream",
                              "/daemon.Bidi/OneTooMany", "stream_slots", TO_UPSTREAM)
        # It has not taken the place of another.
        self.open_stream("/daemon.Bidi/Next").echo()
        self.upstream.await_counter("active", 1)

    def test_rpc_that_gets_no_connection_is_refused(self):
        self.start_daemon({"address": f"127.0.0.1:{free_port()}", "wait_for_ready": True},
                          **CANCEL)
        stream = self.open_stream("/daemon.Bidi/Early")
        self.assertEqual(stream.end(NAMED_BOUND)[0], grpc.StatusCode.UNAVAILABLE)
        self.assert_cancelled(stream.rpc, grpc.StatusCode.UNAVAILABLE,
                              "there was no connection to the upstream",
                              "/daemon.Bidi/Early", "not_connected", TO_UPSTREAM)

    def test_upstream_that_is_only_silent_may_still_answer(self):
        self.start_both(**CANCEL)
        silent = self.open_unanswered()
        forgotten = self.open_stream("/daemon.Late/Chat").echo()
        forgotten.half_close()
        self.await_stuck({(TO_DOWNSTREAM, "silent_sender"): 1, (TO_DOWNSTREAM, "half_closed"): 1})
        self.upstream.open_gate()
        for stream in (silent, forgotten):
            self.assertEqual(stream.receive(), b"open")
        self.await_stuck({})
        self.assertEqual(
            self.daemon.scrape().value("lanekeeper_streams_terminated_total", cause="stuck"), 0)


@both_kinds
class Many(StuckTest):
    def test_many_stuck_streams_are_counted_and_few_are_written(self):
        self.start_both()
        begin = time.monotonic()
        rpcs = [self.channel.unary_unary("/daemon.Silent/Wait").future(b"", timeout=120)
                for _ in range(MANY)]
        self.await_stuck({(TO_DOWNSTREAM, "silent_sender"): MANY})
        self.assertEqual(len(self.streams(f"?stuck=true&page_size={MANY}")), MANY)
        self.assertEqual(self.command("streams", "--stuck", "--json").count("\n"), MANY)
        self.assertEqual(
            self.stall_values("lanekeeper_stream_stalls_total")[TO_DOWNSTREAM, "silent_sender"],
            MANY)

        def dropped():
            return self.daemon.scrape().value("lanekeeper_log_lines_dropped_total",
                                              reason="rate_limited")

        wait_until(lambda: dropped() + len(self.log_lines("stream is stuck")) == MANY,
                   lambda: f"{dropped()} lines dropped, "
                           f"{len(self.log_lines('stream is stuck'))} written")
        written = len(self.log_lines("stream is stuck"))
        print(f"{self.kind}: {MANY} streams stuck at once: {written} lines, {dropped():.0f} dropped")
        self.assertGreaterEqual(written, 20)
        # As many as a burst and the seconds that it took allow, on a machine that is slow too.
        self.assertLess(written, LINES_AT_ONCE + LINES_A_SECOND * (time.monotonic() - begin + 1))
        for rpc in rpcs:
            rpc.cancel()
        self.await_stuck({})
        self.daemon.await_metric("lanekeeper_streams_open", 0)


@both_kinds
class Operator(StuckTest):
    """What an operator does while streams are stuck."""

    def start_stuck(self, **sections):
        """One stream of each kind that one upstream can have."""
        self.start_both(**sections)
        self.unread = self.open_unread()
        self.untaken = self.open_untaken()
        self.unanswered = self.open_unanswered()
        self.await_stuck({(TO_DOWNSTREAM, "slow_receiver"): 1, (TO_UPSTREAM, "slow_receiver"): 1,
                          (TO_DOWNSTREAM, "silent_sender"): 1})

    def test_cancel_ends_stuck_streams_on_both_sides(self):
        self.start_stuck()
        ids = sorted(int(stream["id"]) for stream in self.streams("?stuck=true"))
        self.assertEqual(len(self.command("cancel", *ids, "--reason", "enough").splitlines()), 3)
        self.upstream.await_counter("cancelled", 3)
        self.upstream.await_counter("active", 0)
        for stream in (self.untaken, self.unanswered):
            self.assert_cancelled_by_operator(stream.rpc, stream.end()[0])
        with self.assertRaises(grpc.RpcError):
            list(self.unread)
        self.assert_cancelled_by_operator(self.unread, self.unread.code())
        self.await_stuck({})
        self.daemon.await_metric("lanekeeper_streams_terminated_total", 3, cause="operator")
        self.daemon.await_metric("lanekeeper_streams_open", 0)
        self.daemon.await_metric("lanekeeper_stream_ops_in_flight", 0)

    def assert_cancelled_by_operator(self, rpc, code):
        self.assertEqual(code, grpc.StatusCode.CANCELLED)
        self.assertEqual(rpc.details(), "lanekeeper: cancelled by an operator: enough")

    def test_sigterm_ends_the_daemon_in_spite_of_stuck_streams(self):
        self.start_stuck(drain={"timeout": "1s"})
        self.daemon.signal(signal.SIGTERM)
        self.assertEqual(self.daemon.await_exit(), 0)
        [line] = self.log_lines("drain.timeout passed")
        self.assertIn("cancelled 3 RPCs", line["message"])
        self.upstream.await_counter("active", 0)
        self.assertEqual(self.untaken.end()[0], grpc.StatusCode.UNAVAILABLE)
        self.assertEqual(self.unanswered.end()[0], grpc.StatusCode.UNAVAILABLE)

    def test_stuck_streams_are_shown_while_a_drain_waits_for_them(self):
        self.start_stuck(drain={"timeout": "30s"})
        self.daemon.signal(signal.SIGTERM)
        self.daemon.await_line("draining, 3 RPCs open")
        self.assertEqual(len(self.streams("?stuck=true")), 3)
        self.assertRegex(self.command("streams", "--stuck").splitlines()[-1], "3 stuck.*draining")
        for stream in self.streams("?stuck=true"):
            self.command("cancel", stream["id"])
        self.assertEqual(self.daemon.await_exit(), 0)
        self.assertEqual(self.log_lines("drain.timeout passed"), [])

    def test_second_drain_does_not_cut_off_what_the_first_waits_for(self):
        self.start_both(drain={"timeout": "60s"})
        stream = self.open_stream("/daemon.Bidi/Patient").echo()
        self.assertRegex(self.command("drain"), r"^draining: 1 stream")
        self.daemon.await_line("draining, 1 RPCs open")
        self.assertRegex(self.command("drain"), r"^draining: 1 stream")
        stream.echo(b"still here")
        stream.half_close()
        self.assertEqual(stream.end()[0], grpc.StatusCode.OK)
        self.assertEqual(self.daemon.await_exit(), 0)
        self.assertEqual(self.log_lines("received"), self.log_lines("received Terminated: draining"))
        self.assertEqual(self.log_lines("drain.timeout passed"), [])

    def test_drain_after_sigterm_does_not_cut_off_either(self):
        self.start_both(drain={"timeout": "60s"})
        stream = self.open_stream("/daemon.Bidi/Patient").echo()
        self.daemon.signal(signal.SIGTERM)
        self.daemon.await_line("draining, 1 RPCs open")
        self.command("drain")
        stream.echo(b"still here")
        stream.half_close()
        self.assertEqual(stream.end()[0], grpc.StatusCode.OK)
        self.assertEqual(self.daemon.await_exit(), 0)

    def test_ids_only_grow(self):
        self.start_both()
        seen = []
        for _ in range(20):
            stream = self.open_stream("/daemon.Bidi/Short").echo()
            [shown] = self.streams()
            seen.append(int(shown["id"]))
            stream.half_close()
            self.assertEqual(stream.end()[0], grpc.StatusCode.OK)
            self.daemon.await_metric("lanekeeper_streams_open", 0)
        self.assertEqual(seen, sorted(set(seen)))


if __name__ == "__main__":
    main()
