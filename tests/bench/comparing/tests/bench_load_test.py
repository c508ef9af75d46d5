"""bench-load's line of JSON, and waiting for idle streams."""

import json
import tempfile
import unittest

from harness.waiting import Failure

from ..addresses import Endpoint
from ..bench_load import BenchLoad, await_ready, parse_line
from ..processes import Measured
from ..workloads import BY_NAME

LINE = {"workload": "ping_pong", "rpcs": 32, "messages": 6400, "bytes": 640000, "seconds": 0.5,
        "errors": 0, "first_error": "",
        "latency_us": {"min": 10, "p50": 20.5, "p99": 30, "p999": 40, "max": 50}}


def shell(script, folder):
    return Measured("script", ["sh", "-c", script], folder, piped=True)


class Line(unittest.TestCase):
    def test_all_right(self):
        outcome = parse_line(json.dumps(LINE))
        self.assertEqual((outcome.rpcs, outcome.messages, outcome.bytes), (32, 6400, 640000))
        self.assertEqual((outcome.p50_us, outcome.p99_us, outcome.p999_us), (20.5, 30, 40))
        self.assertEqual(outcome.error, "")

    def test_errors_are_told_with_the_first(self):
        outcome = parse_line(json.dumps({**LINE, "errors": 3, "first_error": "reset"}))
        self.assertEqual(outcome.error, "3 errors, 32 RPCs ended well; the first: reset")

    def test_words(self):
        load = BenchLoad("load", "/tmp", "ca.pem")
        workload = BY_NAME["ping_pong_32"]
        self.assertEqual(
            load.words(Endpoint("unix", path="/s"), workload, ("--count", 5)),
            ["load", "--target", "unix:///s", "--workload", "ping_pong", "--connections", 1,
             "--streams", 32, "--size", 100, "--count", 5])
        self.assertIn("ca.pem", load.words(Endpoint("tls", port=1), workload, ()))


class Idle(unittest.TestCase):
    def setUp(self):
        self.folder = self.enterContext(tempfile.TemporaryDirectory())

    def test_waits_for_ready(self):
        with shell("sleep 0.1; echo ready; cat", self.folder) as child:
            await_ready(child, 10)
            self.assertTrue(child.running())

    def test_ending_early_tells_why(self):
        line = json.dumps({**LINE, "errors": 1, "first_error": "refused"})
        with shell(f"echo '{line}'", self.folder) as child:
            with self.assertRaisesRegex(Failure, "refused"):
                await_ready(child, 10)

    def test_the_wait_is_bounded(self):
        with shell("exec sleep 60", self.folder) as child:
            with self.assertRaisesRegex(Failure, "not open after 0.05 s"):
                await_ready(child, 0.05)


if __name__ == "__main__":
    unittest.main()
