#!/usr/bin/env python3
"""deploy/Dockerfile and .devcontainer say what they should.

Checks the text only: no engine builds an image here.
"""

import fnmatch
import json
import pathlib
import re
import shlex
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOCKERFILE = ROOT / "deploy/Dockerfile"


def instructions(text):
    """(keyword, rest) of each instruction, continued lines joined, comments left out."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n", " ", "\n".join(lines))
    for line in joined.splitlines():
        if line.strip():
            keyword, rest = line.split(None, 1)
            yield keyword.upper(), rest.strip()


def stages(text):
    """The instructions of each stage, FROM included."""
    result = []
    for keyword, rest in instructions(text):
        if keyword == "FROM":
            result.append([])
        result[-1].append((keyword, rest))
    return result


def copied(stage):
    """The sources that a stage copies out of the build context."""
    for keyword, rest in stage:
        if keyword == "COPY" and "--from=" not in rest:
            yield from (word for word in shlex.split(rest)[:-1] if not word.startswith("--"))


def ignored(path, rules):
    """Whether .dockerignore's rules keep a path out of the context; the last that fits decides."""
    result = False
    for rule in rules:
        pattern = rule.lstrip("!").rstrip("/")
        # A rule for a directory holds for what is inside it.
        if any(fnmatch.fnmatch(str(p), pattern) for p in [path, *path.parents]):
            result = not rule.startswith("!")
    return result


class DockerfileTest(unittest.TestCase):
    def setUp(self):
        self.stages = stages(DOCKERFILE.read_text())
        self.build, self.final = self.stages
        lines = (ROOT / ".dockerignore").read_text().splitlines()
        self.rules = [line for line in lines if line and not line.startswith("#")]

    def test_everything_copied_exists_and_is_in_the_context(self):
        sources = [source for stage in self.stages for source in copied(stage)]
        self.assertGreater(len(sources), 5)
        for source in sources:
            self.assertTrue((ROOT / source).exists(), source)
            self.assertFalse(ignored(pathlib.PurePath(source), self.rules), source)

    def test_nothing_else_is_in_the_context(self):
        sources = {source for stage in self.stages for source in copied(stage)}
        allowed = {rule[1:] for rule in self.rules if rule.startswith("!")}
        self.assertEqual(allowed, sources)
        for outside in [".git/config", "build/release/build.ninja", "tests/run", "README.md"]:
            self.assertTrue(ignored(pathlib.PurePath(outside), self.rules), outside)

    def test_the_build_needs_no_directory_that_is_not_copied(self):
        cmake = (ROOT / "CMakeLists.txt").read_text()
        always = cmake.split("if(LANEKEEPER_TESTS)")[0]
        for directory in re.findall(r"add_subdirectory\((\w+)\)", always):
            self.assertIn(directory, copied(self.build))

    def test_both_stages_install_from_the_one_list(self):
        for stage, section in [(self.build, "build"), (self.final, "runtime")]:
            runs = " ; ".join(rest for keyword, rest in stage if keyword == "RUN")
            self.assertRegex(runs, rf"deploy/install-packages {section}\b")
            self.assertNotIn("apt-get", runs)
            sources = list(copied(stage))
            self.assertIn("deploy/packages", sources)
            self.assertIn("deploy/install-packages", sources)
            listed = (ROOT / "deploy/packages").read_text().splitlines()
            self.assertTrue(any(line.startswith(section + " ") for line in listed))

    def test_both_stages_start_from_debian_12(self):
        for stage in self.stages:
            self.assertEqual(stage[0][1].split()[0], "debian:12-slim")

    def test_it_runs_as_nobody_in_particular_and_without_a_shell(self):
        final = dict(self.final)
        self.assertEqual(final["USER"], "65532:65532")
        self.assertEqual(final["ENTRYPOINT"], '["/usr/local/bin/lanekeeper"]')
        self.assertNotIn("CMD", final)

    def test_what_ends_up_in_the_image_is_what_the_build_made(self):
        made = "build/release/proxy/lanekeeper"
        runs = " ; ".join(rest for keyword, rest in self.build if keyword == "RUN")
        self.assertIn(f"strip -o /lanekeeper {made}", runs)
        self.assertIn(("COPY", "--from=build /lanekeeper /usr/local/bin/lanekeeper"), self.final)

    def test_the_devcontainer_installs_from_the_one_list_and_names_files_that_exist(self):
        devcontainer = json.loads((ROOT / ".devcontainer/devcontainer.json").read_text())
        command, *sections = devcontainer["postCreateCommand"].split()
        self.assertEqual(command, "deploy/install-packages")
        listed = (ROOT / "deploy/packages").read_text().splitlines()
        for section in ["build", "test", *sections]:
            self.assertIn(section, sections)
            self.assertTrue(any(line.startswith(section + " ") for line in listed), section)
        self.assertEqual(devcontainer["image"], "debian:12")
        for schema, files in devcontainer["customizations"]["vscode"]["settings"][
                "yaml.schemas"].items():
            self.assertTrue((ROOT / schema).exists(), schema)
            for pattern in files:
                self.assertTrue([*ROOT.glob(pattern)], pattern)


class ParserTest(unittest.TestCase):
    """The checks above are only as good as these."""

    def test_continued_lines_and_comments(self):
        text = "FROM a\n# COPY nothing here\nRUN one \\\n && two\n"
        self.assertEqual(stages(text), [[("FROM", "a"), ("RUN", "one   && two")]])

    def test_a_missing_source_is_noticed(self):
        (stage,) = stages("FROM a\nCOPY --chown=1 no/such/file /x\nCOPY --from=b /y /z\n")
        self.assertEqual(list(copied(stage)), ["no/such/file"])

    def test_the_last_rule_decides(self):
        rules = ["*", "!proxy"]
        self.assertFalse(ignored(pathlib.PurePath("proxy/main.cc"), rules))
        self.assertTrue(ignored(pathlib.PurePath("build/x"), rules))


if __name__ == "__main__":
    unittest.main()
