#!/usr/bin/python3
"""The upstream of the tests: serves bytes, under any method name; the service names the kind.

  /daemon.Unary/*     echoes
  /daemon.Slow/*      echoes after 100 ms
  /daemon.Bidi/*      echoes each message, and answers the half-close with "bye"
  /daemon.Produce/*   request {"count": N, "bytes": S}: N messages of S bytes; with "stay": true it
                      never ends
  /daemon.Silent/*    never answers
  /daemon.Upload/*    reads all, then answers once
  /daemon.Unread/*    echoes, but reads nothing before the gate is open
  /daemon.Late/*      echoes messages that are not empty; after the half-close, once the gate is
                      open, sends "open" and never ends
  /daemon.Gate/*      opens the gate, for good
  /daemon.Fail/*      request {"code": "NOT_FOUND", "message": "..."}: that status
  /daemon.Metadata/*  request {"headers": S, "trailers": S}: so many bytes of metadata
  /daemon.Peer/*      answers with the common name of the client's certificate
  /daemon.PeerBidi/*  the same, and goes on as Bidi
  /daemon.Counters/*  how many handlers are active, finished or were cancelled, as JSON

Usage: upstream_server.py [IP:]PORT [MAX_STREAMS] [--tls CERTIFICATE KEY [CLIENT_CA]] [--age SECONDS]
[--journal FILE] (port 0 picks one; the streams it allows on a connection; files in PEM form; how old
a connection becomes, 10 % more or less, before it gets a GOAWAY and keeps the RPCs that it has; a
file to which each handler adds "b" when it begins and "e" when it ends, whoever kills us then).
Prints "listening PORT".
"""

import argparse
import asyncio
import json
import os
import pathlib

import grpc

counters = {"active": 0, "finished": 0, "cancelled": 0}
gate = asyncio.Event()
journal = os.open(os.devnull, os.O_WRONLY)


async def echo_each(_, context):
    while (message := await context.read()) is not grpc.aio.EOF:
        await context.write(message)
    # Reading ends in the same way when the RPC was cancelled, but then this fails.
    await context.write(b"bye")


async def echo(request, _):
    return request


async def echo_slowly(request, _):
    await asyncio.sleep(0.1)
    return request


async def produce(request, context):
    wanted = json.loads(request)
    for _ in range(wanted["count"]):
        await context.write(bytes(wanted["bytes"]))
    if wanted.get("stay"):
        await never_answer()


async def never_answer(*_):
    await asyncio.Event().wait()


async def read_all(_, context):
    while await context.read() is not grpc.aio.EOF:
        pass
    return b"all"


async def read_at_gate(_, context):
    await gate.wait()
    await echo_each(_, context)


async def answer_at_gate(_, context):
    while (message := await context.read()) is not grpc.aio.EOF:
        if message:
            await context.write(message)
    await gate.wait()
    await context.write(b"open")
    await never_answer()


async def open_gate(*_):
    gate.set()
    return b""


async def fail(request, context):
    wanted = json.loads(request)
    await context.abort(grpc.StatusCode[wanted["code"]], wanted["message"])


async def send_metadata(request, context):
    wanted = json.loads(request)
    await context.send_initial_metadata((("filler", "h" * wanted["headers"]),))
    context.set_trailing_metadata((("filler", "t" * wanted["trailers"]),))
    return b""


async def name_peer(_, context):
    return b"".join(context.auth_context().get("x509_common_name", []))


async def name_peer_and_echo(request, context):
    await context.write(await name_peer(request, context))
    await echo_each(request, context)


async def read_counters(*_):
    return json.dumps(counters).encode()


def counted(handler):
    async def run(*arguments):
        counters["active"] += 1
        os.write(journal, b"b")
        outcome = "cancelled"
        try:
            result = await handler(*arguments)
            outcome = "finished"
            return result
        except grpc.aio.AbortError:
            outcome = "finished"
            raise
        finally:
            os.write(journal, b"e")
            counters["active"] -= 1
            counters[outcome] += 1

    return run


HANDLERS = {
    "daemon.Unary": grpc.unary_unary_rpc_method_handler(counted(echo)),
    "daemon.Slow": grpc.unary_unary_rpc_method_handler(counted(echo_slowly)),
    "daemon.Bidi": grpc.stream_stream_rpc_method_handler(counted(echo_each)),
    "daemon.Produce": grpc.unary_stream_rpc_method_handler(counted(produce)),
    "daemon.Silent": grpc.unary_unary_rpc_method_handler(counted(never_answer)),
    "daemon.Upload": grpc.stream_unary_rpc_method_handler(counted(read_all)),
    "daemon.Unread": grpc.stream_stream_rpc_method_handler(counted(read_at_gate)),
    "daemon.Late": grpc.stream_stream_rpc_method_handler(counted(answer_at_gate)),
    "daemon.Gate": grpc.unary_unary_rpc_method_handler(open_gate),
    "daemon.Fail": grpc.unary_unary_rpc_method_handler(counted(fail)),
    "daemon.Metadata": grpc.unary_unary_rpc_method_handler(counted(send_metadata)),
    "daemon.Peer": grpc.unary_unary_rpc_method_handler(name_peer),
    "daemon.PeerBidi": grpc.stream_stream_rpc_method_handler(counted(name_peer_and_echo)),
    "daemon.Counters": grpc.unary_unary_rpc_method_handler(read_counters),
}


class AnyMethod(grpc.GenericRpcHandler):
    def service(self, details):
        return HANDLERS.get(details.method.split("/")[1])


def read_arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("port")
    parser.add_argument("max_streams", nargs="?", type=int)
    parser.add_argument("--tls", nargs="+", default=[])
    parser.add_argument("--age", type=float)
    parser.add_argument("--journal", default=os.devnull)
    return parser.parse_args()


async def main():
    arguments = read_arguments()
    os.dup2(os.open(arguments.journal, os.O_WRONLY | os.O_APPEND | os.O_CREAT), journal)
    limits = []
    if arguments.max_streams is not None:
        limits.append(("grpc.max_concurrent_streams", arguments.max_streams))
    if arguments.age is not None:
        limits.append(("grpc.max_connection_age_ms", round(1000 * arguments.age)))
    server = grpc.aio.server(handlers=[AnyMethod()], options=[
        *limits,
        ("grpc.so_reuseport", 0),
        ("grpc.max_receive_message_length", -1),
        ("grpc.max_send_message_length", -1),
        ("grpc.max_metadata_size", 1 << 20)])
    host, _, port = arguments.port.rpartition(":")
    address = f"{host or '127.0.0.1'}:{port}"
    if arguments.tls:
        certificate, key, *client_ca = (pathlib.Path(file).read_bytes() for file in arguments.tls)
        credentials = grpc.ssl_server_credentials(
            [(key, certificate)], *client_ca, require_client_auth=bool(client_ca))
        port = server.add_secure_port(address, credentials)
    else:
        port = server.add_insecure_port(address)
    await server.start()
    print(f"listening {port}", flush=True)
    await server.wait_for_termination()


asyncio.run(main())
