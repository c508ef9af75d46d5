"""Starts bench-upstream and runs bench-load; for the tests of both."""

import contextlib
import json
import os
import pathlib
import socket
import subprocess
import tempfile
import time

PROGRAMS = pathlib.Path(os.environ["BENCH_PROGRAMS"])
PATIENCE_SECONDS = 30


def free_address():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


@contextlib.contextmanager
def scratch_folder():
    with tempfile.TemporaryDirectory(prefix="bench-load-test-") as folder:
        yield pathlib.Path(folder)


@contextlib.contextmanager
def upstream(*arguments):
    """bench-upstream, until the end of the `with`."""
    process = subprocess.Popen([PROGRAMS / "bench-upstream", *arguments],
                               stdout=subprocess.PIPE, text=True)
    try:
        line = process.stdout.readline()
        if line != "listening\n":
            raise AssertionError(f"bench-upstream said {line!r}")
        yield process
        if process.poll() is not None:
            raise AssertionError(f"bench-upstream has ended: {process.returncode}")
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def load(target, workload, *arguments):
    """What bench-load measured; for a run that could be run."""
    done = run(target, workload, *arguments)
    if done.returncode != 0:
        raise AssertionError(f"bench-load: exit {done.returncode}: {done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def run(target, workload, *arguments):
    return subprocess.run(
        [PROGRAMS / "bench-load", "--target", target, "--workload", workload,
         *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
        stderr=subprocess.PIPE, timeout=PATIENCE_SECONDS)


def make_certificate(folder):
    """A self-signed one; its file and its key's."""
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1",
                    "-subj", "/CN=localhost", "-keyout", key, "-out", certificate],
                   check=True, capture_output=True, timeout=PATIENCE_SECONDS)
    return certificate, key


def wait_until(condition, what):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {PATIENCE_SECONDS} s in vain: {what}")
        time.sleep(0.01)
