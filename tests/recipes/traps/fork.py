"""A worker of a parent that has made a call. usage: fork.py TARGET inherited|new

Prints how the worker's first call ends: on the parent's channel, or on one that is made like it.
"""

import os
import sys

import grpc

target, which = sys.argv[1:]


def connect():
    return grpc.insecure_channel(target, options=[("grpc.enable_http_proxy", 0)])


def call(channel):
    channel.unary_unary("/shop.Orders/Get")(b"order 42", timeout=10)


inherited = connect()
call(inherited)
if child := os.fork():
    os.waitpid(child, 0)
else:
    try:
        call(inherited if which == "inherited" else connect())
        print("worker: OK", flush=True)
    except (grpc.RpcError, ValueError) as error:
        print("worker:", " ".join(str(error).split()), flush=True)
    os._exit(0)
