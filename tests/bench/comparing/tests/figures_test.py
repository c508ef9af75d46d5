"""Percentiles, medians, spread, ratios."""

import unittest

from ..figures import median, percentile, ratio, spread


class Figures(unittest.TestCase):
    def test_percentile_is_the_nearest_rank(self):
        ordered = list(range(1, 101))
        self.assertEqual(percentile(ordered, 0.5), 50)
        self.assertEqual(percentile(ordered, 0.99), 99)
        self.assertEqual(percentile(ordered, 0.999), 100)
        self.assertEqual(percentile([7], 0.5), 7)
        self.assertIsNone(percentile([], 0.5))

    def test_median_of_odd_even_and_none(self):
        self.assertEqual(median([9, 1, 5]), 5)
        self.assertEqual(median([9, 1, 5, 7]), 6)
        self.assertIsNone(median([]))

    def test_spread_is_smallest_and_largest(self):
        self.assertEqual(spread([3, 1, 2]), (1, 3))
        self.assertIsNone(spread([]))

    def test_ratio_needs_both(self):
        self.assertEqual(ratio(3, 2), 1.5)
        self.assertIsNone(ratio(None, 2))
        self.assertIsNone(ratio(3, None))
        self.assertIsNone(ratio(3, 0))
        self.assertEqual(ratio(0, 3), 0)


if __name__ == "__main__":
    unittest.main()
