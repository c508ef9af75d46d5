"""What h2load prints and logs, its words, and when a run counts as wrong."""

import unittest

from harness.waiting import Failure

from .. import h2load
from ..addresses import Endpoint
from ..workloads import BY_NAME

REPORT = """starting benchmark...
progress: 100% done

finished in 119.20ms, 25167.57 req/s, 3.30MB/s
requests: 3000 total, 3000 started, 3000 done, 2999 succeeded, 1 failed, 0 errored, 0 timeout
status codes: 2999 2xx, 0 3xx, 0 4xx, 1 5xx
traffic: 402.55KB (412208) total, 8.86KB (9075) headers (space savings 96.27%), 307KB (315000) data
                     min         max         mean         sd        +/- sd
time for request:       95us      3.83ms       602us       374us    79.50%
"""
LOG = "1795349591415216\t200\t1045\n1795349591415219\t503\t12\n1795349591415220\t200\t357\n"


class H2load(unittest.TestCase):
    def test_report(self):
        self.assertEqual(h2load.parse_report(REPORT), {
            "seconds": 0.1192, "done": 3000, "succeeded": 2999, "data_bytes": 315000})

    def test_units_of_time(self):
        for text, seconds in (("1.50s", 1.5), ("250us", 0.00025), ("2.00m", 120)):
            report = REPORT.replace("119.20ms", text)
            self.assertAlmostEqual(h2load.parse_report(report)["seconds"], seconds)

    def test_report_without_figures_is_a_failure(self):
        with self.assertRaisesRegex(Failure, "no seconds: Could not connect"):
            h2load.parse_report("Could not connect")

    def test_log_has_sorted_times_of_what_succeeded(self):
        self.assertEqual(h2load.parse_log(LOG), [357, 1045])

    def outcome(self, succeeded=10, data_bytes=1050):
        report = {"seconds": 2.0, "succeeded": succeeded, "data_bytes": data_bytes}
        return h2load.outcome(report, [1, 2, 3], 10, 100)

    def test_all_right(self):
        outcome = self.outcome()
        self.assertEqual(outcome.error, "")
        self.assertEqual((outcome.rpcs, outcome.messages, outcome.bytes), (10, 20, 2000))
        self.assertEqual((outcome.p50_us, outcome.p99_us), (2, 3))

    def test_a_status_that_is_not_2xx_is_an_error(self):
        self.assertEqual(self.outcome(succeeded=9).error, "1 of 10 RPCs failed")

    def test_a_missing_message_is_an_error(self):
        """A gRPC error is HTTP 200 without data."""
        self.assertEqual(self.outcome(data_bytes=945).error,
                         "945 bytes of data came back instead of 1050")

    def test_words_for_each_transport(self):
        def words(endpoint):
            return h2load.words(endpoint, BY_NAME["unary_1000_100c"], "body", ("-n", 5))

        tcp = words(Endpoint("tcp", port=5))
        self.assertEqual(tcp[-1], "http://127.0.0.1:5/bench.Echo/Unary")
        self.assertEqual(tcp[2:4], ["-c100", "-m10"])
        self.assertEqual(words(Endpoint("tls", port=5))[-1],
                         "https://127.0.0.1:5/bench.Echo/Unary")
        self.assertIn("--base-uri=unix:/a/b", words(Endpoint("unix", path="/a/b")))


if __name__ == "__main__":
    unittest.main()
