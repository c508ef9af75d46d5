#!/usr/bin/python3
"""SIGHUP and a file that changes: a good configuration comes into use while RPCs go on; a bad one changes nothing and is told
problem by problem."""

import json
import os
import pathlib
import signal

import grpc

from harness.byte_client import Stream, call, code_of
from harness.case import DaemonTest, both_kinds, main

EXHAUSTED = grpc.StatusCode.RESOURCE_EXHAUSTED


@both_kinds
class Reload(DaemonTest):
    def start_both(self, *flags, **sections):
        self.upstream = self.start_upstream()
        self.daemon = self.start(self.upstream.address, flags=flags,
                                 **{"reload": {"watch": False}, **sections})
        return self.daemon, self.open_channel(self.daemon.target)

    def changed(self, **sections):
        """Tests that send signals are not to be overtaken by the watch."""
        return self.config(self.upstream.address, **{"reload": {"watch": False}, **sections})

    def assert_ends_without_failure(self, client):
        client.tell("end")
        self.assertEqual(json.loads(client.await_line("^ended (.*)").group(1)), [])

    def test_under_load_nothing_is_lost(self):
        daemon, channel = self.start_both()
        client = self.start_client("unary", daemon.target, 2, 8)
        client.await_line("^calling$")
        stream = Stream(channel).echo()
        for number in range(20):
            daemon.reload(self.changed(
                limits={"open_rpcs": 100 + number, "upstream_waiting": 100 + number,
                        "message_size": f"{1 + number}MiB", "metadata_size": f"{16 + number}KiB"},
                stuck={"after": f"{10 + number}s"}, drain={"timeout": f"{5 + number}s"},
                log={"access": ("off", "errors")[number % 2]}))
            stream.echo(b"still here %d" % number)
        self.assert_ends_without_failure(client)
        stream.half_close()
        self.assertEqual(stream.end()[0], grpc.StatusCode.OK)
        daemon.await_metric("lanekeeper_downstream_connections", 1)  # the one of `channel`
        self.assertEqual(daemon.scrape().value("lanekeeper_upstream_connections"), 1)

    def test_limits_are_for_new_rpcs(self):
        daemon, channel = self.start_both()
        stream = Stream(channel).echo()
        daemon.reload(self.changed(limits={"message_size": "1KiB", "open_rpcs": 1}))
        self.assertEqual(code_of(channel), EXHAUSTED)
        stream.echo(bytes(100_000))
        stream.half_close()
        stream.end()
        daemon.await_metric("lanekeeper_streams_open", 0)
        self.assertEqual(code_of(channel, bytes(1000)), grpc.StatusCode.OK)
        with self.assertRaises(grpc.RpcError) as refused:
            call(channel, bytes(1025))
        self.assertEqual(refused.exception.code(), EXHAUSTED)
        self.assertIn("message_size, 1024 bytes", refused.exception.details())
        daemon.reload(self.changed(limits={"metadata_size": "1KiB"}))
        self.assertEqual(code_of(channel, bytes(1025)), grpc.StatusCode.OK)
        self.assertEqual(code_of(channel, metadata=(("filler", "x" * 1024),)), EXHAUSTED)

    def test_what_counts_as_stuck_changes_for_open_streams(self):
        daemon, channel = self.start_both(stuck={"after": "0"})
        rpc = channel.unary_unary("/daemon.Silent/Wait").future(b"")
        self.stack.callback(rpc.cancel)
        self.upstream.await_counter("active", 1)
        daemon.reload(self.changed(stuck={"after": "100ms"}))
        daemon.await_metric("lanekeeper_streams_stuck", 1, kind="silent_sender")
        daemon.reload(self.changed(stuck={"after": "0"}))
        daemon.await_metric("lanekeeper_streams_stuck", 0, kind="silent_sender")

    def test_the_log_changes_at_once(self):
        daemon, channel = self.start_both(log={"access": "off"})
        call(channel)
        daemon.reload(self.changed(log={"access": "all", "format": "json"}))
        call(channel, method="/daemon.Unary/Later")
        line = daemon.await_line(r'^\{.*"RPC ended".*\}$').group()
        self.assertEqual(json.loads(line)["method"], "/daemon.Unary/Later")
        daemon.reload(self.changed(log={"access": "all", "level": "warn"}))
        daemon.reload(self.changed(log={"access": "all", "level": "info"}))
        daemon.await_line(r"info configuration reloaded .*changes=1$")
        daemon.await_count("configuration reloaded", 2)

    def test_flags_win_over_the_file_that_is_read_again(self):
        daemon, _ = self.start_both("--log-level", "info", "--log-format", "text")
        daemon.reload(self.changed(log={"level": "error", "format": "json"}), "unchanged")
        daemon.await_line("info configuration reloaded .*changes=0")

    def test_drain_timeout_counts_from_the_next_drain(self):
        daemon, channel = self.start_both()
        stream = Stream(channel).echo()
        daemon.reload(self.changed(drain={"timeout": "0"}))
        daemon.signal(signal.SIGTERM)
        self.assertEqual(daemon.await_exit(), 0)
        self.assertEqual(stream.end()[0], grpc.StatusCode.UNAVAILABLE)

    def test_a_bad_file_changes_nothing_and_every_problem_is_told(self):
        daemon, channel = self.start_both(limits={"message_size": "1KiB"})
        loaded_at = daemon.scrape().value("lanekeeper_config_last_reload_timestamp_seconds")
        daemon.reload("listen: [{address: 127.0.0.1:0}]\n"
                      "upstream: {address: 127.0.0.1:1}\n"
                      "limits: {open_rpcs: 0, message_size: 1MiB}\n"
                      "drain: {timeout: 25}\n"
                      "nonsense: 1\n", "refused")
        for problem in (r"3:21: limits.open_rpcs: expected 1 to 1000000",
                        r"4:18: drain.timeout: the unit is missing", r"5:1: unknown key"):
            daemon.await_line(rf"error configuration problem .*{daemon.path}:{problem}")
        daemon.await_line("error configuration not reloaded.* asked_by=SIGHUP .*problems=3")
        scrape = daemon.scrape()
        self.assertEqual(scrape.value("lanekeeper_config_reload_success"), 0)
        self.assertEqual(
            scrape.value("lanekeeper_config_last_reload_timestamp_seconds"), loaded_at)
        self.assertEqual(code_of(channel, bytes(1025)), EXHAUSTED)
        self.assertEqual(code_of(channel), grpc.StatusCode.OK)
        daemon.reload(self.changed(limits={"message_size": "2KiB"}))
        scrape = daemon.scrape()
        self.assertEqual(scrape.value("lanekeeper_config_reload_success"), 1)
        self.assertGreater(
            scrape.value("lanekeeper_config_last_reload_timestamp_seconds"), loaded_at)
        self.assertEqual(code_of(channel, bytes(1025)), grpc.StatusCode.OK)

    def test_a_file_that_has_gone_changes_nothing(self):
        daemon, channel = self.start_both()
        daemon.path.unlink()
        daemon.signal(signal.SIGHUP)
        daemon.await_line(f"configuration problem .*{daemon.path}: cannot be read")
        daemon.await_metric("lanekeeper_config_reload_success", 0)
        call(channel)

    def test_what_needs_a_restart_is_named_again_and_again(self):
        daemon, channel = self.start_both()
        other = self.changed(rpc_threads={"kind": "user" if self.kind == "kernel" else "kernel"},
                             metrics={"address": "off", "max_methods": 300})
        for _ in range(2):
            daemon.reload(other)
            call(channel)
        wanted = "warn configuration: this key changes with a restart only key="
        daemon.await_count(wanted + "rpc_threads.kind ", 2)
        daemon.await_count(wanted + "metrics.address ", 2)
        daemon.await_count("configuration changed key=metrics.max_methods ", 1)

    def test_a_signal_during_a_drain_neither_reloads_nor_ends_it(self):
        daemon, channel = self.start_both()
        stream = Stream(channel).echo()
        daemon.signal(signal.SIGTERM)
        daemon.await_line("draining")
        daemon.signal(signal.SIGHUP)
        stream.echo()
        stream.half_close()
        self.assertEqual(stream.end()[0], grpc.StatusCode.OK)
        self.assertEqual(daemon.await_exit(), 0)
        self.assertEqual(daemon.count_lines("configuration"), 0)


