"""Streams that are stuck, and all the places where an operator reads about them."""

import json
import os
import subprocess

from harness.byte_client import Stream
from harness.case import DaemonTest
from harness.lanekeeper import LANEKEEPER
from harness.processes import Process
from harness.scrape import http_get
from harness.waiting import wait_until

SECOND = {"after": "1s"}
# How long it may take on a busy machine until something that lasts 1 s has been told.
NAMED_BOUND = 20
# An RPC of a test that goes wrong ends some time.
RPC_BOUND = 120
# More than all windows and buffers between the two ends take.
FLOOD = 300
FLOOD_BYTES = 64 * 1024

TO_UPSTREAM = "to_upstream"
TO_DOWNSTREAM = "to_downstream"
# Every label that there can be.
STALLS = {(TO_UPSTREAM, "slow_receiver"), (TO_UPSTREAM, "stream_slots"),
          (TO_UPSTREAM, "not_connected"), (TO_UPSTREAM, "upstream_window"),
          (TO_DOWNSTREAM, "slow_receiver"), (TO_DOWNSTREAM, "silent_sender"),
          (TO_DOWNSTREAM, "half_closed")}


class StuckTest(DaemonTest):
    """A daemon whose streams are stuck after a second, and its upstream."""

    def start_both(self, max_streams=None, **sections):
        self.upstream = self.start_upstream(0, *([max_streams] if max_streams else []))
        self.start_daemon(self.upstream.address, **sections)

    def start_daemon(self, upstream, **sections):
        sections = {"stuck": SECOND, "log": {"format": "json"}, **sections}
        self.daemon = self.start(upstream, **sections)
        self.channel = self.open_channel(self.daemon.target)

    # Streams that get stuck. Each returns the RPC.

    def open_stream(self, method):
        stream = Stream(self.channel, method, timeout=RPC_BOUND)
        self.stack.callback(stream.rpc.cancel)
        return stream

    def open_unread(self, method="/daemon.Produce/Flood"):
        """The application does not read; the upstream goes on for ever."""
        request = json.dumps({"count": FLOOD, "bytes": FLOOD_BYTES, "stay": True}).encode()
        rpc = self.channel.unary_stream(method)(request, timeout=RPC_BOUND)
        self.stack.callback(rpc.cancel)
        return rpc

    def open_untaken(self, method="/daemon.Unread/Upload"):
        """The upstream does not read before its gate is open."""
        stream = self.open_stream(method)
        for _ in range(FLOOD):
            stream.send(bytes(FLOOD_BYTES))
        return stream

    def open_unanswered(self, method="/daemon.Late/Wait"):
        """The upstream has all requests, and answers when its gate is open."""
        stream = self.open_stream(method)
        stream.send(b"")
        stream.half_close()
        return stream

    # What the daemon tells.

    def command(self, *words):
        done = subprocess.run(
            [LANEKEEPER, *map(str, words), "--admin", self.daemon.admin_address], text=True,
            stdin=subprocess.DEVNULL, capture_output=True, timeout=60,
            env={**os.environ, "NO_COLOR": "1"})
        self.assertEqual((done.returncode, done.stderr), (0, ""), words)
        return done.stdout

    def start_watch(self, *filters):
        return self.keep(Process("watch", [
            LANEKEEPER, "watch", "--json", "--interval", "100ms", "--admin",
            self.daemon.admin_address, *filters]))

    def streams(self, query=""):
        """The streams of GET /streams."""
        status, text = http_get(self.daemon.admin_address, f"/streams{query}")
        self.assertEqual(status, 200, text)
        return json.loads(text).get("streams", [])

    def stall_values(self, name):
        """The value of each (direction, kind) of this family."""
        return {(labels["direction"], labels["kind"]): value
                for family, labels, value in self.daemon.scrape().samples if family == name}

    def await_stuck(self, wanted, bound=NAMED_BOUND):
        """Until the gauge says so and nothing else: {(direction, kind): how many}."""
        full = {stall: wanted.get(stall, 0) for stall in STALLS}
        last = None

        def reached():
            nonlocal last
            last = self.stall_values("lanekeeper_streams_stuck")
            return last == full

        wait_until(reached, lambda: f"stuck: {last}, want {full}", bound)

    def log_lines(self, message):
        """The lines of this kind so far, as they were parsed."""
        lines = map(json.loads, list(self.daemon.lines))
        return [line for line in lines if line["message"].startswith(message)]



def watched(watch, kind):
    """The streams of the events of this kind so far."""
    events = map(json.loads, list(watch.lines))
    return [event["stream"] for event in events if event["kind"] == kind]
