#!/usr/bin/python3
"""Mixed RPCs for minutes or hours, with blows in between, and the sums at the end. See README.md."""

import argparse
import collections
import contextlib
import json
import pathlib
import random
import signal
import statistics
import sys
import tempfile
import time

sys.path.insert(1, str(pathlib.Path(__file__).resolve().parents[1]))  # tests/, for harness
from chaos import Chaos
from harness.certificates import Authority
from harness.lanekeeper import Daemon
from harness.peers import Upstream
from harness.processes import PYTHON, Process
from harness.scrape import http_get
from harness.waiting import wait_until

HERE = pathlib.Path(__file__).resolve().parent
BLOWS = ("kill_a_client", "kill_the_upstream", "freeze_a_client", "reset_connections", "reload",
         "swap_the_certificate")
CLIENTS = 4
CONNECTIONS = 2
CALLERS = 8
SAMPLE_SECONDS = 1.0
WARM_UP_SHARE = 0.2  # of the time: not judged for memory
DRIFT_MAX = 0.05
SETTLE_BOUND = 60
END_BOUND = 90


class Soak:
    def __init__(self, kind, seconds, seed, stack):
        self.seconds = seconds
        self.dice = random.Random(seed)
        self.stack = stack
        self.folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="lanekeeper-soak-"))
        self.journal = pathlib.Path(self.folder) / "journal"
        self.start_upstream(0)
        self.authority = Authority(self.folder)
        self.certificate = self.authority.issue("server", "DNS:localhost,IP:127.0.0.1")
        self.daemon = self.keep(Daemon(self.folder, {
            "listen": [{"address": "127.0.0.1:0", "tls": self.certificate.section()}],
            "upstream": {"address": self.upstream.address},
            "rpc_threads": {"kind": kind},
            "limits": {"message_size": "unlimited"},
            "metrics": {"address": "127.0.0.1:0"},
            "admin": {"address": "127.0.0.1:0"},
            "log": {"access": "off"}})).await_start()
        self.clients = []
        self.memory = []  # (time, bytes)
        self.chaos = Chaos(self)
        self.problems = []

    def keep(self, process):
        self.stack.callback(process.kill)
        return process

    def start_upstream(self, port):
        self.upstream = self.keep(Upstream(port, "--journal", self.journal))

    def add_client(self):
        client = self.keep(Process("client", [
            PYTHON, HERE / "soak_client.py", self.daemon.target, CONNECTIONS, CALLERS,
            self.dice.getrandbits(32), self.authority.certificate]))
        client.await_line("^calling$")
        self.clients.append(client)

    def wait(self, condition, what):
        wait_until(condition, what)

    def value(self, name, **labels):
        return self.daemon.scrape().value(name, **labels)

    def reloads(self):
        return self.value("lanekeeper_config_reloads_total")

    def resources(self):
        scrape = self.daemon.scrape()
        return {name: scrape.value(name) for name in (
            "process_threads", "process_open_fds", "lanekeeper_buffered_bytes")}

    def run(self):
        for _ in range(CLIENTS):
            self.add_client()
        begin = time.monotonic()
        pause = min(20.0, self.seconds / 12)
        next_blow = begin + pause
        while (now := time.monotonic()) < begin + self.seconds:
            self.memory.append((now - begin, self.value("process_resident_memory_bytes")))
            if now >= next_blow:
                self.chaos.strike(self.dice.choice(BLOWS))
                next_blow = time.monotonic() + pause * self.dice.uniform(0.5, 1.5)
            time.sleep(SAMPLE_SECONDS)

    def end(self):
        """All clients end in order; what they saw."""
        reports = []
        for client in self.clients:
            client.tell("end")
        for client in self.clients:
            try:
                ended = client.await_line("^ended (.*)", bound=END_BOUND)
            except AssertionError:
                self.problems.append("a client's RPCs have not ended: " + self.list_streams())
                continue
            reports.append(json.loads(ended.group(1)))
            client.await_exit()
        return reports

    def list_streams(self):
        return http_get(self.daemon.admin_address, "/streams")[1][:2000]

    def judge_failures(self, reports):
        outages = self.chaos.outages
        # gRPC's core resets what it never opened, when it is cancelled early, and is told to go; it
        # fails then what it has begun since, for retries are off here.
        sent_away = self.daemon.count_lines("on a stream that was never opened") > 0
        for report in reports:
            for start, end, kind, code, details in report["failures"]:
                if sent_away and code == "UNAVAILABLE" and "GOAWAY" in details:
                    continue
                if not any(code in outage.codes and start < outage.end and end > outage.begin
                           for outage in outages):
                    self.problems.append(f"{kind} ended with {code} ({details}), of nobody's doing")

    def judge_memory(self):
        steady = [size for at, size in self.memory if at > WARM_UP_SHARE * self.seconds]
        quarter = max(1, len(steady) // 4)
        first, last = (statistics.median(part) for part in (steady[:quarter], steady[-quarter:]))
        drift = last / first - 1
        print(f"memory: {first / 1e6:.1f} MB after the warm-up, {last / 1e6:.1f} MB at the end, "
              f"{max(steady) / 1e6:.1f} MB at most, drift {100 * drift:+.1f} %")
        if drift > DRIFT_MAX and self.seconds >= 300:
            self.problems.append(f"memory grew by {100 * drift:.1f} %")

    def judge_sums(self):
        """Started is ended, here and at the upstream, and nothing is held."""
        self.wait(lambda: self.value("lanekeeper_streams_open") == 0, "no stream open")
        scrape = self.daemon.scrape()
        started = scrape.value("grpc_server_started_total")
        for name in ("grpc_server_handled_total", "lanekeeper_streams_terminated_total"):
            if scrape.value(name) != started:
                self.problems.append(f"{started:.0f} RPCs started, {name} is {scrape.value(name)}")
        print(f"{started:.0f} RPCs through lanekeeper; by cause:", {
            labels["cause"]: int(value) for sample, labels, value in scrape.samples
            if sample == "lanekeeper_streams_terminated_total" and value})
        for name in ("lanekeeper_stream_contract_violations_total",
                     "lanekeeper_stream_ops_in_flight", "lanekeeper_streams_awaiting_upstream"):
            if scrape.value(name) != 0:
                self.problems.append(f"{name} is {scrape.value(name)}, not 0")
        wait_until(lambda: self.upstream.counters()["active"] == 0, "no handler active")

    def judge_both_sides(self, kinds):
        """What lanekeeper counts is what clients and handlers have seen; those of them that were
        killed have taken some with them."""
        scrape = self.daemon.scrape()
        started = scrape.value("grpc_server_started_total")
        retried = scrape.value("lanekeeper_upstream_retries_total")
        answered = sum(scrape.value("grpc_server_handled_total", grpc_code=code)
                       for code in ("OK", "NotFound"))
        seen = collections.Counter()
        for (_, code), count in kinds.items():
            seen["answered" if code in ("OK", "NOT_FOUND") else "other"] += count
        begun, ended = (self.journal.read_bytes().count(mark) for mark in (b"b", b"e"))
        print(f"answered: {answered:.0f} RPCs at lanekeeper, {seen['answered']} at its clients; "
              f"handlers: {begun} begun, {ended} ended")
        blows = self.chaos.counts
        rules = {
            "answers that clients have are lanekeeper's": seen["answered"] <= answered,
            "answers that lanekeeper has are the handlers'": answered <= ended,
            "each handler's beginning is an attempt": begun <= started + retried,
            "what has begun has ended": ended == begun or "kill_the_upstream" in blows,
            "each answer has come to its client": "kill_a_client" in blows
            or answered <= seen["answered"] + seen["other"]}
        self.problems += [f"not so: {rule}" for rule, holds in rules.items() if not holds]

    def judge_rest(self, before):
        """Threads, descriptors and held bytes are back where they were before the first client."""
        def back():
            now = self.resources()
            return all(now[name] <= before[name] for name in before)

        try:
            wait_until(back, "", SETTLE_BOUND)
        except AssertionError:
            self.problems.append(f"before the first client {before}, at the end {self.resources()}")


def soak(kind, seconds, seed):
    """The problems that came up."""
    print(f"kind {kind}, {seconds:.0f} s, seed {seed}", flush=True)
    with contextlib.ExitStack() as stack:
        one = Soak(kind, seconds, seed, stack)
        wait_until(lambda: one.value("lanekeeper_upstream_connections") == 1, "a connection")
        before = one.resources()
        one.run()
        reports = one.end()
        kinds = collections.Counter()
        for report in reports:
            for name, codes in report["kinds"].items():
                kinds.update({(name, code): count for code, count in codes.items()})
        print("ended, by kind:", {" ".join(key): kinds[key] for key in sorted(kinds)})
        print("blows:", one.chaos.counts)
        one.judge_failures(reports)
        one.judge_memory()
        one.judge_sums()
        one.judge_both_sides(kinds)
        one.judge_rest(before)
        one.daemon.signal(signal.SIGTERM)
        if one.daemon.await_exit() != 0:
            one.problems.append("lanekeeper did not exit with 0")
        if one.problems:
            print("\n".join(one.daemon.lines[-40:]), file=sys.stderr)
        return one.problems


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--hours", type=float, default=0)
    parser.add_argument("--kind", choices=["user", "kernel", "both"], default="both")
    parser.add_argument("--seed", type=int, default=random.getrandbits(32))
    options = parser.parse_args()
    seconds = 3600 * options.hours or 60 * options.minutes
    kinds = ["user", "kernel"] if options.kind == "both" else [options.kind]
    problems = [problem for kind in kinds
                for problem in soak(kind, seconds / len(kinds), options.seed)]
    for problem in collections.Counter(problems).most_common(30):
        print("PROBLEM:", *problem)
    print("failed" if problems else "ok")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
