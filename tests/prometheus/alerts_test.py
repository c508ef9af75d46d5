#!/usr/bin/python3
"""Each alert fires in the situation that it is for, brought about for real; a lanekeeper that is
well fires none. Only LanekeeperContractViolation cannot be brought about, and
LanekeeperStreamStuckUpstreamWindow not with this upstream, nor LanekeeperBufferedBytesNearLimit in the
time of a test; promtool's tests have them."""

import contextlib
import signal
import socket

from harness.byte_client import Stream, call, code_of
from harness.case import main
from traffic import TrafficTest

CLOSED = "127.0.0.1:1"
# A busy machine can bring these about, for moments.
OF_TIME = "LanekeeperLoopLag|LanekeeperUpstreamStartSlow"


class Alerts(TrafficTest):
    def start_all(self, *arguments, upstream=None, **options):
        """A lanekeeper that finds streams stuck after a second, and its Prometheus."""
        self.upstream = upstream or self.start_upstream()
        self.daemon = self.start(*(arguments or [self.upstream.address]), stuck={"after": "1s"},
                                 **options)
        self.channel = self.open_channel(self.daemon.target)
        self.prometheus = self.start_prometheus(self.daemon)
        self.prometheus.await_scrapes(1)

    def await_alert(self, name, **labels):
        alert = self.prometheus.await_alert(name, **labels)
        for text in alert["annotations"].values():
            self.assertNotRegex(text, r"[{}]|<error|no value|\s\s")
        return alert

    def assert_calm(self, *names):
        self.prometheus.await_scrapes(2)
        for name in names:
            self.assertEqual(self.prometheus.alerts(name), [])

    def test_none_while_all_is_well(self):
        self.start_traffic()
        self.prometheus = self.start_prometheus(self.daemon)
        self.prometheus.await_scrapes(10)
        self.assertEqual(self.prometheus.numbers("count(instance:process_open_fds:ratio)"), [1])
        seen = f'count_over_time(ALERTS{{alertname!~"{OF_TIME}"}}[1h])'
        self.assertEqual(self.prometheus.query(seen), [])

    def test_application_that_does_not_read(self):
        self.start_all()
        self.assert_calm("LanekeeperStreamStuckSlowReceiver")
        self.open_unread()
        alert = self.await_alert("LanekeeperStreamStuckSlowReceiver", direction="to_downstream")
        self.assertIn("1 stuck: the application does not read", alert["annotations"]["summary"])
        self.assertEqual(len(self.prometheus.alerts("LanekeeperStreamStuckSlowReceiver")), 1)

    def test_upstream_that_does_not_read(self):
        self.start_all()
        stream = Stream(self.channel, "/daemon.Silent/Deaf")  # reads one message, never answers
        self.stack.callback(stream.rpc.cancel)
        for _ in range(100):
            stream.send(bytes(65536))
        alert = self.await_alert("LanekeeperStreamStuckSlowReceiver", direction="to_upstream")
        self.assertIn("the upstream does not read", alert["annotations"]["summary"])

    def test_upstream_that_allows_no_further_stream(self):
        self.start_all(upstream=self.start_upstream(0, 1))
        held = Stream(self.channel).echo()
        waiting = self.open_silent()
        self.await_alert("LanekeeperStreamStuckStreamSlots")
        self.await_alert("LanekeeperRpcsAwaitUpstream")
        # The wait is known when it is over.
        self.assertFalse(waiting.done())
        held.half_close()
        self.await_alert("LanekeeperUpstreamStartSlow")

    def test_upstream_that_is_not_there(self):
        self.start_all({"address": CLOSED, "wait_for_ready": True})
        self.await_alert("LanekeeperUpstreamNotConnected")
        self.assert_calm("LanekeeperStreamStuckNotConnected", "LanekeeperRpcsAwaitUpstream")
        self.open_silent()
        self.await_alert("LanekeeperStreamStuckNotConnected")
        self.await_alert("LanekeeperRpcsAwaitUpstream")

    def test_upstream_that_never_answers(self):
        self.start_all()
        self.open_silent()
        alert = self.await_alert("LanekeeperStreamStuckSilentUpstream", kind="silent_sender")
        self.assertIn("has never answered", alert["annotations"]["summary"])

    def test_upstream_that_is_lost(self):
        self.start_all()
        call(self.channel)
        streams = [Stream(self.channel).echo() for _ in range(20)]
        self.assert_calm("LanekeeperUpstreamLost")
        self.upstream.kill()
        for stream in streams:
            stream.end()
        self.await_alert("LanekeeperUpstreamLost")

    def test_rpcs_that_fail(self):
        self.start_all()
        self.fail_once("NOT_FOUND")
        self.fail_once()  # a first one is not seen to have come
        self.assert_calm("LanekeeperErrorRatio")
        self.await_while_failing(lambda: self.prometheus.alerts("LanekeeperErrorRatio"),
                                 "LanekeeperErrorRatio", 60)
        self.await_alert("LanekeeperErrorRatio")

    def test_limit_that_refuses(self):
        self.start_all(limits={"open_rpcs": 1})
        held = Stream(self.channel).echo()
        self.assert_calm("LanekeeperRpcsRejected")
        code_of(self.channel)
        self.await_alert("LanekeeperRpcsRejected", reason="open_rpcs")
        held.echo()

    def test_connections_that_are_refused(self):
        self.start_all(limits={"connections": 1})
        code_of(self.channel)
        self.assert_calm("LanekeeperConnectionsRejected")
        host, port = self.daemon.target.rsplit(":", 1)
        with socket.create_connection((host, int(port)), timeout=5):
            self.await_alert("LanekeeperConnectionsRejected", reason="connections")

    def test_file_descriptors_that_run_out(self):
        self.start_all(launcher=["prlimit", "--nofile=64:64"])
        self.assert_calm("LanekeeperFileDescriptorsNearLimit", "LanekeeperConnectionsNotAccepted")
        # The connection of Prometheus stays, so it sees what happens.
        host, port = self.daemon.target.rsplit(":", 1)
        with contextlib.ExitStack() as connections:
            for _ in range(100):
                connections.enter_context(socket.create_connection((host, int(port)), timeout=5))
            self.await_alert("LanekeeperConnectionsNotAccepted")
            self.await_alert("LanekeeperFileDescriptorsNearLimit")
            # With no descriptor left, the process still sees its own numbers.
            self.prometheus.await_scrapes(3)
            [share] = self.prometheus.numbers("process_open_fds / process_max_fds")
            self.assertGreater(share, 0.9)
            self.assertEqual(self.prometheus.numbers("resets(process_cpu_seconds_total[1h])"), [0])

    def test_log_that_has_gaps(self):
        self.start_all(upstream=self.start_upstream(0, 1))
        self.assert_calm("LanekeeperLogLinesDropped")
        # More streams become stuck at once than the log tells of one by one.
        for _ in range(60):
            self.open_silent()
        self.await_alert("LanekeeperLogLinesDropped", reason="rate_limited")

    def test_configuration_that_is_bad(self):
        self.start_all()
        self.assert_calm("LanekeeperConfigNotReloaded")
        self.daemon.replace_config("nonsense: 1\n")
        self.await_alert("LanekeeperConfigNotReloaded")

    def test_process_that_gets_no_cpu(self):
        self.start_all()
        self.assert_calm("LanekeeperDown", "LanekeeperLoopLag")
        self.daemon.signal(signal.SIGSTOP)
        self.await_alert("LanekeeperDown")
        self.daemon.signal(signal.SIGCONT)
        self.await_alert("LanekeeperLoopLag")

    def test_lanekeeper_that_is_gone(self):
        self.start_all()
        self.assert_calm("LanekeeperDown")
        self.daemon.kill()
        self.await_alert("LanekeeperDown")


if __name__ == "__main__":
    main()
