#!/usr/bin/python3
"""The manual page says what the binary does: commands, flags, exit codes, signals, variables."""

import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import unittest

import help_text
from harness.lanekeeper import LANEKEEPER, ROOT, Daemon

PAGE = ROOT / "deploy/debian/lanekeeper.8"
BOUND = 30


def sections(text, mark):
    """The text after each heading of that kind, by its title."""
    parts = re.split(rf"(?m)^\.{mark} (.*)$", text)
    return dict(zip(parts[1::2], parts[2::2]))


def page_flags(text):
    found = {}
    for item in re.findall(r"(?m)^\.It (.*Fl Fl .*)$", text):
        name, value = re.search(r"Fl Fl ([\w-]+)( Ar \S+)?$", item).groups()
        found[f"--{name}"] = bool(value)
    return found


def flags_by_command(page):
    """As help_text has them. --help is told once, for all."""
    by_heading = sections(page, "Sh")
    result = {"": page_flags(by_heading["OPTIONS"])}
    for title, text in sections(by_heading["COMMANDS"], "Ss").items():
        for command in re.findall(r"(?<![\w-])[a-z][a-z-]+", title):
            result.setdefault(command, {"--help": False}).update(page_flags(text))
    return result


class Manual(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.page = PAGE.read_text()
        self.sections = sections(self.page, "Sh")

    def test_commands_and_flags_are_those_of_the_binary(self):
        self.assertEqual(flags_by_command(self.page), help_text.flags_of_commands())

    def test_what_follows_a_command_is_what_the_binary_takes(self):
        titles = sections(self.sections["COMMANDS"], "Ss")
        for command in help_text.commands(help_text.of()):
            wanted = f"{command} {help_text.positionals(help_text.of(command))}".strip()
            self.assertIn(wanted, titles)

    def test_the_synopsis_has_the_flags_of_the_daemon(self):
        shown = set(re.findall(r"Fl Fl ([\w-]+)", self.sections["SYNOPSIS"]))
        flags = {flag[2:] for flag in help_text.flags(help_text.of())}
        self.assertEqual(shown, flags - {"help", "version"})

    def test_exit_codes_are_those_that_the_binary_has(self):
        told = {int(code) for code in re.findall(r"(?m)^\.It (\d+)$", self.sections["EXIT STATUS"])}
        with tempfile.TemporaryDirectory() as folder:
            good, taken, bad = (pathlib.Path(folder, name) for name in ("good", "taken", "bad"))
            good.write_text("{listen: [{address: '127.0.0.1:0'}], upstream: {address: 'a:1'}}")
            # An address of a network for documentation: no machine has it.
            taken.write_text("{listen: [{address: '203.0.113.1:1'}], upstream: {address: 'a:1'}}")
            bad.write_text("{}")
            met = {self.code("--check", "--config", good), self.code("--config", taken),
                   self.code("--config", bad), self.code("--no-such-flag")}
        self.assertEqual(told, met)

    @staticmethod
    def code(*words):
        return subprocess.run([LANEKEEPER, *map(str, words)], capture_output=True,
                              timeout=BOUND).returncode

    def test_signals_are_those_that_the_daemon_takes(self):
        told = set(re.findall(r"(?m)^\.It Dv (SIG\w+)$", self.sections["SIGNALS"]))
        with tempfile.TemporaryDirectory() as folder:
            config = {"listen": [{"address": "127.0.0.1:0"}], "upstream": {"address": "a:1"},
                      "metrics": {"address": "127.0.0.1:0"}, "admin": {"address": "off"}}
            with Daemon(folder, config) as daemon:
                daemon.await_start()
                status = pathlib.Path(f"/proc/{daemon.pid}/status").read_text()
                daemon.signal(signal.SIGTERM)
                self.assertEqual(daemon.await_exit(), 0)
        taken = int(re.search(r"(?m)^SigBlk:\s*(\w+)$", status).group(1), 16)
        # Those beyond 31 are the C library's own.
        numbers = {number for number in range(1, 32) if taken >> (number - 1) & 1}
        self.assertEqual({signal.Signals[name] for name in told}, numbers)

    def test_variables_that_help_names_are_told(self):
        told = set(re.findall(r"LANEKEEPER_\w+", self.sections["ENVIRONMENT"]))
        text = help_text.of() + "".join(map(help_text.of, help_text.commands(help_text.of())))
        named = set(re.findall(r"LANEKEEPER_[A-Z]\w*", text))
        self.assertTrue(named)
        self.assertEqual(told, named)

    def test_defaults_that_help_names_are_told(self):
        for command in ["", *help_text.commands(help_text.of())]:
            text = help_text.of(*filter(None, [command]))
            for flag, default in re.findall(r"(?m)^  (--[\w-]+) [\w:]+=([^\s{]+)", text):
                item = re.search(rf"(?ms)^\.It Fl Fl {flag[2:]} Ar.*?(?=^\.(?:It|El))",
                                 self.page[self.page.index(".Sh OPTIONS"):])
                self.assertIn(default, item.group(0), f"{command} {flag}")

    @unittest.skipUnless(shutil.which("groff"), "groff is not installed")
    def test_groff_sets_it_without_a_warning(self):
        done = subprocess.run(["groff", "-mandoc", "-ww", "-z", str(PAGE)], capture_output=True,
                              text=True, timeout=BOUND)
        self.assertEqual((done.returncode, done.stderr), (0, ""))


class Parser(unittest.TestCase):
    """The comparisons above are only as good as these."""

    def test_flags_of_a_page(self):
        self.assertEqual(page_flags(".It Fl Fl one Ar N\n.It Fl h , Fl Fl two\n.It Pa three\n"),
                         {"--one": True, "--two": False})

    def test_a_heading_gives_its_flags_to_each_command(self):
        page = (".Sh OPTIONS\n.It Fl Fl x\n.Sh COMMANDS\n.Ss one [ID]\n.It Fl Fl a\n"
                ".Ss one, to-two\n.It Fl Fl b Ar N\n")
        self.assertEqual(flags_by_command(page),
                         {"": {"--x": False},
                          "one": {"--help": False, "--a": False, "--b": True},
                          "to-two": {"--help": False, "--b": True}})

    def test_flags_of_help(self):
        text = "  -h,--help      Print\n  --a TEXT=1    b --not\n  --c           D\n  E --f\n"
        self.assertEqual(help_text.flags(text), {"--help": False, "--a": True, "--c": False})


if __name__ == "__main__":
    unittest.main(verbosity=2)
