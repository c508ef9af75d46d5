#!/usr/bin/python3
"""deploy/artefacts twice, as two people would who share nothing but the commit: equal bytes.

On request, because it compiles lanekeeper twice:
LANEKEEPER_TEST_PACKAGE=1 ctest --preset release -L package -R artefacts
"""

import gzip
import io
import json
import os
import pathlib
import re
import subprocess
import sys
import tarfile
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PARALLEL = os.environ.get("CMAKE_BUILD_PARALLEL_LEVEL", str(os.cpu_count()))


def output(*words, **options):
    return subprocess.run([*map(str, words)], check=True, stdout=subprocess.PIPE, **options).stdout


class Artefacts(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        cls.head = output("git", "-C", ROOT, "rev-parse", "HEAD", text=True).strip()
        cls.time = int(output("git", "-C", ROOT, "log", "-1", "--format=%ct", text=True))
        cls.work = [cls.folder / "w", cls.folder / "a folder/that is deeper"]
        cls.one = cls.build(cls.work[0], "first", PARALLEL)
        cls.other = cls.build(
            cls.work[1], "second", "1", umask=0o077, TZ="Pacific/Auckland", LC_ALL="C.UTF-8",
            CXXFLAGS="-O0", SOURCE_DATE_EPOCH="1")
        (cls.deb,) = cls.one.glob("*.deb")
        cls.tree = cls.folder / "tree"
        output("dpkg-deb", "--raw-extract", cls.deb, cls.tree)

    @classmethod
    def build(cls, work, name, parallel, umask=-1, **env):
        work.mkdir(parents=True)
        output(ROOT / "deploy/artefacts", "--parallel", parallel, cls.head, cls.folder / name,
               cwd=work, umask=umask, env={**os.environ, "TMPDIR": str(work), **env})
        assert not list(work.iterdir()), "work is left behind"
        return cls.folder / name

    def test_both_builds_give_the_same_bytes(self):
        names = sorted(path.name for path in self.one.iterdir())
        self.assertEqual(sorted(path.name for path in self.other.iterdir()), names)
        different = [name for name in names
                     if (self.one / name).read_bytes() != (self.other / name).read_bytes()]
        self.assertEqual(different, [])

    def test_the_artefacts_are_these_and_their_sums_hold(self):
        version = output("dpkg-deb", "--field", self.deb, "Version", text=True).strip()
        upstream = version.rsplit("-", 1)[0]
        names = {self.deb.name, f"{self.deb.stem}.spdx.json", f"lanekeeper-{upstream}.tar.gz"}
        self.assertEqual(self.deb.name, f"lanekeeper_{version}_amd64.deb")
        self.assertEqual({path.name for path in self.one.iterdir()}, {*names, "SHA256SUMS"})
        checked = output("sha256sum", "--check", "--strict", "SHA256SUMS", cwd=self.one, text=True)
        self.assertEqual({line.split(": ")[0] for line in checked.splitlines()}, names)

    def test_the_binary_is_the_commit_s_and_names_no_folder_of_its_build(self):
        binary = self.tree / "usr/bin/lanekeeper"
        self.assertIn(self.head[:12], output(binary, "--version", text=True))
        self.assertNotIn(str(self.folder).encode(), binary.read_bytes())

    def test_nothing_in_the_package_is_younger_than_the_commit(self):
        packed = output("dpkg-deb", "--fsys-tarfile", self.deb)
        with tarfile.open(fileobj=io.BytesIO(packed)) as members:
            times = {member.mtime for member in members}
        self.assertEqual(times, {self.time})

    def test_the_sources_are_those_of_the_commit(self):
        (archive,) = self.one.glob("*.tar.gz")
        with tarfile.open(fileobj=io.BytesIO(gzip.decompress(archive.read_bytes()))) as members:
            found = {member.name.split("/", 1)[1] for member in members if member.isfile()}
        listed = output("git", "-C", ROOT, "ls-tree", "-r", "-z", "--name-only", self.head,
                        text=True)
        self.assertEqual(found, set(filter(None, listed.split("\0"))))

    def test_the_bill_of_materials_is_the_package_s(self):
        (bill,) = self.one.glob("*.spdx.json")
        versions = {package["name"]: package["versionInfo"]
                    for package in json.loads(bill.read_text())["packages"]}
        self.assertEqual(versions["lanekeeper"],
                         output("dpkg-deb", "--field", self.deb, "Version", text=True).strip())
        listed = re.findall(r"(?m)^runtime (\S+)", (ROOT / "deploy/packages").read_text())
        self.assertLessEqual({"libc6", *listed}, versions.keys())
        self.assertNotIn("cmake", versions)


if __name__ == "__main__":
    if os.environ.get("LANEKEEPER_TEST_PACKAGE") != "1":
        print("skipped: compiles lanekeeper twice: on request,",
              "LANEKEEPER_TEST_PACKAGE=1 ctest --preset release -L package -R artefacts")
        sys.exit(77)
    unittest.main(verbosity=2)
