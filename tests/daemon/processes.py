"""Child processes and bounded waits. Uses nothing of the other files here."""

import contextlib
import os
import pathlib
import random
import re
import signal
import socket
import subprocess
import threading
import time

# Bounds that are only reached when something is broken.
START_BOUND = 30
STOP_BOUND = 40
ANSWER_BOUND = 20


def wait_until(condition, what, bound=ANSWER_BOUND):
    """Returns the first true result of condition()."""
    end = time.monotonic() + bound
    while not (result := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"not within {bound} s: {what() if callable(what) else what}")
        time.sleep(0.02)
    return result


def free_port():
    """A port nobody listens on. Below the ephemeral range: there, a connect to a closed port can
    get that very port as its source and so reach itself."""
    for port in random.sample(range(20000, 30000), 100):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no free port")


class Process:
    """A child whose output is collected line by line. Start it from the main thread: it dies with
    the thread that started it, so that nothing is left behind when a test run is killed."""

    def __init__(self, name, words, launcher=()):
        self.name = name
        self.lines = []  # stdout and stderr, as they came
        self._news = threading.Condition()
        self._ended = False
        environment = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
        self.child = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", *launcher, *map(str, words)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            errors="replace", env=environment)
        self.pid = self.child.pid
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
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
            raise AssertionError(f"{self.name} {why} without a line matching {pattern!r}")
        return match

    def count_lines(self, pattern):
        return sum(bool(re.search(pattern, line)) for line in list(self.lines))

    def await_count(self, pattern, count):
        """Lines may come a moment after what they tell of; one too many is seen only if it is here."""
        wait_until(lambda: self.count_lines(pattern) >= count,
                   lambda: f"{count} lines of {pattern!r}, not {self.count_lines(pattern)}")
        assert self.count_lines(pattern) == count, f"more than {count} lines of {pattern!r}"

    def tell(self, line):
        self.child.stdin.write(line + "\n")
        self.child.stdin.flush()

    def signal(self, number):
        self.child.send_signal(number)

    def await_exit(self, bound=STOP_BOUND):
        try:
            code = self.child.wait(bound)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} still runs after {bound} s") from None
        self._reader.join(5)
        return code

    def kill(self):
        self.child.kill()
        self.child.wait()
        self._reader.join(5)
        for pipe in (self.child.stdin, self.child.stdout):
            with contextlib.suppress(OSError):
                pipe.close()

    def log(self):
        code = self.child.poll()
        end = [] if code is None else [f"[ended with {describe_exit(code)}]"]
        return "".join(f"\n  {self.name}: {line[:400]}" for line in self.lines[-30:] + end)

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


def describe_exit(code):
    return f"exit code {code}" if code >= 0 else signal.Signals(-code).name
