"""CPU time, trees and memory, of processes whose doings are known; and perf's output."""

import os
import sys
import tempfile
import threading
import unittest

from harness.processes import Child

from .. import counters, proc
from ..processes import Measured

SPIN = "import time\nend = time.process_time() + 0.1\nwhile time.process_time() < end: pass\n"
# A process that spends its time in a child, and stays until its stdin ends.
PARENT = ("import subprocess, sys\n"
          f"subprocess.run([sys.executable, '-c', 'import sys; sys.stdin.read(1)\\n' + "
          f"{SPIN!r} + 'print(1, flush=True); sys.stdin.read()'], stdin=sys.stdin)\n")


class CpuTime(unittest.TestCase):
    def test_counts_threads_that_have_ended(self):
        cpu = proc.CpuTime(os.getpid())
        thread = threading.Thread(target=exec, args=(SPIN, {}))
        thread.start()
        thread.join()
        self.assertGreaterEqual(cpu.seconds(), 0.1)

    def test_counts_descendants(self):
        with tempfile.TemporaryDirectory() as folder:
            with Measured("parent", [sys.executable, "-c", PARENT], folder, piped=True) as child:
                while len(proc.tree(child.pid)) < 2:
                    self.assertTrue(child.running())
                cpu = proc.CpuTime(child.pid)
                child.tell("x")
                child.stdout.readline()
                self.assertGreaterEqual(cpu.seconds(), 0.1)

    def test_a_process_that_is_gone_is_told(self):
        with Child("cat", ["cat"]) as child:
            cpu = proc.CpuTime(child.pid)
        with self.assertRaises(proc.Vanished):
            cpu.seconds()


class Others(unittest.TestCase):
    def test_busy_is_all_but_idle_and_waiting(self):
        self.assertEqual(proc.parse_cpu_line("cpu  1 2 3 400 50 6 7 8 9 0", 100), (4.77, 0.27))

    def test_our_own_work_is_not_of_others(self):
        before = proc.Others._read()
        exec(SPIN, {})
        total, busy, ours = (now - then for then, now in zip(before, proc.Others._read()))
        self.assertGreaterEqual(ours, 0.05)  # 0.1 s, of clocks that tick every 10 ms
        self.assertGreaterEqual(busy, 0.05)
        self.assertGreaterEqual(total, 0.05)


class Memory(unittest.TestCase):
    def test_rss(self):
        status = "Name:\tcat\nVmRSS:\t    2048 kB\nRssAnon: 1 kB\n"
        self.assertEqual(proc.parse_rss(status), 2 << 20)
        self.assertGreater(proc.rss_bytes(os.getpid()), 1 << 20)


class Perf(unittest.TestCase):
    def test_counts_by_name(self):
        text = ("# started on Sun Nov 22 12:13:11 2026\n\n"
                "3847,,context-switches,134401348,100.00,,\n"
                "13566,,raw_syscalls:sys_enter,134401348,100.00,,\n")
        self.assertEqual(counters.parse(text), {"context_switches": 3847, "syscalls": 13566})

    def test_what_is_not_counted_is_absent(self):
        self.assertEqual(counters.parse("<not supported>,,context-switches,0,100.00,,\n"), {})


if __name__ == "__main__":
    unittest.main()
