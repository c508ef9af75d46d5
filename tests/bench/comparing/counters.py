"""Context switches and system calls of a process tree, by perf stat in a run of its own: perf
follows the threads that start and counts in those that end, which /proc cannot, and its costs stay
out of the other figures."""

import pathlib
import re
import subprocess

from . import proc

EVENTS = {"context-switches": "context_switches", "raw_syscalls:sys_enter": "syscalls"}


def available():
    """Empty if perf can count here, else why not."""
    try:
        tried = subprocess.run(["perf", "stat", "-e", ",".join(EVENTS), "true"],
                               capture_output=True, text=True, timeout=20, check=False)
    except OSError:
        return "perf is not installed (Debian's package linux-perf)"
    return "" if tried.returncode == 0 else "perf may not count here (perf_event_paranoid, root)"


class Counting:
    """Use `prefix` before the command of a load: the counters run while it does."""

    def __init__(self, pid, folder):
        self._path = pathlib.Path(folder, "perf.out")
        members = ",".join(map(str, proc.tree(pid)))
        self.prefix = ["perf", "stat", "-x,", "-e", ",".join(EVENTS), "-o", self._path,
                       "-p", members, "--"]

    def read(self):
        try:
            return parse(self._path.read_text())
        finally:
            self._path.unlink(missing_ok=True)


def parse(text):
    """Counts by name, from perf's comma-separated lines: COUNT,UNIT,EVENT,…"""
    found = {}
    for event, name in EVENTS.items():
        match = re.search(rf"^(\d+),[^,]*,{re.escape(event)},", text, re.MULTILINE)
        if match:
            found[name] = int(match.group(1))
    return found
