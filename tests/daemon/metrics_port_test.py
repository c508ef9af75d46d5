#!/usr/bin/python3
"""Who is slow at the port of metrics and probes keeps neither Prometheus nor the kubelet from it."""

import contextlib
import os
import socket

from harness.case import DaemonTest, main
from harness.scrape import http_get
from harness.waiting import wait_until

SLOW = 200
HALF = b"GET /livez HTTP/1.1\r\nhost: x\r\nx-slow: "


class MetricsPort(DaemonTest):
    def setUp(self):
        super().setUp()
        self.daemon = self.start()
        host, port = self.daemon.metrics_address.rsplit(":", 1)
        self.address = host, int(port)

    def connect(self):
        return self.stack.enter_context(socket.create_connection(self.address, timeout=20))

    def assert_serves(self):
        for path in ("/livez", "/readyz", "/metrics"):
            self.assertEqual(http_get(self.daemon.metrics_address, path)[0], 200)

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.daemon.pid}/fd"))

    def test_silent_connections_keep_nobody_out_and_are_bounded(self):
        before = self.descriptors()
        for _ in range(SLOW):
            self.connect()
        self.assert_serves()
        wait_until(lambda: self.descriptors() < before + 100, "most are closed")

    def test_requests_that_drip_keep_nobody_out(self):
        slow = [self.connect() for _ in range(SLOW)]
        for one in slow:
            one.sendall(HALF)
        self.assert_serves()

        def all_closed():
            """A byte more to each, until it is hung up on."""
            open_ones = 0
            for one in slow:
                with contextlib.suppress(OSError):
                    one.sendall(b"y")
                    open_ones += 1
            return open_ones == 0

        wait_until(all_closed, "those that drip are cut off")
        self.assert_serves()


if __name__ == "__main__":
    main()
