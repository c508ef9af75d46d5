#!/usr/bin/python3
"""RFC 9113, sections 4 to 6 and 8.1, on the upstream's side: what is an error of one RPC, what of the
connection, and with which code. A table; each case has a daemon of its own, on which stream 1 is open
beside stream 3, whose answer is the case. What clients send is judged by Http2RulesTest."""

import contextlib
import struct

import grpc

from harness.byte_client import Stream
from harness.case import DaemonTest, both_kinds, main
from harness.waiting import wait_until
from raw_upstream import (BEGINS, END_HEADERS, END_STREAM, ENDS, GOAWAY, HEADERS, RESET, SETTINGS,
                          RawUpstream, field, frame, goaway)

DATA, PRIORITY, PUSH_PROMISE, PING, WINDOW_UPDATE, CONTINUATION = 0, 2, 5, 6, 8, 9
UNKNOWN = 0xfa
PADDED, ACK = 8, 1
NO_ERROR, PROTOCOL_ERROR, FLOW_CONTROL_ERROR, FRAME_SIZE_ERROR, COMPRESSION_ERROR = 0, 1, 3, 6, 9
CANCEL = 8
ERROR_TEXT = {PROTOCOL_ERROR: "PROTOCOL_ERROR", FLOW_CONTROL_ERROR: "FLOW_CONTROL_ERROR",
              FRAME_SIZE_ERROR: "FRAME_SIZE_ERROR", COMPRESSION_ERROR: "COMPRESSION_ERROR"}
NEIGHBOUR, VICTIM, IDLE = 1, 3, 1001
LARGEST_FRAME, LARGEST_WINDOW = 1 << 14, (1 << 31) - 1
HEADER_TABLE_SIZE, ENABLE_PUSH, INITIAL_WINDOW_SIZE, MAX_FRAME_SIZE = 1, 2, 4, 5
LARGEST_TABLE = 4096
BLOCKS = 20
FLOOD_OF_PIECES = 40_000  # what may come at once, twice
DRIP_SECONDS = 0.2  # slower than a block may have frames


def headers(stream=VICTIM, block=BEGINS, flags=END_HEADERS):
    return frame(HEADERS, flags, stream, block)


def trailers(stream=VICTIM, block=ENDS):
    return headers(stream, block, END_HEADERS | END_STREAM)


def word(number):
    return struct.pack("!I", number)


def setting(name, value):
    return frame(SETTINGS, 0, 0, struct.pack("!HI", name, value))


ANSWER = headers() + frame(DATA, 0, VICTIM, bytes(5)) + trailers()

FINE = {
    "4.1 a frame of an unknown type": frame(UNKNOWN, 0xff, VICTIM, b"whatever") + ANSWER,
    "4.1 a reserved bit that is set": frame(PING, 0, 1 << 31, b"8 bytes.") + ANSWER,
    "5.1 PRIORITY and WINDOW_UPDATE behind the end": ANSWER + frame(
        PRIORITY, 0, VICTIM, word(0) + b"\x10") + frame(WINDOW_UPDATE, 0, VICTIM, word(1)),
    "6.1 and 6.2 padding": frame(HEADERS, END_HEADERS | PADDED, VICTIM, b"\x03" + BEGINS + b"pad")
    + frame(DATA, PADDED, VICTIM, b"\x03" + bytes(5) + b"pad") + trailers(),
    "6.5.2 an unknown setting": setting(0xfafa, 7) + ANSWER,
    "6.7 an acknowledgement that answers nothing": frame(PING, ACK, 0, b"8 bytes.") + ANSWER,
    "6.10 a block in pieces": frame(HEADERS, 0, VICTIM, BEGINS[:7]) + frame(
        CONTINUATION, 0, VICTIM, b"") + frame(CONTINUATION, END_HEADERS, VICTIM, BEGINS[7:])
    + frame(DATA, 0, VICTIM, bytes(5)) + trailers(),
    "8.1 an informational answer": headers(block=field(b":status", b"103")) + ANSWER,
}

