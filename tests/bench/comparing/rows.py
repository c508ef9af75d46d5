"""One measured round of one cell, as it stands in results.csv, and the medians over the rounds."""

import csv
import dataclasses

from . import figures


@dataclasses.dataclass
class Row:
    """Empty (None) where a figure does not exist. `error` set: the round does not count, and the
    cell is marked."""

    round: int
    workload: str
    transport: str
    proxy: str
    error: str = ""
    streams: int = None
    rpcs: int = None
    messages: int = None
    bytes: int = None
    seconds: float = None
    cpu_seconds: float = None
    cpu_us_per_rpc: float = None
    cpu_us_per_message: float = None
    cpu_ns_per_byte: float = None
    rpcs_per_second: float = None
    messages_per_second: float = None
    bytes_per_second: float = None
    p50_us: float = None
    p99_us: float = None
    p999_us: float = None
    context_switches_per_rpc: float = None
    syscalls_per_rpc: float = None
    context_switches_per_message: float = None
    syscalls_per_message: float = None
    others_cpu_share: float = None
    rss_bytes: int = None
    rss_bytes_per_stream: float = None


NAMES = [field.name for field in dataclasses.fields(Row)]


def fill(row, outcome, cpu_seconds):
    """What a run of a load gives."""
    row.rpcs, row.messages, row.bytes = outcome.rpcs, outcome.messages, outcome.bytes
    row.seconds, row.cpu_seconds = outcome.seconds, cpu_seconds
    row.p50_us, row.p99_us, row.p999_us = outcome.p50_us, outcome.p99_us, outcome.p999_us
    for unit, count, scale in (("rpc", outcome.rpcs, 1e6), ("message", outcome.messages, 1e6),
                               ("byte", outcome.bytes, 1e9)):
        if count:
            name = f"cpu_{'ns' if unit == 'byte' else 'us'}_per_{unit}"
            setattr(row, name, cpu_seconds * scale / count)
            setattr(row, f"{unit}s_per_second", count / outcome.seconds)
    row.error = row.error or outcome.error


class Results:
    """All rows so far. They are written as they come, so that an interrupted run keeps its own."""

    def __init__(self, path=None):
        self.rows = []
        self._file = path.open("w", newline="") if path else None
        self._writer = csv.writer(self._file) if path else None
        if path:
            self._writer.writerow(NAMES)

    def add(self, row):
        self.rows.append(row)
        if self._writer:
            self._writer.writerow(["" if value is None else _short(value)
                                   for value in dataclasses.astuple(row)])
            self._file.flush()

    def close(self):
        if self._file:
            self._file.close()

    def workloads(self):
        return list(dict.fromkeys(row.workload for row in self.rows))

    def proxies(self):
        return list(dict.fromkeys(row.proxy for row in self.rows))

    def cell(self, workload, proxy):
        return Cell([row for row in self.rows if (row.workload, row.proxy) == (workload, proxy)])


class Cell:
    """The rounds of one proxy in one workload."""

    def __init__(self, rows):
        self.rows = rows
        self.error = next((row.error for row in rows if row.error), "")
        self.measured = bool(rows) and not self.error

    def median(self, figure):
        """None if the cell is not scored or has no such figure."""
        return figures.median(self.values(figure))

    def spread(self, figure):
        return figures.spread(self.values(figure))

    def values(self, figure):
        if not self.measured:
            return []
        return [value for row in self.rows if (value := getattr(row, figure)) is not None]


def _short(value):
    return f"{value:.6g}" if isinstance(value, float) else value
