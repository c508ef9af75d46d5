"""Clients that must not get in: their RPC is UNAVAILABLE, lanekeeper tells why, the server hears
nothing."""

import contextlib

from harness.waiting import Failure

from .building import program
from .children import running
from .proxy import HANDSHAKES

CASE = "hello_world"
CALL = r"^call /helloworld\.Greeter/SayHello$"  # one of them, as the server tells it

# As each client tells it.
UNAVAILABLE = {"go": "code = Unavailable", "python": "StatusCode.UNAVAILABLE",
               "node": "status UNAVAILABLE", "ruby": "GRPC::Unavailable",
               "java": "StatusRuntimeException: UNAVAILABLE"}


def strangers(tls):
    """Who each is: an environment, the outcome of the handshake, why."""
    return {
        "no certificate": (tls.client(None), "no_certificate", "the peer showed no certificate"),
        "a foreign certificate": (tls.client(tls.foreign()), "bad_certificate",
                                  "unable to get local issuer certificate"),
        "an expired certificate": (tls.client(tls.expired()), "bad_certificate",
                                   "certificate has expired"),
    }


def turn_away(built, proxy, tls, languages, timeout):
    for who, (environment, outcome, why) in strangers(tls).items():
        for language in languages:
            with told(proxy, outcome, why):
                must_fail(built, proxy.target, language, environment, who, timeout)
            print(f"ok {language} client with {who} did not get in: {outcome}", flush=True)


@contextlib.contextmanager
def told(proxy, outcome, why):
    """The block makes lanekeeper count such an outcome once more, and log why."""
    labels = {"side": "downstream", "outcome": outcome}
    line = rf"TLS handshake failed.*outcome={outcome} .*{why}"
    count, lines = proxy.scrape().value(HANDSHAKES, **labels), proxy.count_lines(line)
    yield
    proxy.await_at_least(HANDSHAKES, count + 1, **labels)
    proxy.await_lines(line, lines + 1)


def must_fail(built, target, language, environment, who, timeout):
    name = f"{language} client with {who}"
    words = [*program(built, language, "client"), target, CASE]
    with running(name, words, environment=environment) as process:
        process.await_exit(timeout)
        if not any(line.startswith(f"FAIL {CASE}:") and UNAVAILABLE[language] in line
                   for line in process.lines):
            raise Failure(f"{name}: want {CASE} to fail with UNAVAILABLE")


def check_calls(server, count):
    """Every call that the server has heard is one of `count` of others. What a stranger sent before
    them would have been told before theirs."""
    server.await_count(CALL, count)
