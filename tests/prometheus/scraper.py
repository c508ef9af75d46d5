"""A Prometheus that scrapes lanekeeper every second and evaluates its rules, and can be asked."""

import copy
import json
import math
import urllib.parse

from files import rule_files
from harness.ports import free_port
from harness.processes import Process
from harness.scrape import http_get
from harness.waiting import START_BOUND, wait_until

SCRAPE_SECONDS = 1
ALERT_BOUND = 60


class Prometheus(Process):
    def __init__(self, folder, daemon):
        """Rules fire at once, without their `for`: what that does is for promtool's tests."""
        for name, content in rule_files().items():
            eager = copy.deepcopy(content)
            for rule in (rule for group in eager["groups"] for rule in group["rules"]):
                rule.pop("for", None)
            (folder / name).write_text(json.dumps(eager))
        config = {
            "global": {"scrape_interval": f"{SCRAPE_SECONDS}s", "evaluation_interval": "1s"},
            "rule_files": [str(folder / name) for name in rule_files()],
            "scrape_configs": [{"job_name": "lanekeeper", "static_configs": [
                {"targets": [daemon.metrics_address]}]}]}
        (folder / "prometheus.yaml").write_text(json.dumps(config))
        self.address = f"127.0.0.1:{free_port()}"
        super().__init__("prometheus", [
            "prometheus", "--config.file", folder / "prometheus.yaml",
            "--storage.tsdb.path", folder / "data", "--web.listen-address", self.address,
            "--log.level", "warn"])

    def await_start(self):
        def ready():
            assert self.running(), f"Prometheus has ended{self.log()}"
            try:
                return http_get(self.address, "/-/ready")[0] == 200
            except OSError:
                return False

        wait_until(ready, "Prometheus ready", START_BOUND)
        return self

    def ask(self, path, **parameters):
        """The data of an answer of the HTTP API."""
        asked = f"/api/v1/{path}?{urllib.parse.urlencode(parameters, doseq=True)}"
        status, text = http_get(self.address, asked)
        assert status == 200, f"{parameters or path}: {status} {text}"
        return json.loads(text)["data"]

    def query(self, expr):
        """[(labels, value)] of an instant query that finds series."""
        data = self.ask("query", query=expr)
        assert data["resultType"] == "vector", f"{expr}: {data['resultType']}"
        return [(each["metric"], float(each["value"][1])) for each in data["result"]]

    def numbers(self, expr):
        """The values that an instant query finds and that are numbers."""
        return [value for _, value in self.query(expr) if not math.isnan(value)]

    def await_scrapes(self, count):
        """Waits until there are so many scrapes more."""
        done = self.numbers("sum(count_over_time(up[1h])) or vector(0)")[0]
        wait_until(lambda: self.numbers("sum(count_over_time(up[1h])) or vector(0)")[0]
                   >= done + count, f"{count} more scrapes", START_BOUND + 2 * count)

    def alerts(self, name):
        """Those of that name that fire: labels and annotations."""
        return [alert for alert in self.ask("alerts")["alerts"]
                if alert["labels"]["alertname"] == name and alert["state"] == "firing"]

    def await_alert(self, name, **labels):
        """Waits until an alert with these labels fires, and returns it."""
        def found():
            return next((alert for alert in self.alerts(name)
                         if labels.items() <= alert["labels"].items()), None)

        return wait_until(
            found, lambda: f"{name} {labels}: only {self.ask('alerts')['alerts']}", ALERT_BOUND)
