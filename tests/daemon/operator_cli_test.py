#!/usr/bin/python3
"""The operator's commands against a running daemon: what they show and do, and their exit codes."""

import json
import os
import pathlib
import signal
import subprocess

import grpc

from harness.byte_client import Stream
from harness.case import DaemonTest, main
from harness.lanekeeper import LANEKEEPER
from harness.ports import free_port
from harness.processes import Process
from harness.scrape import http_get
from harness.waiting import wait_until
from terminal import Terminal

# So that nobody reads for long enough to fill what buffers there are.
FLOOD = json.dumps({"count": 1000, "bytes": 65536}).encode()
RESTORED = "\x1b[?25h\x1b[?1049l"


def environment(**variables):
    """This process's, without what would change the commands' output."""
    kept = {k: v for k, v in os.environ.items()
            if k not in ("NO_COLOR", "LANEKEEPER_ADMIN", "LANEKEEPER_METRICS")}
    return {**kept, "TERM": "xterm", **variables}


class OperatorTest(DaemonTest):
    def setUp(self):
        super().setUp()
        self.admin = f"127.0.0.1:{free_port()}"
        self.environment = environment(LANEKEEPER_ADMIN=self.admin)

    def run_command(self, *words):
        return subprocess.run([LANEKEEPER, *map(str, words)], env=self.environment, text=True,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=30)

    def succeed(self, *words):
        done = self.run_command(*words)
        self.assertEqual((done.returncode, done.stderr), (0, ""), words)
        return done.stdout

    def assert_fails(self, complaint, *words):
        """Exit code 1, and one line that says why."""
        done = self.run_command(*words)
        self.assertEqual((done.returncode, done.stdout), (1, ""), done.stderr)
        self.assertRegex(done.stderr, rf"\Alanekeeper: {complaint}[^\n]*\n\Z")

    def start_operated(self, **sections):
        self.upstream = self.start_upstream()
        self.sections = {"admin": {"address": self.admin}, "stuck": {"after": "1s"}, **sections}
        self.daemon = self.start(self.upstream.address, **self.sections)
        self.channel = self.open_channel(self.daemon.target)
        self.environment["LANEKEEPER_METRICS"] = self.daemon.metrics_address

    def start_stalled_stream(self):
        """Returns the RPC, whose answers nobody reads, and its id once it counts as stuck."""
        rpc = self.channel.unary_stream("/daemon.Produce/Flood")(FLOOD)
        self.stack.callback(rpc.cancel)
        line = wait_until(lambda: self.succeed("streams", "--stuck", "--json"), "a stuck stream")
        return rpc, json.loads(line)["id"]

    def open_terminal(self, *words, **variables):
        terminal = Terminal([LANEKEEPER, *words], {**self.environment, **variables})
        self.stack.callback(terminal.kill)
        return terminal


