#!/usr/bin/python3
"""The README says what the binary does: its commands, its example of a bad file. Its metrics table is
golden_test.py's."""

import pathlib
import re
import subprocess

from support import LANEKEEPER, DaemonTest, main

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
README = (ROOT / "README.md").read_text()


class Readme(DaemonTest):
    def test_bad_file_is_refused_with_the_text_shown(self):
        config = re.search(r"```yaml\n(listn.*?)```", README, re.DOTALL).group(1)
        shown = re.search(r"--config broken.yaml; echo \$\?\n(.*?)```", README, re.DOTALL).group(1)
        pathlib.Path(self.folder, "broken.yaml").write_text(config)
        done = subprocess.run([LANEKEEPER, "--check", "--config", "broken.yaml"], cwd=self.folder,
                              capture_output=True, text=True, timeout=30)
        self.assertEqual(f"{done.stderr}{done.returncode}\n", shown)

    def test_flags_and_subcommands_exist(self):
        helped = subprocess.run([LANEKEEPER, "--help"], capture_output=True, text=True, timeout=30)
        for word in set(re.findall(r"(?<=lanekeeper )(?:--)?[a-z-]+(?= )", README)) - {"forwards"}:
            if word.startswith("--") or word.startswith("demo"):
                self.assertIn(word, helped.stdout)

    def test_paths_named_exist(self):
        for path in re.findall(r"`((?:config|deploy|proxy|tests)/[\w./-]+)`", README):
            self.assertTrue((ROOT / path).exists(), path)


if __name__ == "__main__":
    main()
