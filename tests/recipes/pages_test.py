#!/usr/bin/python3
"""The pages of deploy/recipes hold to the examples and to lanekeeper: their code is the examples'
code, their configuration one that lanekeeper takes, their links lead somewhere."""

import pathlib
import re
import subprocess

import yaml

from harness.lanekeeper import LANEKEEPER
from recipe import RecipeTest, main, pages

LANGUAGES = ["python", "ruby", "node", "go", "java", "cpp"]
LINES_MAX = 99
OF_LANEKEEPER = "yaml"
GOLDEN = pathlib.Path(__file__).resolve().parent.parent / "golden/metrics.md"


class Pages(RecipeTest):
    def test_each_is_short(self):
        for path in pages.FOLDER.glob("*.md"):
            with self.subTest(path.name):
                self.assertLessEqual(len(path.read_text().splitlines()), LINES_MAX)

    def test_index_leads_to_each(self):
        index = (pages.FOLDER / "README.md").read_text()
        leads = set(re.findall(r"\]\(([\w-]+\.md)\)", index))
        self.assertEqual(leads, {path.name for path in pages.FOLDER.glob("*.md")} - {"README.md"})

    def test_code_shown_is_the_code_that_runs(self):
        for page in LANGUAGES:
            sources = [path.read_text() for path in (pages.FOLDER / page).iterdir()]
            blocks = pages.code_blocks((pages.FOLDER / f"{page}.md").read_text())
            self.assertTrue(blocks, f"{page}.md shows no code")
            for _, code in blocks:
                with self.subTest(page):
                    self.assertTrue(any(code in source for source in sources), code)

    def test_files_named_exist(self):
        for path in pages.FOLDER.glob("*.md"):
            for name in re.findall(rf"`((?:{'|'.join(LANGUAGES)})/[\w.]+)`", path.read_text()):
                with self.subTest(path.name):
                    self.assertTrue((pages.FOLDER / name).exists(), name)

    def test_configurations_are_ones_that_lanekeeper_takes(self):
        checked = 0
        for path in pages.FOLDER.glob("*.md"):
            for language, text in pages.code_blocks(path.read_text()):
                if language != OF_LANEKEEPER:
                    continue
                checked += 1
                with self.subTest(path.name):
                    config = pathlib.Path(self.folder, "config.yaml")
                    config.write_text(text)
                    done = subprocess.run([LANEKEEPER, "--check", "--config", config], text=True,
                                          capture_output=True, timeout=30)
                    self.assertEqual(done.returncode, 0, done.stderr)
        self.assertGreaterEqual(checked, 2)

    def test_keys_and_metrics_named_exist(self):
        printed = yaml.safe_load(subprocess.check_output(
            [LANEKEEPER, "--print-config", "--config", self.a_config()], text=True, timeout=30))
        metrics = GOLDEN.read_text()
        for path in pages.FOLDER.glob("*.md"):
            with self.subTest(path.name):
                text = path.read_text()
                for section, key in re.findall(r"`([a-z]+)(?:\[\])?\.(\w+)(?=[`:])", text):
                    if section in printed:
                        of = printed[section]
                        self.assertIn(key, of[0] if isinstance(of, list) else of, section)
                for metric in re.findall(r"`(lanekeeper_\w+)`", text):
                    self.assertIn(metric, metrics)

    def a_config(self):
        config = pathlib.Path(self.folder, "any.yaml")
        config.write_text("listen: [{address: '127.0.0.1:0'}]\nupstream: {address: 127.0.0.1:1}\n")
        return config

    def test_figures_are_found_by_column_and_application(self):
        table = ["|".join(["", *cells, ""]) for cells in (
            pages.COLUMNS, ["---"] * len(pages.COLUMNS), ["one", "5", "1", "2", "3", "4"])]
        found = pages.rows("\n".join(["# A page", *table, "", "| not | a row |"]))
        self.assertEqual(list(found), ["one"])
        self.assertEqual(found["one"].workers, 5)
        self.assertEqual(found["one"].connections, dict(zip(pages.WAYS, [1, 2, 3, 4])))


if __name__ == "__main__":
    main()