class Streams(OperatorTest):
    def setUp(self):
        super().setUp()
        self.start_operated()

    def test_stalled_stream_is_shown_as_stuck(self):
        _, stuck = self.start_stalled_stream()
        healthy = Stream(self.channel).echo()
        self.stack.callback(healthy.rpc.cancel)
        titles, first, second, totals = self.succeed("streams").splitlines()
        self.assertRegex(titles, r"^ *ID +METHOD +PEER +AGE +TO_UPSTREAM +TO_DOWNSTREAM$")
        self.assertRegex(first, rf"^ *{stuck} +/daemon\.Produce/Flood +127\.0\.0\.1:\d+ +\d+m?s "
                                r".*half_closed .* sending: receiver \d+s .*"
                                r" STUCK slow_receiver to_downstream \d+s$")
        self.assertRegex(second, r" /daemon\.Bidi/Echo .* receiving: sender \d+m?s +1 msg +4B .*"
                                 r" receiving: sender \d+m?s +1 msg +4B$")
        self.assertRegex(totals, r"^2 of 2 shown; 2 streams open, 1 stuck, .*"
                                 r" 1 connection -> 1 upstream connection \(ready\)$")

    def test_filters_hold_together(self):
        self.start_stalled_stream()
        healthy = Stream(self.channel).echo()
        self.stack.callback(healthy.rpc.cancel)

        def found(*filters):
            return len(self.succeed("streams", "--json", *filters).splitlines())

        self.assertEqual(found(), 2)
        self.assertEqual(found("--limit", 1), 1)
        self.assertEqual(found("--method", "Bidi"), 1)
        self.assertEqual(found("--method", "Bidi", "--stuck"), 0)
        self.assertEqual(found("--state", "sending"), 1)
        self.assertEqual(found("--peer", "127.0.0.1"), 2)
        self.assertEqual(found("--min-age", "1h"), 0)

    def test_one_stream_is_shown_in_full(self):
        _, stuck = self.start_stalled_stream()
        text = self.succeed("streams", stuck)
        self.assertRegex(text, rf"\Aid +{stuck}\nmethod +/daemon\.Produce/Flood\n")
        self.assertRegex(text, r"\nstuck +STUCK slow_receiver to_downstream \d+s\n\Z")

    def test_cancel_ends_the_stream(self):
        rpc, stuck = self.start_stalled_stream()
        self.assertRegex(self.succeed("cancel", stuck, "--reason", "holds the others up"),
                         rf"\Acancelled {stuck} /daemon\.Produce/Flood, open for \d+s\n\Z")
        with self.assertRaises(grpc.RpcError):
            list(rpc)
        self.assertEqual(rpc.code(), grpc.StatusCode.CANCELLED)
        self.assertIn("holds the others up", rpc.details())
        self.assert_fails(f"no stream {stuck} is open", "cancel", stuck)
        self.assert_fails(f"no stream {stuck} is open", "streams", stuck)

    def test_reader_that_goes_away_ends_it_quietly(self):
        self.start_stalled_stream()
        for command in ("streams", "top --interval 100ms", "watch --interval 100ms"):
            with self.subTest(command):
                done = subprocess.run(
                    ["bash", "-o", "pipefail", "-c", f"'{LANEKEEPER}' {command} | head -n 1"],
                    env=self.environment, capture_output=True, text=True, timeout=30)
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                self.assertEqual(done.stdout.count("\n"), 1)

    def test_watch_prints_events_until_it_is_interrupted(self):
        for flags in ([], ["--json"]):
            with self.subTest(flags=flags):
                watch = self.keep(Process("watch", [LANEKEEPER, "watch", *flags],
                                          environment={"LANEKEEPER_ADMIN": self.admin}))
                stream = Stream(self.channel).echo()
                watch.await_line("(?i)opened.*/daemon.Bidi/Echo")
                stream.half_close()
                stream.end()
                watch.await_line("(?i)ended.*/daemon.Bidi/Echo")
                watch.signal(signal.SIGINT)
                self.assertEqual(watch.await_exit(), 0)
        for line in watch.lines:
            self.assertLessEqual({"time", "kind", "stream"}, set(json.loads(line)))


