#!/usr/bin/python3
"""deploy/release makes a version of what is ready, and refuses all else without a change.

It runs on a copy of what it reads. tests/package/artefacts_test.py builds a release, on request.
"""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
CHANGELOG = """# Changelog

Newest first.

## Unreleased

### Added
- Something new.

## 0.3.9 - 2026-01-02

### Fixed
- Something old.
"""
MAINTAINER = "Some One <one@example.org>"
TIME = "1700000000"  # Tue, 14 Nov 2023 22:13:20 +0000


class Release(unittest.TestCase):
    def setUp(self):
        self.root = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.env = {name: value for name, value in os.environ.items()
                    if not name.startswith("GIT_")}
        self.env |= {"HOME": str(self.root), "GIT_CONFIG_NOSYSTEM": "1", "SOURCE_DATE_EPOCH": TIME}
        (self.root / "deploy/debian").mkdir(parents=True)
        shutil.copy(ROOT / "deploy/release", self.root / "deploy")
        self.git("init", "--quiet")
        self.git("config", "user.name", "A")
        self.git("config", "user.email", "a@example.org")
        self.have({
            "CMakeLists.txt": "cmake_minimum_required(VERSION 3.25)\n"
                              "project(lanekeeper VERSION 0.4.0 LANGUAGES CXX)\n",
            "CHANGELOG.md": CHANGELOG,
            "deploy/debian/changelog":
                "lanekeeper (0.3.9-1) unstable; urgency=medium\n\n  * Old.\n\n"
                f" -- {MAINTAINER}  Fri, 02 Jan 2026 12:00:00 +0000\n",
            "deploy/README.md": "install lanekeeper_0.4.0-1_amd64.deb; --lanekeeper 0.4.0; "
                                "since lanekeeper's 0.4.0 and other:0.4.0\n"})

    def git(self, *words):
        return subprocess.run(["git", "-C", self.root, *words], check=True, capture_output=True,
                              text=True, env=self.env).stdout

    def have(self, files):
        for name, text in files.items():
            (self.root / name).write_text(text)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", "x")

    def text(self, name):
        return (self.root / name).read_text()

    def state(self):
        files = {path.name: path.read_bytes() for path in self.root.rglob("*")
                 if path.is_file() and ".git" not in path.parts}
        return files, self.git("log", "--all", "--format=%H %d"), self.git("status", "--porcelain")

    def run_release(self, *words):
        return subprocess.run([self.root / "deploy/release", *words], cwd="/", text=True,
                              capture_output=True, timeout=60, env=self.env)

    def released(self, *words):
        done = self.run_release(*words)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout

    def refused(self, version, *whys):
        """With --commit, so that what is refused is not done either."""
        before = self.state()
        done = self.run_release(version, "--commit")
        self.assertNotEqual(done.returncode, 0)
        for why in whys:
            self.assertIn(why, done.stderr)
        self.assertEqual(self.state(), before)
        return done.stderr

    def test_by_itself_it_shows_what_would_change_and_changes_nothing(self):
        before = self.state()
        said = self.released("0.5.0")
        for line in ("-project(lanekeeper VERSION 0.4.0 LANGUAGES CXX)",
                     "+project(lanekeeper VERSION 0.5.0 LANGUAGES CXX)", "+## 0.5.0 - 2023-11-14",
                     "+lanekeeper (0.5.0-1) unstable; urgency=medium"):
            self.assertIn(line, said.splitlines())
        self.assertEqual(self.state(), before)

    def test_told_to_it_sets_the_version_dates_the_changelogs_commits_and_tags(self):
        self.assertIn("deploy/artefacts v0.5.0 ", self.released("0.5.0", "--commit"))
        self.assertIn("project(lanekeeper VERSION 0.5.0 LANGUAGES", self.text("CMakeLists.txt"))
        self.assertEqual(self.text("CHANGELOG.md"), CHANGELOG.replace(
            "## Unreleased\n", "## Unreleased\n\n## 0.5.0 - 2023-11-14\n"))
        self.assertEqual(self.text("deploy/debian/changelog").split("\n\n"), [
            "lanekeeper (0.5.0-1) unstable; urgency=medium",
            "  * What changed is in changelog.gz.",
            f" -- {MAINTAINER}  Tue, 14 Nov 2023 22:13:20 +0000",
            "lanekeeper (0.3.9-1) unstable; urgency=medium", "  * Old.",
            f" -- {MAINTAINER}  Fri, 02 Jan 2026 12:00:00 +0000\n"])
        self.assertEqual(self.text("deploy/README.md"),
                         "install lanekeeper_0.5.0-1_amd64.deb; --lanekeeper 0.5.0; "
                         "since lanekeeper's 0.4.0 and other:0.4.0\n")
        self.assertEqual(self.git("status", "--porcelain"), "")
        self.assertEqual(self.git("log", "-1", "--format=%s"), "Release 0.5.0\n")
        self.assertEqual(self.git("rev-parse", "v0.5.0^{commit}"), self.git("rev-parse", "HEAD"))
        self.assertEqual(self.git("for-each-ref", "--format=%(contents)", "refs/tags").strip(),
                         "lanekeeper 0.5.0\n\n### Added\n- Something new.")

    def test_dpkg_reads_the_changelog_that_it_writes(self):
        self.released("0.5.0", "--commit")
        said = subprocess.run(
            ["dpkg-parsechangelog", "--file", self.root / "deploy/debian/changelog", "--all"],
            check=True, capture_output=True, text=True)
        self.assertEqual(said.stderr, "")
        self.assertIn("\nVersion: 0.5.0-1\n", said.stdout)

    def test_the_version_that_the_project_has_is_released_once(self):
        debian = self.text("deploy/debian/changelog").replace("0.3.9", "0.4.0")
        self.have({"deploy/debian/changelog": debian})
        self.released("0.4.0", "--commit")
        # Debian's entry was there already, and has the date of the release now.
        self.assertEqual(self.text("deploy/debian/changelog"),
                         re.sub("  Fri, .*", "  Tue, 14 Nov 2023 22:13:20 +0000", debian))
        changelog = self.text("CHANGELOG.md")
        self.have({"CHANGELOG.md": changelog.replace("Unreleased\n", "Unreleased\n- More.\n")})
        self.refused("0.4.0", "not higher than 0.4.0", "there is a tag v0.4.0")

    def test_a_version_that_is_not_higher_is_refused(self):
        self.refused("0.3.9", "0.3.9 is not higher than 0.3.9")
        self.refused("0.3.10", "0.3.10 is lower than 0.4.0")
        self.assertNotIn("not higher", self.refused("0.3.10"))  # numbers, not letters

    def test_what_is_no_version_is_refused(self):
        for word in ("1.2", "v1.2.3", "1.02.3", "1.2.3-rc1", "1.2.3.4", "one"):
            self.refused(word, f"{word} is no version")

    def test_a_tree_with_changes_is_refused(self):
        (self.root / "new").write_text("")
        self.refused("0.5.0", "not committed: new")
        (self.root / "new").unlink()
        (self.root / "deploy/README.md").write_text("changed\n")
        self.refused("0.5.0", "not committed: deploy/README.md")
        self.git("add", "--all")
        self.refused("0.5.0", "not committed: deploy/README.md")

    def test_a_changelog_without_an_unreleased_entry_is_refused(self):
        why = 'CHANGELOG.md: no entry under "## Unreleased"'
        self.have({"CHANGELOG.md": CHANGELOG.replace("- Something new.\n", "")})
        self.refused("0.5.0", why)
        self.have({"CHANGELOG.md": CHANGELOG.replace("## Unreleased\n", "")})
        self.refused("0.5.0", why)
        self.have({"CHANGELOG.md": CHANGELOG})
        self.released("0.5.0", "--commit")
        self.refused("0.5.1", why)

    def test_all_that_is_in_the_way_is_told_at_once(self):
        (self.root / "CHANGELOG.md").write_text(CHANGELOG.replace("- Something new.\n", ""))
        said = self.refused("0.3.9", "not committed", "no entry", "not higher", "lower")
        self.assertEqual(len(said.splitlines()), 4)

    def test_a_commit_that_a_hook_refuses_changes_nothing(self):
        hook = self.root / ".git/hooks/pre-commit"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text("#!/bin/sh\nexit 1\n")
        hook.chmod(0o755)
        self.refused("0.5.0", "nothing has changed")


class TheProject(unittest.TestCase):
    def test_every_mention_of_its_version_is_the_one_of_cmake(self):
        cmake = (ROOT / "CMakeLists.txt").read_text()
        (version,) = re.findall(r"project\(lanekeeper VERSION (\S+)", cmake)
        found = {(str(path.relative_to(ROOT)), mention)
                 for pattern in ("*.md", "*.yaml", "Dockerfile")
                 for path in (ROOT / "deploy").rglob(pattern) if "node_modules" not in path.parts
                 for mention in re.findall(r"\blanekeeper[:_ ](\d+\.\d+\.\d+)", path.read_text())}
        self.assertGreater(len(found), 5)
        self.assertEqual({mention for _, mention in found}, {version}, sorted(found))


if __name__ == "__main__":
    unittest.main(verbosity=2)
