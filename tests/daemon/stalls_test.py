#!/usr/bin/python3
"""A stuck stream is named, wherever an operator may look, with who waits for whom; its neighbours,
which are only idle, are not. When it moves again, that is told too."""

import time

from harness.byte_client import Stream
from harness.case import both_kinds, main
from harness.ports import free_port
from harness.waiting import wait_until
from stuck_streams import FLOOD, TO_DOWNSTREAM, TO_UPSTREAM, StuckTest, watched

IDLE_METHODS = ["/daemon.Bidi/Idle", "/daemon.Bidi/Unspoken", "/daemon.Upload/Paused",
                "/daemon.Produce/Quiet"]


def nanoseconds(duration):
    """Of protobuf's JSON: "1.5s"."""
    return float(duration.removesuffix("s")) * 1e9


class Idle:
    """Streams that are not stuck however long they last, one of each sort."""

    def __init__(self, test):
        channel = test.open_channel(test.daemon.target)
        self.after_echo = Stream(channel, IDLE_METHODS[0]).echo()
        self.unspoken = Stream(channel, IDLE_METHODS[1])
        self.upload = Stream(channel, IDLE_METHODS[2])
        self.upload.send(b"the first part")
        self.subscription = channel.unary_stream(IDLE_METHODS[3])(
            b'{"count": 1, "bytes": 3, "stay": true}')
        next(self.subscription)  # this upstream has spoken since the requests ended
        test.stack.callback(lambda: [rpc.cancel() for rpc in (
            self.after_echo.rpc, self.unspoken.rpc, self.upload.rpc, self.subscription)])

    def assert_alive(self, test):
        self.after_echo.echo(b"later")
        self.unspoken.echo(b"at last")
        self.upload.send(b"the second part")
        self.upload.half_close()
        test.assertEqual(self.upload.receive(), b"all")
        test.assertTrue(self.subscription.is_active())


