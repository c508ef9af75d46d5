"""A lanekeeper under every sort of traffic that the dashboard shows."""

import json
import pathlib

from harness.byte_client import code_of
from harness.case import DaemonTest
from harness.certificates import Authority
from harness.waiting import wait_until
from scraper import Prometheus

MAX_STREAMS = 16  # of the upstream: fewer than the callers want
CALLERS = 20


class TrafficTest(DaemonTest):
    def start_prometheus(self, daemon):
        folder = pathlib.Path(self.folder, "prometheus")
        folder.mkdir()
        return self.keep(Prometheus(folder, daemon)).await_start()

    def start_traffic(self, *max_streams):
        """Streams that move, and unary calls, over several connections."""
        self.upstream = self.start_upstream(0, *max_streams)
        # A second listener, for the metrics of certificates.
        pair = Authority(self.folder).issue("server", "DNS:localhost", days=90)
        entries = [{"address": "127.0.0.1:0"},
                   {"address": "127.0.0.1:0",
                    "tls": pair.section()}]
        self.daemon = self.start(self.upstream.address, listen_entries=entries,
                                 stuck={"after": "1s"})
        self.channel = self.open_channel(self.daemon.target)
        self.daemon.await_metric("lanekeeper_upstream_state", 1, state="ready")
        for mode, connections, each, started in (("pingpong", 3, 2, "holding"),
                                                 ("unary", 2, CALLERS // 2, "calling")):
            client = self.start_client(mode, self.daemon.target, connections, each)
            client.await_line(started)

    def open_unread(self):
        """A stream whose responses the application does not read."""
        request = json.dumps({"count": 1000, "bytes": 65536}).encode()
        rpc = self.channel.unary_stream("/daemon.Produce/Unread")(request)
        self.stack.callback(rpc.cancel)
        rpc.initial_metadata()
        self.daemon.await_metric("lanekeeper_stream_ops_in_flight", 1, op="send",
                                 direction="to_downstream")

    def open_silent(self, method="/daemon.Silent/Poll"):
        """An RPC that the upstream never answers."""
        rpc = self.channel.unary_unary(method).future(b"")
        self.stack.callback(rpc.cancel)
        return rpc

    def fail_once(self, code="INTERNAL"):
        code_of(self.channel, json.dumps({"code": code, "message": "as asked"}).encode(),
                "/daemon.Fail/Now")

    def await_while_failing(self, condition, what, bound):
        """Waits while RPCs fail again and again."""
        def look():
            self.fail_once()
            return condition()

        return wait_until(look, what, bound)
