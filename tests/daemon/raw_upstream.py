"""An upstream that speaks HTTP/2 by hand (RFC 9113), to say what no server would."""

import contextlib
import socket
import struct
import threading

HEADERS, RESET, SETTINGS, GOAWAY = 1, 3, 4, 7
ACK = END_STREAM = 1
END_HEADERS = 4
PREFACE_BYTES, HEAD_BYTES = 24, 9
MAX_CONCURRENT_STREAMS, MAX_HEADER_LIST_SIZE = 3, 6
REFUSED_STREAM, ENHANCE_YOUR_CALM = 7, 11


def frame(kind, flags, stream, payload=b""):
    return (len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big")
            + payload)


def field(name, value):
    """Without Huffman's code and outside of any table (RFC 7541 section 6.2.2)."""
    return b"\0" + bytes([len(name)]) + name + bytes([len(value)]) + value


# What a client says first (RFC 9113 section 3.4), with SETTINGS that change nothing.
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(SETTINGS, 0, 0)
# The blocks of an answer of gRPC: its headers, and its trailers with OK.
BEGINS = field(b":status", b"200") + field(b"content-type", b"application/grpc")
ENDS = field(b"grpc-status", b"0")


def goaway(last, code, text):
    return frame(GOAWAY, 0, 0, struct.pack("!II", last, code) + text)


class RawUpstream:
    """Says SETTINGS to whoever dials, and answer(stream) to the headers of each request: bytes of
    frames, or None, which hangs up. With `tls`, an ssl.SSLContext, behind a handshake. `heard` has
    (type, stream, payload) of each frame that came, `answered` the streams whose answer has left."""

    def __init__(self, answer=lambda stream: b"", settings=None, tls=None):
        self._answer, self._tls = answer, tls
        self.heard, self.answered = [], []
        self._settings = frame(SETTINGS, 0, 0, b"".join(
            struct.pack("!HI", *entry) for entry in (settings or {}).items()))
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self._listening.getsockname()[1]
        self._open = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listening.accept()
                self._open.append(connection)
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        # Who dials may leave at any time, in the middle of a handshake too.
        with contextlib.suppress(OSError):
            if self._tls:
                connection = self._tls.wrap_socket(connection, server_side=True)
                self._open.append(connection)
            with connection, connection.makefile("rb") as received:
                received.read(PREFACE_BYTES)
                connection.sendall(self._settings)
                while head := received.read(HEAD_BYTES):
                    payload = received.read(int.from_bytes(head[:3], "big"))
                    stream = int.from_bytes(head[5:], "big")
                    self.heard.append((head[3], stream, payload))
                    said = self._said_to(kind=head[3], flags=head[4], stream=stream)
                    if said is None:
                        return
                    connection.sendall(said)
                    if head[3] == HEADERS:
                        self.answered.append(stream)

    def say(self, frames):
        """On the newest connection, unasked."""
        with contextlib.suppress(OSError):  # it may have been closed
            self._open[-1].sendall(frames)

    def _said_to(self, kind, flags, stream):
        if kind == HEADERS:
            return self._answer(stream)
        return frame(SETTINGS, ACK, 0) if kind == SETTINGS and not flags & ACK else b""

    def close(self):
        for one in [self._listening, *self._open]:
            with contextlib.suppress(OSError):  # it is closed already
                one.shutdown(socket.SHUT_RDWR)
            one.close()
