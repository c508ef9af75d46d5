"""Child processes: each in a process group of its own, ready when it accepts connections, ended by
its id. Nothing of it outlives the command: ended in reverse order, killed if the command is."""

import contextlib
import os
import pathlib
import random
import signal
import socket
import subprocess
import time

# Bounds that are only reached when something is broken.
START_BOUND = 20
STOP_BOUND = 3


class Failure(Exception):
    """A process did not do its part; the message says which and what it printed last."""


def free_port():
    """A port nobody listens on, below the ephemeral range: there, a connection of the load itself
    could hold it."""
    for port in random.sample(range(*port_range()), 100):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise Failure("no free port")


def port_range():
    """LANEKEEPER_BENCH_PORTS, such as 23100-23299, keeps runs side by side apart."""
    first, last = os.environ.get("LANEKEEPER_BENCH_PORTS", "20000-29999").split("-")
    return int(first), int(last) + 1


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


class Child:
    """A running program. stdin is a pipe, so that a program may hold until it is closed; stdout is
    one too when `piped`, and both outputs go to a file in `folder` otherwise."""

    def __init__(self, name, words, folder, piped=False, environment=None):
        self.name = name
        self.log_path = pathlib.Path(folder, f"{name}-{random.getrandbits(48):x}.log")
        with self.log_path.open("wb") as log:
            self._popen = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *map(str, words)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE if piped else log, stderr=log,
                env={**os.environ, **(environment or {})}, process_group=0)
        self.pid = self._popen.pid
        self.stdout = self._popen.stdout

    def running(self):
        return self._popen.poll() is None

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

    def tell(self, data):
        self._popen.stdin.write(data)
        self._popen.stdin.flush()

    def finish(self, bound):
        """Closes stdin and waits for the end. Returns the exit code and, if piped, stdout."""
        try:
            output, _ = self._popen.communicate(timeout=bound)
        except subprocess.TimeoutExpired:
            self.stop()
            raise Failure(f"{self.name} still ran after {bound:.0f} s") from None
        return self._popen.returncode, (output or b"").decode(errors="replace")

    def last_words(self):
        text = self.log_path.read_text(errors="replace").strip()
        return " | ".join(text.splitlines()[-3:])[-400:] or "(no output)"

    def stop(self):
        """Ends the whole group: asked first, then killed. The log goes with it."""
        if self.running():
            self._signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._popen.wait(STOP_BOUND)
        self._signal(signal.SIGKILL)
        self._popen.wait()
        for pipe in (self._popen.stdin, self._popen.stdout):
            if pipe:
                with contextlib.suppress(OSError):
                    pipe.close()
        self.log_path.unlink(missing_ok=True)

    def _signal(self, number):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, number)


@contextlib.contextmanager
def running(*arguments, **options):
    child = Child(*arguments, **options)
    try:
        yield child
    finally:
        child.stop()
