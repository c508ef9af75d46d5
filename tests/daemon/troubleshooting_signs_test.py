#!/usr/bin/python3
"""deploy/troubleshooting.md: each metric that moved and each line in the log is brought about, and is
what the page quotes."""

import signal
import socket
import subprocess
import time

from harness.byte_client import Stream, code_of
from harness.case import both_kinds, main
from harness.certificates import Authority
from harness.waiting import wait_until
from raw_upstream import (ENHANCE_YOUR_CALM, MAX_CONCURRENT_STREAMS, REFUSED_STREAM, RESET, frame,
                          goaway)
from troubleshooting_page import LogTest, MetricTest, TroubleTest, holds


SOON = {"after": "100ms"}
HTTP1 = b"GET / HTTP/1.1\r\n\r\n"
FEW_DESCRIPTORS = ["prlimit", "--nofile=64:64"]
MORE_CONNECTIONS = 80
LINES_AT_ONCE = 20
CANCELS = 16
# The row says 1, and the clock that measures it may be stopped half a second before it is due.
STOPPED_SECONDS = 1.7


class Signs(TroubleTest):
    def start_shared(self, **sections):
        self.start_daemon(self.upstream.address, **sections)

    def connect(self):
        host, port = self.daemon.target.rsplit(":", 1)
        return self.stack.enter_context(socket.create_connection((host, int(port)), timeout=20))

    def tls(self, **more):
        """A listener's entry."""
        self.pair = Authority(self.folder).issue("server", "DNS:localhost")
        return {"address": "127.0.0.1:0", "tls": {
            "certificate": str(self.pair.certificate), "key": str(self.pair.key), **more}}

    def shake_hands(self, target):
        subprocess.run(["openssl", "s_client", "-connect", target, "-alpn", "h2"],
                       stdin=subprocess.DEVNULL, capture_output=True, timeout=30)

    # What tables tell of in ways of their own.

    def lose_upstream(self):
        upstream = self.start_raw()
        self.start_daemon(upstream.address)
        self.daemon.await_metric("lanekeeper_upstream_state", 1, state="ready")
        upstream.close()

    def read_nothing(self):
        self.start_shared(stuck=SOON)
        self.open_unread()

    def show_no_certificate(self):
        clients = Authority(self.folder, "clients")
        self.start(listen_entries=[self.tls(client_ca=str(clients.certificate))])
        self.shake_hands(self.daemon.target)


@both_kinds
@holds("A metric that moved")
class Metric(Signs, MetricTest):
    case_upstream_gone = Signs.lose_upstream
    case_application_does_not_read = Signs.read_nothing
    case_handshake_failed = Signs.show_no_certificate

    def case_upstream_does_not_read(self):
        self.start_shared(stuck=SOON)
        self.open_untaken()

    def case_upstream_is_silent(self):
        self.start_shared(stuck=SOON)
        self.open_call()

    def case_upstream_takes_no_more(self):
        self.start_daemon(self.start_raw(settings={MAX_CONCURRENT_STREAMS: 0}).address)
        self.open_call()

    def case_refusals(self):
        self.start_shared(limits={"open_rpcs": 1})
        self.open_call()
        self.daemon.await_metric("lanekeeper_streams_open", 1)
        self.told()

    def case_connections_refused(self):
        self.start_shared(limits={"connections": 1})
        self.connect()
        self.daemon.await_metric("lanekeeper_downstream_connections", 1)
        self.connect()

    def case_retries(self):
        refusal = REFUSED_STREAM.to_bytes(4, "big")
        self.start_daemon(self.start_raw(lambda stream: frame(RESET, 0, stream, refusal)).address)
        self.open_call()

    def case_no_grpc_client(self):
        self.start_shared()
        self.connect().sendall(HTTP1)

    def case_held_bytes(self):
        self.start_shared(limits={"buffered_bytes": "1MiB"})
        for _ in range(20):
            self.open_unread()

    def case_late_worker(self):
        self.start_shared()
        self.daemon.signal(signal.SIGSTOP)
        end = time.monotonic() + STOPPED_SECONDS
        wait_until(lambda: time.monotonic() > end, "a while")
        self.daemon.signal(signal.SIGCONT)

    def case_bad_file(self):
        self.start_shared()
        self.daemon.replace_config("nonsense: 1\n")

    def case_bad_certificate(self):
        self.start(listen_entries=[self.tls()])
        self.pair.key.write_text("nonsense")

    def case_dropped_lines(self):
        self.start_shared()
        for _ in range(2 * LINES_AT_ONCE):
            self.connect().sendall(HTTP1)


@both_kinds
@holds("A line in the log")
class Line(Signs, LogTest):
    case_connection_lost = Signs.lose_upstream
    case_stuck = Signs.read_nothing
    case_no_certificate = Signs.show_no_certificate

    def start_daemon(self, *arguments, **sections):
        super().start_daemon(*arguments, **{"log": {"format": "text"}, **sections})

    def case_upstream_gone(self):
        self.start_daemon("127.0.0.1:1")

    def case_rpcs_wait(self):
        self.start_daemon({"address": "127.0.0.1:1", "wait_for_ready": True})

    def case_too_many_pings(self):
        upstream = self.start_raw(lambda stream: goaway(stream, ENHANCE_YOUR_CALM, b"too_many_pings"))
        self.start_daemon({"address": upstream.address, "keepalive": {"time": "5m"}})
        self.open_call()

    def case_too_many_cancels(self):
        asked = []

        def answer(stream):
            asked.append(stream)
            return goaway(stream, ENHANCE_YOUR_CALM, b"") if len(asked) > CANCELS else b""

        self.start_daemon(self.start_raw(answer).address)
        rpcs = [self.open_call() for _ in range(CANCELS)]
        wait_until(lambda: len(asked) == CANCELS, "the RPCs at the upstream")
        for rpc in rpcs:
            rpc.cancel()
        self.daemon.await_metric("lanekeeper_resets_total", CANCELS, side="upstream", by="lanekeeper")
        self.open_call()

    def case_tls_on_one_side(self):
        self.start(listen_entries=[{"address": "127.0.0.1:0"}, self.tls()])
        plain, tls = self.daemon.targets
        self.shake_hands(plain)
        code_of(self.open_channel(tls))

    def case_no_descriptors(self):
        self.start_shared(launcher=FEW_DESCRIPTORS)
        for _ in range(MORE_CONNECTIONS):
            self.connect()

    def case_restart_only(self):
        self.start_shared()
        self.daemon.reload(self.config(self.upstream.address, metrics={"address": "off"}))

    def case_delays_the_end(self):
        self.start_shared(drain={"timeout": "0"})
        Stream(self.channel).echo()
        self.daemon.signal(signal.SIGTERM)


if __name__ == "__main__":
    main()
