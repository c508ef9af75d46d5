"""gRPC's own health checking, as C-core does it for Python, Ruby, PHP, C# and C++.

With a balancer, a channel watches the health of each connection and makes no RPC on one that is not
serving. usage: probe.py TARGET CASE...   Prints "ok CASE" or "FAIL CASE: why" for each case.
"""

import contextlib
import json
import sys
import threading

import shared  # first: it makes the generated modules importable
import grpc
import healthcontrol_pb2
import helloworld_pb2
from support import RPC_TIMEOUT, case, check, run_cases

READY = grpc.ChannelConnectivity.READY
FAILING = grpc.ChannelConnectivity.TRANSIENT_FAILURE


class Probe:
    def __init__(self, target):
        self.target = target
        self.channel = grpc.insecure_channel(target)

    def set_serving(self, service, serving):
        """Changes what the upstream's health service says."""
        call = self.channel.unary_unary(
            "/lanekeeper.tests.HealthControl/Set",
            request_serializer=healthcontrol_pb2.Health.SerializeToString,
            response_deserializer=healthcontrol_pb2.Health.FromString)
        call(healthcontrol_pb2.Health(service=service, serving=serving), timeout=RPC_TIMEOUT)

    @contextlib.contextmanager
    def checking_channel(self, service):
        config = {"loadBalancingConfig": [{"round_robin": {}}],
                  "healthCheckConfig": {"serviceName": service}}
        options = [("grpc.service_config", json.dumps(config))]
        with grpc.insecure_channel(self.target, options=options) as channel:
            yield channel, States(channel)


class States:
    """The states a channel goes through."""

    def __init__(self, channel):
        self._news = threading.Condition()
        self._state = None
        channel.subscribe(self._note, try_to_connect=True)

    def _note(self, state):
        with self._news:
            self._state = state
            self._news.notify_all()

    def await_state(self, want):
        with self._news:
            there = self._news.wait_for(lambda: self._state == want, RPC_TIMEOUT)
            check(there, f"the channel stays {self._state}, want {want}")


def hello(channel):
    """The status code of an RPC."""
    call = channel.unary_unary(
        "/helloworld.Greeter/SayHello",
        request_serializer=helloworld_pb2.HelloRequest.SerializeToString,
        response_deserializer=helloworld_pb2.HelloReply.FromString)
    try:
        call(helloworld_pb2.HelloRequest(name="probe"), timeout=RPC_TIMEOUT)
    except grpc.RpcError as rpc:
        return rpc.code()
    return grpc.StatusCode.OK


@case
def health_balancing(probe):
    service = "python.balancing"
    probe.set_serving(service, False)
    with probe.checking_channel(service) as (channel, states):
        states.await_state(FAILING)
        code = hello(channel)
        check(code == grpc.StatusCode.UNAVAILABLE, f"SayHello while not serving: {code}")
        for serving in (True, False, True):
            probe.set_serving(service, serving)
            states.await_state(READY if serving else FAILING)
        code = hello(channel)
        check(code == grpc.StatusCode.OK, f"SayHello while serving: {code}")


@case
def health_balancing_absent(probe):
    """A server without the health service counts as serving, but only if it answers UNIMPLEMENTED."""
    with probe.checking_channel("anything") as (channel, states):
        states.await_state(READY)
        code = hello(channel)
        check(code == grpc.StatusCode.OK, f"SayHello: {code}")


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    probe = Probe(sys.argv[1])
    good = run_cases(probe, sys.argv[2:])
    probe.channel.close()
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
