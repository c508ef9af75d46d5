#!/usr/bin/python3
"""20,000 unary RPCs, 128 in flight, through the real binary: none fails. Prints what they cost."""

import pathlib
import re
import subprocess

from harness.case import DaemonTest, both_kinds, main
from harness.lanekeeper import LANEKEEPER
from harness.processes import Process

RPCS = 20_000
CONNECTIONS = 8
STREAMS = 16  # at once on each
PAYLOAD = b"x" * 100
BOUND = 120


def framed(text):
    """An EchoRequest (or EchoResponse) with field 1 set, as gRPC sends it."""
    message = b"\x0a" + bytes([len(text)]) + text
    return b"\0" + len(message).to_bytes(4, "big") + message


@both_kinds
class Load(DaemonTest):
    def test_no_rpc_fails(self):
        demo = self.keep(Process("demo", [LANEKEEPER, "demo"]))
        daemon = self.start(demo.await_line(r"demo upstream listening on (\S+)").group(1))
        body = pathlib.Path(self.folder, "body")
        body.write_bytes(framed(PAYLOAD))
        cpu = daemon.cpu_seconds()
        done = subprocess.run(
            ["h2load", "-n", str(RPCS), "-c", str(CONNECTIONS), "-m", str(STREAMS), "-d", str(body),
             "-H", "content-type: application/grpc", "-H", "te: trailers",
             f"http://{daemon.target}/lanekeeper.demo.Echo/Unary"],
            capture_output=True, text=True, timeout=BOUND)
        cost = (daemon.cpu_seconds() - cpu) / RPCS
        self.assertEqual(done.returncode, 0, done.stderr)
        seconds = re.search(r"finished in ([\d.]+m?s)", done.stdout).group(1)
        print(f"{self.kind}: {cost * 1e6:.0f} us of CPU for each RPC; {RPCS} RPCs in {seconds}")
        self.assertIn(f"requests: {RPCS} total, {RPCS} started, {RPCS} done, {RPCS} succeeded, "
                      "0 failed, 0 errored, 0 timeout", done.stdout)
        # h2load knows only HTTP's 200; the gRPC status comes after it.
        daemon.await_metric("grpc_server_handled_total", RPCS, grpc_code="OK")
        daemon.await_metric("lanekeeper_streams_open", 0)
        scrape = daemon.scrape()
        self.assertEqual(scrape.value("grpc_server_handled_total"), RPCS)
        self.assertEqual(scrape.value("grpc_server_msg_sent_total"), RPCS)
        self.assertEqual(scrape.value("lanekeeper_stream_message_bytes_total"),
                         2 * RPCS * (len(framed(PAYLOAD)) - 5))
        self.assertEqual(scrape.value("lanekeeper_upstream_connections"), 1)
        daemon.await_metric("lanekeeper_downstream_connections", 0)


if __name__ == "__main__":
    main()
