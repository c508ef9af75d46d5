#!/usr/bin/python3
"""Every query that we ship finds something at a lanekeeper with traffic: the panels of the
dashboard, the expressions of the rules, and those that the page shows."""

import json
import re
import subprocess

from files import ROOT, RULES, rules
from grafana import Grafana
from harness.case import main
from traffic import MAX_STREAMS, TrafficTest

DASHBOARD = json.loads((ROOT / "deploy/grafana/lanekeeper.json").read_text())
BOUND = 90


class Queries(TrafficTest):
    def setUp(self):
        super().setUp()
        self.start_traffic(MAX_STREAMS)
        self.open_unread()
        self.open_silent()
        self.prometheus = self.start_prometheus(self.daemon)
        self.prometheus.await_scrapes(3)

    def await_all(self, questions):
        """Waits until each of {name: function} has returned something true."""
        open_ones = dict(questions)

        def all_answered():
            for name in [name for name, ask in open_ones.items() if ask()]:
                del open_ones[name]
            return not open_ones

        self.await_while_failing(all_answered, lambda: f"nothing found: {list(open_ones)}", BOUND)

    def test_promtool_has_nothing_to_say_about_the_metrics(self):
        self.fail_once()
        done = subprocess.run(["promtool", "check", "metrics"], input=self.daemon.scrape().text,
                              capture_output=True, text=True, timeout=60)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))

    def test_no_panel_is_empty(self):
        grafana = Grafana(DASHBOARD, self.prometheus)
        self.assertEqual(grafana.choices,
                         {"job": ["lanekeeper"], "instance": [self.daemon.metrics_address]})
        questions = {}
        for panel in DASHBOARD["panels"]:
            for target in panel.get("targets", ()):
                # Of a heatmap a zero is nothing to be seen.
                seen = any if panel["type"] == "heatmap" else bool
                questions[panel["title"], target["refId"]] = (
                    lambda seen=seen, target=target: seen(grafana.numbers(target)))
        self.assertGreater(len(questions), 40)
        self.await_all(questions)

    def test_panels_show_the_instance_that_is_chosen(self):
        here = Grafana(DASHBOARD, self.prometheus, instance=[self.daemon.metrics_address])
        either = Grafana(DASHBOARD, self.prometheus,
                         instance=["elsewhere:1", self.daemon.metrics_address])
        elsewhere = Grafana(DASHBOARD, self.prometheus, instance=["elsewhere:1"])
        for panel in DASHBOARD["panels"]:
            for target in panel.get("targets", ()):
                with self.subTest(panel["title"], expr=target["expr"]):
                    self.assertFalse(any(elsewhere.numbers(target)))
        [target] = [panel["targets"][0] for panel in DASHBOARD["panels"]
                    if panel["title"] == "Open streams"]
        self.assertTrue(any(here.numbers(target)))
        self.assertTrue(any(either.numbers(target)))

    def test_every_recording_rule_records(self):
        self.await_all({name: lambda name=name: self.prometheus.numbers(name)
                        for name in rules("record")})

    def test_every_alert_looks_at_metrics_that_there_are(self):
        questions = {}
        for alert, rule in rules("alert").items():
            for expr in re.split(r"\band\b", rule["expr"]):
                looked_at = re.fullmatch(r"(.+?) (==|>=|>|<) [\d.]+\s*", expr, re.DOTALL)[1]
                questions[alert, looked_at] = (
                    lambda looked_at=looked_at: self.prometheus.query(looked_at))
        self.await_all(questions)

    def test_every_query_of_the_page_finds_something(self):
        page = (RULES / "metrics.md").read_text()
        shown = [query for block in re.findall(r"```promql\n(.*?)```", page, re.DOTALL)
                 for query in re.sub(r"^#.*\n", "", block, flags=re.MULTILINE).split("\n\n")]
        self.assertGreater(len(shown), 4)
        self.await_all({query: lambda query=query: self.prometheus.query(query)
                        for query in shown})


if __name__ == "__main__":
    main()
