#!/usr/bin/python3
"""/metrics: every family is there, counts are exact, causes are right, labels are bounded."""

import collections
import json
import re
import signal
import urllib.error
import urllib.request

import grpc

from harness.byte_client import Stream, call, code_of
from harness.case import DaemonTest, both_kinds, main
from harness.scrape import http_get
from harness.waiting import wait_until

# Name, type, and the labels every sample has.
METHOD = {"grpc_type", "grpc_service", "grpc_method"}
FAMILIES = {
    "grpc_server_started_total": ("counter", METHOD),
    "grpc_server_handled_total": ("counter", METHOD | {"grpc_code"}),
    "grpc_server_msg_received_total": ("counter", METHOD),
    "grpc_server_msg_sent_total": ("counter", METHOD),
    "grpc_server_handling_seconds": ("histogram", METHOD),
    "lanekeeper_streams_open": ("gauge", set()),
    "lanekeeper_stream_ops_in_flight": ("gauge", {"direction", "op"}),
    "lanekeeper_stream_messages_total": ("counter", {"direction"}),
    "lanekeeper_stream_message_bytes_total": ("counter", {"direction"}),
    "lanekeeper_streams_terminated_total": ("counter", {"cause"}),
    "lanekeeper_stream_contract_violations_total": ("counter", set()),
    "lanekeeper_rpcs_rejected_total": ("counter", {"reason"}),
    "lanekeeper_rpcs_queued": ("gauge", set()),
    "lanekeeper_buffered_bytes_stage": ("gauge", set()),
    "lanekeeper_buffered_bytes_stages_total": ("counter", {"stage"}),
    "lanekeeper_queue_wait_seconds": ("histogram", set()),
    "lanekeeper_downstream_connections": ("gauge", set()),
    "lanekeeper_accept_failures_total": ("counter", set()),
    "lanekeeper_connections_rejected_total": ("counter", {"reason"}),
    "lanekeeper_upstream_connections": ("gauge", set()),
    "lanekeeper_upstream_state": ("gauge", {"state"}),
    "lanekeeper_rpc_threads": ("gauge", {"kind", "state"}),
    "lanekeeper_build_info": ("gauge", {"version", "revision", "grpc_version",
                                        "nghttp2_version"}),
    "process_cpu_seconds_total": ("counter", set()),
    "process_resident_memory_bytes": ("gauge", set()),
    "process_virtual_memory_bytes": ("gauge", set()),
    "process_open_fds": ("gauge", set()),
    "process_max_fds": ("gauge", set()),
    "process_start_time_seconds": ("gauge", set()),
}
TO_UPSTREAM = {"direction": "to_upstream"}
TO_DOWNSTREAM = {"direction": "to_downstream"}
RANDOM_METHODS = 1000


