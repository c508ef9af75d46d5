#!/usr/bin/python3
"""The dashboard can be imported, and is what its sources say."""

import json
import re
import unittest

import yaml

import dashboard
import kubernetes_dashboard

TEXT = dashboard.FILE.read_text()
DASHBOARD = json.loads(TEXT)
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]


class Dashboard(unittest.TestCase):
    def test_file_is_what_its_sources_say(self):
        self.assertEqual(TEXT, dashboard.text(), f"run {dashboard.FILE.parent}/dashboard.py")

    def test_the_config_map_is_the_same_dashboard(self):
        text = kubernetes_dashboard.FILE.read_text()
        self.assertEqual(text, kubernetes_dashboard.text(),
                         f"run {dashboard.FILE.parent}/kubernetes_dashboard.py")
        data = yaml.safe_load(text)["data"]
        self.assertEqual(data, {dashboard.FILE.name: TEXT})
        self.assertLess(len(TEXT), 200_000)  # kubectl apply keeps a copy in an annotation of 256 KiB

    def test_every_data_source_is_the_variable(self):
        named = [panel["datasource"] for panel in PANELS]
        named += [target["datasource"] for panel in PANELS for target in panel["targets"]]
        self.assertEqual(len(named), TEXT.count('"datasource": {') - 2)  # two variables ask as well
        for each in named:
            self.assertEqual(each, {"type": "prometheus", "uid": "${datasource}"})
        [variable] = [each for each in DASHBOARD["templating"]["list"]
                      if each["type"] == "datasource"]
        self.assertEqual((variable["name"], variable["query"]), ("datasource", "prometheus"))

    def test_every_query_follows_the_variables(self):
        for panel in PANELS:
            for target in panel["targets"]:
                with self.subTest(panel["title"], expr=target["expr"]):
                    selectors = re.findall(r"[a-z_]+\{([^}]*)\}", target["expr"])
                    self.assertTrue(selectors)
                    for selector in selectors:
                        self.assertIn('job=~"$job", instance=~"$instance"', selector)

    def test_every_range_is_grafanas(self):
        ranges = re.findall(r"\[([^\]]*)\]", " ".join(
            target["expr"] for panel in PANELS for target in panel["targets"]))
        self.assertEqual(set(ranges), {"$__rate_interval"})

    def test_panels_have_titles_and_ids_of_their_own(self):
        for key in ("title", "id"):
            values = [panel[key] for panel in DASHBOARD["panels"]]
            self.assertEqual(len(values), len(set(values)), key)
            self.assertTrue(all(values))

    def test_panels_do_not_overlap_and_stay_on_the_grid(self):
        taken = {}
        for panel in DASHBOARD["panels"]:
            at = panel["gridPos"]
            self.assertLessEqual(at["x"] + at["w"], 24, panel["title"])
            for x in range(at["x"], at["x"] + at["w"]):
                for y in range(at["y"], at["y"] + at["h"]):
                    self.assertNotIn((x, y), taken, panel["title"])
                    taken[x, y] = panel["title"]


if __name__ == "__main__":
    unittest.main(verbosity=2)
