#!/usr/bin/python3
"""deploy/troubleshooting.md: what keeps a beginner out, and each status that an application may get
from lanekeeper, is brought about, and is what the page quotes."""

import os
import pathlib
import re
import signal
import ssl
import subprocess
import sys
import tempfile
import unittest.mock

import grpc

from harness.byte_client import Stream
from harness.case import both_kinds, main
from harness.certificates import Authority
from harness.lanekeeper import LANEKEEPER, Daemon
from harness.ports import free_port
from harness.scrape import http_get
from odd_upstreams import BlackHole, OddUpstream
from raw_upstream import (END_HEADERS, HEADERS, MAX_CONCURRENT_STREAMS, MAX_HEADER_LIST_SIZE, field,
                          frame)
from troubleshooting_page import TABLES, TroubleTest, holds


HERE = pathlib.Path(__file__).parent
NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if os.getuid() == 0 else []
DIAL = "import socket, sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])"
IPV6 = pathlib.Path("/proc/net/if_inet6")
CLOSED = "127.0.0.1:1"
KIB = 1024


def run(*words):
    """How it ended, and the lines that it said."""
    done = subprocess.run([*map(str, words)], capture_output=True, text=True, timeout=30)
    return [f"exit code {done.returncode}", *(done.stdout + done.stderr).splitlines()]


def curl(*words):
    return run("curl", "--silent", "--noproxy", "*", "--write-out", "\nHTTP %{http_code}", *words)


@holds("Nothing gets through")
class Beginning(TroubleTest):
    def test_each_table_is_held(self):
        tests = "".join(path.read_text() for path in HERE.glob("troubleshooting*_test.py"))
        self.assertEqual(sorted(re.findall(r'^@holds\("(.+)"\)$', tests, re.MULTILINE)),
                         sorted(TABLES))

    def case_bad_configuration(self):
        path = pathlib.Path(self.folder, "bad.yaml")
        path.write_text("listn: []\n")
        return run(LANEKEEPER, "--config", path)

    def ended(self, **options):
        daemon = self.launch(**options)
        return [f"exit code {daemon.await_exit()}", *daemon.lines]

    def case_port_in_use(self):
        return self.ended(listen=[self.start().target])

    def case_socket_refused(self):
        os.chmod(self.folder, 0o755)
        closed = pathlib.Path(self.folder, "closed")
        closed.mkdir(mode=0o555)
        return self.ended(listen=[f"unix://{closed}/proxy.sock"], launcher=NOBODY)

    def case_localhost_is_ipv6(self):
        if not re.search("^0{31}1 ", IPV6.read_text() if IPV6.exists() else "", re.MULTILINE):
            self.skipTest("the machine has no ::1")
        port = self.start().target.rsplit(":", 1)[1]
        return self.client(self.open_channel(f"[::1]:{port}"))

    def client(self, channel):
        """What Python's gRPC says."""
        error = self.error(channel)
        return [error.code().name, error.details()]

    def case_proxy_variable(self):
        target = self.start().target
        with unittest.mock.patch.dict(os.environ, {"http_proxy": f"http://{CLOSED}", "no_proxy": ""}):
            return self.client(self.stack.enter_context(grpc.insecure_channel(target)))

    def case_port_of_metrics(self):
        return self.client(self.open_channel(self.start().metrics_address))

    def case_port_of_admin(self):
        return self.client(self.open_channel(self.start().admin_address))

    def case_socket_not_for_you(self):
        path = f"{self.folder}/proxy.sock"
        self.start(listen=[f"unix://{path}"])
        os.chmod(self.folder, 0o600)
        self.stack.callback(os.chmod, self.folder, 0o700)
        return run(*NOBODY, sys.executable, "-c", DIAL, path)

    def case_not_grpc(self):
        return curl("--http2-prior-knowledge", f"http://{self.start().target}/")

    def case_http1(self):
        answer = curl(f"http://{self.start().target}/")
        self.daemon.await_line("downstream connection ended")
        return answer + self.daemon.lines

    def case_not_ready(self):
        self.start_daemon(self.upstream.address, drain={"timeout": "60s"})
        self.assertEqual(http_get(self.daemon.metrics_address, "/readyz")[0], 200)
        Stream(self.channel).echo()
        self.daemon.signal(signal.SIGTERM)
        self.daemon.await_line("draining")
        return curl(f"http://{self.daemon.metrics_address}/readyz")

    def case_no_admin(self):
        return run(LANEKEEPER, "streams", "--admin", f"127.0.0.1:{free_port()}")


class Tls(TroubleTest):
    """Upstreams with TLS, which are dialled as localhost."""

    def issue(self, names="DNS:localhost", **options):
        self.authority = Authority(self.folder)
        return self.authority.issue("server", names, **options)

    def context(self, pair, client_ca=None):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pair.certificate, pair.key)
        context.set_alpn_protocols(["h2"])
        if client_ca:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(client_ca)
        return context

    def told_over_tls(self, context, ca=None):
        upstream = self.start_raw(tls=context)
        return self.told_by({"address": upstream.address.replace("127.0.0.1", "localhost"),
                             "tls": {"ca": str(ca or self.authority.certificate)}})

    def case_upstream_has_tls(self):
        pair = self.issue()
        upstream = self.start_upstream(0, "--tls", pair.certificate, pair.key)
        return (self.told_by(upstream.address)
                + self.told_by(self.start_raw(tls=self.context(pair)).address))

    def case_upstream_has_no_tls(self):
        self.issue()
        return self.told_over_tls(None)

    def case_certificate_of_another_name(self):
        return self.told_over_tls(self.context(self.issue("DNS:other.shop")))

    def case_certificate_expired(self):
        return self.told_over_tls(self.context(self.issue(days=-1)))

    def case_certificate_of_another_authority(self):
        pair = self.issue()
        return self.told_over_tls(self.context(pair), Authority(self.folder, "other").certificate)

    def case_certificate_wanted(self):
        pair = self.issue()
        return self.told_over_tls(self.context(pair, self.authority.certificate))


