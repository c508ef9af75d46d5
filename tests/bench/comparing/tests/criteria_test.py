"""Each line of "Done when" is met, not met or not measured, as the figures say."""

import unittest

from ..criteria import evaluate
from .results import results


def verdict(made, start, limit=""):
    found = [each for each in evaluate(made)
             if each.line.startswith(start) and limit in each.limit]
    assert len(found) == 1, found
    return found[0]


def unary(user, go, nginx=100, **more):
    return results(("unary_128", "lanekeeper-user", {"cpu_us_per_rpc": user, **more}),
                   ("unary_128", "grpc-go", {"cpu_us_per_rpc": go}),
                   ("unary_128", "nginx", {"cpu_us_per_rpc": nginx}))


class Criteria(unittest.TestCase):
    def test_at_the_limit_is_met_above_is_not(self):
        self.assertEqual(verdict(unary(55, 100), "unary 100 B", "grpc-go").met, "met")
        above = verdict(unary(56, 100), "unary 100 B", "grpc-go")
        self.assertEqual((above.met, above.measured), ("not met", "0.56 ×"))

    def test_each_peer_is_a_line(self):
        made = unary(55, 100, nginx=60)
        self.assertEqual(verdict(made, "unary 100 B", "grpc-go").met, "met")
        self.assertEqual(verdict(made, "unary 100 B", "nginx").met, "not met")

    def test_nothing_measured_meets_nothing(self):
        verdicts = evaluate(results())
        self.assertEqual(len(verdicts), 12)
        self.assertEqual({each.met for each in verdicts}, {"not measured"})

    def test_what_errs_is_not_scored(self):
        made = unary(10, 100, error="errors: reset")
        self.assertEqual(verdict(made, "unary 100 B", "nginx").met, "not measured")

    def test_latency_is_what_is_added_over_direct(self):
        made = results(*[("unary_1", name, {"p50_us": value}) for name, value in
                         (("lanekeeper-user", 170), ("grpc-go", 200), ("direct", 100))])
        self.assertEqual(verdict(made, "sequential").measured, "0.70 ×")
        self.assertEqual(verdict(made, "sequential").met, "met")

    def test_idle_streams_are_judged_by_the_dearest(self):
        made = results(("idle_2000", "lanekeeper-user", {"rss_bytes_per_stream": 19000}),
                       ("idle_10000", "lanekeeper-user", {"rss_bytes_per_stream": 20100}),
                       ("idle_2000", "lanekeeper-kernel", {"rss_bytes_per_stream": 39000}))
        self.assertEqual(verdict(made, "idle stream, lanekeeper-user").met, "not met")
        self.assertIn("10000 open", verdict(made, "idle stream, lanekeeper-user").line)
        self.assertEqual(verdict(made, "idle stream, lanekeeper-kernel").met, "met")

    def test_kernel_threads_and_the_curve(self):
        made = results(("unary_128", "lanekeeper-user", {"cpu_us_per_rpc": 10}),
                       ("unary_128", "lanekeeper-kernel", {"cpu_us_per_rpc": 30}),
                       ("unary_128_beside_0", "lanekeeper-user", {"cpu_us_per_rpc": 20}),
                       ("unary_128_beside_10000", "lanekeeper-user", {"cpu_us_per_rpc": 22}))
        self.assertEqual(verdict(made, "kernel threads").measured, "3.00 ×")
        self.assertEqual(verdict(made, "CPU per RPC with").met, "met")

    def test_the_other_lines(self):
        made = results(
            *[(workload, proxy, {"cpu_us_per_message": cost})
              for workload in ("ping_pong_32", "ping_pong_200", "bulk_100B")
              for proxy, cost in (("lanekeeper-user", 3), ("grpc-go", 4))],
            *[("bulk_1MB", proxy, {"cpu_ns_per_byte": cost}) for proxy, cost in
              (("lanekeeper-user", 0.3), ("nghttpx", 0.7), ("haproxy", 0.5))])
        for start, limit, met in (("ping-pong, 32", "", "met"), ("ping-pong, 200", "", "met"),
                                  ("bulk", "", "met"), ("1 MB", "nghttpx", "met"),
                                  ("1 MB", "haproxy", "not met")):
            self.assertEqual(verdict(made, start, limit).met, met, start)


if __name__ == "__main__":
    unittest.main()
