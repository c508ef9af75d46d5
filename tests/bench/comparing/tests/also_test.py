"""Columns of --also: what is taken for one, and what its binary is given."""

import argparse
import json
import pathlib
import tempfile
import unittest

from harness.ports import free_port

from ..addresses import Endpoint
from ..proxies import Proxies, also
from ..tools import Tools

# Shows its configuration and listens where that says. An old-fashioned reader: one regex.
STUB = """#!/usr/bin/python3
import pathlib, re, socket, sys, time
if sys.argv[1:] == ["--version"]:
    sys.exit(print("stub 7"))
assert sys.argv[1] == "--config"
text = pathlib.Path(sys.argv[2]).read_text()
pathlib.Path(__file__).with_suffix(".seen").write_text(text)
port = re.search(r'"listen": *\\[\\{"address": *"[^"]*:([0-9]+)"', text).group(1)
listener = socket.create_server(("127.0.0.1", int(port)))
time.sleep(60)
"""


class Also(unittest.TestCase):
    def setUp(self):
        self.folder = self.enterContext(tempfile.TemporaryDirectory())
        self.stub = pathlib.Path(self.folder, "stub")
        self.stub.write_text(STUB)
        self.stub.chmod(0o755)

    def proxies(self, name):
        return Proxies(Tools(None, "", ""), None, self.folder, dict([also(f"{name}={self.stub}")]))

    def seen(self, name, cores=0):
        """The configuration that the binary of the column `name` is started with."""
        listen = Endpoint("tcp", port=free_port())
        child = self.proxies(name).start(name, listen, Endpoint("tcp", port=4), cores)
        child.stop()
        config = json.loads(self.stub.with_suffix(".seen").read_text())
        self.assertEqual(config["listen"], [{"address": listen.address}])
        return config

    def test_gets_what_lanekeeper_gets(self):
        config = self.seen("floor")
        self.assertEqual(config["upstream"], {"address": "127.0.0.1:4"})
        self.assertEqual(config["rpc_threads"], {"kind": "user"})
        self.assertEqual(config["admin"], {"address": "off"})

    def test_kernel_threads_by_the_end_of_the_name(self):
        self.assertEqual(self.seen("old-kernel")["rpc_threads"], {"kind": "kernel"})

    def test_is_pinned_like_any_proxy(self):
        self.assertEqual(self.seen("floor", cores=1)["rpc_threads"], {"kind": "user", "workers": 1})

    def test_its_version_is_asked(self):
        versions = self.proxies("floor").versions()
        self.assertEqual(versions["floor"], "stub 7")
        self.assertNotIn("lanekeeper", versions)

    def test_names_of_other_columns_and_files_that_are_none_are_refused(self):
        for text in ("floor", "=/bin/true", "nginx=/bin/true", "a b=/bin/true", "a=/no/such/file",
                     f"a={self.folder}"):
            with self.assertRaises(argparse.ArgumentTypeError, msg=text):
                also(text)


if __name__ == "__main__":
    unittest.main()
