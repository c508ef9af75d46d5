#!/usr/bin/python3
"""All of very many streams are listed, each once, and listing them hardly slows RPCs down. How fast
it is gets printed; it is not judged here."""

import collections
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import pathlib
import urllib.request

from harness.case import DaemonTest, both_kinds, main
from harness.lanekeeper import LANEKEEPER, ROOT, SANITIZED
from harness.waiting import wait_until

CHANNELS = 20
STREAMS = 100 if SANITIZED else 500  # on each
ALL = CHANNELS * STREAMS
METHOD = "/daemon.Bidi/Echo"
BOUND = 120
REPEATS = 5
ROUNDS = 3
ROUND_SECONDS = 2
PROTOS = ROOT / "protos"


def admin_messages():
    """The Python module of admin.proto."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["protoc", f"-I{PROTOS}", f"--python_out={folder}",
                        "lanekeeper/admin/v1/admin.proto"], check=True)
        sys.path.insert(0, str(pathlib.Path(folder, "lanekeeper/admin/v1")))
        try:
            return __import__("admin_pb2")
        finally:
            sys.path.pop(0)


admin_pb2 = admin_messages()


def median_ms(seconds):
    return f"{1000 * statistics.median(seconds):.0f} ms"


@both_kinds
class Listing(DaemonTest):
    def setUp(self):
        super().setUp()
        self.daemon = self.start(self.start_upstream().address, limits={"open_rpcs": 2 * ALL})
        self.admin = self.daemon.admin_address
        self.admin_channel = self.open_channel(self.admin)
        self.client = self.start_client("hold", self.daemon.target, CHANNELS, STREAMS)
        self.client.await_line("^holding$", bound=BOUND)
        self.daemon.await_metric("lanekeeper_streams_open", ALL)

    # Each lists all streams and returns their ids, and how long it took until all were here.

    def list_over_http(self):
        ids = []
        took = 0
        token = ""
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        while True:
            start = time.monotonic()
            with opener.open(f"http://{self.admin}/streams?method={METHOD}&page_size=10000&"
                             f"page_token={token}", timeout=BOUND) as answer:
                text = answer.read()
            took += time.monotonic() - start
            page = json.loads(text)
            ids += [int(stream["id"]) for stream in page.get("streams", [])]
            if not (token := page.get("next_page_token")):
                return ids, took

    def list_over_grpc(self):
        call = self.admin_channel.unary_unary(
            "/lanekeeper.admin.v1.Admin/ListStreams",
            request_serializer=admin_pb2.ListStreamsRequest.SerializeToString)
        ids = []
        took = 0
        request = admin_pb2.ListStreamsRequest(page_size=10000, filter={"method": METHOD})
        while True:
            start = time.monotonic()
            answer = call(request, timeout=BOUND)
            took += time.monotonic() - start
            page = admin_pb2.ListStreamsResponse.FromString(answer)
            ids += [stream.id for stream in page.streams]
            request.page_token = page.next_page_token
            if not request.page_token:
                return ids, took

    def list_by_command(self):
        start = time.monotonic()
        done = subprocess.run(
            [LANEKEEPER, "streams", "--json", "--method", METHOD, "--admin", self.admin],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=BOUND, check=True)
        took = time.monotonic() - start
        return [int(json.loads(line)["id"]) for line in done.stdout.splitlines()], took

    def test_all_are_listed_once_whoever_asks(self):
        for ask in (self.list_over_http, self.list_over_grpc, self.list_by_command):
            with self.subTest(ask.__name__):
                times = []
                for _ in range(REPEATS):
                    ids, took = ask()
                    times.append(took)
                    self.assertEqual(len(ids), ALL)
                    self.assertEqual(ids, sorted(set(ids)))
                print(f"{self.kind}: {ask.__name__}: {ALL} streams in {median_ms(times)} "
                      f"({min(times) * 1000:.0f} to {max(times) * 1000:.0f})")

    def test_rpcs_go_on_while_all_are_listed(self):
        probe = self.start_client("latency", self.daemon.target, 1, 100)
        figures = collections.defaultdict(list)
        for _ in range(ROUNDS):
            for what in (None, self.list_over_http, self.list_over_grpc, self.list_by_command):
                figures[what.__name__ if what else "nobody"].append(self.latencies(probe, what))
        for what, rounds in figures.items():
            medians = {key: statistics.median(one[key] for one in rounds) for key in rounds[0]}
            print(f"{self.kind}: one unary RPC after the other beside {ALL} streams, {what}: " +
                  ", ".join(f"{key} {value:.2f}" for key, value in medians.items()))
            self.assertGreater(medians["count"], 0)
        probe.tell("end")
        probe.await_line("^ended")

    def latencies(self, probe, ask):
        """Of the RPCs of one round, while somebody lists all streams again and again."""
        before = probe.count_lines("^latency")
        probe.tell("begin")
        wait_until(lambda: probe.count_lines("^latency") == before + 1, "RPCs so far", BOUND)
        end = time.monotonic() + ROUND_SECONDS
        while (left := end - time.monotonic()) > 0:
            if ask:
                self.assertEqual(len(ask()[0]), ALL)
            else:
                threading.Event().wait(left)
        probe.tell("end of the round")
        wait_until(lambda: probe.count_lines("^latency") == before + 2, "RPCs of the round", BOUND)
        return json.loads([line for line in probe.lines if line.startswith("latency")][-1][8:])


if __name__ == "__main__":
    main()
