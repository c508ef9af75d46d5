#!/usr/bin/python3
"""A client process of steady.py: unary RPCs at a rate, and streams that stay open.

  steady_client.py TARGET CA_FILE RATE STREAMS

From the start on it makes RATE unary RPCs a second over two connections, one of ten with an
answer after 100 ms, and holds STREAMS bidirectional ones, each of which sends two messages a
second. Every answer is compared with what was sent; a stream that fails is opened again. Of
TARGET, which may be a list, gRPC takes the first address that it reaches. On stdin it is told, a
line at a time:

  round N    go on until N more unary RPCs have ended and each stream has had an echo of a message
             that it sent since
  settle     go on until all RPCs that are open now have ended
  finish     half-close the streams, and wait for their ends
  end        make no more, and wait for the last

It answers each with one line: "done", the command's number, and what happened since the last one:
{"seconds": how long that is, "ended": {kind: {code: how many}}, "echoes": how many, "failures":
[[start, end, kind, code, details], ...], "recovered": [[start, end], ...] of unary RPCs that
succeeded when the one that ended before had failed}. Times are CLOCK_MONOTONIC.
"""

import asyncio
import collections
import json
import pathlib
import sys
import time

import grpc

# Retries are on: what gRPC knows to be unprocessed, it sends again where there is somebody.
OPTIONS = [("grpc.use_local_subchannel_pool", 1), ("grpc.enable_http_proxy", 0),
           ("grpc.ssl_target_name_override", "localhost")]
CONNECTIONS = 2
SLOW_EACH = 10  # one of so many unary RPCs takes 100 ms, so that some are open at any time
PAUSE = 0.5  # between the messages of a stream
AGAIN = 0.1  # until a stream that failed is opened again
BOUND = 30  # seconds that no unary RPC of ours takes
OPEN_MAX = 1000  # unary ones at once: a server that is slower gets fewer, not more and more
LATE_MAX = 0.1  # what was not begun by then is not made up for
LOOK = 0.01  # how often a command's end is looked for


class Report:
    def __init__(self):
        self.began = time.monotonic()
        self.ended = collections.defaultdict(collections.Counter)
        self.echoes = 0
        self.failures = []
        self.recovered = []

    def as_json(self):
        return json.dumps({"seconds": time.monotonic() - self.began, "ended": self.ended,
                           "echoes": self.echoes, "failures": self.failures,
                           "recovered": self.recovered})


class Load:
    def __init__(self, channels, rate, streams):
        self.channels = channels
        self.interval = 1 / rate
        self.report = Report()
        self.obeyed = 0
        self.made = 0
        self.unary_ended = 0
        self.failing = False
        self.open = set()  # a number for each RPC
        self.echo_began = [0.0] * streams  # of the last message of each that has come back
        self.finishing = self.ending = False
        self.streams = [asyncio.create_task(self.hold(number)) for number in range(streams)]
        self.unary = set()
        self.pacer = asyncio.create_task(self.pace())

    def begin(self):
        self.made += 1
        self.open.add(self.made)
        return self.made, time.monotonic()

    def end(self, rpc, kind, start, code, details="", ended=None):
        self.open.remove(rpc)
        ended = ended or time.monotonic()
        self.report.ended[kind][code] += 1
        if code != "OK":
            self.report.failures.append([start, ended, kind, code, details])
        if kind == "stream":
            return
        self.unary_ended += 1
        if code == "OK" and self.failing:
            self.report.recovered.append([start, ended])
        self.failing = code != "OK"

    async def pace(self):
        methods = [{kind: channel.unary_unary(f"/daemon.{service}/Echo")
                    for kind, service in (("unary", "Unary"), ("slow", "Slow"))}
                   for channel in self.channels]
        due = time.monotonic()
        count = 0
        while not self.ending:
            due = max(due + self.interval, time.monotonic() - LATE_MAX)
            await asyncio.sleep(max(0, due - time.monotonic()))
            if len(self.unary) >= OPEN_MAX:
                continue
            count += 1
            kind = "slow" if count % SLOW_EACH == 0 else "unary"
            method = methods[count // SLOW_EACH % CONNECTIONS][kind]
            task = asyncio.create_task(self.call(kind, method))
            self.unary.add(task)
            task.add_done_callback(self.unary.remove)

    async def call(self, kind, method):
        rpc, start = self.begin()
        sent = b"%d".ljust(100, b"x") % rpc
        details = ""
        try:
            code = "OK" if await method(sent, timeout=BOUND) == sent else "WRONG"
        except grpc.RpcError as error:
            code, details = error.code().name, error.details()
        self.end(rpc, kind, start, code, details)

    async def hold(self, number):
        """A stream, and another one whenever it fails."""
        await asyncio.sleep(PAUSE * number / len(self.echo_began))
        echo = self.channels[number % CONNECTIONS].stream_stream("/daemon.Bidi/Echo")
        while not self.finishing:
            rpc, start = self.begin()
            code, details, ended = await self.echo_on(echo(), number)
            self.end(rpc, "stream", start, code, details, ended)
            if code != "OK":
                await asyncio.sleep(AGAIN)

    async def echo_on(self, stream, number):
        """Code, details and time of its end, which is seen whether it is asked for or not."""
        ended = asyncio.get_running_loop().create_future()
        stream.add_done_callback(lambda _: ended.set_result(time.monotonic()))
        whole = False
        try:
            whole = await self.converse(stream, number, ended)
        except (grpc.RpcError, asyncio.InvalidStateError):
            pass  # its code tells
        else:
            if not whole:
                stream.cancel()
        code = (await stream.code()).name
        wrong = not whole and code in ("OK", "CANCELLED")
        return "WRONG" if wrong else code, await stream.details(), await ended

    async def converse(self, stream, number, ended):
        """Whether all that came back is right."""
        while not self.finishing:
            began, sent = time.monotonic(), b"%d of stream %d" % (self.report.echoes, number)
            await stream.write(sent)
            if await stream.read() != sent:
                return False
            self.echo_began[number] = began
            self.report.echoes += 1
            await asyncio.wait([ended], timeout=PAUSE)
        await stream.done_writing()
        return await stream.read() == b"bye" and await stream.read() is grpc.aio.EOF

    async def obey(self, verb, count="0"):
        begin = time.monotonic()
        if verb == "round":
            enough = self.unary_ended + int(count)
            await until(lambda: self.unary_ended >= enough and
                        (self.finishing or min(self.echo_began) > begin))
        elif verb == "settle":
            before = set(self.open)
            await until(lambda: not before & self.open)
        elif verb == "finish":
            self.finishing = True
            await asyncio.gather(*self.streams)
        else:
            self.ending = True
            await self.pacer
            await asyncio.gather(*self.unary)
        self.obeyed += 1
        print("done", self.obeyed, self.report.as_json(), flush=True)
        self.report = Report()


async def until(condition):
    while not condition():
        await asyncio.sleep(LOOK)


async def main():
    target, ca_file, rate, streams = sys.argv[1:]
    commands = asyncio.Queue()
    loop = asyncio.get_running_loop()
    loop.add_reader(0, lambda: commands.put_nowait(sys.stdin.readline().split()))
    credentials = grpc.ssl_channel_credentials(pathlib.Path(ca_file).read_bytes())
    channels = [grpc.aio.secure_channel(target, credentials, options=OPTIONS)
                for _ in range(CONNECTIONS)]
    load = Load(channels, float(rate), int(streams))
    while not load.ending:
        await load.obey(*await commands.get())
    loop.remove_reader(0)
    for channel in channels:
        await channel.close()


asyncio.run(main())
