#!/usr/bin/python3
"""Writes ../kubernetes/prometheusrule.yaml: the groups of rules/*.yaml, as they stand there, in the
form that the Prometheus operator takes."""

import pathlib
import textwrap

HERE = pathlib.Path(__file__).resolve().parent
FILE = HERE.parent / "kubernetes/prometheusrule.yaml"
HEAD = """\
# For the Prometheus operator: the rules of deploy/prometheus/rules. Written by
# deploy/prometheus/kubernetes_rule.py; change them there. The operator may want a label here that
# its ruleSelector asks for.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: lanekeeper
spec:
  groups:
"""


def groups(path):
    """The groups of a file of rules, after the comment that stands above them."""
    comment, body = path.read_text().split("groups:\n")
    return textwrap.indent(comment, "  ") + body


def text():
    return HEAD + textwrap.indent("".join(map(groups, sorted(HERE.glob("rules/*.yaml")))), "  ")


if __name__ == "__main__":
    FILE.write_text(text())
