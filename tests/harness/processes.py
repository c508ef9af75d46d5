"""Child processes: one way to start, tell, await and kill them.

A `Child` leaves its output to whoever started it: a file, a pipe, a terminal. A `Process` is a child
whose lines are collected and can be waited for, which is what most tests want.
"""

import contextlib
import os
import pathlib
import re
import signal
import subprocess
import threading

from .waiting import ANSWER_BOUND, START_BOUND, STOP_BOUND, Failure, wait_until

PYTHON = "/usr/bin/python3"  # Debian's: another one on PATH may lack grpc


class Child:
    """A program that runs beside the test; `launcher` are words before its own, `environment` is
    what it has besides ours, without what is None, and `streams` is for subprocess.Popen.

    Start it from the main thread: it dies with the thread that started it, so that nothing is left
    behind when a test run is killed. As a context it is killed at the end."""

    def __init__(self, name, words, launcher=(), environment=None, **streams):
        self.name = name
        self.child = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", *map(str, [*launcher, *words])],
            env=_environment(environment or {}), text=True, errors="replace",
            **{"stdin": subprocess.PIPE, **streams})
        self.pid = self.child.pid

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()

    def running(self):
        return self.child.poll() is None

    def tell(self, line):
        self.child.stdin.write(line + "\n")
        self.child.stdin.flush()

    def close_stdin(self):
        self.child.stdin.close()

    def signal(self, number):
        self.child.send_signal(number)

    def await_exit(self, bound=STOP_BOUND):
        """The exit code."""
        try:
            return self.child.wait(bound)
        except subprocess.TimeoutExpired:
            raise Failure(f"{self.name} still runs after {bound} s") from None

    def kill(self):
        self.child.kill()
        self.child.wait()
        if self.child.stdin:
            with contextlib.suppress(OSError):
                self.child.stdin.close()

    # From /proc.

    def rss_bytes(self, field="VmRSS"):
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(rf"{field}:\s+(\d+) kB", status).group(1)) * 1024

    def peak_rss_bytes(self):
        return self.rss_bytes("VmHWM")

    def cpu_seconds(self):
        fields = pathlib.Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def fd_count(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def thread_names(self):
        names = []
        for task in pathlib.Path(f"/proc/{self.pid}/task").iterdir():
            with contextlib.suppress(OSError):  # it has just ended
                names.append((task / "comm").read_text().rstrip("\n"))
        return names


class Process(Child):
    """A child whose output is collected line by line."""

    def __init__(self, name, words, launcher=(), environment=None):
        self.lines = []  # stdout and stderr, as they came
        self._news = threading.Condition()
        self._ended = False
        super().__init__(name, words, launcher, environment, stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        """Until nobody can write any more: a child's own children may outlive it."""
        with self.child.stdout:
            for line in self.child.stdout:
                with self._news:
                    self.lines.append(line.rstrip("\n"))
                    self._news.notify_all()
        with self._news:
            self._ended = True
            self._news.notify_all()

    def await_line(self, pattern, good=lambda found: True, bound=START_BOUND):
        """Waits until a line matches and is good, and returns the match."""
        def found():
            matches = filter(None, map(re.compile(pattern).search, self.lines))
            return next(filter(good, matches), None)

        with self._news:
            match = self._news.wait_for(lambda: found() or self._ended, bound) and found()
        if not match:
            why = "ended" if self._ended else f"ran for {bound} s"
            raise Failure(f"{self.name} {why} without a line matching {pattern!r}")
        return match

    def count_lines(self, pattern):
        return sum(bool(re.search(pattern, line)) for line in list(self.lines))

    def await_lines(self, pattern, count, bound=ANSWER_BOUND):
        """Waits until at least so many lines match: lines may come a moment after what they tell of."""
        wait_until(lambda: self.count_lines(pattern) >= count,
                   lambda: f"{count} lines of {pattern!r}, not {self.count_lines(pattern)}", bound)

    def await_count(self, pattern, count):
        """Just so many; one too many is seen only if it is here."""
        self.await_lines(pattern, count)
        if (counted := self.count_lines(pattern)) > count:
            raise Failure(f"{counted} lines of {pattern!r}, not {count}")

    def await_exit(self, bound=STOP_BOUND):
        """The exit code; the lines are complete then."""
        code = super().await_exit(bound)
        self._reader.join(5)
        return code

    def kill(self):
        super().kill()
        self._reader.join(5)

    def log(self):
        """The last lines, and how it ended."""
        code = self.child.poll()
        end = [] if code is None else [f"[ended with {describe_exit(code)}]"]
        return "".join(f"\n  {self.name}: {line[:400]}" for line in self.lines[-30:] + end)


def describe_exit(code):
    return f"exit code {code}" if code >= 0 else signal.Signals(-code).name


def _environment(more):
    """Ours and more, without proxies: what is tested is on this machine."""
    ours = {name: value for name, value in os.environ.items()
            if not name.lower().endswith("_proxy")}
    return {name: str(value) for name, value in {**ours, **more}.items() if value is not None}
