"""Asks Prometheus what Grafana asks for a panel: fills in variables, steps and ranges its way."""

import math
import re
import time

from scraper import SCRAPE_SECONDS

RANGE_SECONDS = 300
POINTS = 300  # as many as a panel is wide
VARIABLE = re.compile(r"\$(\w+)|\$\{(\w+)(?::\w+)?\}|\[\[(\w+)(?::\w+)?\]\]")


def regex_value(values):
    """What a variable that may have several values becomes in a query: a regular expression, in
    which a backslash is written twice because it stands in a PromQL string."""
    escaped = [re.sub(r"([$^*{}\[\]'+?.()|])", r"\\\\\1", value.replace("\\", "\\" * 4))
               for value in values]
    return escaped[0] if len(escaped) == 1 else f"({'|'.join(escaped)})"


class Grafana:
    """A dashboard, shown with one Prometheus as data source, whose setting "Scrape interval" is the
    true one. Its variables are at what is chosen, else at "All"."""

    def __init__(self, dashboard, prometheus, **chosen):
        self.prometheus = prometheus
        step = max(SCRAPE_SECONDS, RANGE_SECONDS // POINTS)
        self.step = step
        self.values = {"__interval": f"{step}s", "__range": f"{RANGE_SECONDS}s",
                       "__rate_interval": f"{max(step + SCRAPE_SECONDS, 4 * SCRAPE_SECONDS)}s"}
        self.choices = {}
        for variable in dashboard["templating"]["list"]:
            if variable["type"] == "query":
                self._choose(variable, chosen.get(variable["name"]))

    def _choose(self, variable, chosen):
        asked = self.fill_in(variable["query"]["query"])
        selector, label = re.fullmatch(r"label_values\((.+), (\w+)\)", asked).groups()
        choices = self.prometheus.ask(f"label/{label}/values", **{"match[]": selector})
        self.choices[variable["name"]] = choices
        self.values[variable["name"]] = (
            regex_value(chosen) if chosen else variable.get("allValue") or regex_value(choices))

    def fill_in(self, expr):
        def value(match):
            name = next(filter(None, match.groups()))
            assert name in self.values, f"unknown variable {name} in {expr}"
            return self.values[name]

        return VARIABLE.sub(value, expr)

    def numbers(self, target):
        """All numbers that a query of a panel would show."""
        expr = self.fill_in(target["expr"])
        if target.get("instant"):
            return self.prometheus.numbers(expr)
        end = time.time()
        data = self.prometheus.ask("query_range", query=expr, step=self.step, end=end,
                                   start=end - RANGE_SECONDS)
        values = [float(value) for series in data["result"] for _, value in series["values"]]
        return [value for value in values if math.isfinite(value)]
