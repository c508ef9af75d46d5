"""Where a process listens, and how the different programs spell it."""

import dataclasses
import pathlib
import random

from harness.ports import free_port


@dataclasses.dataclass(frozen=True)
class Endpoint:
    """A TCP port on loopback or a unix socket, in plaintext or TLS."""

    transport: str  # tcp, unix or tls
    port: int = 0
    path: str = ""

    @property
    def address(self):
        """gRPC's spelling, which lanekeeper, go_proxy and the bench tools use."""
        return f"unix://{self.path}" if self.path else f"127.0.0.1:{self.port}"

    @property
    def tls(self):
        return self.transport == "tls"


def new_endpoint(transport, folder):
    if transport == "unix":
        path = pathlib.Path(folder, f"{random.getrandbits(48):x}.sock")
        return Endpoint(transport, path=str(path))
    return Endpoint(transport, port=free_port())
