#!/usr/bin/python3
"""deploy/sbom writes what SPDX 2.3 asks for, of a small system that is made here."""

import json
import os
import pathlib
import re
import subprocess
import tempfile
import unittest

SBOM = pathlib.Path(__file__).resolve().parents[2] / "deploy/sbom"
PACKAGE = """Package: {}
Status: {}
Maintainer: Some One <one@example.org>
Architecture: amd64
Version: {}
Depends: {}
Description: for a test

"""
THERE = "install ok installed"
PACKAGES = [("lanekeeper", THERE, "0.1.0-1", "libc6 (>= 2.34), libstdc++6 | other"),
            ("libc6", THERE, "2.36-9+deb12u14", "nobody-has-this"),
            ("libstdc++6", THERE, "12.2.0-14", "libc6"),
            ("tzdata", "deinstall ok config-files", "1:2024a", "libc6")]
REQUIRED = {"SPDXID", "name", "versionInfo", "downloadLocation", "filesAnalyzed", "supplier",
            "licenseConcluded", "licenseDeclared", "copyrightText"}


class Sbom(unittest.TestCase):
    def setUp(self):
        folder = self.enterContext(tempfile.TemporaryDirectory())
        self.root = pathlib.Path(folder)
        (self.root / "var/lib/dpkg/info").mkdir(parents=True)
        (self.root / "etc").mkdir()
        (self.root / "etc/os-release").write_text(
            'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\nVERSION_ID="12"\n')
        self.have(PACKAGES)

    def have(self, packages):
        (self.root / "var/lib/dpkg/status").write_text(
            "".join(PACKAGE.format(*package) for package in packages))

    def run_sbom(self, *flags, time="1700000000"):
        return subprocess.run([SBOM, "--root", self.root, *flags], capture_output=True, text=True,
                              timeout=60, env={**os.environ, "SOURCE_DATE_EPOCH": time})

    def written(self, *flags):
        done = self.run_sbom(*flags)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return json.loads(done.stdout)

    def test_the_document_says_what_and_when(self):
        made = self.written()
        self.assertEqual(made["spdxVersion"], "SPDX-2.3")
        self.assertEqual(made["dataLicense"], "CC0-1.0")
        self.assertEqual(made["SPDXID"], "SPDXRef-DOCUMENT")
        self.assertEqual(made["creationInfo"]["created"], "2023-11-14T22:13:20Z")
        self.assertRegex(made["creationInfo"]["creators"][0], r"^Tool: ")
        self.assertRegex(made["documentNamespace"], r"^https://[^#]+$")
        self.assertTrue(made["name"])

    def test_each_package_has_what_is_required(self):
        packages = self.written()["packages"]
        for package in packages:
            self.assertLessEqual(REQUIRED, package.keys())
            self.assertRegex(package["SPDXID"], r"^SPDXRef-[A-Za-z0-9.-]+$")
        self.assertEqual(len({package["SPDXID"] for package in packages}), len(packages))

    def test_packages_are_those_installed_with_their_purl(self):
        found = {package["name"]: package["externalRefs"][0]["referenceLocator"]
                 for package in self.written()["packages"] if "externalRefs" in package}
        self.assertEqual(found, {
            "lanekeeper": "pkg:deb/debian/lanekeeper@0.1.0-1?arch=amd64&distro=debian-12",
            "libc6": "pkg:deb/debian/libc6@2.36-9%2Bdeb12u14?arch=amd64&distro=debian-12",
            "libstdc++6": "pkg:deb/debian/libstdc%2B%2B6@12.2.0-14?arch=amd64&distro=debian-12"})

    def test_relations_are_between_what_is_there(self):
        made = self.written()
        known = {"SPDXRef-DOCUMENT"} | {package["SPDXID"] for package in made["packages"]}
        short = {(re.sub("^SPDXRef-(Package-)?", "", relation["spdxElementId"]),
                  relation["relationshipType"],
                  re.sub("^SPDXRef-(Package-)?", "", relation["relatedSpdxElement"]))
                 for relation in made["relationships"]
                 if {relation["spdxElementId"], relation["relatedSpdxElement"]} <= known}
        self.assertEqual(len(short), len(made["relationships"]))
        system, self_, stdcxx = "System", "lanekeeper-amd64", "libstdc-2b--2b-6-amd64"
        self.assertEqual(short, {
            ("DOCUMENT", "DESCRIBES", system), (system, "CONTAINS", self_),
            (system, "CONTAINS", "libc6-amd64"), (system, "CONTAINS", stdcxx),
            (self_, "DEPENDS_ON", "libc6-amd64"), (self_, "DEPENDS_ON", stdcxx),
            (stdcxx, "DEPENDS_ON", "libc6-amd64")})

    def test_an_image_without_the_package_is_told_the_version(self):
        self.have(PACKAGES[1:])
        refused = self.run_sbom()
        self.assertEqual((refused.returncode, refused.stdout), (1, ""))
        self.assertIn("--lanekeeper VERSION", refused.stderr)
        found = {package["name"]: package["versionInfo"]
                 for package in self.written("--lanekeeper", "0.1.0")["packages"]}
        self.assertEqual(found["lanekeeper"], "0.1.0")

    def test_of_a_package_s_file_it_lists_that_and_what_it_needs_of_the_system(self):
        self.have([*PACKAGES, ("bash", THERE, "5.2", "libc6"),
                   ("libgcc-s1", THERE, "12.2.0-14\nProvides: libgcc1 (= 1:12)", "libc6")])
        tree = self.root / "tree"
        (tree / "DEBIAN").mkdir(parents=True)
        control = PACKAGE.format("lanekeeper", THERE, "0.2.0-1", "libstdc++6, libgcc1 (>= 1:4)")
        (tree / "DEBIAN/control").write_text(control.replace(f"Status: {THERE}\n", ""))
        subprocess.run(["dpkg-deb", "--build", tree, self.root / "one.deb"], check=True,
                       capture_output=True)
        made = self.written("--deb", self.root / "one.deb")
        found = {package["name"]: package["versionInfo"] for package in made["packages"]
                 if "externalRefs" in package}
        # Not bash, which it does not need, and not the lanekeeper that is installed.
        self.assertEqual(found, {"lanekeeper": "0.2.0-1", "libc6": "2.36-9+deb12u14",
                                 "libgcc-s1": "12.2.0-14", "libstdc++6": "12.2.0-14"})
        needs = {relation["relatedSpdxElement"] for relation in made["relationships"]
                 if relation["relationshipType"] == "DEPENDS_ON"
                 and relation["spdxElementId"] == "SPDXRef-Package-lanekeeper-amd64"}
        self.assertEqual(needs, {"SPDXRef-Package-libgcc-s1-amd64",
                                 "SPDXRef-Package-libstdc-2b--2b-6-amd64"})

    def test_the_same_system_and_time_give_the_same_bytes(self):
        self.assertEqual(self.run_sbom().stdout, self.run_sbom().stdout)
        self.assertNotEqual(json.loads(self.run_sbom(time="1").stdout)["documentNamespace"],
                            self.written()["documentNamespace"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
