#!/usr/bin/python3
"""The README and the pages for operators say what the binary does: commands, keys, metrics, the
examples of a bad file. The table of metrics is golden_test.py's, the rows of deploy/troubleshooting.md
are troubleshooting_test.py's; paths and links of all pages are in tests/unit/structure/pages_test.py."""

import json
import pathlib
import re
import subprocess

from harness.case import DaemonTest, main
from harness.lanekeeper import LANEKEEPER

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
README = (ROOT / "README.md").read_text()
CONFIGURATION = (ROOT / "config/README.md").read_text()
OPERATING = (ROOT / "deploy/operating.md").read_text()
PAGES = {"README.md": README, "config/README.md": CONFIGURATION,
         "deploy/operating.md": OPERATING,
         "deploy/troubleshooting.md": (ROOT / "deploy/troubleshooting.md").read_text(),
         "deploy/prometheus/metrics.md": (ROOT / "deploy/prometheus/metrics.md").read_text(),
         "SECURITY.md": (ROOT / "SECURITY.md").read_text()}
LINES_MOST = 160
# What lanekeeper says of itself: no commands.
SAID = {"is", "forwards"}


class Readme(DaemonTest):
    def test_it_is_short(self):
        self.assertLessEqual(README.count("\n"), LINES_MOST)

    def test_the_file_shown_is_the_one_that_the_command_names(self):
        named, shown = re.search(r"--config (\S+)\n```\n\n```yaml\n(.*?)```", README,
                                 re.DOTALL).groups()
        plain = [re.findall(r"^(?! *#)(.*?) *(?:#.*)?$", text, re.MULTILINE)
                 for text in (shown, (ROOT / named).read_text())]
        self.assertEqual(*plain)

    def test_bad_file_is_refused_with_the_text_shown(self):
        config = re.search(r"```yaml\n(listn.*?)```", CONFIGURATION, re.DOTALL).group(1)
        shown = re.search(r"--config broken.yaml; echo \$\?\n(.*?)```", CONFIGURATION,
                          re.DOTALL).group(1)
        pathlib.Path(self.folder, "broken.yaml").write_text(config)
        done = subprocess.run([LANEKEEPER, "--check", "--config", "broken.yaml"], cwd=self.folder,
                              capture_output=True, text=True, timeout=30)
        self.assertEqual(f"{done.stderr}{done.returncode}\n", shown)

    def test_the_printed_configuration_is_as_shown(self):
        shown = re.search(r"```\n(drain:\n.*?)```", CONFIGURATION, re.DOTALL).group(1)
        file = ("listen:\n  - address: 127.0.0.1:50051\nupstream:\n  address: orders:50051\n"
                "# Line 7 is the one that is shown.\nlog:\n  format: json\n")
        pathlib.Path(self.folder, "config.yaml").write_text(file)
        done = subprocess.run(
            [LANEKEEPER, "--print-config", "--config", "config.yaml", "--log-level", "debug"],
            cwd=self.folder, capture_output=True, text=True, timeout=30,
            env={"LANEKEEPER_DRAIN_TIMEOUT": "40s"})
        # The sections between the two are left out.
        for section in re.split(r"^(?=\w)", shown, flags=re.MULTILINE):
            self.assertIn(section, done.stdout)

    def test_commands_and_flags_exist(self):
        helped = subprocess.run([LANEKEEPER, "--help"], capture_output=True, text=True, timeout=30)
        commands = re.findall(r"^  ([a-z-]+)  ", helped.stdout.partition("Subcommands:")[2], re.M)
        table = re.search(r"## Commands\n(.*?)\n\n[^|]", OPERATING, re.DOTALL).group(1)
        for command in commands:
            self.assertRegex(table, rf"[` ]{command}[` ]")
        for page in PAGES.values():
            for word in set(re.findall(r"(?<=`lanekeeper )(?:--)?[a-z-]+", page)) - SAID:
                self.assertIn(word if word.startswith("--") else f"  {word} ", helped.stdout)

    def test_metrics_named_exist(self):
        golden = (ROOT / "tests/golden/metrics.md").read_text()
        for name, page in PAGES.items():
            for metric in re.findall(r"`((?:lanekeeper|grpc_server)_[a-z_]+)(?:\{[^`]*)?`", page):
                self.assertIn(f"`{metric}`", golden, name)

    def test_the_schema_describes_every_key(self):
        def undescribed(schema, path):
            for key, of in schema.get("properties", {}).items():
                if "description" not in of:
                    yield f"{path}{key}"
                yield from undescribed(of, f"{path}{key}.")
            yield from undescribed(schema["items"], f"{path[:-1]}[].") if "items" in schema else ()

        schema = json.loads((ROOT / "config/schema.json").read_text())
        self.assertEqual([*undescribed(schema, "")], [])

    def test_keys_named_exist(self):
        reference = subprocess.run(
            [LANEKEEPER, "--print-config", "--config", ROOT / "config/reference.yaml"],
            capture_output=True, text=True, timeout=30, check=True).stdout
        tops = "listen|upstream|rpc_threads|limits|stuck|drain|reload|metrics|admin|log"
        for name, page in PAGES.items():
            for path in re.findall(rf"`((?:{tops})\.[a-z_.]+)(?:: [^`]*)?`", page):
                for key in path.split("."):
                    self.assertRegex(reference, rf"(?m)^ *(- )?{key}:", f"{name}: {path}")

    def test_variables_named_are_those_of_keys(self):
        keys = (ROOT / "config/reference.yaml").read_text()
        for page in (README, CONFIGURATION):
            for variable in re.findall(r"LANEKEEPER_([A-Z_]+)", page):
                self.assertIn(f"{variable.lower().split('_')[-1]}:", keys)


if __name__ == "__main__":
    main()
