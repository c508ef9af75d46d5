"""Counts the kernels of tests/bench/micro: the functions that the micro-benchmarks time."""

import os
import pathlib
import subprocess

from . import callgrind


def count(program, folder):
    """Instructions of one call, on average; Google Benchmark decides how many there are."""
    record = pathlib.Path(folder, "kernels")
    words = callgrind.command(record, [program, "--benchmark_min_time=0.01"])
    run = subprocess.run(words, env={**os.environ, **callgrind.ENVIRONMENT}, capture_output=True,
                         text=True, timeout=120)
    if run.returncode != 0 or "ERROR OCCURRED" in run.stdout:
        raise RuntimeError(f"{program} failed:\n{run.stdout}{run.stderr}")
    per_call = callgrind.Record(record).per_call(r"::Kernel(\w+)\(")
    return {f"kernel {name}": {"instructions": each} for name, each in per_call.items()}
