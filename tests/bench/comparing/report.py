"""report.md: what was met, then every workload with its medians, spread and ratios."""

from . import criteria
from .figures import median, ratio
from .proxies import OURS
from .workloads import BY_NAME, CURVE_CONNECTIONS

# Columns by the unit that a workload's cost is given in: title, figure, format.
COST = {
    "rpc": ("CPU per RPC", "cpu_us_per_rpc", "{:.1f} µs"),
    "message": ("CPU per message", "cpu_us_per_message", "{:.2f} µs"),
    "byte": ("CPU per byte", "cpu_ns_per_byte", "{:.3f} ns"),
    "stream": ("RSS per stream", "rss_bytes_per_stream", "{:,.0f} B"),
}
RATE = {
    "rpc": ("RPCs/s", "rpcs_per_second", "{:,.0f}"),
    "message": ("messages/s", "messages_per_second", "{:,.0f}"),
    "byte": ("bytes/s", "bytes_per_second", "{:,.0f}"),
}
LATENCY = (("p50", "p50_us", "{:,.0f} µs"), ("p99", "p99_us", "{:,.0f} µs"),
           ("p99.9", "p999_us", "{:,.0f} µs"))
EVENTS = {
    "rpc": (("switches/RPC", "context_switches_per_rpc", "{:.2f}"),
            ("syscalls/RPC", "syscalls_per_rpc", "{:.2f}")),
    "message": (("switches/message", "context_switches_per_message", "{:.2f}"),
                ("syscalls/message", "syscalls_per_message", "{:.2f}")),
}
NOTHING = "–"


def unit_of(workload):
    return BY_NAME[workload].unit if workload in BY_NAME else "rpc"


def describe(workload):
    if workload in BY_NAME:
        return BY_NAME[workload].describe
    idle = workload.rpartition("_")[2]
    return (f"unary, h2load, 128 streams over 1 connection, 100 B, tcp; beside {idle} idle streams "
            f"over {CURVE_CONNECTIONS} connections of the same proxy process")


def columns(unit):
    """What a table shows for that unit, cost first."""
    if unit == "stream":
        return (COST[unit],)
    return (COST[unit], RATE[unit], *LATENCY, *EVENTS["rpc" if unit == "rpc" else "message"])


def shown(value, form):
    return NOTHING if value is None else form.format(value)


def cell_texts(results, workload, proxy):
    """The cells of one row of a table: cost, its spread, its ratio, then the other columns. A proxy
    that erred has its reason instead."""
    unit = unit_of(workload)
    cell = results.cell(workload, proxy)
    if not cell.measured:
        return [cell.error or "not measured"]
    (_, cost, form), *others = columns(unit)
    low_high = cell.spread(cost)
    between = f"{form.format(low_high[0])} to {form.format(low_high[1])}" if low_high else NOTHING
    ours = results.cell(workload, OURS).median(cost)
    relative = ratio(cell.median(cost), ours)
    return [shown(cell.median(cost), form), between, shown(relative, "{:.2f}"),
            *(shown(cell.median(figure), form) for _, figure, form in others)]


def _table(header, rows):
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _workload_section(results, workload):
    cost, *others = columns(unit_of(workload))
    header = ["proxy", cost[0], "spread", f"ratio to {OURS}", *(title for title, *_ in others)]
    rows = []
    for proxy in results.proxies():
        texts = cell_texts(results, workload, proxy)
        row = [proxy, *(text.replace("|", "/") for text in texts)]
        rows.append(row + [""] * (len(header) - len(row)))
    return f"### {workload}\n\n{describe(workload)}\n\n{_table(header, rows)}\n"


def verdicts(results):
    """The table of "Done when"."""
    rows = [[verdict.line, f"at most {verdict.limit}", verdict.measured, verdict.met]
            for verdict in criteria.evaluate(results)]
    return _table(["line", "limit", "measured", ""], rows)


def others_note(results):
    """How quiet the machine was."""
    shares = [row.others_cpu_share for row in results.rows if row.others_cpu_share is not None]
    if not shares:
        return "How quiet the machine was is not known: nothing was measured over time."
    return (f"CPU time of the machine that went to others while it was measured: median "
            f"{median(shares):.1%}, at most {max(shares):.1%}.")


def markdown(results, facts, versions, notes, plots):
    """The whole report. `facts` and `versions` by name, `notes` sentences, `plots` file names."""
    parts = ["# tests/bench/compare\n"]
    parts.append(_table(["", ""], [[name, value] for name, value in facts.items()]) + "\n")
    parts.append("Versions: " + ", ".join(f"{name} {version}" for name, version in versions.items())
                 + "\n")
    parts += [f"{note}\n" for note in (*notes, others_note(results))]
    parts.append(f"## Done when\n\n{verdicts(results)}\n")
    parts += [f"![{plot.removesuffix('.svg')}]({plot})\n" for plot in plots]
    parts.append("## Workloads\n\nMedians over the rounds; spread is smallest to largest. CPU is "
                 "of the proxy's whole process tree, of `direct` that of the upstream itself.\n")
    parts += [_workload_section(results, workload) for workload in results.workloads()]
    return "\n".join(parts)


def terminal_line(row):
    """One row as it is measured."""
    start = f"{row.round:>2}  {row.workload:<20} {row.proxy:<18}"
    if row.error:
        return f"{start} {row.error}"
    texts = []
    for title, figure, form in columns(unit_of(row.workload)):
        value = getattr(row, figure)
        if value is not None:
            texts.append(f"{title} {form.format(value)}")
    return f"{start} {'  '.join(texts)}"
