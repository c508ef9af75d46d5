"""Counts the whole daemon, from the socket of the application to that of the upstream.

Each case runs it twice, under callgrind, with few RPCs and with more. What the second run had more
of, per RPC more, is the count: start and end of the process cancel out.
"""

import dataclasses
import json
import pathlib
import signal
import subprocess

from harness.processes import Process, describe_exit

from . import callgrind

START_BOUND = 60
END_BOUND = 60


@dataclasses.dataclass
class Case:
    name: str
    per: str  # a field of what bench-load prints
    words: tuple  # for bench-load
    few: int
    more: int
    counts: tuple


# Only what repeats well enough to be compared: see README.md.
CASES = (
    Case("unary, one at a time", "rpcs", ("--workload", "unary", "--streams", 1), 100, 600,
         ("instructions", "allocations")),
    Case("ping_pong, 1 stream", "messages", ("--workload", "ping_pong", "--streams", 1), 200, 1200,
         ("instructions", "allocations")),
    Case("ping_pong, 32 streams", "messages", ("--workload", "ping_pong", "--streams", 32), 320,
         2560, ("instructions",)),
    Case("bulk, 8 streams", "messages", ("--workload", "bulk", "--streams", 8), 8000, 24000,
         ("instructions",)),
)


def count(programs, folder):
    folder = pathlib.Path(folder)
    upstream = f"unix://{folder}/upstream"
    with Process("upstream", [programs.upstream, "--listen", upstream]) as process:
        process.await_line("^listening$")
        return {case.name: _count(case, programs, folder, upstream) for case in CASES}


def _count(case, programs, folder, upstream):
    few, few_done = _run(case, case.few, programs, folder, upstream)
    more, more_done = _run(case, case.more, programs, folder, upstream)
    return {what: (getattr(more, what) - getattr(few, what)) / (more_done - few_done)
            for what in case.counts}


def _run(case, number, programs, folder, upstream):
    """What callgrind recorded, and how many RPCs or messages there were."""
    listen = f"unix://{folder}/proxy"
    config = folder / "config.yaml"
    # One worker, and nothing that works by the clock. JSON is YAML.
    config.write_text(json.dumps({
        "listen": [{"address": listen}], "upstream": {"address": upstream},
        "rpc_threads": {"kind": "user", "workers": 1}, "metrics": {"address": "off"},
        "admin": {"address": "off"}, "stuck": {"after": "0"}}))
    record = folder / "daemon"
    words = callgrind.command(record, [programs.lanekeeper, "--config", config])
    with Process("lanekeeper", words, environment=callgrind.ENVIRONMENT) as daemon:
        daemon.await_line("listening on", bound=START_BOUND)
        load = subprocess.run(
            [str(word) for word in (programs.load, "--target", listen, "--connections", 1,
                                    "--size", 100, "--count", number, *case.words)],
            capture_output=True, text=True, timeout=END_BOUND)
        daemon.signal(signal.SIGTERM)
        code = daemon.await_exit(END_BOUND)
    result = json.loads(load.stdout or "{}")
    if load.returncode != 0 or result.get("errors") != 0:
        raise RuntimeError(f"the load failed: {load.stdout}{load.stderr}")
    if code != 0:
        raise RuntimeError(f"lanekeeper: {describe_exit(code)}{daemon.log()}")
    return callgrind.Record(record), result[case.per]
