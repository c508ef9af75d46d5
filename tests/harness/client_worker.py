#!/usr/bin/python3
"""A client process of the tests. Says what it does on stdout, and is told on stdin when to go on.

  hold TARGET CHANNELS STREAMS      opens STREAMS bidi RPCs on each of CHANNELS connections, echoes
                                    once on each, prints "holding". At each line "echo": echoes
                                    once more on each, prints "echoed". At "end": half-closes.
  pingpong TARGET CHANNELS STREAMS  the same, then echoes on and on, prints "echoes N" now and then.
  unary TARGET CHANNELS CALLERS     CALLERS loops of unary RPCs on each connection, which try
                                    UNAVAILABLE again, until "end". Prints "calling" when all have
                                    an answer.
  latency TARGET 1 BYTES            one unary RPC after the other. At each line but "end": prints
                                    "latency" and {"count", "p50_ms", "p99_ms", "max_ms"} of those
                                    since the last line.

At the end prints "ended" and, for RPCs that streamed, {code: how many}; for unary ones
[[start, code], ...] of all that failed, in CLOCK_MONOTONIC.
"""

import asyncio
import collections
import contextlib
import json
import sys
import time

import grpc

OPTIONS = [("grpc.use_local_subchannel_pool", 1), ("grpc.enable_http_proxy", 0)]
PROGRESS_ECHOES = 20

echoes = 0


def say(*words):
    print(*words, flush=True)


async def echo(stream):
    global echoes
    await stream.write(b"ping")
    if await stream.read() is grpc.aio.EOF:
        return False
    echoes += 1
    return True


async def echo_all(streams):
    if not all(await asyncio.gather(*map(echo, streams))):
        sys.exit("a stream ended early")


async def open_streams(channels, count):
    streams = [channel.stream_stream("/daemon.Bidi/Echo")()
               for channel in channels for _ in range(count)]
    await echo_all(streams)
    return streams


async def end_of(stream):
    with contextlib.suppress(grpc.RpcError, asyncio.InvalidStateError):
        while await stream.read() is not grpc.aio.EOF:
            pass
    return (await stream.code()).name


async def hold(channels, count, commands):
    streams = await open_streams(channels, count)
    say("holding")
    while await commands.get() == "echo":
        await echo_all(streams)
        say("echoed")
    for stream in streams:
        await stream.done_writing()
    return collections.Counter(await asyncio.gather(*map(end_of, streams)))


async def pingpong(channels, count, _):
    async def go_on(stream):
        try:
            while await echo(stream):
                if echoes % PROGRESS_ECHOES == 0:
                    say("echoes", echoes)
        except (grpc.RpcError, asyncio.InvalidStateError):
            pass
        return await end_of(stream)

    streams = await open_streams(channels, count)
    say("holding")
    return collections.Counter(await asyncio.gather(*map(go_on, streams)))


async def unary(channels, callers, commands):
    failures = []
    answered = 0
    ending = asyncio.create_task(commands.get())

    async def call_on(channel):
        nonlocal answered
        first = True
        rpc = channel.unary_unary("/daemon.Unary/Echo")
        while not ending.done():
            start = time.monotonic()
            try:
                await rpc(b"x" * 100)
            except grpc.RpcError as error:
                failures.append([start, f"{error.code().name}: {error.details()}"])
                await asyncio.sleep(0.01)
                continue
            if first:
                first = False
                answered += 1
                if answered == len(channels) * callers:
                    say("calling")

    await asyncio.gather(*(call_on(channel) for channel in channels for _ in range(callers)))
    return failures


def summary(seconds):
    ordered = sorted(1000 * one for one in seconds)
    return {"count": len(ordered), "p50_ms": ordered[len(ordered) // 2],
            "p99_ms": ordered[len(ordered) * 99 // 100], "max_ms": ordered[-1]}


async def latency(channels, size, commands):
    rpc = channels[0].unary_unary("/daemon.Unary/Echo")
    took = []
    while True:
        start = time.monotonic()
        await rpc(bytes(size))
        took.append(time.monotonic() - start)
        if not commands.empty():
            if commands.get_nowait() == "end":
                return None
            say("latency", json.dumps(summary(took)))
            took.clear()


async def main():
    mode, target, channel_count, count = sys.argv[1:]
    commands = asyncio.Queue()
    loop = asyncio.get_running_loop()
    loop.add_reader(0, lambda: commands.put_nowait(sys.stdin.readline().strip()))
    channels = [grpc.aio.insecure_channel(target, options=OPTIONS)
                for _ in range(int(channel_count))]
    run = {"hold": hold, "pingpong": pingpong, "unary": unary, "latency": latency}[mode]
    result = await run(channels, int(count), commands)
    loop.remove_reader(0)
    say("ended", json.dumps(result))
    for channel in channels:
        await channel.close()


asyncio.run(main())
