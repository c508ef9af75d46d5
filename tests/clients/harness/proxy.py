"""A lanekeeper to run clients through."""

import contextlib
import json
import pathlib
import re
import tempfile
import time
import urllib.request

from .processes import START_TIMEOUT, Failure, describe_exit, running

HANDSHAKES = "lanekeeper_tls_handshakes_total"


@contextlib.contextmanager
def lanekeeper(binary, kind, upstream_port, socket=None, tls=None):
    """A running lanekeeper, on this Unix socket or on TCP, with TLS on both its sides if there are
    some; a clean end of the block demands a clean end of lanekeeper."""
    with tempfile.TemporaryDirectory(prefix="lanekeeper-clients-") as folder:
        config = pathlib.Path(folder, "config.yaml")
        listen = {"address": f"unix://{socket}" if socket else "127.0.0.1:0"}
        upstream = {"address": f"127.0.0.1:{upstream_port}"}
        if tls:
            listen["tls"], upstream["tls"] = tls.listen, tls.upstream
        config.write_text(f"listen: [{json.dumps(listen)}]\n"
                          f"upstream: {json.dumps(upstream)}\n"
                          f"rpc_threads: {{kind: {kind}}}\n"
                          "metrics: {address: 127.0.0.1:0}\n"
                          "admin: {address: off}\n")
        with running("lanekeeper", [binary, "--config", config]) as process:
            proxy = Lanekeeper(process, socket)
            try:
                yield proxy
            except Failure as failure:
                raise Failure(f"{failure}{process.log()}") from None
            code = process.terminate()
            if code != 0:
                raise Failure(f"lanekeeper: {describe_exit(code)} after SIGTERM, want 0{process.log()}")


class Lanekeeper:
    def __init__(self, process, socket):
        def address(what):
            return process.await_line(rf"{what} on (unix:|127\.0\.0\.1:\d+)", START_TIMEOUT).group(1)

        listening = address("listening")
        self.process = process
        self.target = f"unix:{socket}" if socket else listening
        self._metrics_url = f"http://{address('metrics')}/metrics"

    def metric(self, name, **labels):
        """The sum of a family's samples that have these labels; None if there are none."""
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(self._metrics_url, timeout=10) as answer:
                text = answer.read().decode()
        except OSError as error:
            raise Failure(f"{self._metrics_url}: {error}") from None
        wanted = {f'{label}="{value}"' for label, value in labels.items()}
        samples = re.findall(rf"^{name}(?:\{{(.*)\}})? (\S+)", text, re.MULTILINE)
        values = [float(value) for has, value in samples if wanted <= set(has.split(","))]
        return sum(values) if values else None

    def await_metric(self, name, good, want, **labels):
        """Some numbers settle a moment after the client has its status."""
        bound = time.monotonic() + 10
        while not good(value := self.metric(name, **labels)):
            if time.monotonic() > bound:
                raise Failure(f"{name} is {value}, want {want}")
            time.sleep(0.05)

    def check_settled(self):
        self.await_metric("lanekeeper_streams_open", lambda value: value == 0, "0")
        self.await_metric("lanekeeper_stream_contract_violations_total",
                          lambda value: value == 0, "0")
        self.await_metric("grpc_server_started_total", lambda value: value and value > 0, "> 0")
