#!/usr/bin/python3
"""tests/lint finds what is badly formatted or untidy, and the hook keeps it out of a commit.

In a small repository of its own, with the project's rules.
"""

import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]
BUILD = os.environ["LANEKEEPER_BUILD"]
GOOD = "int Sum(int one, int other) { return one + other; }\n"
BAD = "int Sum(int one,int other) {return one + other;}\n"
UNTIDY = "int* Nothing() { return 0; }\n"  # modernize-use-nullptr


class Repository(unittest.TestCase):
    def setUp(self):
        self.root = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.env = {name: value for name, value in os.environ.items()
                    if not name.startswith("GIT_")}
        self.env |= {"HOME": str(self.root), "GIT_CONFIG_NOSYSTEM": "1"}
        for name in (".clang-format", ".clang-tidy", "tests/lint"):
            (self.root / name).parent.mkdir(exist_ok=True)
            shutil.copy(ROOT / name, self.root / name)
        self.git("init", "--quiet")
        self.git("config", "user.name", "A")
        self.git("config", "user.email", "a@example.org")
        self.write({".gitignore": "/build/\n"})
        self.have_commands("proxy/a.cc")
        self.commit({"proxy/a.cc": GOOD})

    def run_git(self, *words):
        return subprocess.run(["git", "-C", self.root, *words], capture_output=True, text=True,
                              env=self.env)

    def git(self, *words):
        done = self.run_git(*words)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def write(self, files):
        for name, text in files.items():
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            (self.root / name).write_text(text)

    def have_commands(self, *names, flags="-std=c++20"):
        """A build tree as CMake describes one."""
        self.write({"build/release/compile_commands.json": json.dumps(
            [{"directory": f"{self.root}", "file": f"{self.root}/{name}",
              "command": f"/usr/bin/c++ -I{self.root} {flags} -c {self.root}/{name}"}
             for name in names])})

    def try_commit(self, files):
        self.write(files)
        self.git("add", "--all")
        return self.run_git("commit", "--message", "x")

    def commit(self, files):
        done = self.try_commit(files)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


class Lint(Repository):
    def lint(self, *words):
        done = subprocess.run([self.root / "tests/lint", *words], capture_output=True, text=True,
                              cwd=self.root, env=self.env, timeout=60)
        self.assertEqual(done.stderr, "")
        return done

    def finds(self, text, *words):
        done = self.lint(*words)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn(text, done.stdout)

    def passes(self, *words):
        done = self.lint(*words)
        self.assertEqual(done.returncode, 0, done.stdout)
        return done.stdout

    def test_a_badly_formatted_file_is_found_and_a_good_one_is_not(self):
        self.passes("--all")
        self.commit({"tests/unit/x_test.cc": BAD})
        for way in (["--all"], ["--last", "1"], ["tests/unit/x_test.cc"]):
            self.finds("clang-format-16 -i tests/unit/x_test.cc\n", "--format", *way)
        self.passes("proxy/a.cc")

    def test_an_untidy_file_is_found_even_if_g___precompiles_its_headers(self):
        header = self.root / "build/x/cmake_pch.hxx"
        self.write({"build/x/cmake_pch.hxx": "", "build/x/cmake_pch.hxx.gch": "of g++"})
        self.have_commands("proxy/a.cc", flags=f"-std=c++20 -Winvalid-pch -include {header}")
        self.passes("--all")
        self.commit({"proxy/a.cc": UNTIDY})
        for way in (["--all"], ["--last", "1"], ["proxy/a.cc"]):
            self.finds("use nullptr", "--tidy", *way)
        self.passes("--format", "--all")

    def test_what_does_not_compile_is_no_pass(self):
        self.commit({"proxy/a.cc": "#include \"proxy/generated.h\"\n"})
        self.finds("'proxy/generated.h' file not found", "--all")

    def test_a_header_is_looked_at_through_a_source_that_includes_it(self):
        self.write({"proxy/b.h": "inline int* Nothing() { return 0; }\n"})
        self.commit({"proxy/a.cc": f"#include \"proxy/b.h\"\n\n{GOOD}"})
        self.finds("proxy/b.h:1:32: warning: use nullptr", "proxy/b.h")
        self.commit({"proxy/c.h": f"#include \"proxy/b.h\"\n\n{GOOD}",
                     "proxy/a.cc": "#include \"proxy/c.h\"\n"})
        self.finds("proxy/b.h:1:32: warning: use nullptr", "proxy/b.h")
        self.commit({"proxy/lonely.h": GOOD})
        self.assertIn("not looked at: proxy/lonely.h", self.passes("proxy/lonely.h"))

    def test_the_last_are_those_of_the_newest_commits_and_what_is_not_committed_first(self):
        self.have_commands("proxy/a.cc", "proxy/b.cc", "proxy/c.cc")
        self.commit({"proxy/b.cc": GOOD})
        self.commit({"proxy/c.cc": GOOD, "README.md": "", "tests/d_test.cc": GOOD})
        self.assertIn("tidy: proxy/c.cc proxy/b.cc\n", self.passes("--tidy", "--last", "2"))
        self.write({"proxy/a.cc": GOOD + "\n" + GOOD.replace("Sum", "Total")})
        self.assertIn("tidy: proxy/a.cc proxy/c.cc\n", self.passes("--tidy", "--last", "2"))
        (self.root / "proxy/c.cc").unlink()
        self.assertIn("tidy: proxy/a.cc proxy/b.cc\n", self.passes("--last", "2"))

    def test_where_git_tells_no_history_the_last_are_skipped_and_all_are_looked_at(self):
        shutil.rmtree(self.root / ".git")
        done = subprocess.run([self.root / "tests/lint", "--last", "1"], capture_output=True,
                              text=True, env=self.env)
        self.assertEqual(done.returncode, 77)
        self.assertIn("skipped: ", done.stdout)
        self.assertIn("tidy: proxy/a.cc\n", self.passes("--all"))

    def test_without_a_build_tree_or_a_choice_it_says_so(self):
        shutil.rmtree(self.root / "build")
        for words, why in ((["--all"], "cmake --preset release"), ([], "one of FILE"),
                           (["--all", "--staged"], "one of FILE")):
            done = subprocess.run([self.root / "tests/lint", *words], capture_output=True,
                                  text=True, env=self.env)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(why, done.stderr)


