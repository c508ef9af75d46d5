"""A name server with one name, for tests in a network namespace of their own (RFC 1035)."""

import socket
import struct
import threading

A, NXDOMAIN = 1, 3


class NameServer:
    """Answers on 127.0.0.1:53 with the addresses that it was given last. An empty list: the name
    has none. None: there is no such name. SILENT: nothing is answered."""

    SILENT = object()

    def __init__(self):
        self.addresses = []
        self.asked = 0
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 53))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self):
        while True:
            query, sender = self._socket.recvfrom(4096)
            if not query:
                return
            addresses = self.addresses
            if addresses is not self.SILENT:
                self._socket.sendto(self._answer(query, addresses), sender)

    def _answer(self, query, addresses):
        end = query.index(0, 12) + 5  # behind the name: its type and its class
        kind, = struct.unpack("!H", query[end - 4:end - 2])
        self.asked += kind == A
        found = addresses if kind == A and addresses else []
        flags = 0x8580 | (NXDOMAIN if addresses is None else 0)
        head = query[:2] + struct.pack("!HHHHH", flags, 1, len(found), 0, 0)
        # Each points back at the question's name, and is not to be kept.
        records = b"".join(struct.pack("!HHHIH", 0xC00C, A, 1, 0, 4) + socket.inet_aton(address)
                           for address in found)
        return head + query[12:end] + records

    def close(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as waker:
            waker.sendto(b"", ("127.0.0.1", 53))
        self._thread.join()
        self._socket.close()
