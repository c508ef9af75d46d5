#!/usr/bin/python3
"""A steady load, and what an operator does meanwhile: nothing is lost. See README.md."""

import argparse
import contextlib
import json
import math
import pathlib
import signal
import socket
import ssl
import sys
import tempfile
import time

import grpc

sys.path.insert(1, str(pathlib.Path(__file__).resolve().parents[1]))  # tests/, for harness
from harness.byte_client import CHANNEL_OPTIONS, call
from harness.certificates import Authority
from harness.lanekeeper import Daemon
from harness.peers import Upstream
from harness.processes import PYTHON, Process
from harness.waiting import wait_until
from steady_phase import Phase

HERE = pathlib.Path(__file__).resolve().parent
CLIENTS = 2
CONNECTIONS = 2  # of each
NAMES = "DNS:localhost,IP:127.0.0.1"
AGE = 1.5  # seconds until the upstream renews a connection
GOAWAYS_EACH = 2  # a notice, and the last stream that is taken
BOUND = 60  # of what a client is told to do
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(3) + b"\x04" + bytes(5)  # and SETTINGS
UNAVAILABLE = "UNAVAILABLE"
# What a wait, a scrape, a handshake and an RPC end with that do not come about.
BROKEN = (AssertionError, OSError, grpc.RpcError)
# Judged on request only.
AT_ONCE = 1.0
FIRST_BACKOFF = 1.2  # 1 s and its jitter
RATE_SHARE = 0.9


