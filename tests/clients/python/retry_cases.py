"""A client that retries by gRPC's own policy, and what the server saw of its attempts."""

import contextlib
import json
import time

import shared  # first: it makes the generated modules importable
import echo_pb2
import grpc
from support import RPC_TIMEOUT, Client, check, check_status, check_values, failure

MAX_ATTEMPTS = 4
PUSHBACK_MS = 400  # far more than the policy's backoff
SERVICE_CONFIG = {"methodConfig": [{
    "name": [{"service": "lanekeeper.tests.Echo"}],
    "retryPolicy": {
        "maxAttempts": MAX_ATTEMPTS, "initialBackoff": "0.01s", "maxBackoff": "0.05s",
        "backoffMultiplier": 2, "retryableStatusCodes": ["UNAVAILABLE"],
    },
}]}


def register(case):
    for function in (retry_trailers_only, retry_until_attempts_are_used_up, retry_after_pushback,
                     retry_forbidden_by_pushback, no_retry_after_headers):
        case(function)


@contextlib.contextmanager
def retrying(client):
    """Another channel to the same target, with the policy."""
    other = Client(client.target, [("grpc.service_config", json.dumps(SERVICE_CONFIG))])
    with other.channel:
        yield other.echo


def script(fail_attempts, pushback_ms=None):
    """UNAVAILABLE, trailers only, for the first attempts."""
    trailers = [] if pushback_ms is None else [
        echo_pb2.Entry(key="grpc-retry-pushback-ms", value=b"%d" % pushback_ms)]
    return echo_pb2.Script(status_code=14, status_message="not yet", fail_attempts=fail_attempts,
                           trailing_metadata=trailers)


def check_attempts(client, call_id, want):
    got = list(client.journal(call_id).previous_attempts)
    check(got == want, f"the attempts' grpc-previous-rpc-attempts: got {got}, want {want}")


def check_fails(client, echo, script, attempts):
    call_id = client.call_id()
    rpc = failure(echo.Unary, echo_pb2.Request(script=script), metadata=[("call-id", call_id)])
    check_status(rpc, grpc.StatusCode.UNAVAILABLE, "not yet")
    check_attempts(client, call_id, attempts)
    return rpc


def retry_trailers_only(client):
    request = echo_pb2.Request(script=script(fail_attempts=2), payload=b"again")
    with retrying(client) as echo:
        call_id = client.call_id()
        got = echo.Unary(request, timeout=RPC_TIMEOUT, metadata=[("call-id", call_id)])
        check(got.payload == b"again", f"Unary: got {got}")
        check_attempts(client, call_id, ["", "1", "2"])

        # All of the requests are sent again.
        call_id = client.call_id()
        total = echo.ClientStream(iter([request] * 3), timeout=RPC_TIMEOUT,
                                  metadata=[("call-id", call_id)])
        check((total.messages, total.bytes) == (3, 15), f"ClientStream: got {total}")
        check_attempts(client, call_id, ["", "1", "2"])


def retry_until_attempts_are_used_up(client):
    with retrying(client) as echo:
        check_fails(client, echo, script(fail_attempts=MAX_ATTEMPTS), ["", "1", "2", "3"])


def retry_after_pushback(client):
    call_id = client.call_id()
    with retrying(client) as echo:
        begin = time.monotonic()
        echo.Unary(echo_pb2.Request(script=script(fail_attempts=1, pushback_ms=PUSHBACK_MS)),
                   timeout=RPC_TIMEOUT, metadata=[("call-id", call_id)])
        took = (time.monotonic() - begin) * 1000
    check(took >= PUSHBACK_MS - 2, f"retried after {took:.0f} ms, want {PUSHBACK_MS}")
    check_attempts(client, call_id, ["", "1"])


def retry_forbidden_by_pushback(client):
    with retrying(client) as echo:
        check_fails(client, echo, script(fail_attempts=2, pushback_ms=-1), [""])


def no_retry_after_headers(client):
    """Headers commit a call, so an error that comes after them must not look trailers-only."""
    late = script(fail_attempts=2)
    late.headers_at_once = True
    late.initial_metadata.add(key="early", value=b"yes")
    with retrying(client) as echo:
        rpc = check_fails(client, echo, late, [""])
    check_values("initial metadata", rpc.initial_metadata(), "early", [b"yes"])
