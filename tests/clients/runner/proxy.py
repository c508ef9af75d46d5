"""A lanekeeper to run clients through."""

import contextlib
import signal
import tempfile

from harness.lanekeeper import Daemon
from harness.processes import describe_exit
from harness.waiting import Failure

from .children import telling

HANDSHAKES = "lanekeeper_tls_handshakes_total"


@contextlib.contextmanager
def lanekeeper(binary, kind, upstream_port, socket=None, tls=None):
    """A running lanekeeper, on this Unix socket or on TCP, with TLS on both its sides if there are
    some; a clean end of the block demands that no RPC is left and a clean end of lanekeeper."""
    listen = {"address": f"unix://{socket}" if socket else "127.0.0.1:0"}
    upstream = {"address": f"127.0.0.1:{upstream_port}"}
    if tls:
        listen["tls"], upstream["tls"] = tls.listen, tls.upstream
    config = {"listen": [listen], "upstream": upstream, "rpc_threads": {"kind": kind},
              "metrics": {"address": "127.0.0.1:0"}, "admin": {"address": "off"}}
    with tempfile.TemporaryDirectory(prefix="lanekeeper-clients-") as folder, \
            telling(Daemon(folder, config, binary=binary)) as daemon:
        daemon.await_start()
        yield daemon
        check_settled(daemon)
        daemon.signal(signal.SIGTERM)
        if (code := daemon.await_exit()) != 0:
            raise Failure(f"lanekeeper: {describe_exit(code)} after SIGTERM, want 0")


def check_settled(daemon):
    daemon.await_metric("lanekeeper_streams_open", 0)
    daemon.await_metric("lanekeeper_stream_contract_violations_total", 0)
    daemon.await_at_least("grpc_server_started_total", 1)