class Steady:
    def __init__(self, kind, options, stack):
        self.kind = kind
        self.options = options
        self.stack = stack
        self.folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="lanekeeper-steady-"))
        self.authority = Authority(self.folder)
        self.certificate = self.authority.issue("server", NAMES)
        self.upstream = self.keep(Upstream(0))
        # All go to the first; the second is where they go when the first is told to end.
        self.first, self.second = (
            self.keep(Daemon(self.folder, self.config())).await_start() for _ in range(2))
        target = f"ipv4:{self.first.target},{self.second.target}"
        self.clients = [self.keep(Process("client", [
            PYTHON, HERE / "steady_client.py", target, self.authority.certificate,
            options.rate / CLIENTS, options.streams // CLIENTS])) for _ in range(CLIENTS)]
        self.told = 0
        self.probes = 0  # connections that were made besides the load's
        self.succeeded = 0  # since this upstream is there
        self.phase = None
        self.problems = []

    def keep(self, process):
        self.stack.callback(process.kill)
        return process

    def config(self, **sections):
        return {"listen": [{"address": "127.0.0.1:0", "tls": self.certificate.section()}],
                "upstream": {"address": self.upstream.address},
                "rpc_threads": {"kind": self.kind},
                "drain": {"timeout": "60s"},
                "reload": {"watch": False},
                "metrics": {"address": "127.0.0.1:0"},
                "admin": {"address": "off"},
                "log": {"access": "off"}, **sections}

    def value(self, name, **labels):
        return self.first.scrape().value(name, **labels)

    def tell(self, *words):
        """All clients at once; returns when all have done it."""
        self.told += 1
        for client in self.clients:
            client.tell(" ".join(map(str, words)))
        for client in self.clients:
            done = client.await_line(f"^done {self.told} (.*)", bound=BOUND)
            report = json.loads(done.group(1))
            self.phase.add(report)
            self.succeeded += sum(codes.get("OK", 0) for codes in report["ended"].values())

    def round(self):
        """So many RPCs, and a message on each stream, all of them begun from here on."""
        self.tell("round", round(self.options.rate / CLIENTS * self.options.seconds))

    @contextlib.contextmanager
    def in_phase(self, name):
        phase = self.phase = Phase(name, CLIENTS)
        try:
            yield phase
        except BROKEN as error:
            phase.want(False, repr(error))
            phase.want_no_failure()  # what was lost until then
            raise
        finally:
            phase.print()
            if self.options.judge:
                phase.want(phase.rate() >= RATE_SHARE * self.options.rate, "the rate was too low")
            self.problems += [f"{self.kind}: {problem}" for problem in phase.problems]

    def want_the_same_connections(self):
        """Clients dial again, here or elsewhere, and send again what was not processed, unasked."""
        made = self.value("lanekeeper_tls_handshakes_total", side="downstream", outcome="ok")
        self.phase.want(made == CLIENTS * CONNECTIONS + self.probes, "clients lost connections")
        self.phase.want(self.second.scrape().value("grpc_server_started_total") == 0,
                        "RPCs went elsewhere")

    def begin(self):
        with self.in_phase("begin") as phase:
            self.round()
            phase.want_no_failure()

    def reload(self):
        with self.in_phase("reload") as phase:
            for number in range(self.options.times):
                self.first.reload(self.config(
                    limits={"message_size": f"{1 + number}MiB", "open_rpcs": 5000 + number},
                    stuck={"after": f"{10 + number}s"}))
                self.round()
            phase.want_no_failure()
            self.want_the_same_connections()

    def see_certificate(self):
        """The name on what a new connection is shown."""
        self.probes += 1
        context = ssl.create_default_context(cafile=self.authority.certificate)
        context.set_alpn_protocols(["h2"])
        host, port = self.first.target.rsplit(":", 1)
        with socket.create_connection((host, int(port)), timeout=20) as plain, \
                context.wrap_socket(plain, server_hostname=host) as connection:
            connection.sendall(PREFACE)
            if not connection.recv(1):
                raise AssertionError("a new connection was closed")
            return dict(part[0] for part in connection.getpeercert()["subject"])["commonName"]

    def call_anew(self):
        self.probes += 1
        trusted = grpc.ssl_channel_credentials(self.authority.certificate.read_bytes())
        with grpc.secure_channel(self.first.target, trusted, options=CHANNEL_OPTIONS) as channel:
            self.phase.want(call(channel) == b"hello", "a new connection is of no use")

    def swap(self):
        with self.in_phase("certificate") as phase:
            for number in range(self.options.times):
                name = f"renewed-{number}"
                self.certificate.replace(self.authority.issue(name, NAMES))
                wait_until(lambda name=name: self.see_certificate() == name, f"{name} is shown")
                self.call_anew()
                self.round()
            phase.want_no_failure()
            self.want_the_same_connections()

    def outage(self):
        with self.in_phase("outage"):
            killed = time.monotonic()
            self.upstream.signal(signal.SIGKILL)
            self.upstream.await_exit()
            gone = time.monotonic()
            self.tell("settle")
            self.succeeded = 0
            self.upstream = self.keep(Upstream(self.upstream.port, "--age", AGE))
            returned = time.monotonic()
            for _ in range(2):  # while streams and callers come back, and after that
                self.round()
            self.judge_outage(killed, gone, returned)
            self.want_the_same_connections()

    def judge_outage(self, killed, gone, returned):
        phase = self.phase
        lost = [one for one in phase.failures if one[0] < killed]
        streams = sum(kind == "stream" for _, _, kind, *_ in lost)
        served = min((end for start, end in phase.recovered if start > gone), default=math.inf)
        phase.want(streams == self.options.streams,
                   f"{streams} of {self.options.streams} streams were told")
        phase.want({code for *_, code, _ in phase.failures} == {UNAVAILABLE},
                   f"codes other than {UNAVAILABLE}")
        phase.want(all(start < served for start, *_ in phase.failures),
                   "RPCs failed though others had succeeded")
        told = max((end for _, end, *_ in lost), default=math.inf) - killed
        phase.figures = {"open": len(lost), "told_s": round(told, 3),
                         "away_s": round(returned - killed, 3),
                         "served_s": round(served - returned, 3)}
        if self.options.judge:
            phase.want(told <= AT_ONCE, "UNAVAILABLE came late")
            phase.want(served - returned <= AT_ONCE + FIRST_BACKOFF, "it served late")

    def goaways(self):
        return self.value("lanekeeper_goaways_total", side="upstream", by="peer")

    def renew(self):
        with self.in_phase("renewal") as phase:
            wanted = self.goaways() + GOAWAYS_EACH * self.options.times
            for _ in range(10 * self.options.times):
                self.round()
                if self.goaways() >= wanted:
                    break
            else:
                phase.want(False, "the upstream does not renew its connections")
            phase.figures = {"goaways": self.goaways() + GOAWAYS_EACH * self.options.times - wanted,
                             "retries": self.value("lanekeeper_upstream_retries_total")}
            phase.want_no_failure()
            self.want_the_same_connections()

    def terminate(self):
        with self.in_phase("SIGTERM") as phase:
            self.first.signal(signal.SIGTERM)
            self.round()
            # The streams go on where they were, and they alone.
            self.first.await_metric("lanekeeper_streams_open", self.options.streams)
            self.tell("finish")
            finished = time.monotonic()
            phase.want(self.first.await_exit() == 0, "lanekeeper did not exit with 0")
            phase.figures = {"exit_s": round(time.monotonic() - finished, 3)}
            self.round()
            self.tell("end")
            phase.want_no_failure()
            phase.want(phase.ended["stream", "OK"] == self.options.streams, "a stream did not end")
            wait_until(lambda: self.upstream.counters()["active"] == 0, "no handler is active")
            counters = self.upstream.counters()
            phase.want(counters["finished"] == self.succeeded and not counters["cancelled"],
                       f"{self.succeeded} RPCs succeeded, the upstream says {counters}")

    def run(self):
        self.begin()
        self.reload()
        self.swap()
        for _ in range(self.options.times):
            self.outage()
        self.renew()
        self.terminate()


def measure(kind, options):
    """The problems that came up."""
    print(f"kind {kind}, {options.rate:.0f} unary RPCs a second, {options.streams} streams",
          flush=True)
    with contextlib.ExitStack() as stack:
        one = Steady(kind, options, stack)
        with contextlib.suppress(*BROKEN):  # it is among the problems
            one.run()
        if one.problems:
            for daemon in (one.first, one.second):
                told = [line for line in daemon.lines if "delays the end" not in line]
                print("\n".join(["", *told[-20:]]), file=sys.stderr)
        return one.problems


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kind", choices=("user", "kernel", "both"), default="both")
    parser.add_argument("--rate", type=float, default=1000, help="unary RPCs a second (1000)")
    parser.add_argument("--streams", type=int, default=200)
    parser.add_argument("--times", type=int, default=5, help="that each thing is done (5)")
    parser.add_argument("--seconds", type=float, default=2, help="of load between them (2)")
    parser.add_argument("--judge", action="store_true",
                        help="times and rate too: for a machine that is quiet")
    options = parser.parse_args()
    problems = [problem for kind in (("user", "kernel") if options.kind == "both"
                                     else (options.kind,)) for problem in measure(kind, options)]
    print("\n".join(problems) or "ok")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
