"""Channels without options. usage: proxied.py TARGET..."""

import sys

import grpc

for target in sys.argv[1:]:
    try:
        grpc.insecure_channel(target).unary_unary("/shop.Orders/Get")(b"order 42", timeout=10)
        print("OK", flush=True)
    except grpc.RpcError as error:
        print(error.code().name, flush=True)
