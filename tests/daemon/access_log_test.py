#!/usr/bin/python3
"""The access log: who gets a line, and that what stands in it is exactly what happened."""

import json
import re

import grpc

from harness.byte_client import Stream, call, code_of
from harness.case import DaemonTest, both_kinds, main
from harness.scrape import http_get
from harness.waiting import wait_until

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN = "00f067aa0ba902b7"
NOT_FOUND = b'{"code": "NOT_FOUND", "message": "no such order"}'
FIELDS = {"time", "level", "message", "id", "method", "peer", "code", "cause", "duration_ms",
          "start_wait_ms", "attempts", "thread_kind",
          "to_upstream_messages", "to_upstream_bytes", "to_upstream_sender_wait_ms",
          "to_upstream_receiver_wait_ms", "to_downstream_messages", "to_downstream_bytes",
          "to_downstream_sender_wait_ms", "to_downstream_receiver_wait_ms"}
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"


@both_kinds
class AccessLog(DaemonTest):
    def start_both(self, access=None, **sections):
        log = {"format": "json", **({"access": access} if access else {})}
        self.upstream = self.start_upstream()
        self.daemon = self.start(self.upstream.address, log=log, **sections)
        self.channel = self.open_channel(self.daemon.target)

    def lines(self):
        """Those of RPCs. Every line that there is must be JSON."""
        parsed = [json.loads(line) for line in list(self.daemon.lines)]
        return [line for line in parsed if line["message"] == "RPC ended"]

    def await_lines(self, count):
        wait_until(lambda: len(self.lines()) >= count,
                   lambda: f"{count} lines, but {self.daemon.lines}")
        lines = self.lines()
        self.assertEqual(len(lines), count, lines)
        return lines

    def end_one_of_each(self):
        """Three RPCs: one succeeds, one fails, one is cancelled."""
        call(self.channel, method="/daemon.Unary/Good")
        self.assertEqual(code_of(self.channel, NOT_FOUND, "/daemon.Fail/Bad"),
                         grpc.StatusCode.NOT_FOUND)
        Stream(self.channel, "/daemon.Bidi/Left").echo().rpc.cancel()
        self.daemon.await_metric("grpc_server_handled_total", 3)

    def summaries(self, count):
        return sorted((line["method"], line["level"], line["code"], line["cause"])
                      for line in self.await_lines(count))

    GOOD = ("/daemon.Unary/Good", "info", "OK", "upstream_status")
    BAD = ("/daemon.Fail/Bad", "warn", "NotFound", "upstream_status")
    LEFT = ("/daemon.Bidi/Left", "info", "Canceled", "client_cancel")

    def end_the_log(self):
        """Nothing comes any more then."""
        self.channel.close()
        self.daemon.signal(15)
        self.assertEqual(self.daemon.await_exit(), 0)

    def test_off_writes_none(self):
        self.start_both("off")
        self.end_one_of_each()
        self.end_the_log()
        self.assertEqual(self.summaries(0), [])

    def test_errors_are_written_unless_told_otherwise(self):
        self.start_both()
        self.end_one_of_each()
        self.end_the_log()
        self.assertEqual(self.summaries(2), [self.LEFT, self.BAD])

    def test_all_writes_all(self):
        self.start_both("all")
        self.end_one_of_each()
        self.end_the_log()
        self.assertEqual(self.summaries(3), [self.LEFT, self.BAD, self.GOOD])

    def test_counts_of_a_stream_are_exact(self):
        self.start_both("all")
        sizes = [0, 1, 100, 5000, 200_000]
        stream = Stream(self.channel, "/daemon.Bidi/Chat")
        for size in sizes:
            stream.echo(bytes(size))
        stream.half_close()
        self.assertEqual(stream.end()[0], grpc.StatusCode.OK)
        [line] = self.await_lines(1)
        self.assertEqual(set(line), FIELDS)
        self.assertEqual((line["to_upstream_messages"], line["to_upstream_bytes"]),
                         (len(sizes), sum(sizes)))
        # The upstream says "bye" to the half-close.
        self.assertEqual((line["to_downstream_messages"], line["to_downstream_bytes"]),
                         (len(sizes) + 1, sum(sizes) + 3))
        self.assertEqual((line["attempts"], line["thread_kind"]), (1, self.kind))
        self.assertRegex(line["peer"], r"^ipv[46]:.*:\d+$")
        for direction in ("to_upstream", "to_downstream"):
            for side in ("sender", "receiver"):
                self.assertGreaterEqual(line["duration_ms"], line[f"{direction}_{side}_wait_ms"])

    def test_counts_of_many_unary_rpcs_add_up_to_those_of_the_metrics(self):
        self.start_both("all")
        rpcs = [self.channel.unary_unary(f"/daemon.Unary/Number{number}").future(
            bytes(number), timeout=30) for number in range(300)]
        for rpc in rpcs:
            rpc.result()
        lines = self.await_lines(300)
        self.assertEqual(sorted(line["method"] for line in lines),
                         sorted(f"/daemon.Unary/Number{number}" for number in range(300)))
        self.assertEqual(len({line["id"] for line in lines}), 300)
        for line in lines:
            number = int(line["method"].removeprefix("/daemon.Unary/Number"))
            for direction in ("to_upstream", "to_downstream"):
                self.assertEqual(
                    (line[f"{direction}_messages"], line[f"{direction}_bytes"]), (1, number))
        scrape = self.daemon.scrape()
        self.assertEqual(scrape.value("lanekeeper_log_lines_dropped_total"), 0)
        for direction in ("to_upstream", "to_downstream"):
            self.assertEqual(
                scrape.value("lanekeeper_stream_message_bytes_total", direction=direction),
                sum(line[f"{direction}_bytes"] for line in lines))

    def test_trace_of_a_request_stands_in_its_line(self):
        self.start_both("all")
        good = f"00-{TRACE}-{SPAN}-01"
        for traceparent in (good, "00-short-01", good.upper(), None):
            metadata = [("traceparent", traceparent)] if traceparent else []
            call(self.channel, method="/daemon.Unary/Traced", metadata=metadata)
        first, *others = self.await_lines(4)
        self.assertEqual((first["trace_id"], first["span_id"]), (TRACE, SPAN))
        for line in others:
            self.assertEqual(set(line), FIELDS)

    def test_refused_rpc_has_a_line_that_says_why(self):
        self.start_both(limits={"open_rpcs": 1})
        held = Stream(self.channel).echo()
        self.assertEqual(
            code_of(self.channel, method="/daemon.Unary/TooMany",
                    metadata=[("traceparent", f"00-{TRACE}-{SPAN}-01")]),
            grpc.StatusCode.RESOURCE_EXHAUSTED)
        [line] = self.await_lines(1)
        self.assertEqual((line["method"], line["code"], line["cause"], line["level"]),
                         ("/daemon.Unary/TooMany", "ResourceExhausted", "limit", "warn"))
        self.assertEqual((line["attempts"], line["trace_id"]), (0, TRACE))
        self.assertRegex(line["peer"], r"^ipv[46]:.*:\d+$")
        held.echo()

    def test_deadline_and_lost_upstream_are_causes(self):
        self.start_both()
        self.assertEqual(code_of(self.channel, method="/daemon.Silent/Wait", timeout=0.3),
                         grpc.StatusCode.DEADLINE_EXCEEDED)
        [line] = self.await_lines(1)
        self.assertEqual((line["code"], line["cause"]), ("DeadlineExceeded", "deadline"))
        self.assertGreaterEqual(line["duration_ms"], 200)
        stream = Stream(self.channel).echo()
        self.upstream.kill()
        self.assertEqual(stream.end()[0], grpc.StatusCode.UNAVAILABLE)
        line = self.await_lines(2)[1]
        self.assertEqual((line["code"], line["cause"]), ("Unavailable", "upstream_lost"))

    def test_client_that_was_killed_is_still_named(self):
        self.start_both()
        client = self.start_client("hold", self.daemon.target, 1, 3)
        client.await_line("^holding$")
        status, text = http_get(self.daemon.admin_address, "/streams")
        self.assertEqual(status, 200)
        peers = {stream["downstream_peer"] for stream in json.loads(text)["streams"]}
        client.kill()
        for line in self.await_lines(3):
            self.assertEqual((line["code"], line["cause"]), ("Canceled", "client_cancel"))
            self.assertIn(line["peer"], peers)

    def test_strange_method_cannot_break_a_line(self):
        self.start_both("all")
        method = '/daemon.Unary/quo"te\\ x=1 \x7f' + "y" * 1000
        code_of(self.channel, method=method)
        [line] = self.await_lines(1)
        self.assertTrue(line["method"].startswith('/daemon.Unary/quo"te\\ x=1 '), line)
        self.assertLess(len(line["method"]), 300)

    def test_text_says_the_same_as_json(self):
        self.upstream = self.start_upstream()
        self.daemon = self.start(self.upstream.address, log={"access": "all"})
        self.channel = self.open_channel(self.daemon.target)
        call(self.channel, method="/daemon.Unary/Plain",
             metadata=[("traceparent", f"00-{TRACE}-{SPAN}-01")])
        line = self.daemon.await_line("RPC ended").string
        head = re.match(rf"({TIME}) (\w+) RPC ended (.*)$", line)
        self.assertTrue(head, line)
        fields = dict(field.split("=", 1) for field in head.group(3).split(" "))
        self.assertEqual(set(fields),
                         FIELDS - {"time", "level", "message"} | {"trace_id", "span_id"})
        self.assertEqual((head.group(2), fields["code"], fields["to_upstream_bytes"]),
                         ("info", "OK", "5"))
        for line in list(self.daemon.lines):
            self.assertRegex(line, rf"^{TIME} (info|warn) \S")


if __name__ == "__main__":
    main()
