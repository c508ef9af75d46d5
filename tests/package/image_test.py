#!/usr/bin/python3
"""The image's root: what is in it, how large it is, and that lanekeeper runs there with a read-only
root, not as root, without a privilege. No container engine is used; see image.py.

On request; root.py says what it needs.
"""

import json
import os
import pathlib
import re
import signal
import socket
import statistics
import sys
import tempfile
import time
import unittest

import root
from harness.processes import Process
from image import Image
from root import SOURCE, run

BOUND = 60
STARTS = 20
CONFIG = {"listen": [{"address": "127.0.0.1:0"}], "upstream": {"address": "127.0.0.1:1"},
          "metrics": {"address": "127.0.0.1:0"}, "admin": {"address": "127.0.0.1:0"}}


class ImageTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = cls.enterClassContext(tempfile.TemporaryDirectory(dir=root.CACHE))
        cls.image = Image(cls.folder, os.environ["LANEKEEPER"])
        cls.addClassCleanup(cls.image.root.remove)

    def setUp(self):
        self.config = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.config.chmod(0o755)
        (self.config / "config.yaml").write_text(json.dumps(CONFIG))
        self.launcher = self.image.launcher(self.config)

    def in_image(self, *words, good=(0,)):
        return run(*self.launcher, *words, good=good)

    def start(self):
        """A daemon that has said that it is ready, and how long that took."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            name = f"lanekeeper-image-{os.urandom(8).hex()}"  # abstract: the root is read-only
            manager.bind(f"\0{name}")
            manager.settimeout(BOUND)
            begin = time.monotonic()
            daemon = self.enterContext(Process("lanekeeper", self.image.entrypoint, self.launcher,
                                               {"NOTIFY_SOCKET": f"@{name}"}))
            self.assertIn("READY=1", manager.recv(4096).decode())
            return daemon, time.monotonic() - begin

    @staticmethod
    def payload(daemon):
        """unshare's child, which is lanekeeper."""
        pid = daemon.pid
        (child,) = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return int(child)

    def test_it_forwards_read_only_and_without_a_privilege_and_drains(self):
        daemon, _ = self.start()
        pid = self.payload(daemon)
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
        self.assertRegex(status, r"(?m)^Uid:\t65532\t65532\t65532\t65532$")
        self.assertRegex(status, r"(?m)^Gid:\t65532\t65532\t65532\t65532$")
        self.assertRegex(status, r"(?m)^CapEff:\t0+$")
        self.assertRegex(status, r"(?m)^CapBnd:\t0+$")
        self.assertRegex(status, r"(?m)^NoNewPrivs:\t1$")
        mounts = pathlib.Path(f"/proc/{pid}/mounts").read_text()
        self.assertRegex(mounts, r"(?m)^\S+ / \S+ ro[,\s]")
        listening = daemon.await_line(r"metrics on (\S+)")
        self.in_image("/usr/local/bin/lanekeeper", "wait", "--metrics", listening.group(1))
        os.kill(pid, signal.SIGTERM)
        self.assertEqual(daemon.await_exit(BOUND), 0)

    def test_what_runs_there_cannot_write_there(self):
        for path in ("/x", "/tmp/x", "/etc/lanekeeper/x", "/usr/local/bin/lanekeeper"):
            said = self.in_image("sh", "-c", f"echo > {path}", good=(2,))
            self.assertRegex(said, "Read-only file system|Permission denied", path)

    def test_it_needs_no_package_that_is_not_there(self):
        self.assertNotIn("not found", self.in_image("ldd", "/usr/local/bin/lanekeeper"))
        self.assertIn("lanekeeper ", self.in_image("/usr/local/bin/lanekeeper", "--version"))
        self.assertFalse(self.image.root.file("/tmp/deploy").exists())

    def test_figures_are_printed(self):
        print(f"\nbase {self.image.base_size}; image {self.image.sizes()}")
        seconds = []
        for _ in range(STARTS):
            daemon, took = self.start()
            seconds.append(took)
            os.kill(self.payload(daemon), signal.SIGTERM)
            self.assertEqual(daemon.await_exit(BOUND), 0)
        print(f"start to ready, {STARTS} times: median {statistics.median(seconds) * 1000:.0f} ms, "
              f"{min(seconds) * 1000:.0f} to {max(seconds) * 1000:.0f} ms")

    def test_its_bill_of_materials_lists_each_package_that_the_list_asks_for(self):
        text = run(sys.executable, SOURCE / "deploy/sbom", "--root", self.image.root.path,
                   "--lanekeeper", "0.1.0")
        names = {package["name"] for package in json.loads(text)["packages"]}
        listed = re.findall(r"(?m)^runtime (\S+)", (SOURCE / "deploy/packages").read_text())
        self.assertTrue(listed)
        self.assertLessEqual({"lanekeeper", "libc6", *listed}, names)
        print(f"\n{len(names) - 1} packages in the bill of materials")


if __name__ == "__main__":
    root.skip_where_it_cannot_run()
    unittest.main(verbosity=2)
