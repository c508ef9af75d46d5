"""How the panels of the dashboard look. Which there are, and what they ask, says rows.py.

A panel is made without a place; lay_out() gives it an id and a place in its row.
"""

WIDTH = 24  # Grafana's grid
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
SECONDS = "s"


def query(expr, legend="", **more):
    return {"expr": expr, "legendFormat": legend, **more}


def _panel(kind, title, description, queries, width, height, defaults, options):
    targets = [{"refId": chr(ord("A") + number), "datasource": DATASOURCE, "editorMode": "code",
                "range": True, **each} for number, each in enumerate(queries)]
    return {"type": kind, "title": title, "description": description, "datasource": DATASOURCE,
            "targets": targets, "gridPos": {"w": width, "h": height},
            "fieldConfig": {"defaults": defaults, "overrides": []}, "options": options}


def number(title, description, expr, unit="short", red_from=None, red_below=None, width=4):
    """One large number, now. It turns red from red_from on, or below red_below."""
    steps = [{"color": "green", "value": None}]
    if red_from is not None:
        steps.append({"color": "red", "value": red_from})
    if red_below is not None:
        steps = [{"color": "red", "value": None}, {"color": "green", "value": red_below}]
    defaults = {"unit": unit, "thresholds": {"mode": "absolute", "steps": steps}}
    options = {"reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
               "colorMode": "value", "graphMode": "area", "textMode": "auto"}
    return _panel("stat", title, description, [query(expr)], width, 4, defaults, options)


def lines(title, description, *queries, unit="short", stacked=False, width=12):
    """Lines over time."""
    custom = {"drawStyle": "line", "lineWidth": 1, "fillOpacity": 30 if stacked else 8,
              "showPoints": "never", "stacking": {"mode": "normal" if stacked else "none"}}
    defaults = {"unit": unit, "min": 0, "custom": custom}
    options = {"legend": {"displayMode": "table", "placement": "bottom", "calcs": ["mean", "max"],
                          "showLegend": True},
               "tooltip": {"mode": "multi", "sort": "desc"}}
    return _panel("timeseries", title, description, queries, width, 9, defaults, options)


def heatmap(title, description, expr, unit=SECONDS, width=8):
    """How a histogram's observations spread, over time. `expr` keeps only the label le."""
    options = {"calculate": False, "cellGap": 1, "rowsFrame": {"layout": "auto"},
               "yAxis": {"axisPlacement": "left", "unit": unit},
               "color": {"mode": "scheme", "scheme": "Oranges", "steps": 64, "exponent": 0.5},
               "legend": {"show": True}, "tooltip": {"show": True, "yHistogram": True},
               "filterValues": {"le": 1e-9}}
    asked = query(expr, "{{le}}", format="heatmap")
    return _panel("heatmap", title, description, [asked], width, 8, {}, options)


def table(title, description, expr, hidden=(), width=24):
    """The labels of what the query finds now."""
    shown = _panel("table", title, description,
                   [query(expr, format="table", instant=True, range=False)], width, 6, {},
                   {"showHeader": True})
    shown["transformations"] = [{"id": "organize", "options": {
        "excludeByName": {name: True for name in ("Time", "Value", "__name__", *hidden)}}}]
    return shown


def lay_out(rows):
    """The panels of [(title of a row, its panels)], from left to right and from top to bottom."""
    placed = []
    y = 0
    for title, panels in rows:
        placed.append({"type": "row", "title": title, "collapsed": False, "panels": [],
                       "gridPos": {"x": 0, "y": y, "w": WIDTH, "h": 1}})
        y += 1
        x = tallest = 0
        for panel in panels:
            size = panel["gridPos"]
            if x + size["w"] > WIDTH:
                x, y, tallest = 0, y + tallest, 0
            placed.append({**panel, "gridPos": {"x": x, "y": y, **size}})
            x += size["w"]
            tallest = max(tallest, size["h"])
        y += tallest
    return [{"id": number, **panel} for number, panel in enumerate(placed, 1)]
