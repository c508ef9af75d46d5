"""The foreign client in Python.

usage: client.py TARGET [CASE...] | client.py TARGET hold RPCS
TARGET is HOST:PORT or unix:PATH. Prints "ok CASE" or "FAIL CASE: why" for each case.
"""

import sys
import threading
from concurrent import futures

import shared  # first: it makes the generated modules importable
import echo_pb2
import grpc
import helloworld_pb2
import retry_cases
import routeguide_pb2
from queue_iterator import QueueIterator
from shared import FEATURES, pattern
from support import (RPC_TIMEOUT, Client, case, check, check_payload, check_status, check_stream,
                     check_values, failure, run, run_cases)

SPECIAL_MESSAGE = "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n"
CODES = {code.value[0]: code for code in grpc.StatusCode if code.value[0] != 0}

# The tutorials' programs.


@case
def hello_world(client):
    hello(client, "world")


def hello(client, name):
    reply = client.greeter.SayHello(helloworld_pb2.HelloRequest(name=name), timeout=RPC_TIMEOUT)
    check(reply.message == "Hello " + name, f"got {reply.message!r}")


@case
def route_guide(client):
    get_feature(client)
    list_features(client)
    record_route(client)
    route_chat(client, 10)


def get_feature(client):
    there = client.guide.GetFeature(FEATURES[7].location, timeout=RPC_TIMEOUT)
    check(there.name == "Feature 7", f"GetFeature: got {there.name!r}")
    nowhere = client.guide.GetFeature(
        routeguide_pb2.Point(latitude=1, longitude=2), timeout=RPC_TIMEOUT)
    check(nowhere.name == "" and nowhere.location.latitude == 1 and nowhere.location.longitude == 2,
          f"GetFeature nowhere: got {nowhere}")


def list_features(client):
    rectangle = routeguide_pb2.Rectangle(lo=FEATURES[3].location, hi=FEATURES[17].location)
    got = [f.name for f in client.guide.ListFeatures(rectangle, timeout=RPC_TIMEOUT)]
    check(got == [f"Feature {i}" for i in range(3, 18)], f"ListFeatures: got {got}")


def record_route(client):
    route = [FEATURES[0].location, routeguide_pb2.Point(latitude=5, longitude=-5),
             FEATURES[24].location, FEATURES[12].location]
    distance = sum(shared.distance(a, b) for a, b in zip(route, route[1:]))
    got = client.guide.RecordRoute(iter(route), timeout=RPC_TIMEOUT)
    check((got.point_count, got.feature_count, got.distance) == (4, 3, distance),
          f"RecordRoute: got {got}, want 4 points, 3 features, distance {distance}")


def route_chat(client, notes):
    """Writes notes at two places in turn and reads after each write what must come back."""
    with QueueIterator() as requests:
        rpc = client.guide.RouteChat(requests, timeout=RPC_TIMEOUT)
        for i in range(notes):
            requests.put(routeguide_pb2.RouteNote(
                location=FEATURES[i % 2].location, message=f"note {i}"))
            for earlier in range(i % 2, i + 1, 2):
                got = next(rpc).message
                check(got == f"note {earlier}", f"RouteChat, after note {i}: got {got!r}")
        requests.close()
        check(list(rpc) == [], "RouteChat: more notes at the end")


@case
def multiplex(client):
    """Two services at the same time over the one channel."""
    def greet():
        for i in range(40):
            hello(client, f"number {i}")

    with futures.ThreadPoolExecutor() as pool:
        for done in [pool.submit(greet), pool.submit(route_chat, client, 20)]:
            done.result()


# Messages of all sizes and orders.


@case
def empty_unary(client):
    got = client.echo.Unary(echo_pb2.Request(), timeout=RPC_TIMEOUT)
    check(got.ByteSize() == 0, f"the response has {got.ByteSize()} bytes")


@case
def large_unary(client):
    request = echo_pb2.Request(payload=pattern(271828), response_bytes=314159)
    check_payload(client.echo.Unary(request, timeout=RPC_TIMEOUT), 314159)


