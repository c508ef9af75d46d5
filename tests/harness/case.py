"""The base class of tests that run a lanekeeper. Whatever one starts is killed when the test ends,
and shown when the test failed."""

import contextlib
import sys
import tempfile
import unittest

import grpc

from .byte_client import CHANNEL_OPTIONS
from .lanekeeper import Daemon
from .peers import Client, Upstream


class DaemonTest(unittest.TestCase):
    kind = "user"

    def setUp(self):
        self.stack = contextlib.ExitStack()
        self.addCleanup(self.stack.close)
        self.folder = self.stack.enter_context(
            tempfile.TemporaryDirectory(prefix="lanekeeper-daemon-"))

    def run(self, result=None):
        self.processes = []
        before = len(result.failures) + len(result.errors)
        super().run(result)
        if len(result.failures) + len(result.errors) > before:
            print(f"\n{self.id()}, what was said:",
                  *(process.log() for process in self.processes), file=sys.stderr)

    def keep(self, process):
        """Killed at the end of the test."""
        self.processes.append(process)
        self.stack.callback(process.kill)
        return process

    def config(self, upstream="127.0.0.1:1", listen=("127.0.0.1:0",), listen_entries=None,
               **sections):
        return {"listen": listen_entries or [{"address": address} for address in listen],
                "upstream": upstream if isinstance(upstream, dict) else {"address": upstream},
                "rpc_threads": {"kind": self.kind},
                "metrics": {"address": "127.0.0.1:0"},
                "admin": {"address": "127.0.0.1:0"}, **sections}

    def launch(self, *arguments, launcher=(), flags=(), path=None, **sections):
        """A daemon that need not come up."""
        return self.keep(
            Daemon(self.folder, self.config(*arguments, **sections), launcher, flags, path))

    def start(self, *arguments, **options):
        return self.launch(*arguments, **options).await_start()

    def start_upstream(self, port=0, *words, host="127.0.0.1"):
        return self.keep(Upstream(port, *words, host=host))

    def start_client(self, *words):
        return self.keep(Client(*words))

    def open_channel(self, target, *options):
        channel = grpc.insecure_channel(target, options=[*CHANNEL_OPTIONS, *options])
        self.stack.callback(channel.close)
        return channel


def both_kinds(cls):
    """Makes a test class NAME into NAME_user and NAME_kernel, one for each rpc_threads.kind."""
    module = sys.modules[cls.__module__]
    for kind in ("user", "kernel"):
        name = f"{cls.__name__}_{kind}"
        setattr(module, name, type(name, (cls,), {"kind": kind, "__module__": cls.__module__}))
    return None  # the class itself is not run


def main():
    unittest.main(module="__main__", verbosity=2)
