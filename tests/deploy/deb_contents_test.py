#!/usr/bin/python3
"""What cpack packs: the files, who owns them, what the package depends on, which version it has.

tests/package installs and runs it, on request.
"""

import gzip
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOC = "/usr/share/doc/lanekeeper"
FILES = {
    "/etc/lanekeeper/config.yaml": 0o644,
    "/lib/systemd/system/lanekeeper.service": 0o644,
    "/usr/bin/lanekeeper": 0o755,
    "/usr/share/bash-completion/completions/lanekeeper": 0o644,
    "/usr/share/man/man8/lanekeeper.8.gz": 0o644,
    f"{DOC}/changelog.Debian.gz": 0o644,
    f"{DOC}/changelog.gz": 0o644,
    f"{DOC}/copyright": 0o644,
    f"{DOC}/reference.yaml": 0o644,
    f"{DOC}/schema.json": 0o644,
}
SCRIPTS = {"postinst", "prerm", "postrm"}
# In every Debian, or what makes the user.
BESIDES = {"adduser", "libc6", "libgcc-s1", "libstdc++6"}


def output(*words, **options):
    return subprocess.run([*map(str, words)], check=True, capture_output=True, text=True,
                          **options).stdout


class DebContents(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        cls.deb = cls.pack("one", umask=0o077)  # of a careful person
        cls.tree = cls.folder / "tree"
        output("dpkg-deb", "--raw-extract", cls.deb, cls.tree)

    @classmethod
    def pack(cls, name, **options):
        output("cpack", "--config", f"{os.environ['LANEKEEPER_BUILD']}/CPackConfig.cmake",
               "-B", cls.folder / name, **options,
               env={**os.environ, "SOURCE_DATE_EPOCH": "1700000000"})
        (deb,) = (cls.folder / name).glob("*.deb")
        return deb

    def field(self, name):
        return output("dpkg-deb", "--field", self.deb, name).strip()

    def test_it_has_these_files_and_no_other(self):
        found = {f"/{path.relative_to(self.tree)}": path.stat().st_mode & 0o7777
                 for path in self.tree.rglob("*")
                 if path.is_file() and path.parent.name != "DEBIAN"}
        self.assertEqual(found, FILES)

    def test_the_files_that_pages_name_are_among_them(self):
        named = {path for page in ("config/README.md", "deploy/README.md")
                 for path in re.findall(r"/(?:etc|usr)/[\w./-]*lanekeeper[\w./-]*\.[a-z]+",
                                        (ROOT / page).read_text())}
        self.assertGreater(len(named), 1)
        self.assertLessEqual(named, FILES.keys())

    def test_all_of_it_belongs_to_root_and_everybody_may_read_it(self):
        listed = output("dpkg-deb", "--contents", self.deb).splitlines()
        self.assertGreater(len(listed), len(FILES))
        for line in listed:
            self.assertRegex(line, r"^(drwxr-xr-x|-rw-r--r--|-rwxr-xr-x) root/root ")

    def test_the_configuration_is_a_conffile_and_the_scripts_are_there(self):
        control = self.tree / "DEBIAN"
        self.assertEqual((control / "conffiles").read_text(), "/etc/lanekeeper/config.yaml\n")
        scripts = {path.name for path in control.iterdir() if path.stat().st_mode & 0o111}
        self.assertEqual(scripts, SCRIPTS)

    def test_it_depends_on_the_libraries_that_the_image_has(self):
        listed = re.findall(r"(?m)^runtime (\S+)", (ROOT / "deploy/packages").read_text())
        depends = {part.split()[0] for part in self.field("Depends").split(", ")}
        # Some libraries provide a name for what they are built with.
        depends = {"libspdlog1.10" if name.startswith("libspdlog1.10-") else name
                   for name in depends}
        self.assertEqual(depends, set(listed) | BESIDES)

    def test_its_version_is_the_project_s_and_the_changelog_s(self):
        cmake = (ROOT / "CMakeLists.txt").read_text()
        project = re.search(r"project\(lanekeeper VERSION (\S+)", cmake).group(1)
        version = self.field("Version")
        self.assertEqual(version.rsplit("-", 1)[0], project)
        changelog = gzip.decompress((self.tree / DOC[1:] / "changelog.Debian.gz").read_bytes())
        self.assertTrue(changelog.decode().startswith(f"lanekeeper ({version}) "))
        said = output(self.tree / "usr/bin/lanekeeper", "--version")
        self.assertTrue(said.startswith(f"lanekeeper {project} "), said)

    def test_the_shipped_configuration_lacks_an_upstream_and_nothing_else(self):
        binary = self.tree / "usr/bin/lanekeeper"
        config = self.tree / "etc/lanekeeper/config.yaml"
        refused = subprocess.run([binary, "--check", "--config", config], capture_output=True,
                                 text=True)
        self.assertEqual(refused.returncode, 78)
        (problem,) = refused.stderr.splitlines()
        self.assertIn("upstream.address", problem)
        # The example in the comment is one that works.
        text = config.read_text()
        config.write_text(text.replace("address: # ", "address: "))
        self.assertNotEqual(config.read_text(), text)
        self.assertIn("ok", output(binary, "--check", "--config", config))

    def test_packed_again_it_is_the_same_to_the_byte(self):
        again = self.pack("again", umask=0o077)
        self.assertTrue(self.deb.read_bytes() == again.read_bytes())

    def test_the_debug_information_stays_behind(self):
        headers = output("objdump", "--section-headers", self.tree / "usr/bin/lanekeeper")
        self.assertNotIn(".debug_info", headers)


if __name__ == "__main__":
    missing = [tool for tool in ("cpack", "dpkg-shlibdeps", "file") if not shutil.which(tool)]
    if missing:
        print(f"skipped: {', '.join(missing)} missing: deploy/install-packages test")
        sys.exit(77)
    unittest.main(verbosity=2)
