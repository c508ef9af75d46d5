"""A root that runs: systemd-nspawn boots its systemd, with a network of its own.

The real systemd is what reads the unit, so that what it says of readiness, reloads, the watchdog
and the sandbox is what an installation does.
"""

import re
import signal
import socket

from harness.processes import Process
from harness.waiting import Failure, wait_until
from root import run

BOOT_BOUND = 120
ANSWER_BOUND = 60


class Machine:
    def __init__(self, root, folder):
        """Returns when systemd has booted it; `folder` is for the socket on which it says so."""
        self._started = []
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(f"{folder}/notify")
            manager.settimeout(BOOT_BOUND)
            self._nspawn = Process("nspawn", [
                "systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--boot",
                "--private-network", "--console=pipe", "--notify-ready=yes",
                f"--directory={root.path}"], environment={"NOTIFY_SOCKET": f"{folder}/notify"})
            self._leader = None
            ready = False
            while not (ready and self._leader):
                try:
                    text = manager.recv(4096).decode()
                except TimeoutError:
                    self._nspawn.kill()
                    raise Failure(f"no boot in {BOOT_BOUND} s{self._nspawn.log()}") from None
                found = re.search(r"^X_NSPAWN_LEADER_PID=(\d+)$", text, re.MULTILINE)
                self._leader = found.group(1) if found else self._leader
                ready = ready or "READY=1" in text.splitlines()

    def _entered(self, words):
        return ["nsenter", f"--target={self._leader}", "--all", "--", "env", "-i", "LANG=C.UTF-8",
                "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND=noninteractive",
                *map(str, words)]

    def run(self, *words, **options):
        return run(*self._entered(words), **options)

    def start(self, *words):
        """Something that runs beside; ended with the machine."""
        process = Process(words[0], self._entered(words))
        self._started.append(process)
        return process

    def show(self, unit, what):
        return self.run("systemctl", "show", "--property", what, "--value", unit).strip()

    def await_shown(self, unit, what, want, bound=ANSWER_BOUND):
        last = None

        def reached():
            nonlocal last
            last = self.show(unit, what)
            return want(last) if callable(want) else last == want

        wait_until(reached, lambda: f"{what} of {unit} is {last!r}", bound)
        return last

    def journal(self, unit):
        return self.run("journalctl", "--no-pager", "--output=cat", "--unit", unit)

    def http_get(self, port, path):
        """An answer of HTTP/1.0, by bash alone."""
        return self.run("bash", "-c", f"exec 3<>/dev/tcp/127.0.0.1/{port} && "
                        rf"printf 'GET {path} HTTP/1.0\r\n\r\n' >&3 && cat <&3")

    def halt(self):
        """As a machine is shut down."""
        for process in self._started:
            process.kill()
        with self._nspawn:
            self._nspawn.signal(signal.SIGTERM)
            self._nspawn.await_exit(BOOT_BOUND)
