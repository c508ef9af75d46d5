#!/usr/bin/python3
"""The pages for people: what they lead to and name is there, and none tells what another tells."""

import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]
FOLDERS = ("config", "deploy", "proxy", "tests")
# The golden file is the table of a page, and the changelog speaks of what was.
NOT_PAGES = ("CHANGELOG.md", "tests/golden/metrics.md")
# A run of so many words on two pages is no coincidence.
MOST_WORDS = 8
LINK = re.compile(r"\]\(([^)#\s]*)(?:#([^)\s]+))?\)")


def read_pages():
    paths = [*ROOT.glob("*.md"), *(path for folder in FOLDERS
                                   for path in (ROOT / folder).rglob("*.md"))]
    names = {str(path.relative_to(ROOT)): path for path in paths if "node_modules" not in path.parts}
    return {name: path.read_text() for name, path in names.items() if name not in NOT_PAGES}


def anchors(text):
    """As GitHub makes them of headings."""
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
            for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE)}


def dead_links(pages):
    for name, text in pages.items():
        for path, anchor in LINK.findall(text):
            if ":" in path:
                continue
            target = (ROOT / name).parent / path if path else ROOT / name
            if not target.exists() or (
                    anchor and anchor not in anchors(target.read_text())):
                yield f"{name}: {path}#{anchor}"


def missing_files(pages):
    """Paths from the root, of headers without their end too, and tests that do not exist."""
    tests = {path.name for path in (ROOT / "tests").rglob("*_test*")}
    for name, text in pages.items():
        for path in re.findall(r"(?<![\w./])(?:config|deploy|protos|proxy|tests)/[\w./-]+\w", text):
            there = [ROOT / path, (ROOT / name).parent / path, ROOT / f"{path}.h"]
            if not any(place.exists() for place in there):
                yield f"{name}: {path}"
        for test in re.findall(r"\b\w+_test\.(?:cc|py|mjs)\b", text):
            if test not in tests:
                yield f"{name}: {test}"


def told_twice(pages):
    """Runs of words that stand on two pages; headings, heads of tables and targets of links do not
    count."""
    seen = {}
    for name, text in pages.items():
        text = LINK.sub("]", re.sub(r"(?m)^#.*$|^\|.*\n(?=\|-)", "\0", text))
        for part in text.split("\0"):
            words = re.findall(r"\w[\w.]*", part)
            for at in range(len(words) - MOST_WORDS + 1):
                run = " ".join(words[at:at + MOST_WORDS])
                if seen.setdefault(run, name) != name:
                    yield f"{seen[run]}, {name}: {run}"


class Pages(unittest.TestCase):
    def setUp(self):
        self.pages = read_pages()
        self.assertGreater(len(self.pages), 20)

    def test_links_lead_somewhere(self):
        self.assertEqual([*dead_links(self.pages)], [])

    def test_files_and_tests_named_exist(self):
        self.assertEqual([*missing_files(self.pages)], [])

    def test_no_page_repeats_another(self):
        self.assertEqual([*told_twice(self.pages)], [])

    def test_the_cases_of_wire_are_counted(self):
        folder = ROOT / "tests/conformance"
        cases = sum(len(re.findall(r"^TEST_P\(", path.read_text(), re.MULTILINE))
                    for path in folder.glob("wire/*_test.cc"))
        self.assertIn(f"{cases} cases,", self.pages["tests/conformance/README.md"])

    def sees(self, look, text):
        self.assertEqual([*look(self.pages)], [])
        self.assertNotEqual([*look({**self.pages, "deploy/new.md": text})], [])

    def test_what_is_not_there_is_seen(self):
        self.sees(dead_links, "[a page](no.md)")
        self.sees(dead_links, "[a part](README.md#no-such-part)")
        self.sees(missing_files, "`tests/daemon/no`")
        self.sees(missing_files, "`no_test.cc`")

    def test_what_is_told_again_is_seen(self):
        self.sees(told_twice, "Nothing waits for\nwhoever reads the log: up")


if __name__ == "__main__":
    unittest.main()