@case
def message_5mib(client):
    size = 5 << 20
    # No response_bytes: the request's own bytes come back.
    request = echo_pb2.Request(payload=pattern(size))
    check_payload(client.echo.Unary(request, timeout=RPC_TIMEOUT), size)


@case
def empty_stream(client):
    """Half-closes without a message."""
    total = client.echo.ClientStream(iter([]), timeout=RPC_TIMEOUT)
    check(total.messages == 0 and total.bytes == 0, f"ClientStream: got {total}")

    call_id = client.call_id()
    rpc = client.echo.Bidi(iter([]), metadata=[("call-id", call_id)], timeout=RPC_TIMEOUT)
    check(list(rpc) == [], "Bidi: a response to nothing")
    entry = client.journal(call_id)
    check(entry.half_closed and entry.messages == 0,
          f"Bidi: the server saw half-close {entry.half_closed}, {entry.messages} messages")


@case
def ping_pong(client):
    """Never more than one message under way."""
    alternate(client, 40)


def alternate(client, rounds):
    ups, downs = [27182, 8, 1828, 45904], [31415, 9, 2653, 58979]
    with QueueIterator() as requests:
        rpc = client.echo.Bidi(requests, timeout=RPC_TIMEOUT)
        for i in range(rounds):
            requests.put(echo_pb2.Request(
                payload=pattern(ups[i % 4]), response_bytes=downs[i % 4]))
            got = next(rpc)
            check(got.index == i, f"round {i}: got response {got.index}")
            check_payload(got, downs[i % 4])
        requests.close()
        check(list(rpc) == [], "more responses at the end")


@case
def half_close_then_long_stream(client):
    script = echo_pb2.Script(response_count=200)
    request = echo_pb2.Request(script=script, response_bytes=1000)
    # One answer to the message, then those that come after the half-close.
    check_stream(client.echo.Bidi(iter([request]), timeout=RPC_TIMEOUT), 201, 1000)


@case
def many_parallel(client):
    """100 RPCs of all kinds open at once; their delays make them end out of order."""
    with futures.ThreadPoolExecutor(max_workers=100) as pool:
        running = [pool.submit(one_of_many, client, i) for i in range(100)]
        for done in running:
            done.result()


def one_of_many(client, i):
    script = echo_pb2.Script(delay_ms=i % 7 * 10, response_count=10)
    size = 100 + i
    request = echo_pb2.Request(script=script, response_bytes=size)
    if i % 4 == 0:
        check_payload(client.echo.Unary(request, timeout=RPC_TIMEOUT), size)
    elif i % 4 == 1:
        check_stream(client.echo.ServerStream(request, timeout=RPC_TIMEOUT), 10, size)
    elif i % 4 == 2:
        requests = [echo_pb2.Request(script=script, payload=pattern(size))] * 10
        got = client.echo.ClientStream(iter(requests), timeout=RPC_TIMEOUT)
        check(got.messages == 10 and got.bytes == 10 * size, f"got {got}")
    else:
        alternate(client, 10)


# Metadata.


@case
def headers_before_message(client):
    """The server's initial metadata must come while no message follows it."""
    script = echo_pb2.Script(headers_at_once=True, block_until_cancelled=True,
                             initial_metadata=[echo_pb2.Entry(key="early", value=b"yes")])
    call_id = client.call_id()
    rpc = client.echo.ServerStream(echo_pb2.Request(script=script), timeout=RPC_TIMEOUT,
                                   metadata=[("call-id", call_id)])
    # Waits for the headers, or the end of the call, which the deadline bounds.
    check_values("ServerStream", rpc.initial_metadata(), "early", [b"yes"])
    check(rpc.is_active(), "ServerStream: the headers came only with the end")
    rpc.cancel()
    client.await_cancelled(call_id)

    # The server speaks first: the client has sent headers only.
    call_id = client.call_id()
    with QueueIterator() as requests:
        rpc = client.echo.Bidi(requests, timeout=RPC_TIMEOUT, metadata=[
            ("call-id", call_id), ("script-bin", script.SerializeToString())])
        check_values("Bidi", rpc.initial_metadata(), "early", [b"yes"])
        check(rpc.is_active(), "Bidi: the headers came only with the end")
        rpc.cancel()
    client.await_cancelled(call_id)