@both_kinds
@holds("A status in the application")
class Status(Tls):
    # They take 5 s: the others go on meanwhile.
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.slow = {}
        folder = cls.enterClassContext(tempfile.TemporaryDirectory())
        for peer in (BlackHole(), OddUpstream(closes=False)):
            cls.addClassCleanup(peer.close)
            daemon = Daemon(folder, cls.config(cls, peer.address)).await_start()
            cls.addClassCleanup(daemon.kill)
            cls.slow[type(peer)] = daemon

    def told_slowly(self, peer):
        self.channel = self.open_channel(self.slow[peer].target)
        return self.told()

    def case_no_answer(self):
        return self.told_slowly(BlackHole)

    def case_no_settings(self):
        return self.told_slowly(OddUpstream)

    def case_refused(self):
        return self.told_by(f"127.0.0.1:{free_port()}")

    def case_name_not_found(self):
        return self.told_by("no-such-host.invalid:50051")

    def case_upstream_speaks_http1(self):
        return self.told_by(self.start().metrics_address)

    def case_lost(self):
        return self.told_by(self.start_raw(lambda stream: None).address)

    def case_rules_broken(self):
        headers = field(b"content-type", b"application/grpc")  # and no :status
        return self.told_by(self.start_raw(
            lambda stream: frame(HEADERS, END_HEADERS, stream, headers)).address)

    def case_shutting_down(self):
        self.start_daemon(self.upstream.address, drain={"timeout": "0"})
        stream = Stream(self.channel).echo()
        self.daemon.signal(signal.SIGTERM)
        stream.end()
        return self.words(stream.rpc)

    def told_beside_a_call(self, upstream=None, **limits):
        self.start_daemon(upstream or self.upstream.address, limits=limits)
        self.open_call()
        self.daemon.await_metric("lanekeeper_streams_open", 1)
        return self.told()

    def case_open_rpcs(self):
        without = self.told_beside_a_call(open_rpcs=1)
        late = self.told_beside_a_call(open_rpcs=1, queue={"length": 1, "timeout": "50ms"})
        self.start_daemon(self.upstream.address, limits={"open_rpcs": 1, "queue": {"length": 1}})
        self.open_call()
        self.open_call()
        self.daemon.await_metric("lanekeeper_rpcs_queued", 1)
        return without + late + self.told()

    def case_other_limit(self):
        return self.told_beside_a_call(streams_per_connection=1)

    def case_upstream_waiting(self):
        upstream = self.start_raw(settings={MAX_CONCURRENT_STREAMS: 0})
        self.start_daemon(upstream.address, limits={"upstream_waiting": 1})
        self.open_call()
        self.daemon.await_metric("lanekeeper_streams_awaiting_upstream", 1)
        return self.told()

    def case_message_size(self):
        self.start_daemon(self.upstream.address, limits={"message_size": "1KiB"})
        return self.told(bytes(2 * KIB))

    def case_metadata_size(self):
        large = [("k", "v" * 2 * KIB)]
        self.start_daemon(self.upstream.address, limits={"metadata_size": "1KiB"})
        ours = self.told(metadata=large)
        self.start_daemon(self.start_raw(settings={MAX_HEADER_LIST_SIZE: KIB}).address)
        self.daemon.await_metric("lanekeeper_upstream_connections", 1)
        return ours + self.told(metadata=large)

    def case_metadata_illegal(self):
        """By hand: no gRPC library sends it."""
        headers = [":method: POST", "te: trailers", "content-type: application/grpc", "user: José"]
        lines = run("nghttp", "--verbose", *(f"--header={header}" for header in headers),
                    f"http://{self.start(self.upstream.address).target}/s/M")
        received = dict(re.findall(r"recv \(stream_id=\d+\) ([\w-]+): (.*)", "\n".join(lines)))
        [code] = [code.name for code in grpc.StatusCode
                  if str(code.value[0]) == received["grpc-status"]]
        return [code, received["grpc-message"].removeprefix("lanekeeper: ")]

    def case_stuck(self):
        self.start_daemon(self.upstream.address, stuck={"after": "100ms", "action": "cancel"})
        rpc = self.open_unread()
        self.daemon.await_metric("lanekeeper_streams_terminated_total", 1, cause="stuck")
        with self.assertRaises(grpc.RpcError):
            list(rpc)
        return self.words(rpc)

    def case_operator(self):
        self.start_daemon(self.upstream.address)
        stream = Stream(self.channel).echo()
        [open_one] = self.streams()
        self.command("cancel", open_one["id"], "--reason", "it holds others up")
        stream.end()
        return self.words(stream.rpc)


if __name__ == "__main__":
    main()
