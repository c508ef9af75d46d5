#!/usr/bin/python3
"""Writes ../kubernetes/grafana-dashboard.yaml: lanekeeper.json in a ConfigMap, with the label by which
Grafana's sidecar for dashboards finds it."""

import textwrap

from dashboard import FILE as DASHBOARD

FILE = DASHBOARD.parent.parent / "kubernetes/grafana-dashboard.yaml"
HEAD = """\
# For Grafana with the sidecar that gathers dashboards: deploy/grafana/lanekeeper.json. Written by
# deploy/grafana/kubernetes_dashboard.py; change it there.
apiVersion: v1
kind: ConfigMap
metadata:
  name: lanekeeper-dashboard
  labels: {grafana_dashboard: "1"}
data:
  lanekeeper.json: |
"""


def text():
    return HEAD + textwrap.indent(DASHBOARD.read_text(), "    ")


if __name__ == "__main__":
    FILE.write_text(text())
