"""The report: ratios, and that what erred is seen and not scored. Plots are made of it too."""

import pathlib
import tempfile
import unittest

from .. import plots
from ..report import cell_texts, markdown, others_note, terminal_line
from .results import results


def some():
    return results(
        ("unary_128", "lanekeeper-user", {"cpu_us_per_rpc": 30, "p50_us": 1, "p99_us": 9}),
        ("unary_128", "lanekeeper-user", {"cpu_us_per_rpc": 50, "p50_us": 1, "p99_us": 9}),
        ("unary_128", "grpc-go", {"cpu_us_per_rpc": 80, "p50_us": 2, "p99_us": 9}),
        ("unary_128", "nginx", {"cpu_us_per_rpc": 5, "error": "errors: 3 of 9 | RPCs failed"}),
        ("unary_128_beside_0", "lanekeeper-user", {"cpu_us_per_rpc": 40}),
        ("unary_128_beside_10000", "lanekeeper-user", {"cpu_us_per_rpc": 44}))


class Report(unittest.TestCase):
    def test_median_spread_and_ratio(self):
        self.assertEqual(cell_texts(some(), "unary_128", "lanekeeper-user")[:3],
                         ["40.0 µs", "30.0 µs to 50.0 µs", "1.00"])
        self.assertEqual(cell_texts(some(), "unary_128", "grpc-go")[2], "2.00")

    def test_an_error_is_all_that_is_shown_of_a_cell(self):
        self.assertEqual(cell_texts(some(), "unary_128", "nginx"), ["errors: 3 of 9 | RPCs failed"])
        self.assertEqual(cell_texts(some(), "unary_128_beside_0", "nginx"), ["not measured"])
        self.assertIn("errors: 3 of 9", terminal_line(some().rows[3]))

    def test_tells_how_quiet_it_was(self):
        made = results(*[("w", "nginx", {"others_cpu_share": share}) for share in (0.01, 0.5, 0.02)])
        self.assertIn("median 2.0%, at most 50.0%", others_note(made))
        self.assertIn("not known", others_note(some()))

    def test_markdown_has_every_part(self):
        text = markdown(some(), {"cores": "2"}, {"nginx": "1.22"}, ["3 rounds."], ["a.svg"])
        for part in ("| cores | 2 |", "nginx 1.22", "3 rounds.", "## Done when", "![a](a.svg)",
                     "### unary_128\n", "beside 10000 idle streams",
                     "| nginx | errors: 3 of 9 / RPCs failed |",
                     "1.10 × | met |"):
            self.assertIn(part, text)
        tables = [block.splitlines() for block in text.split("\n\n") if block.startswith("|")]
        for lines in tables:
            self.assertEqual(len({line.count("|") for line in lines}), 1, lines[0])


class Plots(unittest.TestCase):
    def test_a_file_for_what_was_measured(self):
        with tempfile.TemporaryDirectory() as folder:
            drawn = plots.draw(some(), pathlib.Path(folder))
            self.assertEqual(drawn, ["cost_per_rpc.svg", "latency_busy.svg",
                                     "curve_idle_streams.svg"])
            bars = pathlib.Path(folder, "cost_per_rpc.svg").read_text()
        self.assertIn("grpc-go", bars)
        self.assertNotIn("nginx", bars)


if __name__ == "__main__":
    unittest.main()
