"""A WSGI application whose workers call the orders service."""

import os

import grpc

get_order = None


def connect():
    """Once in each worker, after the fork: gunicorn.conf.py calls it."""
    global get_order
    channel = grpc.insecure_channel(os.environ["ORDERS_GRPC_TARGET"],
                                    options=[("grpc.enable_http_proxy", 0)])
    get_order = channel.unary_unary("/shop.Orders/Get")  # in yours: OrdersStub(channel).Get


def application(_, start_response):
    order = get_order(b"order 42", timeout=20)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"worker {os.getpid()}: {order.decode()}\n".encode()]
