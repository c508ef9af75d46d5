#!/usr/bin/python3
"""The command itself, on a tiny run of lanekeeper, of its binary again as one more column, and of no
proxy at all."""

import csv
import os
import pathlib
import subprocess
import tempfile
import unittest

COMPARE = pathlib.Path(__file__).resolve().parents[2] / "compare"


class Compare(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = cls.enterClassContext(tempfile.TemporaryDirectory())
        tools = pathlib.Path(cls.folder, "tools")
        tools.mkdir()
        (tools / "bench-load").symlink_to(os.environ["BENCH_LOAD"])
        (tools / "bench-upstream").symlink_to(os.environ["BENCH_UPSTREAM"])
        cls.output = pathlib.Path(cls.folder, "output")
        cls.ran = subprocess.run(
            [COMPARE, "--no-install", "--lanekeeper", os.environ["LANEKEEPER"], "--tools", tools,
             "--proxies", "lanekeeper-user,direct", "--also", f"again={os.environ['LANEKEEPER']}",
             "--workloads", "unary_16,ping_pong_32,idle_2000", "--rounds", "1",
             "--seconds", "0.1", "--output", cls.output],
            capture_output=True, text=True, timeout=100, check=False)
        if cls.ran.returncode:
            raise AssertionError(cls.ran.stdout + cls.ran.stderr)

    def test_every_cell_has_figures(self):
        with (self.output / "results.csv").open(newline="") as file:
            rows = {(row["workload"], row["proxy"]): row for row in csv.DictReader(file)}
        self.assertEqual(set(rows), {
            (workload, proxy) for workload in ("unary_16", "ping_pong_32", "idle_2000")
            for proxy in ("lanekeeper-user", "direct", "again")} - {("idle_2000", "direct")})
        for cell, row in rows.items():
            self.assertEqual(row["error"], "", cell)
            figures = (["rss_bytes_per_stream"] if cell[0] == "idle_2000" else
                       ["cpu_us_per_rpc", "cpu_us_per_message", "messages_per_second", "p50_us",
                        "p99_us"])
            for figure in figures:
                self.assertGreater(float(row[figure] or 0), 0, (cell, figure))

    def test_the_report_shows_them(self):
        report = (self.output / "report.md").read_text()
        self.assertIn("### ping_pong_32", report)
        self.assertIn("| lanekeeper-user |", report)
        self.assertIn("| again |", report)

    def test_unknown_names_are_usage_errors(self):
        for flag in ("--proxies", "--workloads"):
            said = subprocess.run([COMPARE, flag, "squid"], capture_output=True, text=True,
                                  timeout=60, check=False)
            self.assertEqual(said.returncode, 2)
            self.assertIn("unknown: squid", said.stderr)

    def test_a_column_that_cannot_be_added_is_a_usage_error(self):
        for words, why in ((["--also", "nginx=/bin/true"], "no new name"),
                           (["--also", "floor=/no/such/file"], "no program"),
                           (["--also", "a=/bin/true", "--also", "a=/bin/true"], "twice")):
            said = subprocess.run([COMPARE, *words], capture_output=True, text=True, timeout=60,
                                  check=False)
            self.assertEqual(said.returncode, 2)
            self.assertIn(why, said.stderr)


if __name__ == "__main__":
    unittest.main()
