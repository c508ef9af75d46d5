"""What lanekeeper answers over HTTP, and its metrics."""

import re
import urllib.error
import urllib.request

from .waiting import ANSWER_BOUND


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
