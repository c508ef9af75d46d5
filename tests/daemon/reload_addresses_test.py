#!/usr/bin/python3
"""A reload with another upstream or other listeners: open streams go on where they are, new RPCs go
where the new configuration says."""

import json
import os
import signal
import stat
import subprocess

import grpc

from harness.byte_client import Stream, call, code_of
from harness.case import DaemonTest, both_kinds, main
from harness.lanekeeper import LANEKEEPER
from harness.ports import free_port
from harness.waiting import wait_until


@both_kinds
class Upstream(DaemonTest):
    def start_on(self, address, **sections):
        self.sections = {"reload": {"watch": False}, **sections}
        self.daemon = self.start(address, **self.sections)
        self.channel = self.open_channel(self.daemon.target)

    def swap_to(self, upstream):
        self.daemon.reload(self.config(upstream, **self.sections))

    def test_open_streams_stay_and_new_rpcs_go_to_the_new_one(self):
        old, new = self.start_upstream(), self.start_upstream()
        self.start_on(old.address)
        stream = Stream(self.channel).echo()
        self.swap_to(new.address)
        for _ in range(20):
            call(self.channel)
        stream.echo(b"still there")
        self.assertEqual(new.counters()["finished"], 20)
        self.assertEqual(old.counters(), {"active": 1, "finished": 0, "cancelled": 0})
        self.daemon.await_metric("lanekeeper_upstream_connections", 2)
        stream.half_close()
        self.assertEqual(stream.end()[0], grpc.StatusCode.OK)
        self.daemon.await_metric("lanekeeper_upstream_connections", 1)
        self.assertEqual(self.daemon.scrape().value("lanekeeper_upstream_state", state="ready"), 1)

    def test_swaps_under_load_lose_nothing(self):
        upstreams = [self.start_upstream(), self.start_upstream()]
        self.start_on(upstreams[0].address)
        client = self.start_client("unary", self.daemon.target, 2, 8)
        client.await_line("^calling$")
        for number in range(1, 9):
            self.swap_to(upstreams[number % 2].address)
            call(self.channel)
        client.tell("end")
        self.assertEqual(json.loads(client.await_line("^ended (.*)").group(1)), [])
        self.daemon.await_metric("lanekeeper_upstream_connections", 1)

    def test_another_number_of_connections_for_the_same_name(self):
        upstream = self.start_upstream()
        self.start_on(f"localhost:{upstream.port}")
        stream = Stream(self.channel).echo()
        self.swap_to({"address": f"localhost:{upstream.port}", "load_balancing": "round_robin"})
        call(self.channel)
        stream.echo()
        self.daemon.await_metric("lanekeeper_upstream_connections", 2)
        stream.half_close()
        stream.end()
        self.daemon.await_metric("lanekeeper_upstream_connections", 1)

    def test_a_target_that_is_not_there_fails_new_rpcs_only(self):
        upstream = self.start_upstream()
        self.start_on(upstream.address)
        stream = Stream(self.channel).echo()
        dead = f"127.0.0.1:{free_port()}"
        self.swap_to(dead)
        with self.assertRaises(grpc.RpcError) as failed:
            call(self.channel)
        self.assertEqual(failed.exception.code(), grpc.StatusCode.UNAVAILABLE)
        self.assertIn(dead, failed.exception.details())
        stream.echo(b"still there")
        self.swap_to(upstream.address)
        call(self.channel)
        stream.half_close()
        self.assertEqual(stream.end()[0], grpc.StatusCode.OK)

    def test_rpcs_that_wait_are_started_on_the_new_one(self):
        dead = f"127.0.0.1:{free_port()}"
        self.start_on({"address": dead, "wait_for_ready": True})
        waiting = [self.channel.unary_unary("/daemon.Unary/Echo").future(b"x", timeout=30)
                   for _ in range(5)]
        self.daemon.await_metric("lanekeeper_streams_awaiting_upstream", 5)
        new = self.start_upstream()
        self.swap_to({"address": new.address, "wait_for_ready": True})
        self.assertEqual([rpc.result() for rpc in waiting], [b"x"] * 5)

    def test_without_wait_for_ready_those_that_wait_fail(self):
        dead = f"127.0.0.1:{free_port()}"
        self.start_on({"address": dead, "wait_for_ready": True})
        waiting = self.channel.unary_unary("/daemon.Unary/Echo").future(b"x", timeout=30)
        self.daemon.await_metric("lanekeeper_streams_awaiting_upstream", 1)
        self.daemon.await_metric("lanekeeper_upstream_state", 1, state="transient_failure")
        self.swap_to(dead)
        self.assertEqual(waiting.code(), grpc.StatusCode.UNAVAILABLE)


