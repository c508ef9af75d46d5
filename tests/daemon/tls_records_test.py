#!/usr/bin/python3
"""A client that sends TLS's own messages without end, KeyUpdate (RFC 8446 section 4.6.3), harms nobody
else: it is cut off, counted and told of. By OpenSSL's library, for Python's ssl cannot say them."""

import ctypes
import socket

from harness.byte_client import call
from harness.case import both_kinds, main
from raw_upstream import ACK, PREFACE, SETTINGS, frame
from tls_support import TlsDaemonTest

KEY_UPDATES = 200_000  # 5.4 MB
NOT_REQUESTED = 0


class OpenSsl:
    """A client whose records are made before they are sent."""

    def __init__(self, address):
        self._ssl, self._crypto = ctypes.CDLL("libssl.so.3"), ctypes.CDLL("libcrypto.so.3")
        for library, names in ((self._ssl, ("TLS_client_method", "SSL_CTX_new", "SSL_new")),
                               (self._crypto, ("BIO_s_mem", "BIO_new"))):
            for name in names:
                getattr(library, name).restype = ctypes.c_void_p
        method = ctypes.c_void_p(self._ssl.TLS_client_method())
        context = ctypes.c_void_p(self._ssl.SSL_CTX_new(method))
        self._it = ctypes.c_void_p(self._ssl.SSL_new(context))
        memory = ctypes.c_void_p(self._crypto.BIO_s_mem())
        self._in, self._out = (ctypes.c_void_p(self._crypto.BIO_new(memory)) for _ in range(2))
        self._ssl.SSL_set_bio(self._it, self._in, self._out)
        self._ssl.SSL_set_connect_state(self._it)
        self._ssl.SSL_set_alpn_protos(self._it, b"\x02h2", 3)
        self.socket = socket.create_connection(address, timeout=60)
        while self._ssl.SSL_do_handshake(self._it) != 1:
            self.socket.sendall(self.records())
            said = self.socket.recv(65536)
            self._crypto.BIO_write(self._in, said, len(said))
        self.socket.sendall(self.records())

    def records(self):
        """What has been made and not yet taken."""
        made, space = b"", ctypes.create_string_buffer(1 << 20)
        while (size := self._crypto.BIO_read(self._out, space, len(space))) > 0:
            made += space.raw[:size]
        return made

    def write(self, data):
        self._ssl.SSL_write(self._it, data, len(data))

    def update_key(self):
        self._ssl.SSL_key_update(self._it, NOT_REQUESTED)
        self._ssl.SSL_do_handshake(self._it)


@both_kinds
class TlsRecords(TlsDaemonTest):
    def start_and_join(self):
        self.daemon = self.start(self.start_upstream().address, listen_entries=self.listen_tls())
        host, port = self.daemon.target.rsplit(":", 1)
        client = OpenSsl((host, int(port)))
        client.write(PREFACE + frame(SETTINGS, ACK, 0))
        return client

    def test_a_few_key_updates_are_ordinary(self):
        client = self.start_and_join()
        for _ in range(10):
            client.update_key()
            client.write(bytes([0, 0, 8, 6, 0, 0, 0, 0, 0]) + b"are here")
        client.socket.sendall(client.records())
        self.assertTrue(client.socket.recv(1000))
        self.assertEqual(self.daemon.count_lines("connection ended"), 0)

    def test_key_updates_without_end_are_cut_off(self):
        client = self.start_and_join()
        for _ in range(KEY_UPDATES):
            client.update_key()
        flood = client.records()
        with self.assertRaises(OSError):
            client.socket.sendall(flood)
            while client.socket.recv(65536):
                pass
            raise ConnectionResetError("it was closed in order")
        self.daemon.await_count("downstream connection ended .*TLS: ", 1)
        self.assertEqual(call(self.secure_channel(self.daemon.target)), b"hello")


if __name__ == "__main__":
    main()
