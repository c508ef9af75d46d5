#!/usr/bin/python3
"""The package is installed, and its service starts, forwards, reloads, hangs and stops.

On request; root.py says what it needs.
"""

import re
import unittest

import root
from deb_case import CONFIG, UNIT, DebCase
from harness.certificates import Authority
from harness.waiting import wait_until


class Installing(DebCase):
    def test_without_an_upstream_it_is_enabled_but_not_started_and_says_why(self):
        said = self.install()
        self.assertIn("lanekeeper: not started", said)
        self.assertRegex(said, rf"{CONFIG}:\d+:\d+: upstream\.address: ")
        self.assertIn("systemctl start lanekeeper", said)
        self.assertEqual(self.machine.run("systemctl", "is-enabled", UNIT).strip(), "enabled")
        self.assertEqual(self.show("ActiveState"), "inactive")
        # Started all the same, it says the same, and is not tried again and again.
        self.machine.run("systemctl", "start", UNIT, good=(1,))
        self.assertEqual(self.show("ActiveState"), "failed")
        self.assertEqual(self.show("ExecMainStatus"), "78")
        self.assertEqual(self.show("NRestarts"), "0")
        self.assertIn("upstream.address", self.machine.journal(UNIT))

    def test_once_the_shipped_file_names_an_upstream_it_forwards(self):
        self.install()
        text = self.system.file(CONFIG).read_text()
        self.system.file(CONFIG).write_text(
            re.sub(r"(?m)^  address: # .*$", "  address: 127.0.0.1:50052", text))
        self.machine.run("systemctl", "start", UNIT)
        self.assertEqual(self.show("StatusText"), "forwarding")
        self.start_upstream()
        self.await_calls_through("127.0.0.1:50051")
        # Its own /proc is there, whatever else is hidden.
        metrics = self.machine.http_get(9464, "/metrics")
        for name in ("process_start_time_seconds", "process_open_fds", "process_cpu_seconds_total"):
            self.assertGreater(float(re.search(rf"(?m)^{name} (\S+)$", metrics)[1]), 0, name)
        # Every user reaches the control address: it shows and does not obey.
        self.assertIn("ID", self.machine.run("lanekeeper", "streams"))
        said = self.machine.run("lanekeeper", "drain", good=(1,))
        self.assertIn("read_only", said)

    def test_with_a_good_configuration_there_already_it_starts_by_itself_as_its_user(self):
        self.install_running()
        pid = self.show("MainPID")
        status = self.machine.run("cat", f"/proc/{pid}/status")
        uid = self.machine.run("id", "--user", "lanekeeper").strip()
        self.assertRegex(status, rf"(?m)^Uid:\t{uid}\t{uid}\t{uid}\t{uid}$")
        self.assertRegex(status, r"(?m)^CapBnd:\t0+$")
        self.assertRegex(status, r"(?m)^NoNewPrivs:\t1$")
        self.assertRegex(status, r"(?m)^Seccomp:\t2$")
        self.assertEqual(self.show("Result"), "success")

    def test_systemd_finds_no_fault_with_the_unit_and_little_exposure(self):
        self.install()
        self.assertEqual(self.machine.run("systemd-analyze", "verify", "--man=no", UNIT), "")
        said = self.machine.run("systemd-analyze", "security", "--offline=yes", "--no-pager",
                                f"/lib/systemd/system/{UNIT}")
        exposure = re.search(r"Overall exposure level for \S+: (\d+\.\d+)", said)
        print(exposure.group(0))
        self.assertLess(float(exposure.group(1)), 2.0, said)


class Running(DebCase):
    def test_a_reload_takes_a_good_file_and_fails_with_a_bad_one(self):
        self.install_running()
        self.start_upstream()
        pid = self.show("MainPID")
        socket = "unix:///run/lanekeeper/proxy.sock"
        self.configure(listen=[{"address": socket}])
        self.machine.run("systemctl", "reload", UNIT)
        wait_until(lambda: self.system_has("/run/lanekeeper/proxy.sock"), "the new listener")
        self.machine.await_shown(UNIT, "StatusText", "forwarding")
        self.await_calls_through("unix:/run/lanekeeper/proxy.sock")
        self.configure("listen: none")
        self.machine.run("systemctl", "reload", UNIT, good=(1,))
        self.assertRegex(self.machine.journal(UNIT), rf"{CONFIG}:1:9: listen: ")
        self.assertEqual(self.show("ActiveState"), "active")
        self.assertEqual(self.show("MainPID"), pid)

    def test_a_key_that_only_its_group_may_read_is_enough(self):
        self.install()
        folder = self.system.file("/etc/lanekeeper")
        Authority(folder, "localhost")
        self.machine.run("chown", "root:lanekeeper", "/etc/lanekeeper/localhost.key")
        self.machine.run("chmod", "640", "/etc/lanekeeper/localhost.key")
        self.configure(listen=[{"address": "127.0.0.1:50051",
                                "tls": {"certificate": "/etc/lanekeeper/localhost.crt",
                                        "key": "/etc/lanekeeper/localhost.key"}}])
        self.machine.run("systemctl", "start", UNIT)
        self.assertEqual(self.show("ActiveState"), "active")

    def test_a_port_below_1024_needs_the_drop_in_that_the_unit_names(self):
        self.install()
        self.configure(listen=[{"address": "127.0.0.1:443"}])
        self.machine.run("systemctl", "start", UNIT, good=(1,))
        self.assertIn("Permission denied", self.machine.journal(UNIT))
        unit = self.system.file(f"/lib/systemd/system/{UNIT}").read_text()
        lines = re.search(r"needs a drop-in:\n((?:#   .*\n)+)", unit).group(1)
        drop_in = self.system.file(f"/etc/systemd/system/{UNIT}.d/port.conf")
        drop_in.parent.mkdir()
        drop_in.write_text("[Service]\n" + lines.replace("#   ", ""))
        self.machine.run("systemctl", "daemon-reload")
        self.machine.run("systemctl", "restart", UNIT)
        self.assertEqual(self.show("ActiveState"), "active")

    def test_a_stop_drains_and_is_a_success(self):
        self.install_running()
        self.machine.run("systemctl", "stop", UNIT)
        self.assertEqual(self.show("Result"), "success")
        self.assertEqual(self.show("ExecMainStatus"), "0")
        self.assertIn("draining", self.machine.journal(UNIT))
        self.assertFalse(self.system_has("/run/lanekeeper"))

    def test_a_daemon_that_hangs_is_ended_by_the_watchdog_and_started_again(self):
        self.configure()
        drop_in = self.system.file(f"/etc/systemd/system/{UNIT}.d/quick.conf")
        drop_in.parent.mkdir()
        drop_in.write_text("[Service]\nWatchdogSec=2s\nRestartSec=100ms\n")
        self.install()
        pid = self.show("MainPID")
        self.assertNotEqual(pid, "0")
        self.machine.run("sh", "-c", f"kill -STOP {pid}")
        self.machine.await_shown(UNIT, "NRestarts", "1")
        self.machine.await_shown(UNIT, "ActiveState", "active")
        self.assertIn("Watchdog timeout", self.machine.journal(UNIT))


if __name__ == "__main__":
    root.skip_where_it_cannot_run()
    unittest.main(verbosity=2)
