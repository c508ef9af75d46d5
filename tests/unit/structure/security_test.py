#!/usr/bin/python3
"""SECURITY.md says what is there: its limits are the code's, its metrics and tests exist."""

import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]
SECURITY = (ROOT / "SECURITY.md").read_text()
FLOOD_GUARD = (ROOT / "proxy/http2/flood_guard.h").read_text()


def limits_of_the_code():
    """(kind, at once, a second), as in the two tables of flood_guard.h."""
    kinds = re.findall(r'\{"(\w+)", http2::FloodKind::\w+\}', FLOOD_GUARD)
    limits = re.findall(r"^ +\{(\d+), (\d+)\},", FLOOD_GUARD, re.MULTILINE)
    assert len(kinds) == len(limits), (kinds, limits)
    return [(kind, *limit) for kind, limit in zip(kinds, limits)]


class Security(unittest.TestCase):
    def test_the_limits_of_floods_are_those_of_the_code(self):
        shown = re.findall(r"^\| `(\w+)` \| (\d+) \| (\d+) \|", SECURITY, re.MULTILINE)
        self.assertEqual(shown, limits_of_the_code())

    def test_metrics_named_exist(self):
        golden = (ROOT / "tests/golden/metrics.md").read_text()
        named = set(re.findall(r"`((?:lanekeeper|grpc)_\w+)", SECURITY))
        self.assertGreater(len(named), 5)
        for name in named:
            self.assertIn(f"`{name}`", golden)

    def test_keys_named_exist(self):
        reference = (ROOT / "config/reference.yaml").read_text()
        named = set(re.findall(r"`(limits|stuck|metrics|admin)\.(\w+)", SECURITY))
        self.assertGreater(len(named), 3)
        for section, key in named:
            self.assertRegex(reference, rf"(?ms)^{section}:\n(?:(?!^\w).)*?^  {key}:")

    def test_tests_named_exist(self):
        tests = {f"{suite}.{name}" for path in (ROOT / "tests").rglob("*_test.cc")
                 for suite, name in re.findall(r"^TEST(?:_P|_F)?\((\w+), (\w+)\)",
                                               path.read_text(), re.MULTILINE)}
        named = set(re.findall(r"`(\w+Test\.\w+)`", SECURITY))
        self.assertGreater(len(named), 20)
        self.assertLessEqual(named, tests)
        for name in re.findall(r"`daemon\.(\w+)`", SECURITY):
            self.assertTrue((ROOT / f"tests/daemon/{name}_test.py").is_file(), name)

    def test_every_attack_has_a_test(self):
        table = SECURITY[SECURITY.index("| attack |"):].split("\n\n")[0]
        for row in table.splitlines()[2:]:
            self.assertRegex(row, r"`(\w+Test\.\w+|daemon\.\w+)` \|$", row)


if __name__ == "__main__":
    unittest.main()
