"""What the tests in this folder share: lanekeeper, its upstream, scrapes, and their base class.

Every test runs the binary named by $LANEKEEPER as an operator would. A test class derives from
DaemonTest; whatever it starts is killed when the test ends, and shown when the test failed.
"""

import contextlib
import json
import os
import pathlib
import random
import re
import signal
import sys
import tempfile
import unittest
import urllib.error
import urllib.request

import grpc

from byte_client import CHANNEL_OPTIONS, call
from processes import ANSWER_BOUND, Process, wait_until

HERE = pathlib.Path(__file__).resolve().parent
LANEKEEPER = os.environ.get(
    "LANEKEEPER", str(HERE.parent.parent / "build/release/proxy/lanekeeper"))
# Sanitizers take memory and time of their own: figures are printed then, but not judged.
SANITIZED = bool(os.environ.get("SANITIZED"))


def http_get(address, path):
    """Status and body."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"http://{address}{path}", timeout=ANSWER_BOUND) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


class Scrape:
    """One answer of /metrics."""

    def __init__(self, text):
        self.text = text
        self.types = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE))
        self.helps = dict(re.findall(r"^# HELP (\S+) (.+)$", text, re.MULTILINE))
        self.samples = [
            (name, dict(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', labels)), float(value))
            for name, labels, value in re.findall(
                r"^([a-zA-Z_]\w*)(?:\{(.*)\})? (\S+)$", text, re.MULTILINE)]

    def value(self, name, **labels):
        """The sum of all samples of that name that have these labels."""
        return sum(value for sample, has, value in self.samples
                   if sample == name and labels.items() <= has.items())


class Daemon(Process):
    def __init__(self, folder, config, launcher=(), flags=(), path=None):
        self.path = pathlib.Path(path or f"{folder}/config-{random.getrandbits(64):x}.yaml")
        self.path.write_text(json.dumps(config))  # JSON is YAML
        super().__init__("lanekeeper", [LANEKEEPER, "--config", self.path, *flags], launcher)
        self._listeners = len(config["listen"])

    def await_start(self):
        self.await_line(r"listening on", lambda _: len(self.targets) >= self._listeners)
        self.metrics_address = self.await_line(r"metrics on ([^\s\"]+)").group(1)
        return self

    @property
    def targets(self):
        """What gRPC clients dial, a target for each listener."""
        found = re.findall(r"listening on ([^\s\"]+)", "\n".join(self.lines))
        return [target.replace("unix://", "unix:") for target in found]

    @property
    def target(self):
        return self.targets[0]

    @property
    def admin_address(self):
        """As commands take it in --admin."""
        return self.await_line(r"control on ([^\s\"]+)").group(1)

    def replace_config(self, text):
        """At once, as editors and ConfigMaps do it. A text, or what becomes one as JSON."""
        new = self.path.with_suffix(".new")
        new.write_text(text if isinstance(text, str) else json.dumps(text))
        new.replace(self.path)

    def reload(self, text, result="applied"):
        """By a signal; returns when that has been done."""
        name = "lanekeeper_config_reloads_total"
        before = self.scrape().value(name, result=result)
        self.replace_config(text)
        self.signal(signal.SIGHUP)
        self.await_metric(name, before + 1, result=result)

    def scrape(self):
        status, text = http_get(self.metrics_address, "/metrics")
        assert status == 200, f"/metrics: {status}"
        return Scrape(text)

    def await_metric(self, name, want, bound=ANSWER_BOUND, **labels):
        """Some numbers settle a moment after the client has its status."""
        last = None

        def reached():
            nonlocal last
            last = self.scrape().value(name, **labels)
            return last == want

        wait_until(reached, lambda: f"{name}{labels} is {last}, want {want}", bound)


class Upstream(Process):
    """upstream_server.py; see there for what it serves."""

    def __init__(self, port, *max_streams, host="127.0.0.1", launcher=()):
        super().__init__("upstream", ["/usr/bin/python3", HERE / "upstream_server.py",
                                      f"{host}:{port}", *max_streams], launcher)
        self.port = int(self.await_line(r"^listening (\d+)$").group(1))
        self.address = f"{host}:{self.port}"

    def counters(self):
        """What its handlers have seen, asked directly."""
        with grpc.insecure_channel(self.address, options=CHANNEL_OPTIONS) as channel:
            return json.loads(call(channel, method="/daemon.Counters/Read"))

    def open_gate(self):
        with grpc.insecure_channel(self.address, options=CHANNEL_OPTIONS) as channel:
            call(channel, method="/daemon.Gate/Open")

    def await_counter(self, name, want):
        last = None

        def reached():
            nonlocal last
            last = self.counters()[name]
            return last == want

        wait_until(reached, lambda: f"{name} handlers: {last}, want {want}")


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

    def start_upstream(self, port=0, *max_streams, host="127.0.0.1"):
        return self.keep(Upstream(port, *max_streams, host=host))

    def start_client(self, *words):
        """client_worker.py; see there for what it can do."""
        return self.keep(
            Process("client", ["/usr/bin/python3", HERE / "client_worker.py", *words]))

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
