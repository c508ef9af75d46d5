"""What the comparison lets pass and what it does not."""

import json
import pathlib
import tempfile
import unittest

from bench.instructions.counting import callgrind, comparing


def problems(expected, counts):
    return comparing.compare(expected, counts)[1]


class CompareTest(unittest.TestCase):
    EXPECTED = {"unary": {"instructions": 100000, "allocations": 20}}

    def counts(self, instructions, allocations=20):
        return {"unary": {"instructions": instructions, "allocations": allocations}}

    def test_up_to_5_percent_either_way_passes(self):
        for instructions in (95000, 99999, 100000, 105000):
            self.assertEqual(problems(self.EXPECTED, self.counts(instructions)), [])

    def test_more_fails_and_says_by_how_much(self):
        [problem] = problems(self.EXPECTED, self.counts(105100))
        self.assertIn("unary instructions: 105,100.00, expected 100,000.00, +5.10 %", problem)
        self.assertIn("dearer", problem)

    def test_less_fails_and_asks_for_the_update(self):
        [problem] = problems(self.EXPECTED, self.counts(94900))
        self.assertIn("-5.10 %", problem)
        self.assertIn("update the file", problem)

    def test_each_count_is_judged_by_itself(self):
        [problem] = problems(self.EXPECTED, self.counts(100000, 21))
        self.assertIn("unary allocations", problem)

    def test_less_than_half_an_allocation_either_way_passes(self):
        for allocations in (19.5, 20.5):
            self.assertEqual(problems(self.EXPECTED, self.counts(100000, allocations)), [])
        for allocations in (19.4, 20.6):
            self.assertEqual(len(problems(self.EXPECTED, self.counts(100000, allocations))), 1)

    def test_a_case_on_one_side_only_fails(self):
        self.assertIn("nothing counts it", problems(self.EXPECTED, {})[0])
        self.assertIn("not in the file", problems({}, self.counts(1))[0])

    def test_what_was_free_must_stay_free(self):
        self.assertEqual(problems({"a": {"allocations": 0}}, {"a": {"allocations": 0}}), [])
        self.assertEqual(len(problems({"a": {"allocations": 0}}, {"a": {"allocations": 1}})), 1)

    def test_what_an_update_writes_compares_as_equal(self):
        counts = self.counts(123456.789)
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "expected.json")
            self.assertEqual(comparing.read(path), {})
            path.write_text(comparing.to_text(counts))
            self.assertEqual(problems(comparing.read(path), counts), [])

    def test_the_spread_is_from_the_least_to_the_most(self):
        self.assertIn("4.00 %", comparing.spread([self.counts(100), self.counts(104)]))


class CallgrindTest(unittest.TestCase):
    RECORD = """\
events: Ir
ob=(1) /bin/lanekeeper
fl=(1) a.cc
fn=(1) main
+3 10
cfn=(2) (anonymous namespace)::KernelStep(int)
calls=4 12
* 400
cob=(2) /lib/libc.so.6
cfn=(3) malloc
calls=2 0
* 60

fn=(2)
5 100
fi=(2) b.h
+1 40
cob=(2)
cfn=(3)
calls=6 0
-1 260
fn=(3)
0 320
totals: 470
"""

    def setUp(self):
        with tempfile.NamedTemporaryFile("w") as file:
            file.write(self.RECORD)
            file.flush()
            self.record = callgrind.Record(file.name)

    def test_own_instructions_are_summed_and_those_of_calls_are_not(self):
        self.assertEqual(self.record.instructions, 10 + 100 + 40 + 320)

    def test_calls_of_a_function_are_those_of_all_its_callers(self):
        self.assertEqual(self.record.calls("malloc"), 8)
        self.assertEqual(self.record.calls("free"), 0)

    def test_a_call_costs_all_that_happens_in_it(self):
        self.assertEqual(self.record.per_call(r"::Kernel(\w+)\("), {"Step": 100})

    def test_what_is_no_record_is_refused(self):
        with tempfile.NamedTemporaryFile("w") as file:
            file.write("events: Ir\n")
            file.flush()
            self.assertRaises(ValueError, callgrind.Record, file.name)


class ExpectedFileTest(unittest.TestCase):
    def test_it_is_as_an_update_writes_it(self):
        path = pathlib.Path(__file__).resolve().parent.parent / "expected.json"
        text = path.read_text()
        self.assertEqual(comparing.to_text(json.loads(text)), text)


if __name__ == "__main__":
    unittest.main(verbosity=2)
