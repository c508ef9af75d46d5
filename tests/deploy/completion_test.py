#!/usr/bin/python3
"""bash completes what the binary takes: commands, the flags of each, and values that are known."""

import os
import pathlib
import subprocess
import tempfile
import unittest

import help_text
from harness.lanekeeper import LANEKEEPER, ROOT

COMPLETION = ROOT / "deploy/debian/completion.bash"
DRIVER = """
source "$1"
shift
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
_lanekeeper
printf '%s\\n' "${COMPREPLY[@]}"
"""


def complete(*words, folder="/"):
    """What is offered for the last word."""
    done = subprocess.run(["bash", "--norc", "-uc", DRIVER, "driver", str(COMPLETION), "lanekeeper",
                           *words], capture_output=True, text=True, timeout=30, cwd=folder)
    assert (done.returncode, done.stderr) == (0, ""), done
    return set(done.stdout.split())


class Completion(unittest.TestCase):
    def test_commands_are_those_of_the_binary(self):
        self.assertEqual(complete(""), set(help_text.commands(help_text.of())))
        self.assertEqual(complete("dem"), {"demo", "demo-clients", "demo-streams"})

    def test_flags_are_those_of_the_binary(self):
        for command, flags in help_text.flags_of_commands().items():
            self.assertEqual(complete(*filter(None, [command]), "-"), set(flags), command)

    def test_after_a_flag_with_a_value_no_flag_is_offered(self):
        for command, flags in help_text.flags_of_commands().items():
            for flag, takes_value in flags.items():
                offered = complete(*filter(None, [command]), flag, "--")
                self.assertEqual(not offered, takes_value, f"{command} {flag}: {offered}")

    def test_a_value_is_not_taken_for_a_command(self):
        self.assertEqual(complete("--config", "top", "--ch"), {"--check"})
        self.assertEqual(complete("--config", "=", "top", "--ch"), {"--check"})

    def test_values_are_those_that_the_binary_accepts(self):
        for flag in ("--log-level", "--log-format"):
            for value in complete(flag, ""):
                self.assertEqual(self.code("--config", "/dev/null", flag, value), 78, value)
        for value in complete("loglevel", ""):
            self.assertEqual(self.code("loglevel", value, "--admin", "127.0.0.1:1"), 1, value)
        for value in complete("streams", "--state", ""):
            self.assertEqual(self.code("streams", "--state", value, "--admin", "127.0.0.1:1"), 1)
        self.assertEqual(self.code("loglevel", "no-such"), 2)

    @staticmethod
    def code(*words):
        return subprocess.run([LANEKEEPER, *words], capture_output=True,
                              timeout=30).returncode

    def test_values_after_an_equals_sign(self):
        self.assertEqual(complete("--log-level", "=", "d"), {"debug"})
        self.assertEqual(complete("--log-format", "="), {"text", "json"})

    def test_files_are_offered_where_a_file_belongs(self):
        with tempfile.TemporaryDirectory() as folder:
            pathlib.Path(folder, "orders.yaml").touch()
            self.assertEqual(complete("--config", "ord", folder=folder), {"orders.yaml"})
            self.assertEqual(complete("reload", "--dry-run", "ord", folder=folder), {"orders.yaml"})
            self.assertEqual(complete("streams", "ord", folder=folder), set())

    def test_bash_knows_it_by_the_name_of_the_command(self):
        script = f"source {COMPLETION}; complete -p lanekeeper"
        said = subprocess.run(["bash", "--norc", "-c", script],
                              capture_output=True, text=True, check=True, timeout=30).stdout
        self.assertIn("-F _lanekeeper lanekeeper", said)


if __name__ == "__main__":
    os.environ.pop("LANEKEEPER_ADMIN", None)
    unittest.main(verbosity=2)
