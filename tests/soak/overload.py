#!/usr/bin/python3
"""Twice the cap in load: what the admitted and the refused RPCs take. See README.md."""

import argparse
import asyncio
import contextlib
import json
import pathlib
import sys
import tempfile
import time

import grpc

sys.path.insert(1, str(pathlib.Path(__file__).resolve().parents[1]))  # tests/, for harness
from harness.byte_client import CHANNEL_OPTIONS
from harness.lanekeeper import Daemon
from harness.peers import Upstream

CAP = 50
PAUSE = 0.1  # of a caller that was refused


class Callers:
    """So many callers at once, each with one RPC after the other, for a while."""

    def __init__(self):
        self.answered = []  # seconds of each
        self.refused = []

    async def run(self, target, count, seconds):
        async with grpc.aio.insecure_channel(target, options=CHANNEL_OPTIONS) as channel:
            ask = channel.unary_unary("/daemon.Slow/Echo")
            await asyncio.gather(*(self._call(ask, time.monotonic() + seconds)
                                   for _ in range(count)))
        return self

    async def _call(self, ask, end):
        while (begin := time.monotonic()) < end:
            try:
                await ask(b"x" * 100, timeout=30)
                self.answered.append(time.monotonic() - begin)
            except grpc.aio.AioRpcError as error:
                if error.code() is not grpc.StatusCode.RESOURCE_EXHAUSTED:
                    raise
                self.refused.append(time.monotonic() - begin)
                await asyncio.sleep(PAUSE)


def quantile(values, share):
    return sorted(values)[min(int(len(values) * share), len(values) - 1)]


def measure(kind, options, stack):
    folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="lanekeeper-overload-"))
    upstream = Upstream(0)
    stack.callback(upstream.kill)
    daemon = Daemon(folder, {
        "listen": [{"address": "127.0.0.1:0"}],
        "upstream": {"address": upstream.address},
        "rpc_threads": {"kind": kind},
        "limits": {"open_rpcs": CAP},
        "metrics": {"address": "127.0.0.1:0"},
        "admin": {"address": "127.0.0.1:0"},
        "log": {"access": "off"}})
    stack.callback(daemon.kill)
    daemon.await_start()
    calm = asyncio.run(Callers().run(daemon.target, CAP // 2, options.seconds))
    busy = asyncio.run(Callers().run(daemon.target, CAP * 2, options.seconds))
    calm_p99, busy_p99 = quantile(calm.answered, 0.99), quantile(busy.answered, 0.99)
    figures = {
        "kind": kind,
        "answered": [len(calm.answered), len(busy.answered)],
        "answered_p99_ms": [round(calm_p99 * 1e3, 1), round(busy_p99 * 1e3, 1)],
        "refused": [len(calm.refused), len(busy.refused)],
        "refused_p50_ms": round(quantile(busy.refused, 0.5) * 1e3, 2),
        "refused_max_ms": round(max(busy.refused) * 1e3, 2),
        "peak_mib": round(daemon.peak_rss_bytes() / 2**20, 1),
    }
    print(json.dumps(figures), flush=True)
    counted = daemon.scrape().value("lanekeeper_rpcs_rejected_total", reason="open_rpcs")
    problems = {
        "RPCs below the cap were refused": bool(calm.refused),
        "lanekeeper counted other refusals": counted != len(busy.refused),
    }
    if options.judge:
        problems |= {
            "p99 of the admitted is above twice that without load": busy_p99 > 2 * calm_p99,
            "a refusal took longer than 100 ms": max(busy.refused) > 0.1,
            "more than 128 MiB": figures["peak_mib"] > 128,
        }
    return [f"{kind}: {problem}" for problem, is_so in problems.items() if is_so]


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--seconds", type=float, default=10, help="of each of two phases (10)")
    arguments.add_argument("--judge", action="store_true",
                           help="times and memory too: for a machine that is quiet")
    arguments.add_argument("--kind", choices=("user", "kernel", "both"), default="both")
    options = arguments.parse_args()
    problems = []
    for kind in ("user", "kernel") if options.kind == "both" else (options.kind,):
        with contextlib.ExitStack() as stack:
            problems += measure(kind, options, stack)
    print("\n".join(problems) or "ok")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
