"""Ports that nobody listens on, for programs that cannot be told to pick one."""

import contextlib
import os
import random
import socket

from .waiting import Failure


def free_port():
    """Below the ephemeral range: there, a connect to a closed port can get that very port as its
    source and so reach itself, and a connection of a load could hold it."""
    for port in random.sample(range(*port_range()), 100):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise Failure("no free port")


def free_address():
    return f"127.0.0.1:{free_port()}"


def port_range():
    """LANEKEEPER_TEST_PORTS, such as 23100-23299, keeps runs side by side apart."""
    first, last = os.environ.get("LANEKEEPER_TEST_PORTS", "20000-29999").split("-")
    return int(first), int(last) + 1
