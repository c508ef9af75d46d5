"""The pages of deploy/recipes, as the tests read them."""

import dataclasses
import pathlib
import re

FOLDER = pathlib.Path(__file__).resolve().parent.parent.parent / "deploy/recipes"
COLUMNS = ["application", "workers", "direct, TCP", "direct, unix socket", "lanekeeper, TCP",
           "lanekeeper, unix socket"]
WAYS = COLUMNS[2:]


@dataclasses.dataclass
class Figures:
    """One row: how many workers, and the connections at the upstream for each way to it."""

    workers: int
    connections: dict


def cells(line):
    return [cell.strip() for cell in line.strip("|").split("|")]


def rows(text):
    """{application: Figures} of the one table of figures in a page."""
    lines = text.splitlines()
    start = next(number for number, line in enumerate(lines) if cells(line) == COLUMNS)
    found = {}
    for line in lines[start + 2:]:
        if not line.startswith("|"):
            break
        application, workers, *connections = cells(line)
        found[application] = Figures(int(workers), dict(zip(WAYS, map(int, connections))))
    return found


def figures(page, application):
    found = rows((FOLDER / f"{page}.md").read_text())
    if application not in found:
        raise AssertionError(f"{page}.md has no figures of {application!r}, but of {list(found)}")
    return found[application]


def code_blocks(text):
    """[(language, code)] of a page."""
    return re.findall(r"^```(\w+)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
