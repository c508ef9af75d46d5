#!/usr/bin/python3
"""What an idle stream costs in memory, and that all of many idle streams are alive."""

import json

from harness.case import DaemonTest, both_kinds, main
from harness.lanekeeper import SANITIZED

CHANNELS = 10
STREAMS = 200  # on each
ALL = CHANNELS * STREAMS
BYTES_MOST = 40 * 1024  # for each stream, in kind user
BOUND = 60


@both_kinds
class IdleStreams(DaemonTest):
    def test_memory_of_an_idle_stream_and_life_in_all_of_them(self):
        daemon = self.start(self.start_upstream().address)
        # Connections, arenas and the like are there before we count.
        warm_up = self.start_client("hold", daemon.target, CHANNELS, 2)
        warm_up.await_line("^holding$")
        warm_up.tell("end")
        warm_up.await_line("^ended")
        daemon.await_metric("lanekeeper_streams_open", 0)
        before = daemon.rss_bytes()

        client = self.start_client("hold", daemon.target, CHANNELS, STREAMS)
        client.await_line("^holding$", bound=BOUND)
        daemon.await_metric("lanekeeper_streams_open", ALL)
        self.assert_idle(daemon)
        each = (daemon.rss_bytes() - before) / ALL
        print(f"{self.kind}: {each / 1024:.1f} KB for each of {ALL} idle streams")
        if self.kind == "user" and not SANITIZED:
            self.assertLess(each, BYTES_MOST)

        client.tell("echo")
        client.await_line("^echoed$", bound=BOUND)
        self.assert_idle(daemon)
        client.tell("end")
        codes = json.loads(client.await_line("^ended (.*)", bound=BOUND).group(1))
        self.assertEqual(codes, {"OK": ALL})
        daemon.await_metric("lanekeeper_streams_open", 0)
        daemon.await_metric("lanekeeper_stream_ops_in_flight", 0)

    def assert_idle(self, daemon):
        """Every direction of every stream waits to receive, and nothing is being sent."""
        daemon.await_metric("lanekeeper_stream_ops_in_flight", 2 * ALL, op="receive")
        daemon.await_metric("lanekeeper_stream_ops_in_flight", 0, op="send")


if __name__ == "__main__":
    main()
