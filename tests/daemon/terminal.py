"""A program on a terminal of its own."""

import contextlib
import fcntl
import os
import pty
import select
import struct
import termios
import time

from harness.processes import Child
from harness.waiting import ANSWER_BOUND, STOP_BOUND, Failure


class Terminal(Child):
    """Runs the words with a pseudo-terminal as their input, output and controlling terminal, and in just
    this environment."""

    def __init__(self, words, environment, columns=200, lines=30):
        self.text = ""  # all that was shown, escape sequences included
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        super().__init__(
            "terminal", words, ["setsid", "--ctty"],
            {**dict.fromkeys(os.environ), **environment}, stdin=slave, stdout=slave, stderr=slave)
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
                raise Failure(f"{wanted!r} is not on the terminal:\n{self.text}")

    def type(self, keys):
        os.write(self._master, keys)

    def await_exit(self, bound=STOP_BOUND):
        """The exit code; the text is complete then."""
        end = time.monotonic() + bound
        while self._read(max(0, end - time.monotonic())):
            pass
        return super().await_exit(max(1, end - time.monotonic()))

    def kill(self):
        super().kill()
        os.close(self._master)
