"""Child processes whose output can be waited for."""

import contextlib
import ctypes
import os
import re
import signal
import subprocess
import threading

START_TIMEOUT = 30  # seconds until a server or lanekeeper must be listening
STOP_TIMEOUT = 40  # after SIGTERM; more than lanekeeper's default drain.timeout


class Failure(Exception):
    """What went wrong, in words for the person who ran the test."""


class Process:
    """A child whose output is collected line by line. It dies with us."""

    def __init__(self, name, words, stdin=subprocess.DEVNULL, environment=None):
        self.name = name
        self.lines = []  # stdout and stderr, as they came
        self._news = threading.Condition()
        self._ended = False
        inherited = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
        inherited["GRPC_GO_RETRY"] = "on"  # Debian's grpc-go obeys retry policies only with it
        self._child = subprocess.Popen(
            [str(word) for word in words], stdin=stdin, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, errors="replace", env={**inherited, **(environment or {})},
            preexec_fn=die_with_parent)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self._child.stdout:
            with self._news:
                self.lines.append(line.rstrip("\n"))
                self._news.notify_all()
        with self._news:
            self._ended = True
            self._news.notify_all()

    def await_line(self, pattern, timeout):
        """Waits until a line matches and returns the match."""
        return self.await_lines(pattern, timeout, 1)[0]

    def await_lines(self, pattern, timeout, count):
        """Waits until so many lines match and returns the matches."""
        with self._news:
            self._news.wait_for(lambda: self.count_lines(pattern) >= count or self._ended, timeout)
            found = self._matches(pattern)
        if len(found) < count:
            why = "ended" if self._ended else f"ran for {timeout} s"
            raise Failure(f"{self.name} {why} with {len(found)} of {count} lines matching "
                          f"{pattern!r}{self.log()}")
        return found

    def count_lines(self, pattern):
        return len(self._matches(pattern))

    def _matches(self, pattern):
        return [found for found in map(re.compile(pattern).search, self.lines) if found]

    def close_stdin(self):
        self._child.stdin.close()

    def await_exit(self, timeout):
        try:
            code = self._child.wait(timeout)
        except subprocess.TimeoutExpired:
            raise Failure(f"{self.name} still runs after {timeout} s{self.log()}") from None
        self._reader.join(5)
        return code

    def terminate(self):
        self._child.terminate()
        return self.await_exit(STOP_TIMEOUT)

    def kill(self):
        self._child.kill()
        self._child.wait()

    def log(self):
        code = self._child.poll()
        ended = [] if code is None else [f"[ended with {describe_exit(code)}]"]
        return "".join(f"\n  {self.name}: {line}" for line in self.lines[-40:] + ended)


def describe_exit(code):
    return f"exit code {code}" if code >= 0 else signal.Signals(-code).name


def die_with_parent():
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


@contextlib.contextmanager
def running(*arguments, **options):
    process = Process(*arguments, **options)
    try:
        yield process
    finally:
        process.kill()
