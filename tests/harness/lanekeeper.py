"""lanekeeper as a child: the binary named by $LANEKEEPER, run as an operator would."""

import json
import os
import pathlib
import random
import re
import signal

from .processes import Process
from .scrape import Scrape, http_get
from .waiting import ANSWER_BOUND, wait_until

ROOT = pathlib.Path(__file__).resolve().parents[2]
LANEKEEPER = os.environ.get("LANEKEEPER", str(ROOT / "build/release/proxy/lanekeeper"))
# Sanitizers take memory and time of their own: figures are printed then, but not judged.
SANITIZED = bool(os.environ.get("SANITIZED"))


class Daemon(Process):
    def __init__(self, folder, config, launcher=(), flags=(), path=None, binary=LANEKEEPER):
        self.path = pathlib.Path(path or f"{folder}/config-{random.getrandbits(64):x}.yaml")
        self.path.write_text(json.dumps(config))  # JSON is YAML
        super().__init__("lanekeeper", [binary, "--config", self.path, *flags], launcher)
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
        self._await_value(lambda value: value == want, name, want, bound, labels)

    def await_at_least(self, name, least, bound=ANSWER_BOUND, **labels):
        self._await_value(lambda value: value >= least, name, f">= {least}", bound, labels)

    def _await_value(self, good, name, want, bound, labels):
        last = None

        def reached():
            nonlocal last
            last = self.scrape().value(name, **labels)
            return good(last)

        wait_until(reached, lambda: f"{name}{labels} is {last}, want {want}", bound)