OF_THE_STREAM = {
    "6.9 an update of nothing": (PROTOCOL_ERROR, headers() + frame(
        WINDOW_UPDATE, 0, VICTIM, word(0))),
    "6.9.1 a window above the largest": (FLOW_CONTROL_ERROR, headers() + frame(
        WINDOW_UPDATE, 0, VICTIM, word(LARGEST_WINDOW))),
    "6.9.1 more than the window": (FLOW_CONTROL_ERROR, headers() + frame(
        DATA, 0, VICTIM, b"\0" + word(1 << 24) + bytes(LARGEST_FRAME - 5))
        + 100 * frame(DATA, 0, VICTIM, bytes(LARGEST_FRAME))),
    "8.1 DATA before the headers": (PROTOCOL_ERROR, 3 * frame(DATA, 0, VICTIM, bytes(5)) + ANSWER),
    "8.1 DATA behind an informational answer": (PROTOCOL_ERROR, headers(
        block=field(b":status", b"103")) + frame(DATA, 0, VICTIM, bytes(5)) + ANSWER),
    "8.1 a second block that is no end": (PROTOCOL_ERROR, headers() + headers(block=ENDS)),
    "8.1 a pseudo-header field among trailers": (PROTOCOL_ERROR, headers() + trailers(
        block=BEGINS)),
    "8.3.2 no status": (PROTOCOL_ERROR, headers(block=field(b"content-type", b"application/grpc"))),
    "8.3.2 a status of two digits": (PROTOCOL_ERROR, headers(block=field(b":status", b"20"))),
    "8.3 a status twice": (CANCEL, headers(block=field(b":status", b"200") + BEGINS)),
    "8.3 a pseudo-header field of requests": (CANCEL, headers(
        block=BEGINS + field(b":path", b"/"))),
}

OF_THE_CONNECTION = {
    "4.2 DATA above the largest size": (FRAME_SIZE_ERROR, headers() + frame(
        DATA, 0, VICTIM, bytes(LARGEST_FRAME + 1))),
    "4.3 a block that cannot be decoded": (COMPRESSION_ERROR, headers(block=b"\xff" * 5)),
    "4.3 a block that another frame interrupts": (PROTOCOL_ERROR, headers(flags=0) + frame(
        PING, 0, 0, b"8 bytes.")),
    "5.1 DATA on an idle stream": (PROTOCOL_ERROR, frame(DATA, 0, IDLE, b"x")),
    "5.1 HEADERS on an idle stream": (PROTOCOL_ERROR, headers(IDLE)),
    "5.1 RST_STREAM on an idle stream": (PROTOCOL_ERROR, frame(RESET, 0, IDLE, word(CANCEL))),
    "5.1 WINDOW_UPDATE on an idle stream": (PROTOCOL_ERROR, frame(
        WINDOW_UPDATE, 0, IDLE, word(1))),
    "5.1.1 HEADERS on an even id": (PROTOCOL_ERROR, headers(2)),
    "RFC 7540 5.3.1 a stream that depends on itself": (PROTOCOL_ERROR, frame(
        PRIORITY, 0, VICTIM, word(VICTIM) + b"\x10")),
    "6.1 DATA on the connection": (PROTOCOL_ERROR, frame(DATA, 0, 0, b"x")),
    "6.1 padding as long as the frame": (PROTOCOL_ERROR, headers() + frame(
        DATA, PADDED, VICTIM, b"\x05pads")),
    "6.2 HEADERS on the connection": (PROTOCOL_ERROR, headers(0)),
    "6.4 RST_STREAM on the connection": (PROTOCOL_ERROR, frame(RESET, 0, 0, word(CANCEL))),
    "6.4 RST_STREAM of three bytes": (FRAME_SIZE_ERROR, frame(RESET, 0, VICTIM, b"abc")),
    "6.5 SETTINGS on a stream": (PROTOCOL_ERROR, frame(SETTINGS, 0, VICTIM)),
    "6.5 SETTINGS of five bytes": (FRAME_SIZE_ERROR, frame(SETTINGS, 0, 0, b"abcde")),
    "6.5 an acknowledgement with a payload": (FRAME_SIZE_ERROR, frame(
        SETTINGS, ACK, 0, struct.pack("!HI", INITIAL_WINDOW_SIZE, 1))),
    "6.5.2 a server that allows pushes": (PROTOCOL_ERROR, setting(ENABLE_PUSH, 1)),
    "6.5.2 a window above the largest": (FLOW_CONTROL_ERROR, setting(
        INITIAL_WINDOW_SIZE, LARGEST_WINDOW + 1)),
    "6.5.2 frames below the smallest size": (PROTOCOL_ERROR, setting(
        MAX_FRAME_SIZE, LARGEST_FRAME - 1)),
    "6.6 PUSH_PROMISE": (PROTOCOL_ERROR, headers() + frame(
        PUSH_PROMISE, END_HEADERS, VICTIM, word(2) + BEGINS)),
    "6.7 PING on a stream": (PROTOCOL_ERROR, frame(PING, 0, VICTIM, b"8 bytes.")),
    "6.7 PING of seven bytes": (FRAME_SIZE_ERROR, frame(PING, 0, 0, b"7 bytes")),
    "6.8 GOAWAY on a stream": (PROTOCOL_ERROR, frame(
        GOAWAY, 0, VICTIM, word(VICTIM) + word(NO_ERROR))),
    "6.8 GOAWAY of three bytes": (FRAME_SIZE_ERROR, frame(GOAWAY, 0, 0, b"abc")),
    "6.9 an update of nothing on the connection": (PROTOCOL_ERROR, frame(
        WINDOW_UPDATE, 0, 0, word(0))),
    "6.9 WINDOW_UPDATE of three bytes": (FRAME_SIZE_ERROR, frame(
        WINDOW_UPDATE, 0, VICTIM, b"abc")),
    "6.9.1 the connection's window above the largest": (FLOW_CONTROL_ERROR, frame(
        WINDOW_UPDATE, 0, 0, word(LARGEST_WINDOW))),
    "6.10 CONTINUATION of no block": (PROTOCOL_ERROR, headers() + frame(
        CONTINUATION, END_HEADERS, VICTIM, b"")),
}


