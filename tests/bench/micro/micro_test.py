"""Runs every micro-benchmark once: micro_test.py PROGRAM. What they take is not judged."""

import json
import subprocess
import sys
import unittest

BENCHMARKS = {
    "config_load", "recorder/rpc", "recorder/operation", "recorder/duration",
    "stream_listing/look", "stream_listing/json", "task/resume", "task/start"}


class MicroTest(unittest.TestCase):
    def test_each_runs_and_finds_nothing_wrong(self):
        run = subprocess.run([PROGRAM, "--benchmark_min_time=0.01", "--benchmark_format=json"],
                             capture_output=True, text=True, timeout=100)
        self.assertEqual(run.returncode, 0, run.stderr)
        found = {each["run_name"]: each for each in json.loads(run.stdout)["benchmarks"]}
        self.assertEqual(set(found), BENCHMARKS)
        for name, each in found.items():
            self.assertFalse(each.get("error_occurred"), f"{name}: {each.get('error_message')}")
            self.assertGreater(each["real_time"], 0, name)


if __name__ == "__main__":
    PROGRAM = sys.argv.pop()
    unittest.main(verbosity=2)
