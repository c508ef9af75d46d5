"""Streams by tests/bench/load's bench-load, which checks every response, and ends with a line of
JSON."""

import contextlib
import json
import select

from harness.waiting import Failure

from .outcome import Outcome
from .processes import Measured


class BenchLoad:
    def __init__(self, binary, folder, tls_ca=None):
        self._binary = binary
        self._folder = folder
        self._tls_ca = tls_ca

    def words(self, endpoint, workload, amount, kind=None, streams=None,
              connections=None):
        """`amount` is ("--seconds", T), ("--count", N) or () for idle."""
        trust = ["--tls-ca", self._tls_ca] if endpoint.tls else []
        return [self._binary, "--target", endpoint.address, *trust,
                "--workload", kind or workload.kind,
                "--connections", connections or workload.connections,
                "--streams", streams or workload.streams, "--size", workload.size, *amount]

    def run(self, endpoint, workload, amount, seconds, prefix=(), **other):
        """`other` names a kind, streams or connections that differ from the workload's."""
        command = [*prefix, *self.words(endpoint, workload, amount, **other)]
        with Measured("bench-load", command, self._folder, piped=True) as child:
            return finished(child, 20 + 5 * seconds)

    @contextlib.contextmanager
    def idle(self, endpoint, workload, streams, bound):
        """Holds that many idle streams open. Yields a function that closes them and returns the
        outcome."""
        command = self.words(endpoint, workload, (), kind="idle", streams=streams)
        with Measured("bench-load-idle", command, self._folder, piped=True) as child:
            await_ready(child, bound)
            yield lambda: finished(child, bound)


def await_ready(child, bound):
    """Until the line "ready": all streams have had a message each way."""
    readable, _, _ = select.select([child.stdout], [], [], bound)
    if not readable:
        raise Failure(f"the idle streams were not open after {bound} s")
    line = child.stdout.readline().strip()
    if line == "ready":
        return
    if line.startswith("{"):
        raise Failure(parse_line(line).error or "the idle streams ended before they were ready")
    raise Failure(f"bench-load ended instead of holding streams: {line or child.last_words()}")


def finished(child, bound):
    """What it said at its end, which closing its stdin brings about if it holds idle streams."""
    code, output = child.finish(bound)
    lines = [line for line in output.splitlines() if line.startswith("{")]
    if code or not lines:
        raise Failure(f"bench-load ended with {code}: {child.last_words()}")
    return parse_line(lines[-1])


def parse_line(line):
    said = json.loads(line)
    latency = said.get("latency_us") or {}
    error = ""
    if said["errors"]:
        error = (f"{said['errors']} errors, {said['rpcs']} RPCs ended well; the first: "
                 f"{said['first_error']}")
    return Outcome(rpcs=said["rpcs"], messages=said["messages"], bytes=said["bytes"],
                   seconds=said["seconds"], error=error, p50_us=latency.get("p50"),
                   p99_us=latency.get("p99"), p999_us=latency.get("p999"))