@both_kinds
class Listeners(DaemonTest):
    def start_on(self, *listen):
        self.upstream = self.start_upstream()
        self.daemon = self.start(self.upstream.address, listen, reload={"watch": False})

    def listen_on(self, *listen, result="applied"):
        self.daemon.reload(
            self.config(self.upstream.address, listen, reload={"watch": False}), result)

    def test_an_added_one_takes_rpcs_and_the_others_go_on(self):
        self.start_on("127.0.0.1:0")
        stream = Stream(self.open_channel(self.daemon.target)).echo()
        path = f"{self.folder}/added.sock"
        port = free_port()
        self.listen_on("127.0.0.1:0", f"unix://{path}", f"127.0.0.1:{port}")
        call(self.open_channel(f"unix:{path}"))
        call(self.open_channel(f"127.0.0.1:{port}"))
        stream.echo(b"still here")
        call(self.open_channel(self.daemon.target))

    def test_a_removed_one_accepts_no_more_and_its_open_streams_go_on(self):
        path = f"{self.folder}/removed.sock"
        self.start_on(f"unix://{path}", "127.0.0.1:0")
        removed = self.open_channel(f"unix:{path}")
        stays = self.open_channel(self.daemon.targets[1])
        streams = [Stream(removed).echo(), Stream(stays).echo()]
        self.listen_on("127.0.0.1:0")
        self.assertFalse(os.path.exists(path))
        wait_until(lambda: code_of(removed) == grpc.StatusCode.UNAVAILABLE, "no new RPCs")
        for number in range(20):
            for stream in streams:
                stream.echo(b"still here %d" % number)
        call(stays)
        for stream in streams:
            stream.half_close()
            self.assertEqual(stream.end()[0], grpc.StatusCode.OK)
        self.daemon.await_metric("lanekeeper_downstream_connections", 1)
        self.daemon.await_line(f"listener closed: unix://{path}")

    def test_one_that_cannot_be_listened_on_changes_nothing(self):
        self.start_on("127.0.0.1:0")
        stream = Stream(self.open_channel(self.daemon.target)).echo()
        path = f"{self.folder}/other.sock"
        taken = self.daemon.metrics_address
        self.daemon.reload(self.config("127.0.0.1:1", (f"unix://{path}", taken),
                                       reload={"watch": False}), "refused")
        self.daemon.await_line(f"configuration problem .*{self.daemon.path}: cannot listen on "
                               f"{taken}: Address already in use")
        self.assertFalse(os.path.exists(path))
        stream.echo(b"still here")
        call(self.open_channel(self.daemon.target))

    def test_an_address_that_takes_the_place_of_one_on_the_same_port_is_refused_clearly(self):
        """New sockets are bound first, and there is no room for both."""
        for before, after in (("127.0.0.1", "0.0.0.0"), ("0.0.0.0", "127.0.0.1")):
            with self.subTest(before=before, after=after):
                port = free_port()
                path = f"{self.folder}/{before}.sock"
                self.start_on(f"{before}:{port}")
                stream = Stream(self.open_channel(f"127.0.0.1:{port}")).echo()
                self.listen_on(f"{after}:{port}", f"unix://{path}", result="refused")
                self.daemon.await_line(
                    rf"configuration problem .*: cannot listen on {after}:{port}: Address already "
                    rf"in use; {before}:{port}, which would be closed, is closed last: remove it "
                    "by a reload of its own, or restart")
                self.assertFalse(os.path.exists(path))
                call(self.open_channel(f"127.0.0.1:{port}"))
                # By two reloads it goes.
                self.listen_on(f"unix://{path}")
                self.listen_on(f"{after}:{port}", f"unix://{path}")
                call(self.open_channel(f"127.0.0.1:{port}"))
                stream.echo(b"still here")
                stream.half_close()
                self.assertEqual(stream.end()[0], grpc.StatusCode.OK)

    def test_a_drain_closes_those_that_came_later_too(self):
        self.start_on("127.0.0.1:0")
        path = f"{self.folder}/added.sock"
        self.listen_on("127.0.0.1:0", f"unix://{path}")
        stream = Stream(self.open_channel(f"unix:{path}")).echo()
        self.daemon.signal(signal.SIGTERM)
        wait_until(lambda: not os.path.exists(path), "closed")
        stream.echo()
        stream.half_close()
        self.assertEqual(stream.end()[0], grpc.StatusCode.OK)
        self.assertEqual(self.daemon.await_exit(), 0)


class Mode(DaemonTest):
    def entry(self, mode):
        return {"address": f"unix://{self.path}", "mode": mode}

    def mode_of_the_file(self):
        return oct(stat.S_IMODE(os.stat(self.path).st_mode))

    def listen_on(self, *entries):
        self.daemon.reload(
            self.config(listen_entries=list(entries), reload={"watch": False}))

    def test_of_a_unix_socket_it_changes_with_a_restart_and_that_is_said(self):
        self.path = f"{self.folder}/mode.sock"
        self.daemon = self.start(listen_entries=[self.entry("0600")], reload={"watch": False})
        self.daemon.replace_config(
            self.config(listen_entries=[self.entry("0660")], reload={"watch": False}))
        shown = subprocess.run(
            [LANEKEEPER, "reload", "--dry-run", "--admin", self.daemon.admin_address],
            capture_output=True, text=True, timeout=30, check=True).stdout
        self.assertRegex(shown, rf"listen\[unix://{self.path}\]\.mode +0600 +0660 +restart\n")
        self.assertIn("would reload: 1 change, 1 only with a restart\n", shown)
        for times in (1, 2):
            self.listen_on(self.entry("0660"))
            self.daemon.await_count("warn configuration: this key changes with a restart only "
                                    rf'key="?listen\[unix://{self.path}\]\.mode"? ', times)
            self.assertEqual(self.mode_of_the_file(), "0o600")
        # One that is opened anew has the mode that the file says.
        self.listen_on({"address": "127.0.0.1:0"})
        self.listen_on(self.entry("0660"))
        self.assertEqual(self.mode_of_the_file(), "0o660")


if __name__ == "__main__":
    main()
