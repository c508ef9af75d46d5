"""One part of steady.py: what the clients saw from its begin to its end, and its problems."""

import collections
import json


class Phase:
    """What the clients report from its begin to its end."""

    def __init__(self, name, clients):
        self.name = name
        self.clients = clients
        self.seconds = 0.0  # of all clients
        self.ended = collections.Counter()
        self.echoes = 0
        self.failures = []  # (start, end, kind, code, details)
        self.recovered = []  # (start, end)
        self.figures = {}
        self.problems = []

    def add(self, report):
        for kind, codes in report["ended"].items():
            self.ended.update({(kind, code): count for code, count in codes.items()})
        self.seconds += report["seconds"]
        self.echoes += report["echoes"]
        self.failures += report["failures"]
        self.recovered += report["recovered"]

    def rate(self):
        unary = sum(count for (kind, _), count in self.ended.items() if kind != "stream")
        return unary * self.clients / self.seconds if self.seconds else 0

    def want(self, good, problem):
        if not good:
            self.problems.append(f"{self.name}: {problem}")

    def want_no_failure(self):
        kinds = collections.Counter(f"{kind}: {code} ({details})"
                                    for _, _, kind, code, details in self.failures)
        for failure, count in kinds.most_common(5):
            self.want(False, f"{count} lost, {failure}")

    def print(self):
        ended = {f"{kind} {code}": count for (kind, code), count in sorted(self.ended.items())}
        print(f"  {self.name}:", json.dumps({"rate": round(self.rate()), **ended,
                                             "echoes": self.echoes, **self.figures}), flush=True)