@case
def metadata_roundtrip(client):
    values = {
        "one": [b"a value with spaces, a comma and ~!@#$%^&*()"],
        "repeated": [b"first", b"second", b"third"],
        "one-bin": [bytes(range(256))],
        "repeated-bin": [b"\x00", b"\xff\xfe", b"three"],
    }
    entries = {prefix: [echo_pb2.Entry(key=prefix + key, value=value)
                        for key, several in values.items() for value in several]
               for prefix in ("up-", "down-", "end-")}
    script = echo_pb2.Script(initial_metadata=entries["down-"], trailing_metadata=entries["end-"])
    call_id = client.call_id()
    _, rpc = client.echo.Unary.with_call(
        echo_pb2.Request(script=script, payload=pattern(10)), timeout=RPC_TIMEOUT,
        metadata=shared.to_metadata(entries["up-"]) + [("call-id", call_id)])
    entry = client.journal(call_id)
    seen = [(e.key, e.value) for e in entry.metadata]
    for key, want in values.items():
        check_values("at the server", seen, "up-" + key, want, joined=entry.server == "node")
        check_values("initial metadata", rpc.initial_metadata(), "down-" + key, want)
        check_values("trailers", rpc.trailing_metadata(), "end-" + key, want)


@case
def authority_seen_by_server(client):
    call_id = client.call_id()
    client.echo.Unary(echo_pb2.Request(), metadata=[("call-id", call_id)], timeout=RPC_TIMEOUT)
    entry = client.journal(call_id)
    want = "localhost" if client.target.startswith("unix:") else client.target
    # grpcio's server does not tell its handlers the authority.
    check(entry.server == "python" or entry.authority == want,
          f"got {entry.authority!r}, want {want!r}")


# The ways a call can end.


@case
def status_code_and_message(client):
    for number, code in CODES.items():
        for message in (SPECIAL_MESSAGE, "50% of /a;b %41"):
            script = echo_pb2.Script(status_code=number, status_message=message)
            rpc = failure(client.echo.Unary, echo_pb2.Request(script=script))
            check_status(rpc, code, message)
            # The status comes after a message.
            script.end_after = 1
            with QueueIterator() as requests:
                rpc = client.echo.Bidi(requests, timeout=RPC_TIMEOUT)
                requests.put(echo_pb2.Request(script=script))
                next(rpc)
                check_status(rpc, code, message)


@case
def status_details(client):
    want = echo_pb2.RichStatus(code=8, message="rich", details=[
        echo_pb2.Detail(type_url="type.example/any", value=pattern(200))]).SerializeToString()
    script = echo_pb2.Script(status_code=8, status_message="rich", status_details=want)
    rpc = failure(client.echo.Unary, echo_pb2.Request(script=script))
    check_status(rpc, grpc.StatusCode.RESOURCE_EXHAUSTED, "rich")
    check_values("trailers", rpc.trailing_metadata(), "grpc-status-details-bin", [want])


@case
def trailers_only_error(client):
    script = echo_pb2.Script(status_code=5, status_message="nothing here",
                             trailing_metadata=[echo_pb2.Entry(key="why", value=b"because")])
    rpc = failure(client.echo.Unary, echo_pb2.Request(script=script))
    check_status(rpc, grpc.StatusCode.NOT_FOUND, "nothing here")
    check(not rpc.initial_metadata(),
          f"initial metadata {rpc.initial_metadata()}, though the answer was an error at once")
    check_values("trailers", rpc.trailing_metadata(), "why", [b"because"])


