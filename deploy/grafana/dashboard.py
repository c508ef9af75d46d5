#!/usr/bin/python3
"""Writes lanekeeper.json, the dashboard that Grafana imports, from rows.py."""

import json
import pathlib

from panels import DATASOURCE, lay_out
from rows import ROWS

FILE = pathlib.Path(__file__).resolve().parent / "lanekeeper.json"


def labels_variable(name, label, asked, **more):
    """A variable with the values of a label, several or all of them."""
    return {"type": "query", "name": name, "label": label, "datasource": DATASOURCE,
            "query": {"query": asked, "refId": name}, "definition": asked,
            "refresh": 2, "sort": 1, "multi": True, "includeAll": True,
            "current": {"text": ["All"], "value": ["$__all"]}, **more}


def dashboard():
    datasource = {"type": "datasource", "name": "datasource", "label": "Data source",
                  "query": "prometheus", "refresh": 1, "multi": False, "includeAll": False}
    # All jobs are those of lanekeeper; all instances are whatever these jobs have.
    job = labels_variable("job", "Job", "label_values(lanekeeper_build_info, job)")
    instance = labels_variable(
        "instance", "Instance", 'label_values(lanekeeper_build_info{job=~"$job"}, instance)',
        allValue=".*")
    return {
        "uid": "lanekeeper", "title": "lanekeeper", "tags": ["grpc", "lanekeeper"],
        "description": "Who waits for whom in the gRPC streams of lanekeeper's sidecars.",
        "schemaVersion": 37, "version": 1, "editable": True, "graphTooltip": 1,
        "time": {"from": "now-1h", "to": "now"}, "refresh": "30s",
        "templating": {"list": [datasource, job, instance]},
        "annotations": {"list": []}, "links": [], "panels": lay_out(ROWS),
    }


def text():
    return json.dumps(dashboard(), indent=1) + "\n"


if __name__ == "__main__":
    FILE.write_text(text())
