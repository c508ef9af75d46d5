"""Every workload of bench-load against bench-upstream: no errors, and the right counts."""

import unittest

import ends
from harness.certificates import Authority
from harness.ports import free_address
from harness.waiting import Failure

FANOUT = 100


class OverTcp(unittest.TestCase):
    """The others differ in how they reach the upstream, not in what is run."""

    tls = []

    @classmethod
    def setUpClass(cls):
        cls.folder = cls.enterClassContext(ends.scratch_folder())
        cls.target, options = cls.prepare()
        cls.enterClassContext(ends.upstream("--listen", cls.target, *options))

    @classmethod
    def prepare(cls):
        return free_address(), []

    def run_load(self, workload, **options):
        arguments = [word for name, value in options.items()
                     for word in ("--" + name.replace("_", "-"), value)]
        result = ends.load(self.target, workload, *arguments, *self.tls)
        self.assertEqual(result["errors"], 0, result)
        self.assertEqual(result["first_error"], "")
        self.assertEqual(result["workload"], workload)
        latency = [result["latency_us"][name] for name in ("min", "p50", "p99", "p999", "max")]
        self.assertEqual(latency, sorted(latency))
        self.assertGreater(latency[0], 0)
        self.assertGreater(result["seconds"], 0)
        return result

    def check(self, result, rpcs, messages, size=None):
        self.assertEqual((result["rpcs"], result["messages"]), (rpcs, messages))
        if size is not None:
            self.assertEqual(result["bytes"], messages * size)

    def test_unary(self):
        self.check(self.run_load("unary", count=3000, streams=50, connections=3), 3000, 6000, 100)

    def test_unary_with_no_bytes(self):
        self.check(self.run_load("unary", count=100, streams=5, size=0), 100, 200, 0)

    def test_ping_pong(self):
        result = self.run_load("ping_pong", count=3000, streams=20, connections=2, size=1000)
        self.check(result, 20, 6000, 1000)

    def test_bulk_of_small_messages(self):
        self.check(self.run_load("bulk", count=50000, streams=4, connections=2), 4, 100000, 100)

    def test_bulk_of_messages_larger_than_the_windows(self):
        self.check(self.run_load("bulk", count=20, streams=3, size=3000000), 3, 40, 3000000)

    def test_mixed(self):
        result = self.run_load("mixed", count=2000, streams=4, size=100000)
        self.check(result, 4, 4000)
        self.assertGreater(result["bytes"], 4000 * 1000)  # the sizes' mean is about 10,000

    def test_fanout(self):
        result = self.run_load("fanout", count=40, streams=8, size=2000)
        self.check(result, 40, 40 * (1 + FANOUT))
        self.assertEqual(result["bytes"], 40 * FANOUT * 2000)

    def test_churn(self):
        result = self.run_load("churn", count=205, streams=4, churn_rpcs=7)
        self.check(result, 205, 410, 100)

    def test_idle_holds_until_its_input_ends(self):
        with ends.Idle(self.target, 500, "--connections", 3, *self.tls) as load:
            with self.assertRaisesRegex(Failure, "still runs"):
                load.await_exit(0.2)
            load.close_stdin()
            result = load.result()
        self.assertEqual(result["errors"], 0, result)
        self.check(result, 500, 1000, 100)

    def test_runs_for_as_long_as_asked(self):
        for workload in ("unary", "ping_pong", "bulk"):
            with self.subTest(workload):
                result = self.run_load(workload, seconds=0.3, streams=8)
                self.assertGreater(result["rpcs"], 7)
                self.assertLess(abs(result["seconds"] - 0.3), 0.2)


class OverUnixSocket(OverTcp):
    @classmethod
    def prepare(cls):
        return f"unix://{cls.folder}/upstream.sock", []


class OverTls(OverTcp):
    @classmethod
    def prepare(cls):
        pair = Authority(cls.folder, "localhost")
        cls.tls = ["--tls-ca", pair.certificate]
        return free_address(), ["--tls-certificate", pair.certificate, "--tls-key", pair.key]


if __name__ == "__main__":
    unittest.main()
