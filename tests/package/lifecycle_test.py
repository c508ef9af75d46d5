#!/usr/bin/python3
"""The package is upgraded, removed, installed again and purged.

On request; root.py says what it needs.
"""

import re
import tempfile
import unittest

import debs
import root
from deb_case import CONFIG, UNIT, DebCase

# What a package manager remembers, which is not part of any package.
REMEMBERED = re.compile(r"^/(proc|sys|dev|run|tmp|root|var/(cache|log|lib/(apt|dpkg)))(/|$)|"
                        r"^/etc/(passwd|group|shadow|gshadow|subuid|subgid)-$")


class Upgrades(DebCase):
    def test_an_upgrade_restarts_it_and_keeps_the_changed_configuration(self):
        self.install_running()
        before = self.show("MainPID")
        mine = self.system.file(CONFIG).read_text()
        self.install(self.later(lambda tree: self.append(tree / CONFIG[1:], "# A new remark.\n")))
        self.assertEqual(self.show("ActiveState"), "active")
        self.assertNotEqual(self.show("MainPID"), before)
        self.assertEqual(self.system.file(CONFIG).read_text(), mine)
        self.assertIn("A new remark", self.system.file(f"{CONFIG}.dpkg-dist").read_text())

    def test_an_upgrade_takes_the_new_configuration_where_the_old_was_not_touched(self):
        self.install()
        self.install(self.later(lambda tree: self.append(tree / CONFIG[1:], "# A new remark.\n")))
        self.assertIn("A new remark", self.system.file(CONFIG).read_text())

    def test_an_upgrade_leaves_the_daemon_running_whose_file_its_successor_refuses(self):
        self.install_running()
        before = self.show("MainPID")
        self.configure("listen: none")
        said = self.install(self.later())
        self.assertIn("lanekeeper: not restarted", said)
        self.assertRegex(said, rf"{CONFIG}:1:9: listen: ")
        self.assertEqual(self.show("ActiveState"), "active")
        self.assertEqual(self.show("MainPID"), before)

    def test_an_upgrade_does_not_enable_what_was_disabled(self):
        self.install_running()
        self.machine.run("systemctl", "disable", "--now", UNIT)
        self.install(self.later())
        self.assertEqual(self.show("UnitFileState"), "disabled")
        self.assertEqual(self.show("ActiveState"), "inactive")

    def later(self, change=lambda tree: None):
        return debs.changed(self.deb, self.folder, change)

    @staticmethod
    def append(file, text):
        file.write_text(file.read_text() + text)


class Going(DebCase):
    def listing(self):
        """Every path of the machine that a package may leave behind, and the users."""
        paths = self.machine.run("find", "/", "-xdev").splitlines()
        users = {name: self.machine.run("getent", name) for name in ("passwd", "group", "shadow")}
        return {path for path in paths if not REMEMBERED.match(path)}, users

    def test_a_removal_keeps_the_configuration_and_an_installation_takes_it_up(self):
        self.install_running()
        self.apt("remove", "lanekeeper")
        self.assertEqual(self.show("MainPID"), "0")
        self.assertTrue(self.system.file(CONFIG).exists())
        self.install()
        self.assertEqual(self.show("ActiveState"), "active")

    def test_a_purge_leaves_nothing(self):
        paths, users = self.listing()
        self.install_running()
        in_between, _ = self.listing()
        self.assertIn("/usr/bin/lanekeeper", in_between - paths)
        self.apt("purge", "--autoremove", "lanekeeper")
        left, users_left = self.listing()
        self.assertEqual(sorted(left - paths), [])
        self.assertEqual(sorted(paths - left), [])
        self.assertEqual(users_left, users)
        self.assertEqual(self.show("LoadState"), "not-found")

    def test_a_purge_keeps_the_user_where_files_are_left_that_it_may_read(self):
        self.install_running()
        key = self.system.file("/etc/lanekeeper/tls.key")
        key.write_text("a key")
        said = self.apt("purge", "lanekeeper")
        self.assertIn("the user lanekeeper stays", said)
        self.assertTrue(key.exists())
        self.assertIn("lanekeeper", self.machine.run("getent", "passwd", "lanekeeper"))


class WithoutSystemdTest(unittest.TestCase):
    def test_it_installs_and_purges_where_no_systemd_is(self):
        folder = self.enterContext(tempfile.TemporaryDirectory(dir=root.CACHE))
        deb = debs.built(folder)
        system = root.base_root().overlay(f"{folder}/system")
        self.addCleanup(system.remove)
        path = DebCase.place(system, deb)
        system.run("apt-get", "install", "--yes", "--no-install-recommends", path)
        self.assertIn(debs.field(deb, "Version").rsplit("-", 1)[0],
                      system.run("lanekeeper", "--version"))
        system.run("apt-get", "purge", "--yes", "lanekeeper")
        self.assertFalse(system.file("/etc/lanekeeper").exists())


if __name__ == "__main__":
    root.skip_where_it_cannot_run()
    unittest.main(verbosity=2)
