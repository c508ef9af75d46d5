"""Compares counts with those that are expected. Counts are {case: {what: number}}."""

import json

# Above what the same build varies by from run to run (README.md), below what anybody should add
# without saying so: a share of the instructions, and not one allocation.
INSTRUCTIONS_SHARE = 0.05
ALLOCATIONS = 0.5


def read(path):
    return json.loads(path.read_text()) if path.exists() else {}


def to_text(counts):
    return json.dumps({case: {what: round(number, 2) for what, number in sorted(each.items())}
                       for case, each in sorted(counts.items())}, indent=2) + "\n"


def _flat(counts):
    return {f"{case} {what}": number for case, each in counts.items()
            for what, number in each.items()}


def compare(expected, counts):
    """The table of all, and what is wrong, one line each."""
    expected, counts = _flat(expected), _flat(counts)
    rows, problems = [], []
    for name in sorted(expected.keys() | counts.keys()):
        if name not in counts:
            problems.append(f"{name} is in the file, but nothing counts it: update the file")
        elif name not in expected:
            problems.append(f"{name} is not in the file: update the file")
        else:
            rows.append(_row(name, expected[name], counts[name]))
            problems += _judge(name, expected[name], counts[name])
    return "\n".join(rows), problems


def _row(name, expected, counted):
    return f"{name:<36} {counted:>12,.2f}   expected {expected:>12,.2f} {_change(expected, counted)}"


def _judge(name, expected, counted):
    allocations = name.endswith("allocations")
    if abs(counted - expected) <= (ALLOCATIONS if allocations else INSTRUCTIONS_SHARE * expected):
        return []
    change = f"{name}: {counted:,.2f}, expected {expected:,.2f}, {_change(expected, counted)}"
    if counted > expected:
        return [f"{change}: dearer than it was"]
    return [f"{change}: cheaper than it was; update the file, so that it stays so"]


def _change(expected, counted):
    return f"{100 * (counted / expected - 1):+.2f} %" if expected else "from 0"


def spread(runs):
    """How far the counts of several runs lie apart, as a table."""
    flat = [_flat(run) for run in runs]
    rows = []
    for name in sorted(flat[0]):
        numbers = [run[name] for run in flat]
        share = (max(numbers) - min(numbers)) / min(numbers) if min(numbers) else 0
        rows.append(f"{name:<36} {min(numbers):>12,.2f} to {max(numbers):>12,.2f}  "
                    f"{100 * share:.2f} %")
    return "\n".join(rows)
