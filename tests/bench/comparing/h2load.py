"""Unary RPCs by h2load: fast, well known, and none of ours. It knows HTTP/2 only, so a run counts
as correct when every status is 2xx and exactly the expected bytes of data came back; a gRPC error
has no data."""

import pathlib
import re

from harness.waiting import Failure

from .figures import percentile
from .outcome import Outcome
from .processes import Measured

FRAME_HEADER = 5  # of a gRPC message: one byte of flags, four of length


def write_body(folder, size):
    """The file with one request: a gRPC message of `size` bytes."""
    path = pathlib.Path(folder, f"body-{size}")
    if not path.exists():
        pattern = bytes(range(32, 127))
        payload = (pattern * (size // len(pattern) + 1))[:size]
        path.write_bytes(b"\0" + size.to_bytes(4, "big") + payload)
    return path


def words(endpoint, workload, body, amount, log=None):
    """`amount` is ("-n", RPCs) or ("-D", duration)."""
    scheme = "https" if endpoint.tls else "http"
    authority = "localhost" if endpoint.path else f"127.0.0.1:{endpoint.port}"
    base = [f"--base-uri=unix:{endpoint.path}"] if endpoint.path else []
    logging = [f"--log-file={log}"] if log else []
    return ["h2load", "-t1", f"-c{workload.connections}",
            f"-m{max(1, workload.streams // workload.connections)}", *map(str, amount),
            "-d", body, "-H", "content-type: application/grpc", "-H", "te: trailers",
            *base, *logging, f"{scheme}://{authority}/bench.Echo/Unary"]


def warm_up(endpoint, workload, seconds, folder):
    """Drives it for a while, and returns RPCs per second, for the choice of a count."""
    amount = ("-D", f"{round(1000 * seconds)}ms")
    command = words(endpoint, workload, write_body(folder, workload.size), amount)
    report = parse_report(_run(command, folder, seconds))
    return max(1.0, report["done"] / seconds)


def run(endpoint, workload, count, seconds, folder, prefix=()):
    """`count` RPCs. `prefix` is a command that runs h2load, such as perf stat."""
    log = pathlib.Path(folder, "h2load.log")
    body = write_body(folder, workload.size)
    report = parse_report(_run([*prefix, *words(endpoint, workload, body, ("-n", count), log)],
                               folder, seconds))
    try:
        times = parse_log(log.read_text())
    finally:
        log.unlink(missing_ok=True)
    return outcome(report, times, count, workload.size)


def outcome(report, times, count, size):
    moved = count * (size + FRAME_HEADER)
    error = ""
    if report["succeeded"] != count:
        error = f"{count - report['succeeded']} of {count} RPCs failed"
    elif report["data_bytes"] != moved:
        error = f"{report['data_bytes']} bytes of data came back instead of {moved}"
    return Outcome(rpcs=report["succeeded"], messages=2 * count, bytes=2 * count * size,
                   seconds=report["seconds"], error=error, p50_us=percentile(times, 0.5),
                   p99_us=percentile(times, 0.99), p999_us=percentile(times, 0.999))


def parse_report(text):
    """The figures of what h2load prints at its end."""
    patterns = {
        "seconds": r"finished in ([\d.]+)(us|ms|s|m)?,",
        "done": r"requests: .* (\d+) done,",
        "succeeded": r"status codes: (\d+) 2xx,",
        "data_bytes": r"traffic: .*\((\d+)\) data",
    }
    found = {}
    for name, pattern in patterns.items():
        match = re.search(pattern, text)
        if not match:
            raise Failure(f"h2load's report has no {name}: {text.strip()[-200:]}")
        found[name] = int(match.group(1)) if name != "seconds" else _seconds(*match.groups())
    return found


def _seconds(number, unit):
    return float(number) * {"us": 1e-6, "ms": 1e-3, "s": 1, "m": 60}[unit or "s"]


def parse_log(text):
    """Microseconds of each RPC that succeeded: start, status, duration, tab-separated."""
    rows = (line.split("\t") for line in text.splitlines())
    return sorted(int(row[2]) for row in rows if row[1] == "200")


def _run(command, folder, seconds):
    bound = 20 + 5 * seconds
    with Measured("h2load", command, folder, piped=True) as child:
        code, output = child.finish(bound)
        if code:
            raise Failure(f"h2load ended with {code}: {child.last_words()}")
        return output
