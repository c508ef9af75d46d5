#!/usr/bin/python3
"""An application of several processes, as prefork servers are: a master that forks its workers,
each of which then makes a channel of its own to $ORDERS_GRPC_TARGET.

usage: prefork_app.py WORKERS LAST

Each worker makes unary RPCs in one thread and streams in another, one after the other. It says
"working" when some of both have succeeded, and "seen as NAME" whenever the upstream sees another
certificate. At SIGTERM the workers end the RPCs that they have begun, make LAST unary ones more, and
say "ended {...}": how many succeeded, how many failed, and [start, code, details] of the first of
those, in CLOCK_MONOTONIC. No RPC is tried again.
"""

import ctypes
import json
import os
import signal
import sys
import threading
import time

ECHOES = 20
SOME = 20
PATIENCE = 20
PR_SET_PDEATHSIG = 1
TOLD = 20  # so many failures, and so much of each, that a line is written as one


def say(line):
    """As one: other workers write too."""
    os.write(1, f"{line}\n".encode())


class Worker:
    def __init__(self, last):
        import grpc  # not before the fork
        self.grpc = grpc
        self.last = last
        self.ending = threading.Event()
        self.succeeded = {"unary": 0, "streams": 0, "peer": 0, "last": 0}
        self.failures = []
        self.seen_as = None
        self.working = threading.Barrier(2, lambda: say("working"))
        self.channel = grpc.insecure_channel(os.environ["ORDERS_GRPC_TARGET"], options=[
            ("grpc.use_local_subchannel_pool", 1), ("grpc.enable_http_proxy", 0),
            ("grpc.enable_retries", 0)])

    def attempt(self, kind, rpc):
        start = time.monotonic()
        try:
            rpc()
            self.succeeded[kind] += 1
            return True
        except self.grpc.RpcError as error:
            self.failures.append([start, error.code().name, error.details()[:80]])
            self.ending.wait(0.01)
            return False

    def unary(self):
        payload = os.urandom(100)
        answer = self.channel.unary_unary("/daemon.Unary/Echo")(payload, timeout=PATIENCE)
        assert answer == payload

    def stream(self):
        """Sends each message when the one before has been answered."""
        answered = threading.Semaphore(1)

        def requests():
            for number in range(ECHOES):
                answered.acquire()
                yield str(number).encode()

        answers = []
        for answer in self.channel.stream_stream("/daemon.Bidi/Echo")(
                requests(), timeout=PATIENCE):
            answers.append(answer)
            answered.release()
        assert answers == [str(number).encode() for number in range(ECHOES)] + [b"bye"], answers

    def ask_the_upstream(self):
        name = self.channel.unary_unary("/daemon.Peer/Name")(b"", timeout=PATIENCE).decode()
        if name != self.seen_as:
            self.seen_as = name
            say(f"seen as {name}")

    def loop(self, kind, rpc):
        while not self.ending.is_set():
            if self.attempt(kind, rpc) and self.succeeded[kind] == SOME:
                self.working.wait()

    def run(self):
        signal.signal(signal.SIGTERM, lambda *_: self.ending.set())
        streams = threading.Thread(target=self.loop, args=("streams", self.stream))
        unary = threading.Thread(target=self.loop, args=("unary", self.unary))
        for thread in (streams, unary):
            thread.start()
        while not self.ending.wait(0.1):
            self.attempt("peer", self.ask_the_upstream)
        for thread in (streams, unary):
            thread.join()
        for _ in range(self.last):
            self.attempt("last", self.unary)
        say("ended " + json.dumps({**self.succeeded, "failed": len(self.failures),
                                   "failures": self.failures[:TOLD]}))


def main():
    workers, last = map(int, sys.argv[1:])
    children = []
    for _ in range(workers):
        child = os.fork()
        if child == 0:
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            Worker(last).run()
            os._exit(0)
        children.append(child)
    signal.signal(signal.SIGTERM, lambda *_: [os.kill(child, signal.SIGTERM) for child in children])
    codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    sys.exit(any(codes))


main()