class Hook(Repository):
    def setUp(self):
        super().setUp()
        # What the build tree would run, here.
        said = subprocess.run(["ninja", "-C", BUILD, "-t", "commands", "hooks"], check=True,
                              capture_output=True, text=True).stdout
        self.assertIn(f"{ROOT}/tests/lint --install-hook", said)
        self.install = [self.root / "tests/lint", "--install-hook"]
        subprocess.run(self.install, check=True, capture_output=True, cwd="/", env=self.env)

    def refuses(self, files, why):
        before = self.git("rev-parse", "HEAD")
        done = self.try_commit(files)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(why, done.stdout + done.stderr)
        self.assertEqual(self.git("rev-parse", "HEAD"), before)

    def test_it_refuses_a_badly_formatted_file(self):
        self.refuses({"tests/x_test.cc": BAD}, "clang-format-16 -i tests/x_test.cc")
        self.commit({"tests/x_test.cc": GOOD})

    def test_it_refuses_an_untidy_file(self):
        self.refuses({"proxy/a.cc": UNTIDY}, "use nullptr")

    def test_it_looks_at_what_is_staged_and_at_nothing_else(self):
        self.write({"tests/x_test.cc": BAD})
        self.git("add", "--all")
        self.write({"tests/x_test.cc": GOOD})
        self.assertNotEqual(self.run_git("commit", "--message", "x").returncode, 0)
        self.git("add", "--all")
        self.write({"tests/x_test.cc": BAD})
        self.git("commit", "--message", "x")

    def test_a_commit_that_removes_sources_or_has_none_passes(self):
        self.commit({"README.md": ""})
        self.git("rm", "--quiet", "--cached", "proxy/a.cc")
        self.git("commit", "--message", "x")

    def test_it_is_installed_again_but_over_no_other(self):
        hook = self.root / ".git/hooks/pre-commit"
        subprocess.run(self.install, check=True, capture_output=True, env=self.env)
        hook.write_text("#!/bin/sh\n")
        done = subprocess.run(self.install, capture_output=True, text=True, env=self.env)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(f"{hook} is there already", done.stderr)
        self.assertEqual(hook.read_text(), "#!/bin/sh\n")


if __name__ == "__main__":
    unittest.main(verbosity=2)
