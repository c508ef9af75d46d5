"""What happens to one running proxy in a cell: check, warm up, load, count; or idle streams."""

import dataclasses
import time

from harness.waiting import Failure

from . import counters, h2load, proc
from .bench_load import BenchLoad
from .rows import fill
from .workloads import CURVE_CONNECTIONS, curve_name

SETTLE = 0.3  # seconds after which memory is read
IDLE_BOUND = 120  # seconds for opening idle streams, and for closing them
CHECKED_RPCS = 200  # verified by bench-load before h2load, which does not look into messages
WARM_UP_SHARE = 0.3  # of the measured time
COUNTED_SHARE = 0.3  # of the measured time, for the run under perf


@dataclasses.dataclass(frozen=True)
class Drivers:
    """Who drives, for how many seconds, and what is counted; `folder` takes temporary files."""

    bench_load: BenchLoad
    folder: str
    seconds: float
    curve_steps: tuple
    count_events: bool


class Steps:
    """`upstream_pid`: whose CPU time, besides the proxy's, is part of the measurement."""

    def __init__(self, drivers, workload, pid, endpoint, upstream_pid):
        self._drivers = drivers
        self._bench_load = drivers.bench_load
        self._workload = workload
        self._pid = pid
        self._endpoint = endpoint
        self._upstream_pid = upstream_pid

    def run(self, row):
        """Yields the rows as they are done; `row` is the first, filled."""
        if self._workload.kind == "idle":
            yield self._idle(row)
        elif self._workload.kind == "curve":
            yield from self._curve(row)
        elif self._workload.kind == "unary":
            yield self._unary(row)
        else:
            yield self._streams(row)

    def _unary(self, row):
        self._check()
        rate = self._warm_unary(row)
        if self._counts(row):
            seconds = self._drivers.seconds * COUNTED_SHARE
            self._counted(row, lambda prefix: self._h2load(rate, seconds, prefix))
        return row

    def _warm_unary(self, row):
        """Fills the row, and returns RPCs per second."""
        seconds = self._drivers.seconds
        rate = h2load.warm_up(self._endpoint, self._workload, seconds * WARM_UP_SHARE,
                              self._drivers.folder)
        self._measure(row, lambda: self._h2load(rate, seconds))
        return rate

    def _measure(self, row, load):
        cpu = proc.CpuTime(self._pid)
        others = proc.Others({self._pid, self._upstream_pid})
        outcome = load()
        fill(row, outcome, cpu.seconds())
        row.others_cpu_share = others.share()

    def _h2load(self, rate, seconds, prefix=()):
        return h2load.run(self._endpoint, self._workload, self._count(rate, seconds), seconds,
                          self._drivers.folder, prefix)

    def _count(self, rate, seconds):
        """RPCs that take about that long; at least as many as may be in flight."""
        return max(self._workload.streams, self._workload.connections, int(rate * seconds))

    def _streams(self, row):
        seconds = self._drivers.seconds
        self._for(seconds * WARM_UP_SHARE)
        self._measure(row, lambda: self._for(seconds))
        if self._counts(row):
            self._counted(row, lambda prefix: self._for(seconds * COUNTED_SHARE, prefix))
        return row

    def _for(self, seconds, prefix=()):
        return self._bench_load.run(self._endpoint, self._workload,
                                    ("--seconds", f"{seconds:.3f}"), seconds, prefix=prefix)

    def _check(self):
        """RPCs whose every byte is compared, as many at once as h2load will have."""
        checked = self._bench_load.run(
            self._endpoint, self._workload,
            ("--count", max(CHECKED_RPCS if self._workload.size < 1e5 else 8,
                            self._workload.streams)), 10)
        if checked.error:
            raise Failure(checked.error)

    def _counts(self, row):
        """perf counts in the first round only: these figures hardly vary."""
        return self._drivers.count_events and row.round == 1 and not row.error

    def _counted(self, row, load):
        counting = counters.Counting(self._pid, self._drivers.folder)
        outcome = load(counting.prefix)
        for name, count in counting.read().items():
            if outcome.rpcs:
                setattr(row, f"{name}_per_rpc", count / outcome.rpcs)
            if outcome.messages:
                setattr(row, f"{name}_per_message", count / outcome.messages)

    def _idle(self, row):
        """Memory of idle streams: what they add to a process that has done next to nothing."""
        self._check_few()
        before = self._settled_rss()
        with self._bench_load.idle(self._endpoint, self._workload, self._workload.streams,
                                   IDLE_BOUND) as close:
            row.rss_bytes = self._settled_rss()
            row.rss_bytes_per_stream = (row.rss_bytes - before) / self._workload.streams
            row.error = close().error
        return row

    def _check_few(self):
        checked = self._bench_load.run(self._endpoint, self._workload, ("--count", 10), 10,
                                       kind="unary", streams=1, connections=1)
        if checked.error:
            raise Failure(checked.error)

    def _settled_rss(self):
        time.sleep(SETTLE)
        return proc.rss_bytes(self._pid)

    def _curve(self, first):
        """Unary RPCs in one process, beside more and more idle streams."""
        for idle in self._drivers.curve_steps:
            row = dataclasses.replace(first, workload=curve_name(idle), streams=idle)
            if idle == 0:
                self._warm_unary(row)
            else:
                self._beside(row, idle)
            yield row

    def _beside(self, row, idle):
        held = dataclasses.replace(self._workload, connections=CURVE_CONNECTIONS)
        try:
            with self._bench_load.idle(self._endpoint, held, idle, IDLE_BOUND) as close:
                time.sleep(SETTLE)
                self._warm_unary(row)
                row.error = row.error or close().error
        except (Failure, proc.Vanished) as failure:
            row.error = str(failure)
