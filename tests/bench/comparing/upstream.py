"""The upstream that all proxies forward to: bench-upstream, one process per kind of socket."""

import contextlib
import dataclasses

from .addresses import Endpoint, new_endpoint
from .processes import Measured


@dataclasses.dataclass(frozen=True)
class Upstream:
    pid: int
    endpoint: Endpoint


@contextlib.contextmanager
def upstreams(binary, transports, certificate, folder):
    """Upstreams by transport. The one of tcp is always there: the proxies need it."""
    with contextlib.ExitStack() as stack:
        started = {}
        for transport in dict.fromkeys(("tcp", *transports)):
            endpoint = new_endpoint(transport, folder)
            keys = (["--tls-certificate", certificate.chain, "--tls-key", certificate.key]
                    if endpoint.tls else [])
            child = stack.enter_context(
                Measured(f"upstream-{transport}", [binary, "--listen", endpoint.address, *keys],
                         folder))
            child.await_listening(endpoint.address)
            started[transport] = Upstream(child.pid, endpoint)
        yield started
