"""go_proxy forwards what lanekeeper forwards; or it would be no baseline."""

import concurrent.futures
import pathlib
import subprocess
import threading
import unittest

import grpc

from harness.ports import free_address
from harness.processes import Process

PATIENCE_SECONDS = 20


class Upstream(grpc.GenericRpcHandler):
    """Headers at once, then an echo; aborts on the message b"abort"."""

    def __init__(self):
        self.ended = threading.Event()
        self.metadata = None
        self.deadline_seconds = None

    def service(self, details):
        return grpc.stream_stream_rpc_method_handler(self.answer)

    def answer(self, requests, context):
        self.metadata = dict(context.invocation_metadata())
        self.deadline_seconds = context.time_remaining()
        context.add_callback(self.ended.set)
        context.send_initial_metadata([("header", "early"), ("header-bin", b"\0\xff")])
        context.set_trailing_metadata([("trailer", "late"), ("trailer-bin", b"\xff\0")])
        for request in requests:
            if request == b"abort":
                context.abort(grpc.StatusCode.DATA_LOSS, "as asked: ü")
            yield request
        context.set_code(grpc.StatusCode.OK)


class Semantics(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        build = pathlib.Path(__file__).with_name("build")
        cls.program = subprocess.check_output([build], text=True).strip()

    def setUp(self):
        self.upstream = Upstream()
        server = grpc.server(concurrent.futures.ThreadPoolExecutor(4), handlers=[self.upstream])
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        self.addCleanup(lambda: server.stop(None).wait())
        address = free_address()
        proxy = self.enterContext(Process(
            "go_proxy", [self.program, "--listen", address, "--upstream", f"127.0.0.1:{port}"]))
        proxy.await_line("^listening$")
        channel = grpc.insecure_channel(address)
        self.addCleanup(channel.close)
        self.method = channel.stream_stream("/any.Service/Method")

    def test_metadata_messages_and_status_go_through(self):
        call = self.method(iter([b"one", b"", b"x" * 3_000_000]), timeout=PATIENCE_SECONDS,
                           metadata=[("name", "value"), ("name-bin", b"\1\xfe")])
        self.assertEqual([len(message) for message in call], [3, 0, 3_000_000])
        self.assertEqual(call.code(), grpc.StatusCode.OK)
        self.assertEqual(dict(call.trailing_metadata()),
                         {"trailer": "late", "trailer-bin": b"\xff\0"})
        self.assertEqual(self.upstream.metadata["name"], "value")
        self.assertEqual(self.upstream.metadata["name-bin"], b"\1\xfe")
        # On the wire it is rounded up, by up to 3 % (core's hpack_encoder.cc).
        self.assertLess(self.upstream.deadline_seconds, PATIENCE_SECONDS * 1.05)

    def test_headers_come_before_any_message(self):
        release = threading.Event()
        self.addCleanup(release.set)

        def wait_for_release():
            release.wait(PATIENCE_SECONDS)
            yield b"last"

        call = self.method(wait_for_release(), timeout=PATIENCE_SECONDS)
        headers = dict(call.initial_metadata())
        self.assertEqual((headers["header"], headers["header-bin"]), ("early", b"\0\xff"))
        release.set()
        self.assertEqual(list(call), [b"last"])

    def test_an_error_status_goes_through(self):
        call = self.method(iter([b"abort"]), timeout=PATIENCE_SECONDS)
        with self.assertRaises(grpc.RpcError):
            list(call)
        self.assertEqual((call.code(), call.details()),
                         (grpc.StatusCode.DATA_LOSS, "as asked: ü"))
        self.assertEqual(dict(call.trailing_metadata())["trailer"], "late")

    def test_cancelling_reaches_the_upstream(self):
        release = threading.Event()
        self.addCleanup(release.set)

        def never_ending():
            yield b"one"
            release.wait(PATIENCE_SECONDS)

        call = self.method(never_ending(), timeout=PATIENCE_SECONDS)
        self.assertEqual(next(call), b"one")
        self.assertFalse(self.upstream.ended.is_set())
        call.cancel()
        self.assertTrue(self.upstream.ended.wait(PATIENCE_SECONDS / 2))


if __name__ == "__main__":
    unittest.main()
