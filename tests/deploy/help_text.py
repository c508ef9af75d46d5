"""What --help of the binary names: commands, and the flags of each. Used by the tests of the manual
page and of the completion, which may neither lack nor invent any."""

import re
import subprocess

from harness.lanekeeper import LANEKEEPER


def of(*command):
    return subprocess.run([LANEKEEPER, *command, "--help"], capture_output=True, text=True,
                          check=True, timeout=30).stdout


def flags(text):
    """Each flag's long name, and whether a value follows."""
    found = {}
    for names, value in re.findall(r"(?m)^  ((?:-\w, ?)?--[\w-]+)( \S+)?", text):
        found["--" + names.split("--")[1]] = bool(value)
    return found


def positionals(text):
    """What follows the options on the usage line: ID, [FILE], ID...; none of the daemon's."""
    usage = re.search(r"(?m)^Usage: .*?\[OPTIONS\](.*)$", text).group(1)
    return usage.strip()


def commands(text):
    section = re.search(r"(?ms)^Subcommands:\n(.*?)(?:\n\n|\Z)", text).group(1)
    return re.findall(r"(?m)^  ([a-z][a-z-]*) ", section)


def flags_of_commands():
    """By command; "" is the daemon itself."""
    daemon = of()
    return {"": flags(daemon)} | {command: flags(of(command)) for command in commands(daemon)}