@both_kinds
class Watch(DaemonTest):
    def start_watched(self, **options):
        self.upstream = self.start_upstream()
        self.daemon = self.start(self.upstream.address, **options)
        self.channel = self.open_channel(self.daemon.target)

    def await_applied(self, count):
        self.daemon.await_metric("lanekeeper_config_reloads_total", count, result="applied")

    def test_a_configmaps_swap_is_seen_without_a_signal(self):
        """As the kubelet mounts them: config.yaml -> ..data/config.yaml, ..data -> ..1."""
        folder = pathlib.Path(self.folder, "mounted")
        (folder / "..1").mkdir(parents=True)
        (folder / "..data").symlink_to("..1")
        (folder / "config.yaml").symlink_to("..data/config.yaml")
        self.start_watched(path=folder / "config.yaml")
        stream = Stream(self.channel).echo()
        for number in (2, 3):
            new = folder / f"..{number}"
            new.mkdir()
            (new / "config.yaml").write_text(json.dumps(
                self.config(self.upstream.address, limits={"message_size": f"{number}KiB"})))
            (folder / "..data_tmp").symlink_to(new.name)
            (folder / "..data_tmp").rename(folder / "..data")
            self.await_applied(number - 1)
            stream.echo(b"still here %d" % number)
            self.assertEqual(code_of(self.channel, bytes(number * 1024 + 1)), EXHAUSTED)
            self.assertEqual(code_of(self.channel, bytes(number * 1024)), grpc.StatusCode.OK)
        self.daemon.await_line('configuration reloaded asked_by="a change of the file"')

    def test_a_file_in_a_relative_path_is_watched_and_may_be_written_in_place(self):
        folder = os.path.relpath(self.folder)
        self.start_watched(path=f"{folder}/config.yaml")
        self.daemon.path.write_text(
            json.dumps(self.config(self.upstream.address, limits={"message_size": "2KiB"})))
        self.await_applied(1)

    def test_a_bad_file_is_told_and_the_next_good_one_comes_into_use(self):
        self.start_watched()
        self.daemon.replace_config("nonsense: 1\n")
        self.daemon.await_line("configuration problem .*nonsense")
        call(self.channel)
        self.daemon.replace_config(self.config(self.upstream.address, drain={"timeout": "1s"}))
        self.await_applied(1)

    def test_the_watch_is_turned_off_and_on_by_the_file_itself(self):
        self.start_watched()
        self.daemon.replace_config(
            self.config(self.upstream.address, reload={"watch": False}))
        self.await_applied(1)
        self.daemon.reload(self.config(self.upstream.address, reload={"watch": False},
                                       drain={"timeout": "1s"}))
        self.daemon.reload(self.config(self.upstream.address))
        self.daemon.await_count("reloaded asked_by=SIGHUP", 2)
        self.daemon.replace_config(self.config(self.upstream.address, drain={"timeout": "3s"}))
        self.await_applied(4)


if __name__ == "__main__":
    main()
