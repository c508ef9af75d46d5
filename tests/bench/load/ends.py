"""Starts bench-upstream and runs bench-load; for the tests of both."""

import contextlib
import json
import os
import pathlib
import subprocess
import tempfile

from harness.processes import Process
from harness.waiting import Failure

PROGRAMS = pathlib.Path(os.environ["BENCH_PROGRAMS"])
PATIENCE_SECONDS = 30


@contextlib.contextmanager
def scratch_folder():
    with tempfile.TemporaryDirectory(prefix="bench-load-test-") as folder:
        yield pathlib.Path(folder)


@contextlib.contextmanager
def upstream(*arguments):
    """bench-upstream, until the end of the `with`."""
    with Process("bench-upstream", [PROGRAMS / "bench-upstream", *arguments]) as process:
        process.await_line("^listening$")
        yield process
        if not process.running():
            raise Failure(f"bench-upstream has ended{process.log()}")


def load(target, workload, *arguments):
    """What bench-load measured; for a run that could be run."""
    done = run(target, workload, *arguments)
    if done.returncode != 0:
        raise Failure(f"bench-load: exit {done.returncode}: {done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def run(target, workload, *arguments):
    return subprocess.run(
        [PROGRAMS / "bench-load", "--target", target, "--workload", workload,
         *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
        stderr=subprocess.PIPE, timeout=PATIENCE_SECONDS)


class Idle(Process):
    """bench-load that holds idle streams open until its stdin is closed."""

    def __init__(self, target, streams, *arguments):
        super().__init__("bench-load", [PROGRAMS / "bench-load", "--target", target, "--workload",
                                        "idle", "--streams", streams, *arguments])
        self.await_line("^ready$")

    def result(self):
        """What it measured, once it has ended by itself."""
        return json.loads(self.await_line(r"^\{.*\}$", bound=PATIENCE_SECONDS).group())
