"""deploy/troubleshooting.md as tests: a row is held when what it quotes is seen after its case."""

import dataclasses
import pathlib
import re

import grpc

from harness.byte_client import call
from harness.peers import Upstream
from harness.waiting import wait_until
from raw_upstream import RawUpstream
from stuck_streams import StuckTest


PAGE = pathlib.Path(__file__).resolve().parents[2] / "deploy/troubleshooting.md"
# What stands for something else.
STANDS_FOR = {"ADDRESS": r"\S+", "FILE": r"\S+", "KEY": r"[\w.\[\]]+", "N": r"[\d.]+", "...": ".*"}
STAND_IN = re.compile(r"(\b(?:ADDRESS|FILE|KEY|N)\b|\.\.\.)")
# Of a line of the log, before its text.
LOG_HEAD = re.compile(r"^\S+Z (?:info|warn|error) ")
CONDITION = re.compile(r"`(\w+)(?:\{(.*?)\})?` (is|above|grows) ?([\d.]*)$")


@dataclasses.dataclass
class Row:
    symptom: str
    case: str

    @property
    def quotes(self):
        return re.findall(r"`([^`]+)`", self.symptom)


def read_page():
    """The rows of each table, by its heading."""
    tables = {}
    for section in re.split(r"^## ", PAGE.read_text(), flags=re.MULTILINE)[1:]:
        heading, *lines = section.splitlines()
        cells = [re.split(r" \| ", line.strip("| ")) for line in lines if line.startswith("|")]
        tables[heading] = [Row(row[0], row[-1].strip("`")) for row in cells[2:]]
    return tables


TABLES = read_page()


def pattern(quote):
    return re.compile("".join(STANDS_FOR.get(part) or re.escape(part)
                              for part in STAND_IN.split(quote)))


def is_said(quote, lines):
    return any(pattern(quote).fullmatch(LOG_HEAD.sub("", line)) for line in list(lines))


def holds(heading):
    """Gives a class a test for each row below that heading, and one for the table."""
    def add(cls):
        for row in TABLES[heading]:
            setattr(cls, f"test_{row.case}", lambda self, row=row: self.hold(row))
        cls.test_each_row_has_a_case_and_each_case_a_row = lambda self: self.assertEqual(
            sorted(row.case for row in TABLES[heading]),
            sorted(name[5:] for name in dir(cls) if name.startswith("case_")))
        return cls

    return add


class TroubleTest(StuckTest):
    """hold() runs a row's case, case_NAME, and then looks for what the row quotes."""

    @classmethod
    def setUpClass(cls):
        cls.upstream = Upstream(0)
        cls.addClassCleanup(cls.upstream.kill)

    def case(self, row):
        return getattr(self, f"case_{row.case}")()

    def hold(self, row):
        lines = self.case(row)
        self.assertTrue(row.quotes)
        for quote in row.quotes:
            self.assertTrue(is_said(quote, lines), f"{quote!r} is not among {lines}")

    def start(self, *arguments, **options):
        self.daemon = super().start(*arguments, **options)
        self.calm = self.daemon.scrape()
        return self.daemon

    def start_raw(self, answer=lambda stream: b"", **options):
        upstream = RawUpstream(answer, **options)
        self.stack.callback(upstream.close)
        return upstream

    def told_by(self, upstream, **sections):
        self.start_daemon(upstream, **sections)
        return self.told()

    def open_call(self):
        """An RPC that is never answered."""
        rpc = self.channel.unary_unary("/daemon.Silent/Wait").future(b"", timeout=120)
        self.stack.callback(rpc.cancel)
        return rpc

    def told(self, *arguments, **options):
        """The status of an RPC that must fail, in lanekeeper's words."""
        return self.words(self.error(self.channel, *arguments, **options))

    def error(self, channel, *arguments, **options):
        with self.assertRaises(grpc.RpcError) as raised:
            call(channel, *arguments, **options)
        return raised.exception

    def words(self, rpc):
        self.assertRegex(rpc.details(), "^lanekeeper")
        return [rpc.code().name, rpc.details().removeprefix("lanekeeper: ")]


class LogTest(TroubleTest):
    def hold(self, row):
        self.case(row)
        for quote in row.quotes:
            wait_until(lambda: is_said(quote, self.daemon.lines), f"a line {quote!r}")


class MetricTest(TroubleTest):
    """The numbers at the start must be others."""

    def hold(self, row):
        name, labels, relation, number = CONDITION.match(row.symptom).groups()
        labels = dict(re.findall(r'(\w+)="(.*?)"', labels or ""))

        def value(scrape):
            if scrape.types.get(name) != "histogram":
                return scrape.value(name, **labels)
            # How often it was more than this border of a bucket.
            borders = {has["le"] for sample, has, _ in scrape.samples if sample == f"{name}_bucket"}
            self.assertIn(number, borders)
            return (scrape.value(f"{name}_count", **labels)
                    - scrape.value(f"{name}_bucket", le=number, **labels))

        def reached(scrape):
            if relation == "is":
                return value(scrape) == float(number)
            if relation == "grows":
                return value(scrape) > value(self.calm)
            return value(scrape) > (0 if scrape.types.get(name) == "histogram" else float(number))

        self.case(row)
        self.assertFalse(reached(self.calm))
        wait_until(lambda: reached(self.daemon.scrape()), row.symptom)
