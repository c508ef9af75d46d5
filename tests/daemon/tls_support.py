"""What tests of TLS share: an authority, a server's files, clients that trust them, and an address
that two upstreams share."""

import contextlib
import socket
import threading

import grpc

from harness.byte_client import CHANNEL_OPTIONS
from harness.case import DaemonTest
from harness.certificates import Authority


HANDSHAKES = "lanekeeper_tls_handshakes_total"
HANDSHAKE_RECORD = b"\x16"  # the first byte of who speaks TLS


class TlsDaemonTest(DaemonTest):
    def setUp(self):
        super().setUp()
        self.authority = Authority(self.folder)
        self.server = self.authority.issue("server", "DNS:localhost,IP:127.0.0.1")

    def listen_tls(self, pair=None, **more):
        pair = pair or self.server
        return [{"address": "127.0.0.1:0",
                 "tls": {"certificate": str(pair.certificate), "key": str(pair.key), **more}}]

    def secure_channel(self, target, pair=None, authority=None, name="localhost"):
        key, certificate = pair.read() if pair else (None, None)
        trusted = (authority or self.authority).certificate.read_bytes()
        channel = grpc.secure_channel(
            target, grpc.ssl_channel_credentials(trusted, key, certificate),
            options=[*CHANNEL_OPTIONS, ("grpc.ssl_target_name_override", name)])
        self.stack.callback(channel.close)
        return channel

    def connect(self, target):
        host, port = target.rsplit(":", 1)
        return self.stack.enter_context(socket.create_connection((host, int(port)), timeout=20))

    def assert_goes_on(self, *streams):
        """To the end."""
        for stream in streams:
            stream.echo(b"still here")
            stream.half_close()
            self.assertEqual(stream.receive(), b"bye")
            self.assertEqual(stream.end()[0], grpc.StatusCode.OK)


class BothTongues:
    """One address of two upstreams: who speaks TLS reaches the one, who does not the other."""

    def __init__(self, plain_port, tls_port):
        self._ports = {True: tls_port, False: plain_port}
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self._listener.shutdown(socket.SHUT_RDWR)  # a thread is in accept
        self._listener.close()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        with client, contextlib.suppress(OSError):
            secure = client.recv(1, socket.MSG_PEEK) == HANDSHAKE_RECORD
            with socket.create_connection(("127.0.0.1", self._ports[secure])) as server:
                back = threading.Thread(target=forward, args=(server, client), daemon=True)
                back.start()
                forward(client, server)
                back.join()


def forward(source, sink):
    """To the end of `source`, which is passed on."""
    with contextlib.suppress(OSError):
        while some := source.recv(65536):
            sink.sendall(some)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