@both_kinds
class Metrics(DaemonTest):
    def start_both(self, **sections):
        self.upstream = self.start_upstream()
        self.daemon = self.start(self.upstream.address, **sections)
        self.channel = self.open_channel(self.daemon.target)
        return self.channel

    def value(self, name, **labels):
        return self.daemon.scrape().value(name, **labels)

    def test_every_family_is_described_and_has_its_labels(self):
        call(self.start_both())
        self.daemon.await_metric("lanekeeper_streams_open", 0)
        scrape = self.daemon.scrape()
        labels = collections.defaultdict(list)
        for name, has, _ in scrape.samples:
            labels[re.sub("_(bucket|sum|count)$", "", name)].append(set(has) - {"le"})
        for name, (kind, wanted) in FAMILIES.items():
            with self.subTest(name):
                self.assertEqual(scrape.types.get(name), kind)
                self.assertGreater(len(scrape.helps.get(name, "")), 10)
                self.assertTrue(labels[name])
                self.assertEqual([has for has in labels[name] if has != wanted], [])

    def test_names_follow_the_conventions(self):
        call(self.start_both())
        scrape = self.daemon.scrape()
        for name, kind in scrape.types.items():
            with self.subTest(name):
                self.assertRegex(name, "^(grpc_server|lanekeeper|process)_")
                self.assertEqual(name.endswith("_total"), kind == "counter")
                self.assertIn(name, scrape.helps)
        self.assertEqual(len(re.findall("^# TYPE", scrape.text, re.MULTILINE)), len(scrape.types))
        keys = [(name, tuple(sorted(labels.items()))) for name, labels, _ in scrape.samples]
        self.assertEqual(len(keys), len(set(keys)), "a sample appears twice")

    def test_process_values_are_this_process(self):
        self.start_both()
        scrape = self.daemon.scrape()
        self.assertAlmostEqual(scrape.value("process_resident_memory_bytes"),
                               self.daemon.rss_bytes(), delta=8 * 2**20)
        self.assertAlmostEqual(scrape.value("process_open_fds"), self.daemon.fd_count(), delta=4)
        self.assertEqual(scrape.value("lanekeeper_build_info"), 1)

    def test_counts_move_while_a_stream_is_open(self):
        stream = Stream(self.start_both(), "/daemon.Bidi/Chat")
        sizes = [0, 1, 100, 5000, 200_000]
        for count, size in enumerate(sizes, 1):
            stream.echo(bytes(size))
            # The send downstream settles a moment after its message has been read.
            byte_count = "lanekeeper_stream_message_bytes_total"
            total = sum(sizes[:count])
            self.daemon.await_metric(byte_count, total, **TO_DOWNSTREAM)
            scrape = self.daemon.scrape()
            self.assertEqual(scrape.value(byte_count, **TO_UPSTREAM), total)
            for labels in (TO_UPSTREAM, TO_DOWNSTREAM):
                self.assertEqual(scrape.value("lanekeeper_stream_messages_total", **labels), count)
            method = {"grpc_service": "daemon.Bidi", "grpc_method": "Chat", "grpc_type": "unknown"}
            for name, want in (("started_total", 1), ("msg_received_total", count),
                               ("msg_sent_total", count), ("handled_total", 0)):
                self.assertEqual(scrape.value(f"grpc_server_{name}", **method), want, name)
            self.assertEqual(scrape.value("lanekeeper_streams_open"), 1)
            # Each direction waits to receive, and nothing waits to be sent.
            for labels in (TO_UPSTREAM, TO_DOWNSTREAM):
                for op, want in (("receive", 1), ("send", 0)):
                    self.assertEqual(
                        scrape.value("lanekeeper_stream_ops_in_flight", op=op, **labels), want)
        stream.half_close()
        self.assertEqual(stream.end()[0], grpc.StatusCode.OK)
        self.daemon.await_metric("lanekeeper_streams_open", 0)
        scrape = self.daemon.scrape()
        self.assertEqual(scrape.value("grpc_server_handled_total", grpc_code="OK"), 1)
        self.assertEqual(scrape.value("lanekeeper_stream_ops_in_flight"), 0)

    def test_unary_traffic_is_counted_exactly(self):
        channel = self.start_both()
        for _ in range(50):
            call(channel, bytes(321), "/daemon.Unary/Counted")
        self.daemon.await_metric("grpc_server_handled_total", 50, grpc_code="OK",
                                 grpc_method="Counted")
        scrape = self.daemon.scrape()
        for name in ("started_total", "msg_received_total", "msg_sent_total",
                     "handling_seconds_count"):
            self.assertEqual(scrape.value(f"grpc_server_{name}", grpc_method="Counted"), 50, name)
        for labels in (TO_UPSTREAM, TO_DOWNSTREAM):
            self.assertEqual(scrape.value("lanekeeper_stream_messages_total", **labels), 50)
            self.assertEqual(
                scrape.value("lanekeeper_stream_message_bytes_total", **labels), 50 * 321)
        buckets = [(float(labels["le"]), value) for name, labels, value in scrape.samples
                   if name == "grpc_server_handling_seconds_bucket"]
        self.assertEqual(buckets, sorted(buckets))
        self.assertEqual(buckets[-1], (float("inf"), 50))
        self.assertGreater(scrape.value("grpc_server_handling_seconds_sum"), 0)

    def test_server_stream_is_counted_exactly(self):
        request = json.dumps({"count": 500, "bytes": 1000}).encode()
        for _ in self.start_both().unary_stream("/daemon.Produce/Many")(request, timeout=20):
            pass
        self.daemon.await_metric("grpc_server_handled_total", 1)
        scrape = self.daemon.scrape()
        self.assertEqual(scrape.value("grpc_server_msg_received_total"), 1)
        self.assertEqual(scrape.value("grpc_server_msg_sent_total"), 500)
        self.assertEqual(
            scrape.value("lanekeeper_stream_message_bytes_total", **TO_DOWNSTREAM), 500_000)

    def test_stalled_reader_shows_as_a_send_in_flight(self):
        request = json.dumps({"count": 1000, "bytes": 65536}).encode()
        unread = self.start_both().unary_stream("/daemon.Produce/Big")(request)
        unread.initial_metadata()
        self.daemon.await_metric("lanekeeper_stream_ops_in_flight", 1, op="send", **TO_DOWNSTREAM)
        self.assertEqual(self.value("lanekeeper_stream_ops_in_flight", op="send", **TO_UPSTREAM), 0)
        self.assertLess(self.value("lanekeeper_stream_messages_total", **TO_DOWNSTREAM), 900)

    def assert_cause(self, cause, code, count):
        self.daemon.await_metric("lanekeeper_streams_open", 0)
        scrape = self.daemon.scrape()
        causes = {labels["cause"]: value for name, labels, value in scrape.samples
                  if name == "lanekeeper_streams_terminated_total" and value}
        self.assertEqual(causes, {cause: count})
        self.assertEqual(scrape.value("grpc_server_handled_total", grpc_code=code), count)
        self.assertEqual(scrape.value("grpc_server_handled_total"), count)

    def test_cause_of_ok(self):
        channel = self.start_both()
        for _ in range(3):
            call(channel)
        self.assert_cause("upstream_status", "OK", 3)

    def test_cause_of_an_error_status(self):
        request = json.dumps({"code": "NOT_FOUND", "message": "no such order"}).encode()
        self.assertEqual(code_of(self.start_both(), request, "/daemon.Fail/Now"),
                         grpc.StatusCode.NOT_FOUND)
        self.assert_cause("upstream_status", "NotFound", 1)

    def test_cause_of_an_error_status_that_sounds_like_a_loss(self):
        request = json.dumps({"code": "NOT_FOUND", "message": "Socket closed, they said"}).encode()
        self.assertEqual(code_of(self.start_both(), request, "/daemon.Fail/Now"),
                         grpc.StatusCode.NOT_FOUND)
        self.assert_cause("upstream_status", "NotFound", 1)

    def test_cause_of_a_cancel(self):
        self.start_both()
        for _ in range(5):
            Stream(self.channel).echo().rpc.cancel()
        self.assert_cause("client_cancel", "Canceled", 5)

    def test_cause_of_a_deadline(self):
        self.start_both()
        for number in range(20):
            self.assertEqual(code_of(self.channel, method="/daemon.Silent/Wait",
                                     timeout=0.05 + 0.02 * number),
                             grpc.StatusCode.DEADLINE_EXCEEDED)
        self.assert_cause("deadline", "DeadlineExceeded", 20)

    def test_cause_of_a_lost_upstream(self):
        self.start_both()
        streams = [Stream(self.channel).echo() for _ in range(5)]
        self.upstream.kill()
        for stream in streams:
            self.assertEqual(stream.end()[0], grpc.StatusCode.UNAVAILABLE)
        self.assert_cause("upstream_lost", "Unavailable", 5)

    def test_cause_of_a_drain(self):
        # One client that takes nothing gives us the time to look.
        channel = self.start_both(drain={"timeout": "200ms"})
        streams = [Stream(channel).echo() for _ in range(3)]
        request = json.dumps({"count": 1000, "bytes": 65536}).encode()
        unread = self.open_channel(self.daemon.target).unary_stream("/daemon.Produce/Big")(request)
        unread.initial_metadata()
        self.daemon.await_metric("lanekeeper_stream_ops_in_flight", 1, op="send", **TO_DOWNSTREAM)
        self.daemon.signal(signal.SIGTERM)
        for stream in streams:
            self.assertEqual(stream.end()[0], grpc.StatusCode.UNAVAILABLE)
        wait_until(lambda: self.value("lanekeeper_streams_terminated_total", cause="drain") >= 3,
                   "drained RPCs counted")

    def test_methods_beyond_max_methods_count_as_other(self):
        channel = self.start_both(
            metrics={"address": "127.0.0.1:0", "max_methods": 3})
        for method in "ABCDEFAF":
            call(channel, method=f"/daemon.Unary/{method}")
        self.daemon.await_metric("grpc_server_handled_total", 8)
        counts = collections.Counter()
        for name, labels, value in self.daemon.scrape().samples:
            if name == "grpc_server_started_total":
                counts[labels["grpc_service"], labels["grpc_method"]] += value
        own = {("daemon.Unary", "A"): 2, ("daemon.Unary", "B"): 1, ("daemon.Unary", "C"): 1}
        self.assertEqual(counts, {**own, ("other", "other"): 4})

    def test_random_methods_do_not_grow_the_answer_without_bound(self):
        channel = self.start_both()
        rpcs = [channel.unary_unary(f"/daemon.Unary/Random{number}").future(b"", timeout=30)
                for number in range(RANDOM_METHODS)]
        for rpc in rpcs:
            self.assertEqual(rpc.exception(), None)
        self.daemon.await_metric("grpc_server_handled_total", RANDOM_METHODS)
        scrape = self.daemon.scrape()
        methods = {labels["grpc_method"] for name, labels, _ in scrape.samples
                   if name == "grpc_server_started_total"}
        self.assertEqual(len(methods), 201)  # max_methods and "other"
        self.assertEqual(scrape.value("grpc_server_started_total", grpc_method="other"),
                         RANDOM_METHODS - 200)

    def test_strange_methods_do_not_break_the_format(self):
        channel = self.start_both()
        for method in ('/daemon.Unary/quo"te', "/daemon.Unary/back\\slash", "/daemon.Unary/a{b}",
                       "/daemon.Unary/" + "x" * 500, "/no-slash", "/a/b/c/d"):
            code_of(channel, method=method)
        self.daemon.await_metric("lanekeeper_streams_open", 0)
        for line in self.daemon.scrape().text.splitlines():
            self.assertRegex(line, r'^(#.*|[a-z_]+(\{(\w+="([^"\\]|\\["\\n])*",?)+\})? \S+)$')
        self.assertEqual(self.value("grpc_server_handled_total"), 6)

    def test_ranges_do_not_multiply_an_answer(self):
        self.start_both()
        ranges = "bytes=" + ",".join(["0-"] * 500)
        request = urllib.request.Request(f"http://{self.daemon.metrics_address}/metrics",
                                         headers={"Range": ranges})
        with self.assertRaises(urllib.error.HTTPError) as refused:
            urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=20)
        with refused.exception as answer:
            self.assertEqual(answer.code, 400)
            self.assertLess(len(answer.read()), 100_000)

    def test_pages(self):
        self.start_both()
        for path, want in (("/metrics", 200), ("/livez", 200), ("/readyz", 200), ("/startupz", 200),
                           ("/", 404), ("/metrics/more", 404), ("/../etc/passwd", 404)):
            with self.subTest(path):
                self.assertEqual(http_get(self.daemon.metrics_address, path)[0], want)


if __name__ == "__main__":
    main()
