"""Programs of other languages as children. When something fails, what they said is part of why."""

import contextlib

from harness.processes import Process
from harness.waiting import Failure

# Debian's grpc-go obeys retry policies only with it.
ENVIRONMENT = {"GRPC_GO_RETRY": "on"}


def running(name, words, environment=None):
    return telling(Process(name, words, environment={**ENVIRONMENT, **(environment or {})}))


@contextlib.contextmanager
def telling(process):
    """The process, until the end of the block."""
    with process:
        try:
            yield process
        except (AssertionError, OSError) as error:
            raise Failure(f"{error}{process.log()}") from None
