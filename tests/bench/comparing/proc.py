"""What the kernel tells of a process tree (members, CPU time, memory) and of the machine."""

import contextlib
import os
import pathlib
import re
import resource
import time

CPUCLOCK_SCHED = 2  # linux/posix-timers.h: the clock that counts time on a CPU


class Vanished(Exception):
    """A process of the tree ended while it was measured: its CPU time is lost."""


def tree(pid):
    """The process and all its descendants."""
    members = [pid]
    for member in members:
        for task in pathlib.Path(f"/proc/{member}/task").iterdir():
            with contextlib.suppress(OSError):  # a thread that has just ended
                members += map(int, (task / "children").read_text().split())
    return members


def process_clock(pid):
    """The clock that clock_getcpuclockid(pid) gives: user and system time of the whole process in
    nanoseconds, threads that have ended included. /proc/PID/stat counts the same in 10 ms steps,
    and /proc/PID/task/*/schedstat forgets threads that ended, as those of kernel threads do."""
    return (~pid << 3) | CPUCLOCK_SCHED


class CpuTime:
    """CPU seconds that a process tree spends from construction on."""

    def __init__(self, pid):
        self._pid = pid
        self._before = self._read()

    def seconds(self):
        after = self._read()
        if gone := self._before.keys() - after.keys():
            raise Vanished(f"{len(gone)} process(es) of the proxy ended during the run")
        return sum(after[pid] - self._before.get(pid, 0) for pid in after) / 1e9

    def _read(self):
        try:
            return {pid: time.clock_gettime_ns(process_clock(pid)) for pid in tree(self._pid)}
        except OSError as error:
            raise Vanished("the proxy ended during the run") from error


class Others:
    """How much of the machine's CPU time went to what is no part of the measurement, from
    construction on: other processes, the kernel's own work, other guests of the same host."""

    def __init__(self, pids):
        self._trees = [CpuTime(pid) for pid in pids]
        self._before = self._read()

    def share(self):
        """Of all cores, 0 to 1. The clocks behind it tick every 10 ms."""
        total, busy, ours = (after - before for before, after in zip(self._before, self._read()))
        ours += sum(tree.seconds() for tree in self._trees)
        return max(0.0, busy - ours) / total if total else 0.0

    @staticmethod
    def _read():
        """Seconds of all cores, those that were not idle, and those of this process and of its
        children that ended."""
        first = pathlib.Path("/proc/stat").read_text().splitlines()[0]
        total, busy = parse_cpu_line(first, os.sysconf("SC_CLK_TCK"))
        return total, busy, sum(os.times()[:4])


def parse_cpu_line(line, ticks):
    """Seconds in all and seconds busy of /proc/stat's line for all cores."""
    user, nice, system, idle, iowait, irq, softirq, steal = map(int, line.split()[1:9])
    busy = user + nice + system + irq + softirq + steal
    return (busy + idle + iowait) / ticks, busy / ticks


def rss_bytes(pid):
    """Resident memory of the tree. Pages that its processes share are counted for each of them,
    which a difference of two readings takes out again."""
    try:
        return sum(parse_rss(pathlib.Path(f"/proc/{member}/status").read_text())
                   for member in tree(pid))
    except OSError as error:
        raise Vanished("the proxy ended during the run") from error


def parse_rss(status):
    found = re.search(r"^VmRSS:\s+(\d+) kB$", status, re.MULTILINE)
    return int(found.group(1)) * 1024 if found else 0


def machine():
    """Name and value of what a reader of the figures asks about the machine."""
    model = re.search(r"^model name\s*: (.+)$", pathlib.Path("/proc/cpuinfo").read_text(),
                      re.MULTILINE)
    memory = re.search(r"^MemTotal:\s+(\d+) kB$", pathlib.Path("/proc/meminfo").read_text(),
                       re.MULTILINE)
    return {
        "CPU": model.group(1) if model else os.uname().machine,
        "cores": str(len(os.sched_getaffinity(0))),
        "memory": f"{int(memory.group(1)) / 2**20:.1f} GiB" if memory else "unknown",
        "kernel": f"{os.uname().sysname} {os.uname().release}",
        "open files": str(resource.getrlimit(resource.RLIMIT_NOFILE)[0]),
        "load average before": " ".join(f"{value:.2f}" for value in os.getloadavg()),
    }
