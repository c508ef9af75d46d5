#!/usr/bin/python3
"""Nobody reads stderr: a full pipe must stop neither RPCs nor the end of the process."""

import contextlib
import os
import signal
import socket

from harness.byte_client import Stream, call
from harness.case import DaemonTest, both_kinds, main
from harness.ports import free_port
from harness.waiting import wait_until


def accepts(port):
    with contextlib.suppress(OSError):
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
        return True
    return False


@both_kinds
class UnreadLog(DaemonTest):
    def full_pipe(self):
        path = os.path.join(self.folder, "stderr")
        os.mkfifo(path)
        end = os.open(path, os.O_RDWR | os.O_NONBLOCK)
        self.stack.callback(os.close, end)
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(end, b"." * 4096)
        return path

    def start_unread(self, **sections):
        self.port = free_port()  # what it picks itself could not be read
        daemon = self.launch(
            self.start_upstream().address, (f"127.0.0.1:{self.port}",), log={"level": "trace"},
            launcher=("sh", "-c", f'exec "$@" 2>{self.full_pipe()}', "sh"), **sections)
        wait_until(lambda: accepts(self.port), "the listener")
        return daemon, self.open_channel(f"127.0.0.1:{self.port}")

    def test_it_forwards_and_ends_on_a_signal(self):
        daemon, channel = self.start_unread()
        for _ in range(100):
            self.assertEqual(call(channel, b"hello"), b"hello")
        daemon.signal(signal.SIGTERM)
        self.assertEqual(daemon.await_exit(), 0)

    def test_a_second_signal_ends_it_at_once(self):
        daemon, channel = self.start_unread(drain={"timeout": "10m"})
        Stream(channel).echo()
        daemon.signal(signal.SIGTERM)
        wait_until(lambda: not accepts(self.port), "the drain")
        daemon.signal(signal.SIGTERM)
        self.assertEqual(daemon.await_exit(), 0)


if __name__ == "__main__":
    main()
