"""What the client's cases share: the channel, the list of cases, checks."""

import os
import pathlib
import sys
import time

import shared  # first: it makes the generated modules importable
import echo_pb2
import grpc
from shared import pattern

RPC_TIMEOUT = 20  # seconds; no RPC of a case may take longer: it bounds every wait
CASES = {}


def case(function):
    CASES[function.__name__] = function
    return function


def check(good, why):
    if not good:
        raise AssertionError(why)


def open_channel(target, options):
    """Plaintext, or TLS to who is certified by the authority in $TLS_CA; by $TLS_CERTIFICATE and its
    $TLS_KEY, if there are any, we say who we are."""
    files = [os.environ.get(name) for name in ("TLS_CA", "TLS_KEY", "TLS_CERTIFICATE")]
    if not files[0]:
        return grpc.insecure_channel(target, options=options)
    credentials = grpc.ssl_channel_credentials(
        *(pathlib.Path(file).read_bytes() if file else None for file in files))
    return grpc.secure_channel(target, credentials, options=options)


class Client:
    def __init__(self, target, options=()):
        self.target = target
        self.channel = open_channel(target, [*shared.UNLIMITED, *options])
        self.greeter = self._stub("helloworld.Greeter")
        self.guide = self._stub("routeguide.RouteGuide")
        self.echo = self._stub("lanekeeper.tests.Echo")
        self._calls = 0

    def _stub(self, service):
        methods = {}
        for name, (kind, request, response) in shared.SERVICES[service].items():
            make = getattr(self.channel, kind)
            methods[name] = make(f"/{service}/{name}", request_serializer=request.SerializeToString,
                                 response_deserializer=response.FromString)
        return type(service, (), {name: staticmethod(call) for name, call in methods.items()})

    def call_id(self):
        """A new id, under which the server's journal keeps the call that carries it."""
        self._calls += 1
        return f"python-{os.getpid()}-{self._calls}"

    def journal(self, call_id):
        return self.echo.Journal(echo_pb2.JournalRequest(call_id=call_id), timeout=RPC_TIMEOUT)

    def await_cancelled(self, call_id):
        """Polls the journal until the server saw the call's cancellation."""
        bound = time.monotonic() + 10
        while True:
            entry = self.journal(call_id)
            if entry.cancelled:
                return
            check(not entry.ended, "the server ended the call without seeing the cancellation")
            check(time.monotonic() < bound,
                  f"the server saw no cancellation in 10 s (it saw the call: {entry.known})")
            time.sleep(0.02)


def check_status(rpc, code, message=None):
    """Waits for the end of `rpc` and compares its status."""
    check(rpc.code() == code, f"status {rpc.code()} ({rpc.details()!r}), want {code}")
    if message is not None:
        check(rpc.details() == message, f"status message {rpc.details()!r}, want {message!r}")


def check_payload(response, size):
    check(response.payload == pattern(size),
          f"wrong payload: {len(response.payload)} bytes, want the pattern of {size}")


def check_values(where, metadata, key, want, joined=False):
    """The values of one key, in order.

    A Node server cannot tell repeated ASCII keys apart: Node's http2 module joins them with ", "
    before grpc-js sees them, so pass joined=True for it.
    """
    got = [value if isinstance(value, bytes) else value.encode()
           for k, value in metadata if k == key]
    if joined and not key.endswith("-bin"):
        got, want = [b", ".join(got)], [b", ".join(want)]
    check(got == want, f"{where}, key {key}: got {got}, want {want}")


def check_stream(rpc, count, size):
    received = 0
    for response in rpc:
        check(response.index == received, f"got response {response.index} as number {received}")
        check_payload(response, size)
        received += 1
    check(received == count, f"{received} responses, want {count}")


def failure(call, *arguments, **options):
    """The failed RPC of a unary-response call."""
    try:
        call(*arguments, timeout=options.pop("timeout", RPC_TIMEOUT), **options)
    except grpc.RpcError as rpc:
        return rpc
    raise AssertionError("the call succeeded")


def run(name, function, *arguments):
    try:
        function(*arguments)
    except Exception as error:  # a failed case must not stop the next one
        if isinstance(error, grpc.RpcError):
            error = f"{error.code()}: {error.details()}"
        print(f"FAIL {name}: {error or type(error).__name__}", flush=True)
        return False
    print(f"ok {name}", flush=True)
    return True


def run_cases(client, wanted):
    """Runs the wanted cases, or all."""
    unknown = [name for name in wanted if name not in CASES]
    if unknown:
        sys.exit(f"no such case: {unknown}")
    return all([run(name, function, client) for name, function in CASES.items()
                if not wanted or name in wanted])
