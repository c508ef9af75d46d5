"""A lanekeeper to run clients through."""

import contextlib
import pathlib
import re
import tempfile
import time
import urllib.request

from .processes import START_TIMEOUT, Failure, describe_exit, running


@contextlib.contextmanager
def lanekeeper(binary, kind, upstream_port, socket=None, tls=None):
    """A running lanekeeper, on this Unix socket or on TCP, under TLS with this pair of files if there
    is one; a clean end of the block demands a clean end of lanekeeper."""
    with tempfile.TemporaryDirectory(prefix="lanekeeper-clients-") as folder:
        config = pathlib.Path(folder, "config.yaml")
        listen = f"unix://{socket}" if socket else "127.0.0.1:0"
        shown = f", tls: {{certificate: {tls[0]}, key: {tls[1]}}}" if tls else ""
        config.write_text(f"listen: [{{address: '{listen}'{shown}}}]\n"
                          f"upstream: {{address: 127.0.0.1:{upstream_port}}}\n"
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
        self.target = f"unix:{socket}" if socket else listening
        self._metrics_url = f"http://{address('metrics')}/metrics"

    def metric(self, name):
        """The sum of a family over its labels; None if it is missing."""
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(self._metrics_url, timeout=10) as answer:
                text = answer.read().decode()
        except OSError as error:
            raise Failure(f"{self._metrics_url}: {error}") from None
        values = re.findall(rf"^{name}(?:\{{.*\}})? (\S+)", text, re.MULTILINE)
        return sum(map(float, values)) if values else None

    def await_metric(self, name, good, want):
        """Some numbers settle a moment after the client has its status."""
        bound = time.monotonic() + 10
        while not good(value := self.metric(name)):
            if time.monotonic() > bound:
                raise Failure(f"{name} is {value}, want {want}")
            time.sleep(0.05)

    def check_settled(self):
        self.await_metric("lanekeeper_streams_open", lambda value: value == 0, "0")
        self.await_metric("lanekeeper_stream_contract_violations_total",
                          lambda value: value == 0, "0")
        self.await_metric("grpc_server_started_total", lambda value: value and value > 0, "> 0")
