"""The client's side of RPCs, in bytes: no schema, and no wait without a bound."""

import contextlib
import queue
import threading

import grpc

from .waiting import ANSWER_BOUND

CHANNEL_OPTIONS = [
    ("grpc.use_local_subchannel_pool", 1),  # a connection for each channel
    ("grpc.enable_http_proxy", 0),
    ("grpc.enable_retries", 0),  # a failure must reach the test
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
    ("grpc.max_metadata_size", 1 << 20),
]


def call(channel, payload=b"hello", method="/daemon.Unary/Echo", timeout=ANSWER_BOUND, **options):
    return channel.unary_unary(method)(payload, timeout=timeout, **options)


def code_of(channel, *arguments, **options):
    """The status code of one unary RPC."""
    try:
        call(channel, *arguments, **options)
    except grpc.RpcError as error:
        return error.code()
    return grpc.StatusCode.OK


class Stream:
    """One bidirectional RPC. Its answers are read by a thread, so that every wait has a bound."""

    def __init__(self, channel, method="/daemon.Bidi/Echo", timeout=None, metadata=None):
        self._requests = queue.SimpleQueue()
        self._answers = queue.SimpleQueue()
        self.rpc = channel.stream_stream(method)(
            iter(self._requests.get, None), timeout=timeout, metadata=metadata)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        with contextlib.suppress(grpc.RpcError):
            for message in self.rpc:
                self._answers.put(message)
        self._requests.put(None)  # lets grpc's own thread end
        self._answers.put(None)

    def send(self, message):
        self._requests.put(message)

    def half_close(self):
        self._requests.put(None)

    def receive(self, bound=ANSWER_BOUND):
        """The next message; None at the end of the stream."""
        try:
            return self._answers.get(timeout=bound)
        except queue.Empty:
            raise AssertionError(f"no answer on the stream within {bound} s") from None

    def echo(self, message=b"ping", bound=ANSWER_BOUND):
        self.send(message)
        answer = self.receive(bound)
        assert answer == message, f"got {answer!r} ({self.rpc}), want {message[:40]!r}"
        return self

    def end(self, bound=ANSWER_BOUND):
        """Code and details of the status that ended the stream."""
        while self.receive(bound) is not None:
            pass
        return self.rpc.code(), self.rpc.details()
