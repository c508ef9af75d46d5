"""Sockets that take connections and are of no use, on ports of 127.0.0.1."""

import contextlib
import socket
import threading

SETTINGS = bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])  # a frame without a payload (RFC 9113 section 6.5)


class BlackHole:
    """Nothing comes back from it: its backlog is full, and the kernel drops what would connect."""

    def __init__(self):
        self._listening = socket.socket()
        self._listening.bind(("127.0.0.1", 0))
        self._listening.listen(0)
        self.address = "127.0.0.1:%d" % self._listening.getsockname()[1]
        self._filling = [socket.socket() for _ in range(8)]
        for one in self._filling:
            one.setblocking(False)
            one.connect_ex(self._listening.getsockname())

    def close(self):
        for one in [*self._filling, self._listening]:
            one.close()


class OddUpstream:
    """Says something on each connection, or nothing, and then closes it, or not."""

    def __init__(self, says=b"", closes=True):
        self.dials = 0
        self._says, self._closes = says, closes
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"
        self._open = []
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listening.accept()
                self.dials += 1
                connection.sendall(self._says)
                if self._closes:
                    connection.close()
                else:
                    self._open.append(connection)

    def close(self):
        with contextlib.suppress(OSError):  # it is closed already
            self._listening.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        for one in [*self._open, self._listening]:
            one.close()
