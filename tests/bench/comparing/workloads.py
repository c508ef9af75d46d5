"""What is asked of every proxy: one table. Sizes are payload bytes, without gRPC's five."""

import dataclasses

KB = 1000
MB = 1000 * 1000


@dataclasses.dataclass(frozen=True)
class Workload:
    """`kind` says who drives it: `unary` h2load, `idle` and `curve` their own steps, every other
    one bench-load under that name. `unit` is what CPU time is divided by. `cores`, if set, pins the
    proxy to that many. `once`: a figure of memory, not of time; one round will do."""

    name: str
    kind: str
    streams: int  # in flight or open at once, over all connections
    connections: int
    size: int
    unit: str = "rpc"
    transport: str = "tcp"
    cores: int = 0
    once: bool = False
    quick: bool = False  # part of --quick

    @property
    def describe(self):
        what = {"unary": "unary, h2load", "idle": "idle streams", "churn": "connection churn",
                "curve": "unary beside idle streams"}.get(self.kind, self.kind)
        pinned = f", proxy on {self.cores} core(s)" if self.cores else ""
        return (f"{what}, {self.streams} streams over {self.connections} connection(s), "
                f"{self.size} B, {self.transport}{pinned}")


def unary(name, streams, connections=1, size=100, **more):
    return Workload(name, "unary", streams, connections, size, **more)


def streaming(name, kind, streams, size, connections=1, unit="message", **more):
    return Workload(name, kind, streams, connections, size, unit, **more)


# How many idle streams a `curve` opens, step after step, in the same process.
CURVE_STEPS = (0, 2000, 10000)
QUICK_CURVE_STEPS = (0, 10000)
CURVE_CONNECTIONS = 10

# Where in-flight RPCs do not divide evenly over connections (16 or 128 over 100), and where the
# count of connections can only repeat what a neighbour shows, the combination is left out.
ALL = (
    unary("unary_1", 1, quick=True),
    unary("unary_16", 16),
    unary("unary_16_4c", 16, 4),
    unary("unary_128", 128, quick=True),
    unary("unary_128_4c", 128, 4),
    unary("unary_1000", 1000),
    unary("unary_1000_4c", 1000, 4),
    unary("unary_1000_100c", 1000, 100),
    unary("unary_10KB", 16, size=10 * KB),
    unary("unary_1MB", 4, size=MB, unit="byte"),
    streaming("ping_pong_1", "ping_pong", 1, 100),
    streaming("ping_pong_32", "ping_pong", 32, 100, quick=True),
    streaming("ping_pong_200", "ping_pong", 200, 100, quick=True),
    streaming("bulk_100B", "bulk", 8, 100, quick=True),
    streaming("bulk_10KB", "bulk", 8, 10 * KB),
    streaming("bulk_1MB", "bulk", 4, MB, unit="byte", quick=True),
    streaming("mixed", "mixed", 8, 100 * KB, unit="byte"),
    streaming("fanout", "fanout", 8, 100),
    streaming("churn", "churn", 8, 100, connections=8, unit="rpc"),
    unary("unary_128_1core", 128, cores=1),
    unary("unary_128_2cores", 128, cores=2),
    unary("unary_128_unix", 128, transport="unix"),
    streaming("ping_pong_32_unix", "ping_pong", 32, 100, transport="unix"),
    unary("unary_128_tls", 128, transport="tls"),
    Workload("idle_2000", "idle", 2000, 10, 100, "stream", once=True, quick=True),
    Workload("idle_10000", "idle", 10000, 100, 100, "stream", once=True),
    Workload("idle_50000", "idle", 50000, 100, 100, "stream", once=True),
    Workload("curve", "curve", 128, 1, 100, quick=True),
)

BY_NAME = {workload.name: workload for workload in ALL}


def curve_name(idle):
    """The row of a curve's step in the results."""
    return f"unary_128_beside_{idle}"
