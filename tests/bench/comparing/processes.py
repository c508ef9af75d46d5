"""Children that are measured: each in a process group of its own, ready when it accepts connections,
and none of them read while it runs."""

import contextlib
import os
import pathlib
import random
import signal
import socket
import subprocess
import time

from harness.processes import Child
from harness.waiting import Failure

# Bounds that are only reached when something is broken.
START_BOUND = 20
STOP_BOUND = 3


def connect(address):
    """A connected socket to HOST:PORT or unix:///path."""
    if address.startswith("unix://"):
        peer = socket.socket(socket.AF_UNIX)
        target = address.removeprefix("unix://")
    else:
        host, port = address.rsplit(":", 1)
        peer, target = socket.socket(), (host, int(port))
    try:
        peer.settimeout(1)
        peer.connect(target)
    except OSError:
        peer.close()
        raise
    return peer


class Measured(Child):
    """Nobody spends time on its lines: both outputs go to a file in `folder`, or with `piped` stdout
    stays in its pipe until finish(). It leads a group, for nginx has workers; as a context it is
    stopped at the end, with the whole group."""

    def __init__(self, name, words, folder, piped=False, environment=None):
        self.log_path = pathlib.Path(folder, f"{name}-{random.getrandbits(48):x}.log")
        with self.log_path.open("wb") as log:
            super().__init__(name, words, environment=environment, process_group=0,
                             stdout=subprocess.PIPE if piped else log, stderr=log)
        self.stdout = self.child.stdout

    def __exit__(self, *_):
        self.stop()

    def await_listening(self, address):
        end = time.monotonic() + START_BOUND
        while True:
            try:
                connect(address).close()
                return
            except OSError:
                pass
            if not self.running():
                raise Failure(f"{self.name} ended before it listened: {self.last_words()}")
            if time.monotonic() > end:
                raise Failure(f"{self.name} does not listen on {address}: {self.last_words()}")
            time.sleep(0.005)

    def finish(self, bound):
        """Closes stdin and waits for the end. Returns the exit code and, if piped, stdout."""
        try:
            output, _ = self.child.communicate(timeout=bound)
        except subprocess.TimeoutExpired:
            self.stop()
            raise Failure(f"{self.name} still ran after {bound:.0f} s") from None
        return self.child.returncode, output or ""

    def last_words(self):
        text = self.log_path.read_text(errors="replace").strip()
        return " | ".join(text.splitlines()[-3:])[-400:] or "(no output)"

    def stop(self):
        """Ends the whole group: asked first, then killed. The log goes with it."""
        if self.running():
            self._signal_group(signal.SIGTERM)
            with contextlib.suppress(Failure):
                self.await_exit(STOP_BOUND)
        self.kill()

    def kill(self):
        self._signal_group(signal.SIGKILL)
        super().kill()
        if self.stdout:
            self.stdout.close()
        self.log_path.unlink(missing_ok=True)

    def _signal_group(self, number):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, number)
