"""One cell: a workload through one proxy, on a process started for it. What goes wrong ends up in
the row, not in an exception: the other cells go on."""

import contextlib

from harness.waiting import Failure

from .addresses import new_endpoint
from .proc import Vanished
from .rows import Row
from .steps import Steps


class Cells:
    """`upstreams` by transport, each with `pid` and `endpoint`; proxies forward to the one of tcp,
    the others are for the proxy `direct`."""

    def __init__(self, proxies, upstreams, drivers):
        self._proxies = proxies
        self._upstreams = upstreams
        self._drivers = drivers

    def measure(self, workload, proxy, round_number):
        """The rows of one round: one, or one per step of a curve."""
        row = Row(round_number, workload.name, workload.transport, proxy, streams=workload.streams)
        if reason := self._proxies.cannot(proxy, workload.transport):
            row.error = reason
            return [row]
        rows = []
        try:
            with self._started(workload, proxy) as (pid, endpoint):
                for done in self._steps(workload, pid, endpoint).run(row):
                    rows.append(done)
        except (Failure, Vanished) as failure:
            row.error = row.error or str(failure)
            rows.append(row)
        for each in rows:
            if each.error:
                each.error = f"errors: {each.error}"
        return rows

    def _steps(self, workload, pid, endpoint):
        return Steps(self._drivers, workload, pid, endpoint, self._upstreams["tcp"].pid)

    @contextlib.contextmanager
    def _started(self, workload, proxy):
        """The process id whose tree is measured, and where the load connects."""
        if proxy == "direct":
            upstream = self._upstreams[workload.transport]
            yield upstream.pid, upstream.endpoint
            return
        listen = new_endpoint(workload.transport, self._drivers.folder)
        child = self._proxies.start(proxy, listen, self._upstreams["tcp"].endpoint, workload.cores)
        try:
            yield child.pid, listen
        finally:
            child.stop()
