#!/usr/bin/python3
"""The command line: what it prints, with which exit code, and that bad input touches nothing."""

import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import unittest.mock

from harness.byte_client import call
from harness.case import DaemonTest, main
from harness.lanekeeper import LANEKEEPER
from harness.ports import free_port
from harness.processes import Process
from harness.scrape import http_get
from harness.waiting import wait_until

HERE = pathlib.Path(__file__).resolve().parent


def run(*arguments):
    return subprocess.run([LANEKEEPER, *map(str, arguments)], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=30)


def uncommented(yaml):
    return re.sub("  # .*", "", yaml)


class CommandLine(DaemonTest):
    def write(self, text):
        path = pathlib.Path(self.folder, "lanekeeper.yaml")
        path.write_text(text)
        return path

    def write_good(self):
        return self.write("listen: [{address: 127.0.0.1:0}]\nupstream: {address: 127.0.0.1:1}\n"
                          "drain: {timeout: 1500ms}\nlimits: {message_size: 64KiB}\n")

    def test_help_names_every_flag_and_subcommand(self):
        done = run("--help")
        self.assertEqual(done.returncode, 0, done.stderr)
        for word in ("--config", "--check", "--print-config", "--version", "--log-level",
                     "--log-format", "demo"):
            self.assertIn(word, done.stdout)
        self.assertEqual(done.stderr, "")

    def test_help_of_every_command_is_for_people_and_has_an_example(self):
        commands = re.findall(r"^  ([a-z-]+)  ", run("--help").stdout.partition("Subcommands:")[2],
                              re.MULTILINE)
        self.assertGreater(len(commands), 10)
        for words in ([], *([command] for command in commands)):
            with self.subTest(words):
                shown = run(*words, "--help").stdout
                self.assertNotRegex(shown, r"ENUM|->|TEXT=|INT\b|UINT")
                example = re.search(r"Example:\n  lanekeeper (.+)\n", shown).group(1)
                self.assertIn(words[0] if words else "--check", example.split())

    def test_version_says_lanekeepers_and_its_libraries(self):
        done = run("--version")
        self.assertEqual(done.returncode, 0, done.stderr)
        version = r"\d+\.\d+\.\d+\S*"
        self.assertRegex(done.stdout, rf"^lanekeeper {version} \(revision \S+, gRPC {version}, "
                                      rf"nghttp2 {version}\)\n$")

    def test_check_accepts_a_good_config(self):
        path = self.write_good()
        done = run("--config", path, "--check")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, f"{path}: ok\n", ""))

    def test_check_accepts_the_shipped_configs(self):
        for name in ("reference.yaml", "minimal.yaml"):
            with self.subTest(name):
                done = run("--config", HERE.parent.parent / "config" / name, "--check")
                self.assertEqual(done.returncode, 0, done.stderr)

    def test_printed_config_loads_back_to_the_same(self):
        first = run("--config", self.write_good(), "--print-config")
        self.assertEqual((first.returncode, first.stderr), (0, ""))
        self.assertRegex(first.stdout, r"timeout: 1500ms|timeout: 1s500ms|timeout: 1\.5s")
        self.assertIn("max_methods: 200", first.stdout)
        second = run("--config", self.write(first.stdout), "--print-config")
        self.assertEqual((second.returncode, second.stderr), (0, ""))
        self.assertEqual(uncommented(second.stdout), uncommented(first.stdout))

    def test_printed_config_tells_where_each_value_comes_from(self):
        path = self.write_good()
        with unittest.mock.patch.dict(os.environ, {"LANEKEEPER_LOG_FORMAT": "json",
                                                   "LANEKEEPER_STUCK_AFTER": "7s"}):
            done = run("--config", path, "--print-config", "--log-level", "debug")
        for line in (f"  timeout: 1s500ms  # {path}:3:18", "  max_methods: 200  # default",
                     "  after: 7s  # $LANEKEEPER_STUCK_AFTER", "  level: debug  # --log-level",
                     "  format: json  # $LANEKEEPER_LOG_FORMAT"):
            self.assertIn(line + "\n", done.stdout)

    def test_printed_config_holds_what_flags_override(self):
        done = run("--config", self.write_good(), "--print-config", "--log-level", "debug",
                   "--log-format", "json")
        self.assertRegex(done.stdout, r"level: debug")
        self.assertRegex(done.stdout, r"format: json")

    def test_misuse_exits_with_2(self):
        for arguments in (["--no-such-flag"], ["no-such-subcommand"], ["--log-level", "loud"],
                          ["--log-format", "xml"], ["--config"], ["demo", "--no-such-flag"]):
            with self.subTest(" ".join(arguments)):
                done = run(*arguments)
                self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
                self.assertEqual(done.stdout, "")
                self.assertNotEqual(done.stderr, "")

    def test_missing_config_exits_with_78_and_names_the_file(self):
        path = pathlib.Path(self.folder, "absent.yaml")
        for extra in ([], ["--check"], ["--print-config"]):
            with self.subTest(extra=extra):
                done = run("--config", path, *extra)
                self.assertEqual((done.returncode, done.stdout), (78, ""))
                self.assertIn(str(path), done.stderr)
                self.assertIn("No such file", done.stderr)
                self.assertEqual(done.stderr.count("\n"), 1)

    def test_broken_config_exits_with_78_and_says_every_problem_at_its_place(self):
        path = self.write("listen: [{address: nonsense}]\n"
                          "upstream: {address: 127.0.0.1:1, autority: x}\n"
                          "drain: {timeout: 5}\n"
                          "rpc_threads:\n"
                          "  kind: green\n")
        for extra in ([], ["--check"], ["--print-config"]):
            with self.subTest(extra=extra):
                done = run("--config", path, *extra)
                self.assertEqual((done.returncode, done.stdout), (78, ""))
                places = re.findall(rf"^{re.escape(str(path))}:(\d+):(\d+): \S", done.stderr,
                                    re.MULTILINE)
                self.assertEqual(len(places), len(done.stderr.splitlines()), done.stderr)
                self.assertEqual(sorted(int(line) for line, _ in places), [1, 2, 3, 5], done.stderr)
                self.assertIn("(5, 9)", str([(int(line), int(col)) for line, col in places]))
                self.assertIn("authority", done.stderr)  # what was probably meant

    def test_broken_config_touches_no_port(self):
        socket_path = pathlib.Path(self.folder, "proxy.sock")
        with socket.socket() as occupied:
            occupied.bind(("127.0.0.1", 0))
            occupied.listen()
            port = occupied.getsockname()[1]
            path = self.write(f"listen: [{{address: '127.0.0.1:{port}'}},"
                              f" {{address: 'unix://{socket_path}'}}]\n"
                              "upstream: {address: 127.0.0.1:1}\n"
                              "limits: {open_rpcs: many}\n")
            done = run("--config", path)
        self.assertEqual(done.returncode, 78)
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        self.assertRegex(done.stderr, r":3:\d+: ")
        self.assertNotIn("in use", done.stderr)
        self.assertFalse(socket_path.exists())

    def test_json_log_is_one_object_a_line(self):
        upstream = self.start_upstream()
        flags = ["--log-format", "json", "--log-level", "trace"]
        daemon = self.start(upstream.address, flags=flags)
        call(self.open_channel(daemon.target))
        daemon.signal(signal.SIGTERM)
        self.assertEqual(daemon.await_exit(), 0)
        for line in daemon.lines:
            entry = json.loads(line)
            self.assertEqual(set(entry), {"time", "level", "message"}, line)
            self.assertRegex(entry["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")

    def test_log_level_silences_what_is_below(self):
        metrics = f"127.0.0.1:{free_port()}"
        daemon = self.launch(metrics={"address": metrics}, flags=("--log-level", "error"))

        def ready():
            try:
                return http_get(metrics, "/readyz")[0] == 200
            except OSError:
                return False

        wait_until(ready, "ready")
        daemon.signal(signal.SIGTERM)
        self.assertEqual(daemon.await_exit(), 0)
        self.assertEqual(daemon.lines, [])

    def test_demo_serves_until_it_is_told_to_stop(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(number.name):
                demo = self.keep(Process("demo", [LANEKEEPER, "demo"]))
                target = demo.await_line(r"demo upstream listening on (\S+)").group(1)
                with self.open_channel(target) as channel:
                    answer = call(channel, b"\x0a\x02hi", "/lanekeeper.demo.Echo/Unary")
                self.assertEqual(answer, b"\x0a\x02hi")
                demo.signal(number)
                self.assertEqual(demo.await_exit(), 0)

    def test_demo_streams_go_on_when_somebody_cancels_one(self):
        demo = self.keep(Process("demo", [LANEKEEPER, "demo"]))
        daemon = self.start(demo.await_line(r"demo upstream listening on (\S+)").group(1))

        def moving():
            """Messages by id."""
            streams = json.loads(http_get(daemon.admin_address, "/streams")[1]).get("streams", [])
            return {stream["id"]: int(stream["to_upstream"]["messages"]) for stream in streams
                    if stream["method"].endswith("/BidiStream")}

        for cancelled, code in ((3, 0), (4, 1)):
            with self.subTest(cancelled=cancelled):
                streams = self.keep(
                    Process("demo-streams", [LANEKEEPER, "demo-streams", "--target", daemon.target]))
                wait_until(lambda: len(moving()) == 4, "four that move")
                for count in range(1, cancelled + 1):
                    done = run("cancel", min(moving(), key=int), "--admin", daemon.admin_address)
                    self.assertEqual(done.returncode, 0, done.stderr)
                    streams.await_count("a stream ended: lanekeeper: cancelled by an operator", count)
                if code == 0:
                    [(left, before)] = moving().items()
                    wait_until(lambda: moving()[left] > before, "the last one moves")
                    streams.signal(signal.SIGTERM)
                self.assertEqual(streams.await_exit(), code)
                wait_until(lambda: not moving(), "none is left")

    def test_demo_on_a_used_port_exits_with_1(self):
        with socket.socket() as occupied:
            occupied.bind(("127.0.0.1", 0))
            occupied.listen()
            address = "127.0.0.1:%d" % occupied.getsockname()[1]
            done = run("demo", "--listen", address)
        self.assertEqual(done.returncode, 1)
        self.assertIn(address, done.stderr)


if __name__ == "__main__":
    main()
