"""A root that runs: systemd-nspawn boots its systemd, with a network of its own.

The real systemd is what reads the unit, so that what it says of readiness, reloads, the watchdog
and the sandbox is what an installation does.
"""

import os
import re
import socket
import subprocess
import time

from root import run

BOOT_BOUND = 120
ANSWER_BOUND = 60


def wait_until(condition, what, bound=ANSWER_BOUND):
    """Returns the first true result of condition()."""
    end = time.monotonic() + bound
    while not (result := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"not within {bound} s: {what() if callable(what) else what}")
        time.sleep(0.05)
    return result


class Machine:
    def __init__(self, root, folder):
        """Returns when systemd has booted it; `folder` is for the socket on which it says so."""
        self._started = []
        log = open(f"{folder}/nspawn.log", "w+")
        with log, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(f"{folder}/notify")
            manager.settimeout(BOOT_BOUND)
            self._nspawn = subprocess.Popen(
                ["systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--boot",
                 "--private-network", "--console=pipe", "--notify-ready=yes",
                 f"--directory={root.path}"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**os.environ, "NOTIFY_SOCKET": f"{folder}/notify"})
            self._leader = None
            ready = False
            while not (ready and self._leader):
                try:
                    text = manager.recv(4096).decode()
                except TimeoutError:
                    self._nspawn.kill()
                    log.seek(0)
                    raise AssertionError(f"no boot in {BOOT_BOUND} s: {log.read()}") from None
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
        child = subprocess.Popen(self._entered(words), stdin=subprocess.DEVNULL,
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self._started.append(child)
        return child

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
        for child in self._started:
            child.kill()
            child.wait()
            child.stdout.close()
        self._nspawn.terminate()
        try:
            self._nspawn.wait(BOOT_BOUND)
        except subprocess.TimeoutExpired:
            self._nspawn.kill()
            self._nspawn.wait()
            raise
