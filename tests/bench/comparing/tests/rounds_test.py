"""Who is measured when, and what the table of workloads promises."""

import unittest

from .. import workloads
from ..proxies import NAMES
from ..rounds import order
from ..workloads import ALL, BY_NAME


def pairs(names, proxies, rounds, quick=False):
    chosen = [BY_NAME[name] for name in names]
    return [(number, workload.name, proxy)
            for number, workload, proxy in order(chosen, proxies, rounds, quick)]


class Order(unittest.TestCase):
    def test_every_other_round_is_reversed(self):
        self.assertEqual(pairs(["unary_1"], ["nginx", "haproxy"], 2),
                         [(1, "unary_1", "nginx"), (1, "unary_1", "haproxy"),
                          (2, "unary_1", "haproxy"), (2, "unary_1", "nginx")])

    def test_memory_is_measured_once(self):
        self.assertEqual(pairs(["idle_2000"], ["nginx"], 3), [(1, "idle_2000", "nginx")])

    def test_direct_has_neither_memory_nor_cores(self):
        self.assertEqual(pairs(["idle_2000", "curve", "unary_128_1core"], ["direct"], 1), [])

    def test_a_quick_curve_is_of_lanekeeper(self):
        self.assertEqual(pairs(["curve"], NAMES, 1, quick=True), [(1, "curve", "lanekeeper-user")])

    def test_quick_asks_direct_only_for_the_latency_of_a_lone_rpc(self):
        self.assertEqual(pairs(["unary_1", "unary_128"], ["direct"], 1, quick=True),
                         [(1, "unary_1", "direct")])


class Table(unittest.TestCase):
    def test_streams_divide_evenly_over_connections(self):
        for workload in ALL:
            self.assertEqual(workload.streams % workload.connections, 0, workload.name)

    def test_names_are_unique(self):
        self.assertEqual(len(BY_NAME), len(ALL))

    def test_quick_curve_has_what_is_judged(self):
        for step in (0, workloads.CURVE_STEPS[-1]):
            self.assertIn(step, workloads.QUICK_CURVE_STEPS)


if __name__ == "__main__":
    unittest.main()
