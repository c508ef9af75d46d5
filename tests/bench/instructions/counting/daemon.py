"""Counts the whole daemon, from the socket of the application to that of the upstream.

Each case runs it twice, under callgrind, with few RPCs and with more. What the second run had more
of, per RPC more, is the count: start and end of the process cancel out.
"""

import contextlib
import dataclasses
import json
import pathlib
import subprocess
import threading

from counting import callgrind

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
    with running([programs.upstream, "--listen", upstream], "listening"):
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
    with running(words, "listening on", env=callgrind.environment()):
        load = subprocess.run(
            [str(word) for word in (programs.load, "--target", listen, "--connections", 1,
                                    "--size", 100, "--count", number, *case.words)],
            capture_output=True, text=True, timeout=END_BOUND)
    result = json.loads(load.stdout or "{}")
    if load.returncode != 0 or result.get("errors") != 0:
        raise RuntimeError(f"the load failed: {load.stdout}{load.stderr}")
    return callgrind.Record(record), result[case.per]


@contextlib.contextmanager
def running(words, ready, **options):
    """A process that has said that it is ready, and is ended by SIGTERM."""
    child = subprocess.Popen([str(word) for word in words], stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True, **options)
    too_late = threading.Timer(START_BOUND, child.kill)
    too_late.start()
    try:
        said = []
        for line in child.stdout:
            said.append(line)
            if ready in line:
                break
        else:
            raise RuntimeError(f"{words[0]} is not ready:\n{''.join(said)}")
        too_late.cancel()
        yield
        child.terminate()
        child.communicate(timeout=END_BOUND)
    finally:
        too_late.cancel()
        child.kill()
        child.wait()
        child.stdout.close()
