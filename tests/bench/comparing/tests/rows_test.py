"""Figures of a row, medians of a cell, the file of raw rounds."""

import csv
import pathlib
import tempfile
import unittest

from ..outcome import Outcome
from ..rows import Results, Row, fill
from .results import results


class Fill(unittest.TestCase):
    def test_per_unit_figures(self):
        row = Row(1, "unary_1", "tcp", "nginx")
        fill(row, Outcome(rpcs=100, messages=200, bytes=20000, seconds=2, error=""), 0.5)
        self.assertEqual(row.cpu_us_per_rpc, 5000)
        self.assertEqual(row.cpu_us_per_message, 2500)
        self.assertEqual(row.cpu_ns_per_byte, 25000)
        self.assertEqual(row.rpcs_per_second, 50)
        self.assertEqual(row.bytes_per_second, 10000)

    def test_an_error_of_the_load_is_one_of_the_row(self):
        row = Row(1, "unary_1", "tcp", "nginx")
        fill(row, Outcome(rpcs=0, messages=0, bytes=0, seconds=2, error="all failed"), 0.5)
        self.assertEqual(row.error, "all failed")
        self.assertIsNone(row.cpu_us_per_rpc)


class CellTest(unittest.TestCase):
    def test_median_and_spread(self):
        rounds = [("w", "nginx", {"p50_us": value}) for value in (3, 1, 2)]
        cell = results(*rounds).cell("w", "nginx")
        self.assertEqual((cell.median("p50_us"), cell.spread("p50_us")), (2, (1, 3)))
        self.assertIsNone(cell.median("p99_us"))

    def test_one_round_that_errs_takes_the_cell_out(self):
        cell = results(("w", "nginx", {"p50_us": 1}),
                       ("w", "nginx", {"p50_us": 2, "error": "errors: reset"})).cell("w", "nginx")
        self.assertFalse(cell.measured)
        self.assertEqual(cell.error, "errors: reset")
        self.assertIsNone(cell.median("p50_us"))


class File(unittest.TestCase):
    def test_rows_are_there_before_the_end(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "results.csv")
            written = Results(path)
            written.add(Row(1, "w", "tcp", "nginx", p50_us=1.5))
            written.add(Row(1, "w", "tcp", "haproxy", error="errors: a, b"))
            with path.open(newline="") as file:
                read = list(csv.DictReader(file))
            written.close()
        self.assertEqual([row["p50_us"] for row in read], ["1.5", ""])
        self.assertEqual(read[1]["error"], "errors: a, b")


if __name__ == "__main__":
    unittest.main()
