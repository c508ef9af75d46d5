#!/usr/bin/python3
"""Several processes of asyncio that call the orders service. usage: workers.py PROCESSES

Each says what it was answered, and stays until it is told to end.
"""

import asyncio
import multiprocessing
import os
import signal
import sys

import grpc.aio


async def work():
    # Made inside the loop that will use it: it cannot move to another one.
    async with grpc.aio.insecure_channel(os.environ["ORDERS_GRPC_TARGET"],
                                         options=[("grpc.enable_http_proxy", 0)]) as channel:
        get_order = channel.unary_unary("/shop.Orders/Get")
        order = await get_order(b"order 42", timeout=20)
        # In one write: several processes share the output.
        print(f"worker {os.getpid()}: {order.decode()}\n", end="", flush=True)
        await asyncio.Event().wait()


def run():
    asyncio.run(work())


def main():
    # Not "fork", Linux' default: what gRPC has started in the parent would not survive it.
    spawn = multiprocessing.get_context("spawn")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())  # ends the processes too: they are daemons
    processes = [spawn.Process(target=run, daemon=True) for _ in range(int(sys.argv[1]))]
    for process in processes:
        process.start()
    for process in processes:
        process.join()


if __name__ == "__main__":
    main()