@both_kinds
class Stalls(StuckTest):
    def start_with_idle(self, **options):
        self.start_both(**options)
        self.start_watches()
        self.idle = Idle(self)
        wait_until(lambda: len(self.streams()) == len(IDLE_METHODS), "the idle streams")

    def start_watches(self):
        self.watch = self.start_watch()
        self.stuck_watch = self.start_watch("--stuck")

    def assert_named(self, method, kind, direction, among):
        """Everywhere, and nothing else is."""
        began = time.monotonic()
        self.await_stuck({(direction, kind): 1})
        named_after = time.monotonic() - began
        self.assertEqual(
            {stall: count for stall, count in
             self.stall_values("lanekeeper_stream_stalls_total").items() if count},
            {(direction, kind): 1})

        [stream] = self.streams("?stuck=true")
        self.stuck_id = int(stream["id"])
        self.assert_is_it(stream, method, kind, direction)
        self.assert_in_full_list(among)
        self.assertIn(f"STUCK {kind} {direction}", self.command("streams", self.stuck_id))
        rows = [line for line in self.command("streams").splitlines() if "STUCK" in line]
        self.assertEqual(len(rows), 1, rows)
        self.assertRegex(rows[0], rf"^ *{self.stuck_id} +{method} .* STUCK {kind} {direction} ")

        for watch in (self.watch, self.stuck_watch):
            wait_until(lambda: watched(watch, "STUCK"), "an event of the stuck stream")
            [event] = watched(watch, "STUCK")
            self.assert_is_it(event, method, kind, direction)
        line = self.assert_logged_once("stream is stuck: ", method, kind, direction)
        self.assertEqual(line["level"], "warn")
        print(f"{self.kind}: {direction} {kind}: named {named_after:.2f} s after it was made, "
              f"told in the log when it had lasted {line['lasted_s']} s")

    def assert_is_it(self, stream, method, kind, direction):
        self.assertEqual((int(stream["id"]), stream["method"]), (self.stuck_id, method))
        stall = stream["stall"]
        self.assertEqual((stall["kind"], stall["direction"]), (kind.upper(), direction.upper()))
        self.assertGreaterEqual(nanoseconds(stall["lasted"]), 1e9)

    def assert_in_full_list(self, among):
        """Those that are idle have been so for as long, and are not stuck."""
        def are_old():
            streams = self.streams()
            stuck = [stream["method"] for stream in streams if "stall" in stream]
            self.assertEqual(len(stuck), 1, streams)
            others = [stream for stream in streams if "stall" not in stream]
            self.assertEqual(sorted(stream["method"] for stream in others), sorted(among))
            return all(nanoseconds(lane["state_for"]) > 1.5e9 for stream in others
                       for lane in (stream["to_upstream"], stream["to_downstream"]))

        wait_until(are_old, "idle streams that have been so for longer than stuck.after")

    def assert_logged_once(self, message, method, kind, direction):
        wait_until(lambda: self.log_lines(message), f"a line {message!r}")
        [line] = self.log_lines(message)
        self.assertEqual(
            (line["id"], line["method"], line["kind"], line["direction"]),
            (self.stuck_id, method, kind, direction))
        self.assertGreaterEqual(line["lasted_s"], 1)
        return line

    def assert_moves_again(self, method, kind, direction):
        self.await_stuck({})
        self.assert_logged_once("stream moves again", method, kind, direction)
        for watch in (self.watch, self.stuck_watch):
            wait_until(lambda: watched(watch, "MOVING"), "an event of the stream that moves again")
            [event] = watched(watch, "MOVING")
            self.assertEqual((int(event["id"]), event["method"]), (self.stuck_id, method))
            self.assertNotIn("stall", event)
        # Who watches stuck streams only is told of nothing else.
        self.assertEqual(len(self.stuck_watch.lines), 2, self.stuck_watch.lines)
        self.assertEqual(self.streams("?stuck=true"), [])
        self.assertEqual(sum(self.stall_values("lanekeeper_stream_stalls_total").values()), 1)
        self.assertEqual(len(self.log_lines("stream is stuck")), 1)

    def test_application_that_does_not_read_is_named(self):
        self.start_with_idle()
        rpc = self.open_unread()
        stall = ("/daemon.Produce/Flood", "slow_receiver", TO_DOWNSTREAM)
        self.assert_named(*stall, IDLE_METHODS)
        for _ in range(FLOOD):
            next(rpc)
        self.assert_moves_again(*stall)
        self.idle.assert_alive(self)

    def test_upstream_that_does_not_read_is_named(self):
        self.start_with_idle()
        stream = self.open_untaken()
        stall = ("/daemon.Unread/Upload", "slow_receiver", TO_UPSTREAM)
        self.assert_named(*stall, IDLE_METHODS)
        self.upstream.open_gate()
        for _ in range(FLOOD):
            stream.receive()
        self.assert_moves_again(*stall)
        self.idle.assert_alive(self)

    def test_upstream_that_never_answers_is_named(self):
        self.start_with_idle()
        stream = self.open_unanswered()
        stall = ("/daemon.Late/Wait", "silent_sender", TO_DOWNSTREAM)
        self.assert_named(*stall, IDLE_METHODS)
        self.upstream.open_gate()
        self.assertEqual(stream.receive(), b"open")
        self.assert_moves_again(*stall)
        self.idle.assert_alive(self)

    def test_upstream_that_forgets_a_half_closed_stream_is_named(self):
        self.start_with_idle()
        stream = self.open_stream("/daemon.Late/Chat").echo()
        stream.half_close()
        stall = ("/daemon.Late/Chat", "half_closed", TO_DOWNSTREAM)
        self.assert_named(*stall, IDLE_METHODS)
        self.upstream.open_gate()
        self.assertEqual(stream.receive(), b"open")
        self.assert_moves_again(*stall)
        self.idle.assert_alive(self)

    def test_upstream_that_allows_no_further_stream_is_named(self):
        self.start_with_idle(max_streams=len(IDLE_METHODS))
        stream = self.open_stream("/daemon.Bidi/OneTooMany")
        stall = ("/daemon.Bidi/OneTooMany", "stream_slots", TO_UPSTREAM)
        self.assert_named(*stall, IDLE_METHODS)
        self.idle.assert_alive(self)  # which ends one of them
        stream.echo()
        self.assert_moves_again(*stall)

    def test_missing_connection_is_named(self):
        port = free_port()
        self.start_daemon({"address": f"127.0.0.1:{port}", "wait_for_ready": True})
        self.start_watches()
        stream = self.open_stream("/daemon.Bidi/Early")
        stall = ("/daemon.Bidi/Early", "not_connected", TO_UPSTREAM)
        self.assert_named(*stall, [])
        self.start_upstream(port)
        stream.echo()
        self.assert_moves_again(*stall)

    def test_nothing_is_named_where_stuck_is_off(self):
        self.start_both(stuck={"after": 0})
        self.open_unread()
        self.open_unanswered()

        def is_old():
            streams = self.streams()
            self.assertEqual([stream for stream in streams if "stall" in stream], [])
            return len(streams) == 2 and all(
                nanoseconds(stream["to_downstream"]["state_for"]) > 3e9 for stream in streams)

        wait_until(is_old, "streams that wait for longer than others' stuck.after")
        self.await_stuck({})
        self.assertEqual(self.log_lines("stream is stuck"), [])


if __name__ == "__main__":
    main()
