#!/usr/bin/python3
"""Many processes, one upstream connection: what a prefork application gets."""

import json

from harness.case import DaemonTest, both_kinds, main

PROCESSES = 6
CHANNELS = 5  # in each
STREAMS = 4  # on each


@both_kinds
class Connections(DaemonTest):
    def setUp(self):
        super().setUp()
        self.daemon = self.start(self.start_upstream().address)

    def start_clients(self):
        clients = [self.start_client("hold", self.daemon.target, CHANNELS, STREAMS)
                   for _ in range(PROCESSES)]
        for client in clients:
            client.await_line("^holding$")
        return clients

    def assert_connections(self, downstream, upstream):
        self.daemon.await_metric("lanekeeper_downstream_connections", downstream)
        self.daemon.await_metric("lanekeeper_upstream_connections", upstream)

    def test_all_processes_share_one_upstream_connection(self):
        self.assert_connections(0, 1)
        clients = self.start_clients()
        self.assert_connections(PROCESSES * CHANNELS, 1)
        for client in clients:
            client.tell("echo")
        for client in clients:
            client.await_line("^echoed$")
        for client in clients:
            client.tell("end")
        for client in clients:
            codes = json.loads(client.await_line("^ended (.*)").group(1))
            self.assertEqual(codes, {"OK": CHANNELS * STREAMS})
            self.assertEqual(client.await_exit(), 0)
        self.assert_connections(0, 1)
        self.assertEqual(self.daemon.scrape().value("grpc_server_started_total"),
                         PROCESSES * CHANNELS * STREAMS)

    def test_killed_processes_give_their_connections_back(self):
        clients = self.start_clients()
        for number, client in enumerate(clients, 1):
            client.kill()
            self.assert_connections((PROCESSES - number) * CHANNELS, 1)
            self.daemon.await_metric("lanekeeper_streams_open",
                                     (PROCESSES - number) * CHANNELS * STREAMS)

    def test_lost_upstream_connection_counts_as_none(self):
        upstream = self.processes[0]
        self.assert_connections(0, 1)
        upstream.kill()
        self.assert_connections(0, 0)


if __name__ == "__main__":
    main()