class Top(OperatorTest):
    def setUp(self):
        super().setUp()
        self.start_operated()

    def test_screen_is_given_back_however_it_ends(self):
        for end in (lambda top: top.type(b"\x03"),
                    lambda top: top.signal(signal.SIGTERM)):
            top = self.open_terminal("top", "--interval", "100ms")
            top.await_text("per second: 0 RPCs")
            end(top)
            self.assertEqual(top.await_exit(), 0)
            self.assertTrue(top.text.startswith("\x1b[?1049h\x1b[?25l\x1b[H"), top.text[:80])
            self.assertTrue(top.text.endswith(RESTORED), top.text[-80:])

    def test_screen_is_given_back_when_the_daemon_goes(self):
        top = self.open_terminal("top", "--interval", "100ms")
        top.await_text("per second: 0 RPCs")
        self.daemon.kill()
        self.assertEqual(top.await_exit(), 1)
        self.assertRegex(top.text.split(RESTORED)[1], r"^lanekeeper: not reachable at [^\n]*\n$")

    def test_colours_are_for_terminals_that_want_them(self):
        self.start_stalled_stream()
        for wanted, variables in ((True, {}), (False, {"NO_COLOR": "1"})):
            with self.subTest(variables=variables):
                top = self.open_terminal("top", "--count", "1", **variables)
                self.assertEqual(top.await_exit(), 0)
                self.assertIn("STUCK slow_receiver", top.text)
                self.assertEqual("\x1b[31m" in top.text, wanted)

    def test_without_a_terminal_it_prints_tables(self):
        text = self.succeed("top", "--interval", "100ms", "--count", "2")
        self.assertEqual(text.count("METHOD"), 2)
        self.assertNotIn("\x1b", text)


class Control(OperatorTest):
    def test_drain_waits_until_the_daemon_has_gone(self):
        self.start_operated()
        text = self.succeed("drain", "--wait")
        self.assertRegex(text, r"\Adraining: 0 streams open, 25s at most\ngone\n\Z")
        self.assertEqual(self.daemon.await_exit(), 0)

    def test_log_level_is_changed(self):
        self.start_operated()
        self.assertEqual(self.succeed("loglevel", "debug"), "log level debug, was info\n")
        self.assertEqual(self.succeed("loglevel", "error"), "log level error, was debug\n")

    def test_read_only_refuses_every_change_and_shows_the_rest(self):
        self.start_operated(admin={"address": self.admin, "read_only": True})
        for words in (["cancel", "1"], ["drain"], ["loglevel", "debug"], ["reload"]):
            with self.subTest(words=words):
                self.assert_fails(f"{self.admin} refused: admin.read_only is true: nothing can be "
                                  "changed at this address", *words)
        self.assertIn("0 of 0 shown", self.succeed("streams"))
        self.assertIn("nothing differs", self.succeed("reload", "--dry-run"))

    def test_reload_shows_what_has_changed(self):
        self.start_operated(reload={"watch": False})
        config = self.config(self.upstream.address, limits={"open_rpcs": 7}, **self.sections)
        new = pathlib.Path(self.folder, "new.yaml")
        new.write_text(json.dumps(config))
        row = r"limits.open_rpcs +10000 +7 +new RPCs\n"
        before = self.daemon.scrape().value("lanekeeper_config_reloads_total")
        self.assertRegex(self.succeed("reload", "--dry-run", new),
                         rf"\AKEY.*\n{row}would reload: 1 change\n\Z")
        self.assertEqual(self.succeed("reload", "--dry-run"), "would reload: nothing differs\n")
        self.assertEqual(self.daemon.scrape().value("lanekeeper_config_reloads_total"), before)
        self.daemon.replace_config(config)
        self.assertRegex(self.succeed("reload"), rf"\AKEY.*\n{row}reloaded: 1 change\n\Z")
        self.assertEqual(self.succeed("reload"), "reloaded: nothing differs\n")

    def test_reload_of_a_bad_file_tells_each_problem(self):
        self.start_operated(reload={"watch": False})
        bad = "listn: []\nupstream: {address: 127.0.0.1:1}\n"
        new = pathlib.Path(self.folder, "new.yaml")
        new.write_text(bad)
        self.daemon.replace_config(bad)
        for words, path in ((["reload"], self.daemon.path), (["reload", "--dry-run", new], new)):
            with self.subTest(words=words):
                done = self.run_command(*words)
                self.assertEqual((done.returncode, done.stdout), (1, ""))
                self.assertEqual(done.stderr.splitlines(), [
                    f"lanekeeper: {path}:1:1: listen: this required key is missing",
                    f"lanekeeper: {path}:1:1: unknown key 'listn', did you mean 'listen'?"])

    def test_daemon_that_is_not_there_is_named(self):
        for words in (["streams"], ["streams", "1"], ["top"], ["watch"], ["cancel", "1"],
                      ["drain"], ["drain", "--wait"], ["reload"], ["loglevel", "debug"]):
            with self.subTest(words=words):
                self.assert_fails(f"not reachable at {self.admin}: Connection refused", *words)

    def test_wrong_usage_exits_with_2(self):
        for words in (["streams", "x"], ["streams", "--min-age", "10"], ["cancel"],
                      ["loglevel", "loud"], ["top", "--count", "0"], ["health", "--admin", "x:1"],
                      ["drain", "--admin", "nonsense"], ["wait", "--max", "forever"]):
            with self.subTest(words=words):
                done = self.run_command(*words)
                self.assertEqual((done.returncode, done.stdout), (2, ""))
                self.assertNotEqual(done.stderr, "")


