#!/usr/bin/python3
"""The orders service of the recipes: answers each request with its own bytes, on a TCP port of its
choice and on a unix socket. usage: upstream.py SOCKET

Prints "listening PORT", and "peer ADDRESS" for each TCP connection that carried an RPC.
"""

import asyncio
import sys

import grpc

# An order takes a while, so that one worker cannot answer everything while the others look on.
WORK_SECONDS = 0.05

peers = set()


async def get_order(request, context):
    peer = context.peer()
    if peer.startswith("ipv4:") and peer not in peers:
        peers.add(peer)
        print("peer", peer, flush=True)
    await asyncio.sleep(WORK_SECONDS)
    return request


class AnyMethod(grpc.GenericRpcHandler):
    def service(self, details):
        return grpc.unary_unary_rpc_method_handler(get_order)


async def main():
    server = grpc.aio.server(handlers=[AnyMethod()], options=[("grpc.so_reuseport", 0)])
    port = server.add_insecure_port("127.0.0.1:0")
    server.add_insecure_port(f"unix:{sys.argv[1]}")
    await server.start()
    print(f"listening {port}", flush=True)
    await server.wait_for_termination()


asyncio.run(main())
