"""Peers that do wrong: bench-load must count errors, say what, and end. A check that could not fail
would make every benchmark look right."""

import concurrent.futures
import contextlib
import socket
import threading
import unittest

import grpc

import ends
from harness.certificates import Authority
from harness.ports import free_address
from harness.waiting import Failure


@contextlib.contextmanager
def raw_peer(serve):
    """A TCP server that gives each connection to `serve`, in a thread, and closes it after."""
    listener = socket.create_server(("127.0.0.1", 0))
    stopped = threading.Event()

    def one(connection):
        with connection, contextlib.suppress(OSError):
            serve(connection, stopped)

    def accept():
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=one, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"127.0.0.1:{listener.getsockname()[1]}"
    finally:
        stopped.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


@contextlib.contextmanager
def grpc_peer(answer, options=()):
    """A grpcio server; `answer` gets the iterator of requests (bytes) and the context."""

    class Handler(grpc.GenericRpcHandler):
        def service(self, _):
            return grpc.stream_stream_rpc_method_handler(answer)

    server = grpc.server(concurrent.futures.ThreadPoolExecutor(8), handlers=[Handler()],
                         options=options)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(None)


def echo(requests, _):
    yield from requests


def wrong_byte(requests, _):
    for request in requests:
        yield request[:-1] + bytes([request[-1] ^ 1])


def wrong_size(requests, _):
    for request in requests:
        yield request + b"x"


def twice(requests, _):
    for request in requests:
        yield request
        yield request


def never(requests, _):
    for _request in requests:
        pass
    return
    yield


def refuse(_requests, context):
    context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "no room")
    yield b""


def garbage(connection, _):
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n" * 10)
    connection.recv(1 << 16)


def hang_up(_connection, _):
    pass


def silence(_connection, stopped):
    stopped.wait(ends.PATIENCE_SECONDS)


EMPTY_SETTINGS = b"\0\0\0\4\0\0\0\0\0"


def settings_then_hang_up(connection, _):
    connection.sendall(EMPTY_SETTINGS)
    connection.recv(1 << 16)


def settings_then_silence(connection, stopped):
    connection.sendall(EMPTY_SETTINGS)
    stopped.wait(ends.PATIENCE_SECONDS)


class BrokenPeers(unittest.TestCase):
    def test_a_right_peer_of_another_make_gives_no_errors(self):
        with grpc_peer(echo) as target:
            for workload in ("unary", "ping_pong", "bulk", "mixed"):
                result = ends.load(target, workload, "--count", 100, "--streams", 4)
                self.assertEqual((result["errors"], result["messages"]), (0, 200), result)

    def expect(self, target, text, workloads=("unary", "ping_pong", "bulk", "fanout")):
        for workload in workloads:
            with self.subTest(workload):
                result = ends.load(target, workload, "--count", 20, "--streams", 2)
                self.assertIn(text, result["first_error"])
                self.assertGreater(result["errors"], 0)
                self.assertLessEqual(result["errors"], 2)

    def test_wrong_bytes(self):
        with grpc_peer(wrong_byte) as target:
            self.expect(target, "wrong bytes", ["unary", "ping_pong", "bulk", "churn"])

    def test_wrong_size(self):
        with grpc_peer(wrong_size) as target:
            self.expect(target, "bytes instead of")

    def test_a_message_too_many(self):
        with grpc_peer(twice) as target:
            self.expect(target, "a message too many", ["unary"])

    def test_a_message_too_few(self):
        with grpc_peer(never) as target:
            self.expect(target, "0 messages instead of", ["unary", "fanout"])

    def test_a_status_that_is_an_error(self):
        with grpc_peer(refuse) as target:
            self.expect(target, "grpc-status 8; grpc-message no room")

    def test_bytes_that_are_not_http2(self):
        with raw_peer(garbage) as target:
            self.expect(target, "")

    def test_a_connection_that_closes(self):
        for serve in (hang_up, settings_then_hang_up):
            with raw_peer(serve) as target:
                self.expect(target, "")

    def test_a_peer_that_says_nothing_is_given_up(self):
        """At once, since each takes 10 s."""
        with raw_peer(silence) as mute, raw_peer(settings_then_silence) as half_mute, \
                concurrent.futures.ThreadPoolExecutor() as pool:
            runs = [pool.submit(ends.load, target, workload, "--count", 20, "--streams", 2)
                    for target, workload in ((mute, "unary"), (half_mute, "unary"),
                                             (half_mute, "bulk"), (mute, "churn"))]
            texts = [run.result()["first_error"] for run in runs]
        self.assertEqual(texts, ["no SETTINGS within 10 s"] + 3 * ["no progress for 10 s"])

    def test_an_upstream_that_dies_under_idle_streams(self):
        target = free_address()
        with contextlib.suppress(Failure), ends.upstream("--listen", target) as upstream, \
                ends.Idle(target, 100) as load:
            upstream.kill()
            result = load.result()
        self.assertEqual((result["rpcs"], result["errors"]), (0, 100))

    def test_nobody_listens(self):
        for workload in ("unary", "churn"):
            done = ends.run(free_address(), workload, "--count", 1)
            self.assertEqual((done.returncode, done.stdout), (1, ""))
            self.assertIn("Connection refused", done.stderr)

    def test_a_peer_that_allows_too_few_streams(self):
        with grpc_peer(echo, [("grpc.max_concurrent_streams", 10)]) as target:
            done = ends.run(target, "idle", "--streams", 11)
            self.assertEqual(done.returncode, 1)
            self.assertIn("allows 10 streams per connection, 11 are wanted", done.stderr)
            result = ends.load(target, "unary", "--streams", 11, "--connections", 2,
                                  "--count", 50)
            self.assertEqual((result["errors"], result["rpcs"]), (0, 50), result)

    def test_a_certificate_of_somebody_else(self):
        with ends.scratch_folder() as ours, ends.scratch_folder() as theirs:
            pair, other = Authority(ours, "localhost"), Authority(theirs, "localhost")
            target = free_address()
            with ends.upstream("--listen", target, "--tls-certificate", pair.certificate,
                               "--tls-key", pair.key):
                result = ends.load(target, "unary", "--count", 5, "--tls-ca", other.certificate)
        self.assertIn("certificate verify failed", result["first_error"])

    def test_usage(self):
        for words in (["unary"], ["nonsense", "--count", 1], ["unary", "--count", 0],
                      ["unary", "--count", 1, "--seconds", 1]):
            self.assertEqual(ends.run("127.0.0.1:1", *words).returncode, 2, words)


if __name__ == "__main__":
    unittest.main()
