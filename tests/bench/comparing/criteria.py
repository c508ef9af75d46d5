"""The issue's "Done when": each line, its limit, and what this run measured."""

import dataclasses

from .figures import ratio
from .workloads import CURVE_STEPS, curve_name

KILO = 1000  # the limits are in KB


@dataclasses.dataclass(frozen=True)
class Verdict:
    line: str
    limit: str
    measured: str
    met: str  # "met", "not met" or "not measured"


def evaluate(results):
    """The verdict of every line, in the issue's order."""
    user, kernel = "lanekeeper-user", "lanekeeper-kernel"
    lines = []

    def compare(line, limit, value, base_name):
        lines.append(_verdict(line, f"{limit} × {base_name}", value, limit))

    def cost(line, workload, figure, limit, base):
        compare(line, limit, ratio(_median(results, workload, user, figure),
                                   _median(results, workload, base, figure)), base)

    cost("unary 100 B, 128 in flight: CPU per RPC", "unary_128", "cpu_us_per_rpc", 0.55, "grpc-go")
    cost("unary 100 B, 128 in flight: CPU per RPC", "unary_128", "cpu_us_per_rpc", 0.8, "nginx")
    compare("sequential unary: p50 latency added over direct", 0.7,
            ratio(_added(results, user), _added(results, "grpc-go")), "grpc-go")
    for streams in (32, 200):
        cost(f"ping-pong, {streams} streams: CPU per message", f"ping_pong_{streams}",
             "cpu_us_per_message", 1.0, "grpc-go")
    cost("bulk 100 B messages: CPU per message", "bulk_100B", "cpu_us_per_message", 1.0, "grpc-go")
    for peer in ("nghttpx", "haproxy"):
        cost("1 MB messages: CPU per byte", "bulk_1MB", "cpu_ns_per_byte", 0.5, peer)
    for proxy, limit in ((user, 20), (kernel, 40)):
        held = _dearest_idle(results, proxy)
        lines.append(_verdict(f"idle stream, {proxy}" + (f" ({held[0]} open)" if held else ""),
                              f"{limit} KB", held and held[1] / KILO, limit, " KB"))
    compare("kernel threads: unary CPU per RPC", 2.0,
            ratio(_median(results, "unary_128", kernel, "cpu_us_per_rpc"),
                  _median(results, "unary_128", user, "cpu_us_per_rpc")), user)
    most = CURVE_STEPS[-1]
    compare(f"CPU per RPC with {most} idle streams open", 1.1,
            ratio(_median(results, curve_name(most), user, "cpu_us_per_rpc"),
                  _median(results, curve_name(0), user, "cpu_us_per_rpc")), "with none")
    return lines


def _verdict(line, limit_text, value, limit, unit=" ×"):
    if value is None:
        return Verdict(line, limit_text, "–", "not measured")
    return Verdict(line, limit_text, f"{value:.2f}{unit}", "met" if value <= limit else "not met")


def _median(results, workload, proxy, figure):
    return results.cell(workload, proxy).median(figure)


def _added(results, proxy):
    """Microseconds that a proxy adds to a lone RPC."""
    through = _median(results, "unary_1", proxy, "p50_us")
    direct = _median(results, "unary_1", "direct", "p50_us")
    return None if None in (through, direct) else through - direct


def _dearest_idle(results, proxy):
    """(streams, bytes per stream) of the idle workload in which a stream costs most, of those that
    were measured: the limit holds for each."""
    cells = [(name, results.cell(name, proxy)) for name in results.workloads()
             if name.startswith("idle_")]
    costs = [(name.removeprefix("idle_"), cell.median("rss_bytes_per_stream"))
             for name, cell in cells]
    return max((cost for cost in costs if cost[1] is not None), key=lambda cost: cost[1],
               default=None)
