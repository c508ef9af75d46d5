#!/usr/bin/python3
"""tests/golden/metrics.md holds every metric: name, type, labels, help. The binary serves just those,
and the table of deploy/prometheus/metrics.md is that file. `golden_test.py --update` writes both anew from the binary."""

import pathlib
import re
import sys

sys.path.insert(1, str(pathlib.Path(__file__).resolve().parents[1]))  # tests/, for harness
from harness.byte_client import call
from harness.case import DaemonTest, main

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
GOLDEN = ROOT / "tests/golden/metrics.md"
PAGE = ROOT / "deploy/prometheus/metrics.md"
HEAD = "| metric | type | labels | meaning |\n|---|---|---|---|\n"
TABLE = re.compile(re.escape(HEAD) + r"(?:\|.*\n)+")


def family_of(sample, types):
    """A histogram's samples have names of their own."""
    return sample if sample in types else re.sub("_(bucket|sum|count)$", "", sample)


class Golden(DaemonTest):
    def served(self):
        daemon = self.start(self.start_upstream().address)
        call(self.open_channel(daemon.target), b"x")
        daemon.await_metric("grpc_server_handled_total", 1)
        scrape = daemon.scrape()
        labels = {name: [] for name in scrape.types}
        for sample, has, _ in scrape.samples:
            known = labels[family_of(sample, scrape.types)]
            known.extend(label for label in has if label != "le" and label not in known)
        return HEAD + "".join(
            f"| `{name}` | {kind} | {', '.join(f'`{label}`' for label in labels[name])} "
            f"| {scrape.helps[name]} |\n" for name, kind in scrape.types.items())

    def test_the_binary_serves_what_the_golden_file_holds(self):
        served = self.served()
        if UPDATE:
            GOLDEN.write_text(served)
            PAGE.write_text(TABLE.sub(lambda _: served, PAGE.read_text()))
        self.maxDiff = None
        self.assertEqual(served, GOLDEN.read_text())

    def test_the_page_shows_the_golden_file(self):
        self.maxDiff = None
        self.assertEqual(TABLE.findall(PAGE.read_text()), [GOLDEN.read_text()])


UPDATE = "--update" in sys.argv
if __name__ == "__main__":
    sys.argv = [word for word in sys.argv if word != "--update"]
    main()