@case
def unimplemented_method(client):
    for method in ("/lanekeeper.tests.Echo/NoSuchMethod", "/no.such.Service/Method"):
        check_status(failure(client.channel.unary_unary(method), b""),
                     grpc.StatusCode.UNIMPLEMENTED)


@case
def deadline_seen_by_server(client):
    call_id = client.call_id()
    client.echo.Unary(echo_pb2.Request(), timeout=10, metadata=[("call-id", call_id)])
    left = client.journal(call_id).deadline_ms
    # Upwards only the rounding of grpc-timeout; downwards a machine under load.
    check(5000 <= left <= 10200, f"the server had {left} ms left of 10 s")

    call_id = client.call_id()
    client.echo.Unary(echo_pb2.Request(), metadata=[("call-id", call_id)])
    left = client.journal(call_id).deadline_ms
    check(left == -1, f"the server saw a deadline of {left} ms where there was none")


@case
def deadline_exceeded(client):
    blocked = echo_pb2.Request(script=echo_pb2.Script(block_until_cancelled=True))
    call_id = client.call_id()
    rpc = failure(client.echo.Unary, blocked, timeout=0.3, metadata=[("call-id", call_id)])
    check_status(rpc, grpc.StatusCode.DEADLINE_EXCEEDED)
    client.await_cancelled(call_id)

    call_id = client.call_id()
    with QueueIterator() as requests:
        requests.put(blocked)
        rpc = client.echo.Bidi(requests, timeout=0.3, metadata=[("call-id", call_id)])
        check_status(rpc, grpc.StatusCode.DEADLINE_EXCEEDED)
    client.await_cancelled(call_id)


@case
def cancel_mid_stream(client):
    # The server is waiting for the next message. It has work left for after a half-close: grpcio's
    # server can take a cancellation for one, and would end the call with OK.
    call_id = client.call_id()
    script = echo_pb2.Script(response_count=1000000)
    with QueueIterator() as requests:
        rpc = client.echo.Bidi(requests, timeout=RPC_TIMEOUT, metadata=[("call-id", call_id)])
        for _ in range(3):
            requests.put(echo_pb2.Request(script=script, response_bytes=100))
            next(rpc)
        rpc.cancel()
        check_status(rpc, grpc.StatusCode.CANCELLED)
    client.await_cancelled(call_id)

    # The server is sending.
    call_id = client.call_id()
    request = echo_pb2.Request(script=script, response_bytes=100)
    rpc = client.echo.ServerStream(request, timeout=RPC_TIMEOUT, metadata=[("call-id", call_id)])
    for _ in range(3):
        next(rpc)
    rpc.cancel()
    check_status(rpc, grpc.StatusCode.CANCELLED)
    client.await_cancelled(call_id)


@case
def early_finish(client):
    """The server ends the call while the client is still writing."""
    script = echo_pb2.Script(end_after=3, status_code=9, status_message="enough")
    request = echo_pb2.Request(script=script, payload=pattern(64 << 10), response_bytes=1)
    over = threading.Event()

    def requests():
        while not over.is_set():
            yield request

    try:
        rpc = client.echo.Bidi(requests(), timeout=RPC_TIMEOUT)
        for _ in range(3):
            next(rpc)
        check_status(rpc, grpc.StatusCode.FAILED_PRECONDITION, "enough")
    finally:
        over.set()


retry_cases.register(case)


def hold(client, rpcs):
    """Makes RPCs on its one connection, says so, keeps the connection until stdin ends, and shows
    that it still serves."""
    for i in range(rpcs):
        (ping_pong if i % 2 else hello_world)(client)
    print("holding", flush=True)
    sys.stdin.read()
    hello_world(client)


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    client, wanted = Client(sys.argv[1]), sys.argv[2:]
    if wanted[:1] == ["hold"]:
        good = run("hold", hold, client, int(wanted[1]))
    else:
        good = run_cases(client, wanted)
    client.channel.close()
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
