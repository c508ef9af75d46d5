#!/usr/bin/python3
"""A real lanekeeper ($LANEKEEPER) between a real upstream and an application that does as it is told.

Prints "page URL" when all is there. Then, a command a line on stdin:

  talk       opens a stream whose messages go back and forth; prints "talking"
  quiet      stops that, and leaves the stream open; prints "quiet"
  flood      opens a stream of responses that is never read; prints "flooded"
  silence    calls a method that never answers; prints "silent"
  ends       prints "ends {...}": how the streams that are no longer open have ended

Everything ends with stdin.
"""

import contextlib
import json
import pathlib
import sys
import tempfile
import threading

import grpc

sys.path.insert(1, str(pathlib.Path(__file__).resolve().parents[1]))  # tests/, for harness
from harness.byte_client import CHANNEL_OPTIONS, Stream
from harness.lanekeeper import Daemon
from harness.peers import Upstream
from harness.ports import free_port
from harness.scrape import http_get
from harness.waiting import wait_until

STUCK_AFTER = "2s"
PAUSE = 0.05  # between two messages, so that the page sees them move and the machine stays idle
FLOOD = json.dumps({"count": 10000, "bytes": 65536}).encode()


class Talk:
    """A stream on which messages go back and forth until it is told to be quiet."""

    def __init__(self, channel):
        self._stream = Stream(channel, "/daemon.Bidi/Talk")
        self._stream.echo()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._talk)
        self._thread.start()

    def _talk(self):
        while not self._stop.wait(PAUSE):
            self._stream.echo()

    def quiet(self):
        self._stop.set()
        self._thread.join()
        return self._stream.rpc


def is_served(address):
    with contextlib.suppress(OSError):
        return http_get(address, "/version")[0] == 200
    return False


def serve(channel):
    calls = {}
    talk = None
    for command in map(str.strip, sys.stdin):
        if command == "talk":
            talk = Talk(channel)
            tell("talking")
        elif command == "quiet":
            calls["talk"] = talk.quiet()
            talk = None
            tell("quiet")
        elif command == "flood":
            calls["flood"] = channel.unary_stream("/daemon.Produce/Flood")(FLOOD)
            next(calls["flood"])
            tell("flooded")
        elif command == "silence":
            calls["silence"] = channel.unary_unary("/daemon.Silent/Call").future(b"?")
            tell("silent")
        elif command == "ends":
            tell("ends " + json.dumps({
                name: [rpc.code().name, rpc.details()]
                for name, rpc in calls.items() if rpc.done()}))
    if talk:
        talk.quiet()


def tell(line):
    print(line, flush=True)


def main():
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="lanekeeper-page-"))
        upstream = Upstream(0)
        stack.callback(upstream.kill)
        admin = f"127.0.0.1:{free_port()}"
        daemon = Daemon(folder, {
            "listen": [{"address": "127.0.0.1:0"}], "upstream": {"address": upstream.address},
            "metrics": {"address": "127.0.0.1:0"}, "admin": {"address": admin},
            "stuck": {"after": STUCK_AFTER}})
        stack.callback(lambda: print(daemon.log(), file=sys.stderr))
        stack.callback(daemon.kill)
        daemon.await_start()
        wait_until(lambda: is_served(admin), f"{admin} answers")
        channel = grpc.insecure_channel(daemon.target, options=CHANNEL_OPTIONS)
        stack.callback(channel.close)
        tell(f"page http://{admin}/")
        serve(channel)


main()
