"""An upstream and a client of lanekeeper, in Python's gRPC, as children."""

import json
import pathlib

import grpc

from .byte_client import CHANNEL_OPTIONS, call
from .processes import PYTHON, Process
from .waiting import wait_until

HERE = pathlib.Path(__file__).resolve().parent


class Upstream(Process):
    """upstream_server.py; see there for what it serves."""

    def __init__(self, port, *words, host="127.0.0.1", launcher=()):
        super().__init__("upstream", [PYTHON, HERE / "upstream_server.py", f"{host}:{port}",
                                      *words], launcher)
        self.port = int(self.await_line(r"^listening (\d+)$").group(1))
        self.address = f"{host}:{self.port}"

    def counters(self, channel=None):
        """What its handlers have seen, asked directly: on a channel of its own if it has TLS."""
        if channel:
            return json.loads(call(channel, method="/daemon.Counters/Read"))
        with grpc.insecure_channel(self.address, options=CHANNEL_OPTIONS) as plain:
            return self.counters(plain)

    def open_gate(self):
        with grpc.insecure_channel(self.address, options=CHANNEL_OPTIONS) as channel:
            call(channel, method="/daemon.Gate/Open")

    def await_counter(self, name, want):
        last = None

        def reached():
            nonlocal last
            last = self.counters()[name]
            return last == want

        wait_until(reached, lambda: f"{name} handlers: {last}, want {want}")


class Client(Process):
    """client_worker.py; see there for what it can do."""

    def __init__(self, *words):
        super().__init__("client", [PYTHON, HERE / "client_worker.py", *words])
