#!/usr/bin/python3
"""Kind kernel: each RPC has a thread with its method's name; threads are reused, and go away."""

import grpc

from harness.byte_client import Stream, call
from harness.case import DaemonTest, main
from harness.waiting import wait_until

IDLE_LIFETIME_BOUND = 20  # they go after 10 s
BURST = 200
BUSY = {"kind": "kernel", "state": "busy"}
IDLE = {"kind": "kernel", "state": "idle"}


class KernelThreads(DaemonTest):
    kind = "kernel"

    def setUp(self):
        super().setUp()
        self.daemon = self.start(self.start_upstream().address)
        self.channel = self.open_channel(self.daemon.target)

    def await_thread(self, name, count):
        wait_until(lambda: self.daemon.thread_names().count(name) == count,
                   lambda: f"{count} threads named {name!r}: {self.daemon.thread_names()}")

    def test_thread_of_an_rpc_is_named_after_its_method(self):
        # Linux keeps 15 bytes of a name.
        for method, name in (("Chat", "Chat"), ("ARatherLongMethodName", "ARatherLongMeth"),
                             ("FifteenLetters_", "FifteenLetters_")):
            with self.subTest(method):
                streams = [Stream(self.channel, f"/daemon.Bidi/{method}").echo() for _ in range(3)]
                self.await_thread(name, 3)
                streams[0].half_close()
                streams[0].end()
                self.await_thread(name, 2)
                streams[1].rpc.cancel()
                self.await_thread(name, 1)
                streams[2].echo().half_close()
                self.assertEqual(streams[2].end()[0], grpc.StatusCode.OK)
                self.await_thread(name, 0)

    def test_busy_and_idle_threads_are_counted(self):
        self.daemon.await_metric("lanekeeper_rpc_threads", 0)
        streams = [Stream(self.channel).echo() for _ in range(5)]
        self.daemon.await_metric("lanekeeper_rpc_threads", 5, **BUSY)
        self.daemon.await_metric("lanekeeper_rpc_threads", 0, **IDLE)
        for stream in streams:
            stream.half_close()
            stream.end()
        self.daemon.await_metric("lanekeeper_rpc_threads", 0, **BUSY)
        self.daemon.await_metric("lanekeeper_rpc_threads", 5, **IDLE)
        self.await_thread("lk-rpc-idle", 5)

    def test_idle_threads_are_used_again(self):
        for _ in range(100):
            call(self.channel)
        scrape = self.daemon.scrape()
        # One, and another where an RPC came before the thread of the last was back.
        self.assertLessEqual(scrape.value("lanekeeper_rpc_threads"), 5)

    def test_burst_is_served_and_its_threads_go_away(self):
        before = len(self.daemon.thread_names())
        streams = [Stream(self.channel, "/daemon.Bidi/Burst") for _ in range(BURST)]
        for stream in streams:
            stream.send(b"all at once")
        for stream in streams:
            self.assertEqual(stream.receive(), b"all at once")
        self.daemon.await_metric("lanekeeper_rpc_threads", BURST, **BUSY)
        self.assertEqual(self.daemon.thread_names().count("Burst"), BURST)
        for stream in streams:
            stream.half_close()
        for stream in streams:
            self.assertEqual(stream.end()[0], grpc.StatusCode.OK)
        self.daemon.await_metric("lanekeeper_rpc_threads", 0, bound=IDLE_LIFETIME_BOUND)
        wait_until(lambda: len(self.daemon.thread_names()) <= before + 5, "threads gone")
        self.assertEqual(call(self.channel), b"hello")


class UserThreads(DaemonTest):
    def test_open_streams_take_no_threads_of_their_own(self):
        daemon = self.start(self.start_upstream().address)
        channel = self.open_channel(daemon.target)
        Stream(channel).echo()
        before = len(daemon.thread_names())
        streams = [Stream(channel).echo() for _ in range(50)]
        self.assertLess(len(daemon.thread_names()), before + 10)
        daemon.await_metric("lanekeeper_rpc_threads", 51, kind="user", state="busy")
        self.assertTrue(any(name.startswith("lk-worker-") for name in daemon.thread_names()))
        for stream in streams:
            stream.echo()


if __name__ == "__main__":
    main()
