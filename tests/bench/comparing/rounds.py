"""In which order cells are measured: A B C, then C B A, so that what drifts slowly meets all."""

# With --quick only what "Done when" needs of a workload: a curve takes seconds per proxy, and of
# `direct` only the latency of a lone RPC counts.
QUICK_CURVE_PROXIES = ("lanekeeper-user",)
QUICK_DIRECT_WORKLOADS = ("unary_1",)


def order(workloads, proxies, rounds, quick):
    """Yields (round, workload, proxy), rounds counted from 1."""
    for round_number in range(1, rounds + 1):
        turn = proxies if round_number % 2 else proxies[::-1]
        for workload in workloads:
            if workload.once and round_number > 1:
                continue
            for proxy in turn:
                if _asked(workload, proxy, quick):
                    yield round_number, workload, proxy


def _asked(workload, proxy, quick):
    if workload.kind in ("idle", "curve") or workload.cores:
        if proxy == "direct":
            return False  # there is no proxy to weigh or to pin
    if quick and workload.kind == "curve":
        return proxy in QUICK_CURVE_PROXIES
    if quick and proxy == "direct":
        return workload.name in QUICK_DIRECT_WORKLOADS
    return True
