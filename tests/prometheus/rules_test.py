#!/usr/bin/python3
"""The rules are good PromQL, promtool's tests of them hold and would notice a change, and the
operator's manifest is the same rules."""

import copy
import json
import pathlib
import re
import subprocess
import tempfile
import unittest

import yaml

import kubernetes_rule
from files import ROOT, RULES, rule_files, rules

ALERTS = rules("alert")
TESTS = {path.name: yaml.safe_load(path.read_text()) for path in RULES.glob("tests/*.yaml")}
# What can go wrong with a number, and must not go unnoticed.
FACTORS = (0.8, 1.25)


def promtool(*words):
    done = subprocess.run(["promtool", *map(str, words)], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)
    return done.returncode, done.stdout


class Rules(unittest.TestCase):
    def promtool_tests(self, files, tests):
        """promtool's answer to these tests, run against these files of rules."""
        with tempfile.TemporaryDirectory(prefix="lanekeeper-rules-") as folder:
            for part, contents in (("rules", files), ("tests", tests)):
                pathlib.Path(folder, part).mkdir()
                for name, content in contents.items():
                    pathlib.Path(folder, part, name).write_text(json.dumps(content))
            return promtool("test", "rules", *pathlib.Path(folder, "tests").iterdir())

    def assert_noticed(self, alert, **change):
        """Some test that names the alert must fail when it is changed."""
        files = copy.deepcopy(rule_files())
        [(file, rule)] = [(name, rule) for name, content in files.items()
                          for group in content["groups"] for rule in group["rules"]
                          if rule.get("alert") == alert]
        rule.update(change)
        tests = {name: {**content, "tests": [group for group in content["tests"]
                                             if f'"{alert}"' in str(group)]}
                 for name, content in TESTS.items()}
        code, said = self.promtool_tests(
            {name: files[name] for name in (file, "recording.yaml")},
            {name: content for name, content in tests.items() if content["tests"]})
        self.assertEqual(code, 1, f"no test fails: {said}")
        self.assertIn("FAILED", said)

    def test_promtool_accepts_the_rules_and_the_example(self):
        code, said = promtool("check", "rules", *RULES.glob("rules/*.yaml"))
        self.assertEqual((code, said.count("SUCCESS")), (0, len(rule_files())), said)
        code, said = promtool("check", "config", RULES / "prometheus.yaml")
        self.assertEqual(code, 0, said)
        self.assertIn(f"{len(rule_files())} rule files found", said)

    def test_promtool_tests_pass(self):
        code, said = self.promtool_tests(rule_files(), TESTS)
        self.assertEqual(code, 0, said)

    def test_an_alert_that_never_fires_is_noticed(self):
        for alert in ALERTS:
            with self.subTest(alert):
                self.assert_noticed(alert, expr="vector(0) > 1")

    def test_another_wait_is_noticed(self):
        for alert, rule in ALERTS.items():
            for wait in ("0s", "20m") if "for" in rule else ("20m",):
                with self.subTest(alert, wait=wait):
                    self.assert_noticed(alert, **{"for": wait})

    def test_another_threshold_is_noticed(self):
        for alert, rule in ALERTS.items():
            expr = rule["expr"]
            for match in re.finditer(r"> ([\d.]+)", expr):
                for factor in FACTORS if float(match[1]) else ():
                    other = f"> {float(match[1]) * factor:g}"
                    with self.subTest(alert, other=other):
                        self.assert_noticed(
                            alert, expr=expr[:match.start()] + other + expr[match.end():])

    def test_an_alert_for_more_than_none_does_not_fire_for_none(self):
        for alert, rule in ALERTS.items():
            if rule["expr"].endswith("> 0"):
                with self.subTest(alert):
                    self.assert_noticed(alert, expr=rule["expr"] + " - 1")

    def test_every_alert_says_what_to_know(self):
        for name, rule in ALERTS.items():
            with self.subTest(name):
                self.assertRegex(name, "^Lanekeeper[A-Z]")
                self.assertIn(rule["labels"]["severity"], ("info", "warning", "critical"))
                self.assertEqual(set(rule["annotations"]), {"summary", "description", "runbook"})
                self.assertIn("$labels.instance", rule["annotations"]["summary"])

    def test_recording_rules_are_named_by_convention(self):
        for name in rules("record"):
            self.assertRegex(name, r"^[a-z_]+:[a-z_]+:([a-z0-9]+_)?(rate5m|sum|ratio)$")

    def test_every_alert_is_explained(self):
        explained = re.findall(r"^\| `(Lanekeeper\w+)`", (RULES / "README.md").read_text(), re.M)
        self.assertEqual(sorted(explained), sorted(ALERTS))

    def test_every_recording_rule_is_explained(self):
        named = re.findall(r"^\| `([a-z_]+:[a-z0-9_]+:[a-z0-9_]+)`",
                           (RULES / "README.md").read_text(), re.M)
        self.assertEqual(sorted(named), sorted(rules("record")))

    def test_operators_manifest_is_the_same_rules(self):
        text = (ROOT / "deploy/kubernetes/prometheusrule.yaml").read_text()
        self.assertEqual(text, kubernetes_rule.text(), "run deploy/prometheus/kubernetes_rule.py")
        groups = [group for name in sorted(rule_files()) for group in rule_files()[name]["groups"]]
        self.assertEqual(yaml.safe_load(text)["spec"], {"groups": groups})


if __name__ == "__main__":
    unittest.main(verbosity=2)
