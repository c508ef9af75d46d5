"""SVG plots of the medians: cost as bars, latency, and the curves over idle streams and cores."""

import matplotlib

matplotlib.use("svg")
matplotlib.rcParams["svg.hashsalt"] = "lanekeeper"  # the same figures give the same file
matplotlib.rcParams["svg.fonttype"] = "none"
from matplotlib import pyplot

from .report import COST, unit_of
from .workloads import curve_name

COLOURS = {"lanekeeper-user": "#1f6f8b", "lanekeeper-kernel": "#7fb7c9", "grpc-go": "#d1495b",
           "nginx": "#6a994e", "haproxy": "#edae49", "nghttpx": "#7a5195", "direct": "#888888"}


def draw(results, folder):
    """Writes what the results have figures for. Returns the file names."""
    drawn = []
    for unit, (title, figure, form) in COST.items():
        workloads = [name for name in results.workloads()
                     if unit_of(name) == unit and "_beside_" not in name and "core" not in name]
        scaled = f"{title} ({form.split()[-1]})"
        drawn += _bars(results, workloads, figure, scaled, folder / f"cost_per_{unit}.svg",
                       without=("direct",))
    lone = [name for name in ("unary_1", "ping_pong_1") if name in results.workloads()]
    drawn += _bars(results, lone, "p50_us", "p50 latency of a lone RPC or round trip (µs)",
                   folder / "latency_alone.svg")
    busy = [name for name in results.workloads() if name.startswith("unary_128")
            and "_beside_" not in name and "core" not in name]
    drawn += _bars(results, busy, "p99_us", "p99 latency, 128 in flight (µs)",
                   folder / "latency_busy.svg")
    steps = sorted(int(name.rpartition("_")[2]) for name in results.workloads()
                   if "_beside_" in name)
    drawn += _lines(results, [(step, curve_name(step)) for step in steps], "idle streams open",
                    folder / "curve_idle_streams.svg")
    cores = [(1, "unary_128_1core"), (2, "unary_128_2cores")]
    present = [point for point in cores if point[1] in results.workloads()]
    drawn += _lines(results, present, "cores of the proxy", folder / "curve_cores.svg")
    return [path.name for path in drawn]


def _bars(results, workloads, figure, title, path, without=()):
    """A group of bars per workload, a bar per proxy; whiskers from smallest to largest. A cell that
    erred has no bar."""
    proxies = [proxy for proxy in results.proxies() if proxy not in without
               and any(results.cell(name, proxy).median(figure) is not None for name in workloads)]
    if not workloads or not proxies:
        return []
    drawing, axes = pyplot.subplots(figsize=(max(6, 1.1 * len(workloads) + 2), 4.2))
    width = 0.84 / len(proxies)
    for index, proxy in enumerate(proxies):
        cells = [(place, results.cell(name, proxy)) for place, name in enumerate(workloads)]
        cells = [(place, cell) for place, cell in cells if cell.median(figure) is not None]
        middles = [cell.median(figure) for _, cell in cells]
        whiskers = [[middle - cell.spread(figure)[0] for middle, (_, cell) in zip(middles, cells)],
                    [cell.spread(figure)[1] - middle for middle, (_, cell) in zip(middles, cells)]]
        axes.bar([place - 0.42 + (index + 0.5) * width for place, _ in cells], middles, width,
                 yerr=whiskers, label=proxy, color=COLOURS.get(proxy), ecolor="#444444",
                 error_kw={"elinewidth": 0.8})
    axes.set_xticks(range(len(workloads)), workloads, rotation=25, ha="right")
    logarithmic = _spans_decades(results, workloads, proxies, figure)
    if logarithmic:
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter("{x:g}")
    axes.set_ylabel(title + (", log scale" if logarithmic else ""))
    return _save(drawing, axes, path)


def _spans_decades(results, workloads, proxies, figure):
    values = [value for name in workloads for proxy in proxies
              if (value := results.cell(name, proxy).median(figure))]
    return bool(values) and min(values) > 0 and max(values) / min(values) > 30


def _lines(results, points, label, path):
    """CPU per RPC over `points`, (x, workload): a line per proxy."""
    if len(points) < 2:
        return []
    drawing, axes = pyplot.subplots(figsize=(6, 4.2))
    for proxy in results.proxies():
        known = [(x, value) for x, name in points
                 if (value := results.cell(name, proxy).median("cpu_us_per_rpc")) is not None]
        if known and proxy != "direct":
            axes.plot(*zip(*known), marker="o", label=proxy, color=COLOURS.get(proxy))
    axes.set_xticks([x for x, _ in points])
    axes.set_xlabel(label)
    axes.set_ylabel("CPU per RPC (µs), unary, 128 in flight")
    axes.set_ylim(bottom=0)
    return _save(drawing, axes, path)


def _save(drawing, axes, path):
    axes.grid(axis="y", alpha=0.3)
    axes.legend(fontsize="small", ncols=4, loc="lower left", bbox_to_anchor=(0, 1), frameon=False)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    drawing.tight_layout()
    drawing.savefig(path, metadata={"Date": None})
    pyplot.close(drawing)
    return [path]
