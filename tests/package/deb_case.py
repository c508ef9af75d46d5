"""What the tests of the package share: a Debian 12 that is booted, with the package to install.

systemd in it is the real one; the network ends in the machine. root.py says what that needs.
"""

import contextlib
import json
import sys
import tempfile
import unittest

import debs
import root
from harness.waiting import wait_until
from machine import ANSWER_BOUND, Machine

UNIT = "lanekeeper.service"
CONFIG = "/etc/lanekeeper/config.yaml"
GOOD = {"listen": [{"address": "127.0.0.1:50051"}],
        "upstream": {"address": "127.0.0.1:50052"},
        "reload": {"watch": False},  # so that only systemd's reload reloads
        "metrics": {"address": "127.0.0.1:9464"}}


class DebCase(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = cls.enterClassContext(tempfile.TemporaryDirectory(dir=root.CACHE))
        cls.deb = debs.built(cls.folder)
        # With all that it depends on in apt's cache, so that a machine without network installs it.
        cls.prepared = root.systemd_root().overlay(f"{cls.folder}/prepared")
        cls.addClassCleanup(cls.prepared.remove)
        cls.place(cls.prepared, cls.deb)
        cls.prepared.run("apt-get", "update", "--quiet")  # what was listed may be gone
        cls.prepared.run("apt-get", "install", "--yes", "--no-install-recommends",
                         "--download-only", f"/root/{cls.deb.name}")

    @staticmethod
    def place(system, deb):
        """Returns its path there."""
        system.file(f"/root/{deb.name}").write_bytes(deb.read_bytes())
        return f"/root/{deb.name}"

    def setUp(self):
        stack = contextlib.ExitStack()
        self.addCleanup(stack.close)
        folder = stack.enter_context(tempfile.TemporaryDirectory(dir=self.folder))
        self.system = self.prepared.overlay(f"{folder}/system")
        stack.callback(self.system.remove)
        self.machine = Machine(self.system, folder)
        stack.callback(self.machine.halt)

    def run(self, result=None):
        before = len(result.failures) + len(result.errors)
        self.installed = []
        super().run(result)
        if len(result.failures) + len(result.errors) > before:
            print(f"\n{self.id()}, apt said:", *self.installed, file=sys.stderr)

    def apt(self, *words):
        said = self.machine.run("apt-get", "--yes", "--no-install-recommends",
                                "-o", "Dpkg::Options::=--force-confold", *words)
        self.installed.append(said)
        return said

    def install(self, deb=None):
        return self.apt("install", self.place(self.system, deb or self.deb))

    def configure(self, text=None, **sections):
        file = self.system.file(CONFIG)
        file.parent.mkdir(exist_ok=True)
        file.write_text(text or json.dumps({**GOOD, **sections}))  # JSON is YAML

    def install_running(self, **sections):
        self.configure(**sections)
        self.install()
        self.assertEqual(self.show("ActiveState"), "active", self.machine.journal(UNIT))

    def show(self, what):
        return self.machine.show(UNIT, what)

    def start_upstream(self):
        """The package's own demonstration."""
        self.machine.start("lanekeeper", "demo", "--listen", "127.0.0.1:50052").await_line(
            "listening")

    def await_calls_through(self, target):
        """An upstream that was not there at first is dialled again after a pause."""
        said = None

        def passed():
            nonlocal said
            said = self.machine.run("lanekeeper", "demo-clients", "--target", target,
                                    "--connections", "4", "--rpcs", "10", good=(0, 1))
            return "RPCs 40, failed 0" in said

        wait_until(passed, lambda: said, ANSWER_BOUND)

    def system_has(self, path):
        return self.machine.run("sh", "-c", f"! test -e {path} || echo yes").strip() == "yes"