class UnixSocket(OperatorTest):
    """admin.address: unix:///path, on which only files' permissions let anybody in."""

    def setUp(self):
        super().setUp()
        self.path = os.path.join(self.folder, "admin.sock")
        self.admin = f"unix://{self.path}"
        self.environment["LANEKEEPER_ADMIN"] = self.admin

    def test_commands_and_curl_reach_it(self):
        self.start_operated()
        _, stuck = self.start_stalled_stream()
        answer = subprocess.run(
            ["curl", "--silent", "--fail", "--unix-socket", self.path,
             "http://localhost/streams?stuck=true"], capture_output=True, text=True, timeout=30)
        self.assertEqual(answer.returncode, 0, answer.stderr)
        self.assertEqual([stream["id"] for stream in json.loads(answer.stdout)["streams"]], [stuck])
        self.assertRegex(self.succeed("cancel", stuck), rf"^cancelled {stuck} ")
        self.assertRegex(self.succeed("top", "--count", "1"), r"\A[^\n]*admin\.sock")

    def test_socket_goes_with_the_daemon_and_is_taken_over_after_a_crash(self):
        self.start_operated()
        self.assertTrue(os.path.exists(self.path))
        self.daemon.kill()
        self.assert_fails("not reachable at unix:", "streams")
        self.start_operated()
        self.succeed("streams")
        self.succeed("drain", "--wait")
        self.assertEqual(self.daemon.await_exit(), 0)
        self.assertFalse(os.path.exists(self.path))

    def test_socket_of_a_running_daemon_is_not_taken(self):
        self.start_operated()
        other = self.launch(admin={"address": self.admin})
        self.assertEqual(other.await_exit(), 1)
        other.await_line(f" error .*{self.path}")
        self.succeed("streams")


class Probes(OperatorTest):
    def test_health_is_what_readyz_says(self):
        daemon = self.start()
        self.environment["LANEKEEPER_METRICS"] = daemon.metrics_address
        wait_until(lambda: http_get(daemon.metrics_address, "/readyz")[0] == 200, "ready")
        self.assertEqual(self.succeed("health"), "")
        self.assertEqual(self.succeed("health", "--live"), "")
        daemon.kill()
        self.assert_fails(rf"http://{daemon.metrics_address}/readyz: cannot connect", "health")
        self.assert_fails(rf"http://{daemon.metrics_address}/livez: cannot connect", "health", "--live")

    def test_wait_holds_until_the_daemon_is_ready(self):
        metrics = f"127.0.0.1:{free_port()}"
        wait = self.keep(Process("wait", [LANEKEEPER, "wait", "--metrics", metrics]))
        self.start(metrics={"address": metrics})
        self.assertEqual(wait.await_exit(), 0)
        self.assertEqual(wait.lines, [])

    def test_wait_gives_up(self):
        metrics = f"127.0.0.1:{free_port()}"
        self.assert_fails(f"not within 300ms: http://{metrics}/readyz: cannot connect", "wait", "--max", "300ms",
                          "--metrics", metrics)


if __name__ == "__main__":
    main()