UNFINISHED = {  # what begins, and what follows again and again
    "a frame's header": (frame(PING, 0, 0, b"8 bytes.")[:5], b""),
    "a control frame": (frame(PING, 0, 0, b"8 bytes.")[:12], b""),
    "a block": (headers(flags=0), frame(CONTINUATION, 0, VICTIM, field(b"x-more", b"v"))),
}


def table_size_in(block):
    """Of the update that it begins with (RFC 7541 section 6.3), or 0."""
    if block[0] >> 5 != 1:
        return 0
    size, shift = block[0] & 31, 0
    if size == 31:
        for byte in block[1:]:
            size += (byte & 127) << shift
            shift += 7
            if byte < 128:
                break
    return size


@both_kinds
class UpstreamRules(DaemonTest):
    def start_before(self, case):
        """An RPC that is open, and one whose answer is this."""
        self.upstream = RawUpstream(lambda stream: headers(stream) if stream == NEIGHBOUR else case)
        self.stack.callback(self.upstream.close)
        self.daemon = self.start(self.upstream.address)
        channel = self.open_channel(self.daemon.target)
        self.neighbour = Stream(channel)
        self.neighbour.rpc.initial_metadata()
        self.victim = channel.unary_unary("/s/M").future(b"", timeout=20)
        self.await_said(VICTIM)

    def await_said(self, stream):
        """What is said next comes behind the answer."""
        wait_until(lambda: stream in self.upstream.answered, f"an answer on stream {stream}")

    def await_heard(self, kind, stream):
        """The payloads of those frames."""
        def heard():
            return [said[2] for said in list(self.upstream.heard) if said[:2] == (kind, stream)]

        wait_until(heard, f"a frame of type {kind} on stream {stream}")
        return heard()

    def code_of_reset(self):
        return int.from_bytes(self.await_heard(RESET, VICTIM)[0], "big")

    def assert_counted(self):
        self.daemon.await_metric("lanekeeper_faulty_connections_total", 1,
                                 side="upstream", reason="protocol_error")

    def assert_goes_on(self):
        self.neighbour.send(b"still here")
        self.await_heard(DATA, NEIGHBOUR)
        self.assertNotIn(GOAWAY, [said[0] for said in self.upstream.heard])
        self.assertEqual(self.daemon.scrape().value("lanekeeper_upstream_connections"), 1)

    def test_what_is_no_error_passes(self):
        for name, case in FINE.items():
            with self.subTest(name):
                self.start_before(case)
                self.assertEqual(self.victim.result(), b"")
                self.assert_goes_on()

    def test_an_error_of_the_stream_fails_that_rpc_alone(self):
        for name, (code, case) in OF_THE_STREAM.items():
            with self.subTest(name):
                self.start_before(case)
                self.assertEqual(self.victim.code(), grpc.StatusCode.INTERNAL)
                self.assertEqual(self.code_of_reset(), code)
                self.assert_goes_on()

    def test_an_error_of_the_connection_ends_it_and_is_counted_and_told_once(self):
        for name, (code, case) in OF_THE_CONNECTION.items():
            with self.subTest(name):
                self.start_before(case)
                for rpc in (self.victim, self.neighbour.rpc):
                    self.assertEqual(rpc.code(), grpc.StatusCode.UNAVAILABLE)
                last, said = struct.unpack("!II", self.await_heard(GOAWAY, 0)[0][:8])
                self.assertEqual((last, said), (0, code))
                self.assert_counted()
                self.daemon.await_count(f"connection lost: {ERROR_TEXT[code]}", 1)

    def test_a_last_stream_that_grows_ends_the_connection(self):
        """Section 6.8; it is on its way out, and who was told that has no one else to tell."""
        self.start_before(goaway(VICTIM, NO_ERROR, b"") + goaway(VICTIM + 2, NO_ERROR, b""))
        for rpc in (self.victim, self.neighbour.rpc):
            self.assertEqual(rpc.code(), grpc.StatusCode.UNAVAILABLE)
        self.assertEqual(self.await_heard(GOAWAY, 0)[0][4:8], word(PROTOCOL_ERROR))
        self.assert_counted()

    def test_what_is_never_finished_ends_the_connection_and_is_counted_and_told_once(self):
        """Patience is 10 s, for all of them at the same time."""
        begun = {}
        for name, (beginning, _) in UNFINISHED.items():
            self.start_before(beginning)
            begun[name] = (self.upstream, self.daemon, self.victim, self.neighbour)
        waiting = set(begun)
        while waiting:
            for name in list(waiting):
                upstream, _, victim, _ = begun[name]
                upstream.say(UNFINISHED[name][1])
                with contextlib.suppress(grpc.FutureTimeoutError):
                    victim.exception(DRIP_SECONDS / len(UNFINISHED))
                    waiting.remove(name)
        for name, (_, daemon, victim, neighbour) in begun.items():
            with self.subTest(name):
                for rpc in (victim, neighbour.rpc):
                    self.assertEqual(rpc.code(), grpc.StatusCode.UNAVAILABLE)
                daemon.await_metric("lanekeeper_faulty_connections_total", 1,
                                    side="upstream", reason="slow")
                daemon.await_count("connection lost: .*did not complete a frame in time", 1)

    def test_blocks_in_ever_so_many_pieces_are_a_flood(self):
        """None of them is too long by itself, and the answers in them are few."""
        pieces = 100 * frame(CONTINUATION, 0, VICTIM)
        block = (headers(block=field(b":status", b"103"), flags=0) + pieces
                 + frame(CONTINUATION, END_HEADERS, VICTIM))
        self.start_before(FLOOD_OF_PIECES // 100 * block)
        for rpc in (self.victim, self.neighbour.rpc):
            self.assertEqual(rpc.code(), grpc.StatusCode.UNAVAILABLE)
        self.daemon.await_metric("lanekeeper_flooded_connections_total", 1,
                                 side="upstream", kind="empty_frame")
        self.daemon.await_count("connection lost: .*floods us: empty_frame", 1)

    def test_a_larger_compression_table_is_not_taken_up(self):
        upstream = RawUpstream(lambda stream: headers(stream) + trailers(stream),
                               {HEADER_TABLE_SIZE: (1 << 32) - 1})
        self.stack.callback(upstream.close)
        channel = self.open_channel(self.start(upstream.address).target)
        for number in range(BLOCKS):
            self.assertEqual(list(channel.unary_stream("/s/M")(
                b"", timeout=20, metadata=[(f"x-{number}", "v" * 1000)])), [])
        sizes = [table_size_in(payload) for kind, _, payload in upstream.heard if kind == HEADERS]
        self.assertEqual(len(sizes), BLOCKS)
        self.assertLessEqual(max(sizes), LARGEST_TABLE)


if __name__ == "__main__":
    main()
