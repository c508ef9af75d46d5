#!/usr/bin/python3
"""What a service manager is told: systemd's Type=notify and its watchdog, on a socket of ours."""

import signal
import socket
import time

from harness.byte_client import Stream
from harness.case import DaemonTest, both_kinds, main
from harness.waiting import ANSWER_BOUND


@both_kinds
class Service(DaemonTest):
    def start_service(self, *environment, **sections):
        self.manager = self.stack.enter_context(
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
        path = f"{self.folder}/notify"
        self.manager.bind(path)
        self.manager.settimeout(ANSWER_BOUND)
        return self.launch(self.start_upstream().address, **sections,
                           launcher=("env", f"NOTIFY_SOCKET={path}", *environment))

    def next_states(self):
        """One message: its assignments."""
        return dict(line.split("=", 1) for line in self.manager.recv(4096).decode().splitlines())

    def await_state(self, key):
        while True:
            states = self.next_states()
            if key in states:
                return states[key]

    def test_ready_comes_when_the_sockets_are_open_and_stopping_when_the_drain_begins(self):
        daemon = self.start_service()
        self.assertEqual(self.next_states()["READY"], "1")
        daemon.await_start()
        stream = Stream(self.open_channel(daemon.target)).echo()
        daemon.signal(signal.SIGTERM)
        self.assertEqual(self.next_states()["STOPPING"], "1")
        stream.half_close()
        stream.end()
        self.assertEqual(daemon.await_exit(), 0)

    def test_a_reload_is_told_with_its_time_and_its_end(self):
        daemon = self.start_service()
        self.assertIn("READY", self.next_states())
        daemon.await_start()
        before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        daemon.signal(signal.SIGHUP)
        states = self.next_states()
        self.assertEqual(states["RELOADING"], "1")
        self.assertGreaterEqual(int(states["MONOTONIC_USEC"]), before)
        self.assertEqual(self.next_states()["READY"], "1")

    def test_nothing_is_told_of_a_start_that_fails(self):
        daemon = self.start_service(listen=("203.0.113.1:1",))
        self.assertEqual(daemon.await_exit(), 1)
        self.manager.settimeout(0)
        self.assertRaises(BlockingIOError, self.manager.recv, 4096)

    def test_the_watchdog_is_fed_as_long_as_the_loop_turns_a_drain_included(self):
        daemon = self.start_service("WATCHDOG_USEC=200000").await_start()
        for _ in range(3):
            self.assertEqual(self.await_state("WATCHDOG"), "1")
        stream = Stream(self.open_channel(daemon.target)).echo()
        daemon.signal(signal.SIGTERM)
        self.await_state("STOPPING")
        for _ in range(3):
            self.assertEqual(self.await_state("WATCHDOG"), "1")
        stream.half_close()
        stream.end()
        self.assertEqual(daemon.await_exit(), 0)

    def test_without_a_watchdog_none_is_fed(self):
        daemon = self.start_service().await_start()
        self.assertIn("READY", self.next_states())
        daemon.signal(signal.SIGTERM)
        self.assertIn("STOPPING", self.next_states())
        self.assertEqual(daemon.await_exit(), 0)


if __name__ == "__main__":
    main()
