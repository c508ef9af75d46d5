"""A program on a terminal of its own. Uses nothing of the other files here but their bounds."""

import contextlib
import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time

from processes import ANSWER_BOUND, STOP_BOUND


class Terminal:
    """Runs the words with a pseudo-terminal as their input, output and controlling terminal."""

    def __init__(self, words, environment, columns=200, lines=30):
        self.text = ""  # all that was shown, escape sequences included
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        self.child = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "setsid", "--ctty", *map(str, words)],
            stdin=slave, stdout=slave, stderr=slave, env=environment)
        os.close(slave)

    def _read(self, bound):
        """Whether something was shown within so many seconds."""
        if not select.select([self._master], [], [], bound)[0]:
            return False
        with contextlib.suppress(OSError):  # the end of a pseudo-terminal
            if data := os.read(self._master, 65536):
                self.text += data.decode(errors="replace")
                return True
        return False

    def await_text(self, wanted):
        end = time.monotonic() + ANSWER_BOUND
        while wanted not in self.text:
            if not self._read(max(0, end - time.monotonic())):
                raise AssertionError(f"{wanted!r} is not on the terminal:\n{self.text}")

    def type(self, keys):
        os.write(self._master, keys)

    def await_exit(self):
        """The exit code; the text is complete then."""
        end = time.monotonic() + STOP_BOUND
        while self._read(max(0, end - time.monotonic())):
            pass
        return self.child.wait(max(1, end - time.monotonic()))

    def kill(self):
        self.child.kill()
        self.child.wait()
        os.close(self._master)
