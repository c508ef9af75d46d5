#!/usr/bin/python3
"""A client process of the soak: RPCs of every kind over a few connections, until "end" on stdin.

  soak_client.py TARGET CONNECTIONS CALLERS SEED [CA_FILE]

Each caller draws one kind after the other from KINDS and checks every byte. Prints "calling" at the
first answer and at the end "ended" with {"kinds": {kind: {code: how many}}, "failures":
[[start, end, kind, code, details], ...]}. A failure is an end that its kind does not ask for; times
are CLOCK_MONOTONIC.
"""

import asyncio
import collections
import json
import pathlib
import random
import sys
import time

import grpc

OPTIONS = [("grpc.use_local_subchannel_pool", 1), ("grpc.enable_http_proxy", 0),
           ("grpc.enable_retries", 0), ("grpc.max_receive_message_length", -1),
           ("grpc.min_reconnect_backoff_ms", 10_000), ("grpc.initial_reconnect_backoff_ms", 100),
           ("grpc.max_reconnect_backoff_ms", 1000)]
FAILURES_KEPT = 1000
BOUND = 60  # seconds that no RPC of ours takes


class WrongAnswer(Exception):
    """What came back is not what was sent."""


def want(good, what):
    if not good:
        raise WrongAnswer(what)


class Caller:
    def __init__(self, channel, dice):
        self.channel = channel
        self.dice = dice

    def payload(self, largest):
        return self.dice.randbytes(int(largest ** self.dice.random()))

    async def unary(self):
        sent = self.payload(100_000)
        want(await self.channel.unary_unary("/daemon.Unary/Echo")(sent, timeout=BOUND) == sent, "echo")

    async def ping_pong(self):
        rpc = self.channel.stream_stream("/daemon.Bidi/Echo")(timeout=BOUND)
        for _ in range(self.dice.randrange(1, 20)):
            sent = self.payload(50_000)
            await rpc.write(sent)
            want(await rpc.read() == sent, "echo")
        await rpc.done_writing()
        want(await rpc.read() == b"bye", "the last message")
        want(await rpc.read() is grpc.aio.EOF, "the end")

    async def produce(self, pause=0.0):
        count, size = self.dice.randrange(200), self.dice.randrange(20_000)
        request = json.dumps({"count": count, "bytes": size}).encode()
        rpc = self.channel.unary_stream("/daemon.Produce/Some")(request, timeout=BOUND)
        await asyncio.sleep(pause)
        sizes = [len(message) async for message in rpc]
        want(sizes == [size] * count, f"{count} messages of {size}")

    async def stalled_reader(self):
        await self.produce(pause=self.dice.uniform(0.2, 3))

    async def upload(self):
        messages = [self.payload(100_000) for _ in range(self.dice.randrange(20))]
        answer = await self.channel.stream_unary("/daemon.Upload/All")(iter(messages), timeout=BOUND)
        want(answer == b"all", "one answer")

    async def status(self):
        request = json.dumps({"code": "NOT_FOUND", "message": "none \u20ac"}).encode()
        await self.channel.unary_unary("/daemon.Fail/Now")(request, timeout=BOUND)

    async def deadline(self):
        await self.channel.unary_unary("/daemon.Silent/Wait")(
            b"", timeout=self.dice.uniform(0.001, 0.3))

    async def cancel(self):
        rpc = self.channel.stream_stream("/daemon.Bidi/Echo")(timeout=BOUND)
        try:
            await asyncio.wait_for(self.echo_on(rpc), self.dice.uniform(0, 0.05))
        except asyncio.TimeoutError:
            # Not while a write waits: it would wait for ever (grpc.aio 1.51).
            rpc.cancel()
            return "CANCELLED"
        return (await rpc.code()).name

    async def echo_on(self, rpc):
        while True:
            await rpc.write(self.payload(30_000))
            if await rpc.read() is grpc.aio.EOF:
                return


# How often, and the only end that is right.
KINDS = {
    "unary": (30, "OK"),
    "ping_pong": (15, "OK"),
    "produce": (10, "OK"),
    "upload": (10, "OK"),
    "status": (10, "NOT_FOUND"),
    "deadline": (10, "DEADLINE_EXCEEDED"),
    "cancel": (10, "CANCELLED"),
    "stalled_reader": (2, "OK"),
}


async def end_of(rpc):
    """The code and the details of one RPC, which returns its code if it is not OK."""
    try:
        return await rpc or "OK", ""
    except grpc.RpcError as error:
        return error.code().name, error.details()
    except asyncio.CancelledError:
        return "CANCELLED", ""
    except asyncio.InvalidStateError as error:  # a write after the end
        return "ENDED", str(error)
    except WrongAnswer as error:
        return "WRONG", str(error)


class Soak:
    def __init__(self):
        self.kinds = collections.defaultdict(collections.Counter)
        self.failures = []
        self.ending = False

    async def call_on(self, caller):
        while not self.ending:
            kind = caller.dice.choices(list(KINDS), [one[0] for one in KINDS.values()])[0]
            start = time.monotonic()
            code, details = await end_of(getattr(caller, kind)())
            if not self.kinds:
                print("calling", flush=True)
            self.kinds[kind][code] += 1
            if code != KINDS[kind][1] and len(self.failures) < FAILURES_KEPT:
                self.failures.append([start, time.monotonic(), kind, code, details])
            if code == "UNAVAILABLE":
                await asyncio.sleep(0.05)


def open_channel(target, ca_file):
    if not ca_file:
        return grpc.aio.insecure_channel(target, options=OPTIONS)
    credentials = grpc.ssl_channel_credentials(pathlib.Path(ca_file[0]).read_bytes())
    return grpc.aio.secure_channel(target, credentials, options=OPTIONS)


async def main():
    target, connections, callers, seed, *ca_file = sys.argv[1:]
    soak = Soak()

    def end():
        soak.ending = True
        asyncio.get_running_loop().remove_reader(0)

    asyncio.get_running_loop().add_reader(0, end)
    channels = [open_channel(target, ca_file) for _ in range(int(connections))]
    await asyncio.gather(*(
        soak.call_on(Caller(channel, random.Random(f"{seed} {number} {which}")))
        for number, channel in enumerate(channels) for which in range(int(callers))))
    for channel in channels:
        await channel.close()
    print("ended", json.dumps({"kinds": soak.kinds, "failures": soak.failures}), flush=True)


asyncio.run(main())
