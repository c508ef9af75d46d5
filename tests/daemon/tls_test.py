#!/usr/bin/python3
"""TLS on both sides, with Python's gRPC as application and as upstream."""

import contextlib
import json
import resource
import socket
import ssl
import subprocess

import grpc

from harness.byte_client import Stream, call, code_of
from harness.case import both_kinds, main
from harness.certificates import Authority
from harness.lanekeeper import LANEKEEPER
from harness.waiting import wait_until
from raw_upstream import PREFACE
from tls_support import HANDSHAKES, TlsDaemonTest


UNAVAILABLE = grpc.StatusCode.UNAVAILABLE
HANDSHAKES_MOST = 1024  # on their way at once


@both_kinds
class Tls(TlsDaemonTest):
    def test_all_kinds_of_rpcs_pass_through_mutual_tls_on_both_sides(self):
        upstream_pair = self.authority.issue("upstream", "DNS:orders.test")
        own = self.authority.issue("own", "DNS:lanekeeper.test")
        upstream = self.start_upstream(
            0, "--tls", upstream_pair.certificate, upstream_pair.key, self.authority.certificate)
        daemon = self.start(
            {"address": upstream.address,
             "tls": {"ca": str(self.authority.certificate), "certificate": str(own.certificate),
                     "key": str(own.key), "server_name": "orders.test"}},
            listen_entries=self.listen_tls(client_ca=str(self.authority.certificate),
                                           client_names=["spiffe://shop/web"]))
        web = self.authority.issue("web", "URI:spiffe://shop/web")
        channel = self.secure_channel(daemon.target, web)
        self.assertEqual(call(channel, b"x" * 3_000_000), b"x" * 3_000_000)
        wanted = json.dumps({"count": 500, "bytes": 1000}).encode()
        answers = list(channel.unary_stream("/daemon.Produce/Export")(wanted, timeout=60))
        self.assertEqual([len(answer) for answer in answers], [1000] * 500)
        self.assertEqual(channel.stream_unary("/daemon.Upload/Import")(
            iter([b"y" * 10_000] * 300), timeout=60), b"all")
        stream = Stream(channel)
        for number in range(100):
            stream.echo(str(number).encode())
        stream.half_close()
        self.assertEqual(stream.receive(), b"bye")
        self.assertEqual(stream.end()[0], grpc.StatusCode.OK)
        self.assertEqual(daemon.scrape().value(HANDSHAKES, outcome="ok"), 2)

    def test_who_is_not_welcome_does_not_get_in_and_is_told_of(self):
        upstream = self.start_upstream()
        daemon = self.start(upstream.address, listen_entries=self.listen_tls(
            client_ca=str(self.authority.certificate), client_names=["web.shop"]))
        other = Authority(self.folder, "other-ca")
        cases = {"no_certificate": None,
                 "bad_certificate": other.issue("foreign", "DNS:web.shop"),
                 "wrong_name": self.authority.issue("misnamed", "DNS:db.shop")}
        for outcome, pair in cases.items():
            self.assertEqual(code_of(self.secure_channel(daemon.target, pair)), UNAVAILABLE)
            daemon.await_line(f"TLS handshake failed.*outcome={outcome} ")
            self.assertGreater(daemon.scrape().value(HANDSHAKES, outcome=outcome), 0)
        self.assertEqual(upstream.counters()["finished"], 0)
        good = self.authority.issue("good", "DNS:web.shop")
        self.assertEqual(call(self.secure_channel(daemon.target, good)), b"hello")

    def test_plain_to_a_tls_port_and_tls_to_a_plain_port_are_told_of(self):
        upstream = self.start_upstream()
        daemon = self.start(upstream.address, listen_entries=[
            *self.listen_tls(), {"address": "127.0.0.1:0"}])
        tls, plain = daemon.targets
        self.assertEqual(code_of(self.open_channel(tls)), UNAVAILABLE)
        daemon.await_line("the peer speaks plain HTTP/2, this port takes TLS")
        host, port = tls.rsplit(":", 1)
        with socket.create_connection((host, int(port)), timeout=20) as http1:
            http1.sendall(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
            self.assertEqual(http1.recv(100), b"")
        daemon.await_line("the peer speaks plain HTTP/1, this port takes TLS")
        self.assertEqual(code_of(self.secure_channel(plain)), UNAVAILABLE)
        daemon.await_line("the peer speaks TLS, this connection is plain")
        self.assertEqual(call(self.secure_channel(tls)), b"hello")
        self.assertEqual(call(self.open_channel(plain)), b"hello")

    def test_a_certificate_is_swapped_under_load_and_nothing_is_lost(self):
        upstream = self.start_upstream()
        daemon = self.start(upstream.address, listen_entries=self.listen_tls())
        channel = self.secure_channel(daemon.target)
        streams = [Stream(channel).echo() for _ in range(10)]
        for round_ in range(3):
            name = f"renewed{round_}.test"
            renewed = self.authority.issue(f"renewed{round_}", f"DNS:{name}")
            self.server.replace(renewed)
            # New handshakes, all the while, by clients that know the new name only.
            wait_until(lambda: code_of(self.secure_channel(daemon.target, name=name))
                       == grpc.StatusCode.OK, f"{name} is not shown")
            for stream in streams:
                stream.echo()
            self.assertEqual(call(channel), b"hello")
        daemon.await_metric("lanekeeper_tls_reload_success", 1)
        for stream in streams:
            stream.half_close()
            self.assertEqual(stream.end()[0], grpc.StatusCode.OK)


class TlsUpstream(TlsDaemonTest):
    def test_the_name_is_sent_so_that_a_server_can_choose_its_certificate(self):
        names = []
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.server.certificate, self.server.key)
        context.sni_callback = lambda _, name, __: names.append(name)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.settimeout(20)
            self.start({"address": f"localhost:{listener.getsockname()[1]}",
                        "tls": {"ca": str(self.authority.certificate)}})
            with contextlib.suppress(ssl.SSLError), listener.accept()[0] as dialled:
                context.wrap_socket(dialled, server_side=True).close()
        self.assertEqual(names, ["localhost"])

    def test_an_upstream_that_never_answers_the_handshake_is_given_up(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            daemon = self.start({"address": f"localhost:{listener.getsockname()[1]}",
                                 "tls": {"ca": str(self.authority.certificate)}})
            self.assertEqual(code_of(self.open_channel(daemon.target)), UNAVAILABLE)

    def test_the_systems_authorities_are_taken_where_that_is_asked_for(self):
        upstream = self.start_upstream(0, "--tls", self.server.certificate, self.server.key)
        target = {"address": upstream.address.replace("127.0.0.1", "localhost"),
                  "tls": {"ca": "system"}}
        for file, code in ((self.authority.certificate, grpc.StatusCode.OK),
                           ("/dev/null", UNAVAILABLE)):
            daemon = self.start(target, launcher=["env", f"SSL_CERT_FILE={file}"])
            self.assertEqual(code_of(self.open_channel(daemon.target)), code, file)


class TlsOperation(TlsDaemonTest):
    def check(self, text):
        path = self.stack.enter_context(open(f"{self.folder}/check.yaml", "w", encoding="utf-8"))
        path.write(text)
        path.flush()
        return subprocess.run([LANEKEEPER, "--check", "--config", path.name], cwd=self.folder,
                              capture_output=True, text=True, timeout=30)

    def test_a_pair_that_does_not_match_is_refused_with_its_place(self):
        other = self.authority.issue("other", "DNS:other")
        done = self.check("listen:\n- address: 127.0.0.1:0\n  tls:\n    certificate: server.crt\n"
                          f"    key: {other.key}\nupstream: {{address: 'orders:1'}}\n")
        self.assertEqual(done.returncode, 78)
        self.assertIn(f"check.yaml:5:10: listen[0].tls.key: '{other.key}' is not the key of the "
                      "certificate in 'server.crt'", done.stderr)

    def test_of_more_handshakes_than_the_bound_the_oldest_makes_room(self):
        descriptors = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))
        daemon = self.start(self.start_upstream().address, listen_entries=self.listen_tls())
        host, port = daemon.target.rsplit(":", 1)
        with contextlib.ExitStack() as silent:
            for _ in range(HANDSHAKES_MOST + 10):
                silent.enter_context(socket.create_connection((host, int(port)), timeout=20))
            wait_until(lambda: daemon.scrape().value(HANDSHAKES, outcome="too_many") >= 10,
                       "ten are not cut off")
            daemon.await_line("TLS handshake failed.*too many TLS handshakes are on their way")
            self.assertEqual(code_of(self.secure_channel(daemon.target)), grpc.StatusCode.OK,
                             "silent ones keep others out")

    def shake_hands(self, connection):
        """As a client of HTTP/2 that has said nothing yet."""
        context = ssl.create_default_context(cafile=str(self.authority.certificate))
        context.set_alpn_protocols(["h2"])
        return context.wrap_socket(connection, server_hostname="localhost")

    def test_the_cap_on_connections_holds_for_those_that_shake_hands_together(self):
        daemon = self.start("127.0.0.1:1", listen_entries=self.listen_tls(),
                            limits={"connections": 1})
        first, second = self.connect(daemon.target), self.connect(daemon.target)
        with self.shake_hands(first):
            daemon.await_metric("lanekeeper_downstream_connections", 1)
            with self.shake_hands(second) as refused:
                with contextlib.suppress(ssl.SSLError, ConnectionError):
                    self.assertEqual(refused.recv(1), b"")
            daemon.await_metric("lanekeeper_connections_rejected_total", 1, reason="connections")
            self.assertEqual(daemon.scrape().value("lanekeeper_downstream_connections"), 1)

    def test_who_shakes_hands_with_a_listener_that_is_removed_is_sent_away(self):
        other = {"address": f"unix://{self.folder}/other.sock"}
        daemon = self.start("127.0.0.1:1", listen_entries=[*self.listen_tls(), other])
        late = self.connect(daemon.targets[0])
        daemon.reload(self.config("127.0.0.1:1", listen_entries=[other]))
        with self.shake_hands(late) as client:
            client.sendall(PREFACE)
            # A GOAWAY without a last stream and without a fault.
            leave = b"\x00\x00\x08\x07" + bytes(5) + b"\x7f\xff\xff\xff" + bytes(4)
            seen = b""
            while leave not in seen:
                got = client.recv(4096)
                self.assertTrue(got, "closed without a GOAWAY")
                seen += got

    def test_what_is_in_use_is_said_at_the_start(self):
        daemon = self.start("127.0.0.1:1", listen_entries=self.listen_tls())
        daemon.await_line(r"TLS, listener 127.0.0.1:0: certificate CN=server of '.*server.crt', "
                          r"valid from \S+Z to \S+Z")
        expiry = daemon.scrape().value("lanekeeper_tls_certificate_expiry_timestamp_seconds",
                                       file=str(self.server.certificate))
        self.assertGreater(expiry, 0)

    def test_files_that_are_spoiled_are_told_of_and_the_old_ones_stay(self):
        daemon = self.start(self.start_upstream().address, listen_entries=self.listen_tls())
        self.server.key.write_text("nonsense")
        daemon.await_line("the files have changed and cannot be used.*holds no private key")
        daemon.await_metric("lanekeeper_tls_reload_success", 0)
        self.assertEqual(call(self.secure_channel(daemon.target)), b"hello")

    def shake(self, target, alpn=("h2",), **versions):
        """The socket, by Python's own TLS; fails with ssl.SSLError where that fails."""
        context = ssl.create_default_context(cafile=self.authority.certificate)
        context.set_ciphers("ALL:@SECLEVEL=0")
        for name, version in versions.items():
            setattr(context, name, version)
        if alpn:
            context.set_alpn_protocols(list(alpn))
        host, port = target.rsplit(":", 1)
        plain = self.stack.enter_context(socket.create_connection((host, int(port)), timeout=20))
        return self.stack.enter_context(context.wrap_socket(plain, server_hostname=host))

    def test_only_http2_is_agreed_on(self):
        daemon = self.start("127.0.0.1:1", listen_entries=self.listen_tls())
        self.assertEqual(self.shake(daemon.target, ("http/1.1", "h2")).selected_alpn_protocol(), "h2")
        with self.assertRaisesRegex(ssl.SSLError, "no application protocol"):
            self.shake(daemon.target, ("http/1.1",))
        # Who asks for nothing gets through the handshake, and no further.
        self.assertEqual(self.shake(daemon.target, ()).recv(1), b"")
        daemon.await_metric(HANDSHAKES, 2, outcome="no_http2")
        daemon.await_metric(HANDSHAKES, 1, outcome="ok")

    def test_old_versions_and_ciphers_are_refused(self):
        daemon = self.start("127.0.0.1:1", listen_entries=self.listen_tls())
        version = ssl.TLSVersion
        self.assertEqual(self.shake(daemon.target).version(), "TLSv1.3")
        older = self.shake(daemon.target, maximum_version=version.TLSv1_2)
        self.assertEqual(older.version(), "TLSv1.2")
        self.assertRegex(older.cipher()[0], "GCM|CHACHA20")
        with self.assertWarns(DeprecationWarning), self.assertRaises(ssl.SSLError):
            self.shake(daemon.target, minimum_version=version.TLSv1, maximum_version=version.TLSv1_1)

    def test_a_client_that_says_nothing_holds_nobody_up(self):
        upstream = self.start_upstream()
        daemon = self.start(upstream.address, listen_entries=self.listen_tls())
        host, port = daemon.target.rsplit(":", 1)
        silent = [self.stack.enter_context(socket.create_connection((host, int(port)), timeout=20))
                  for _ in range(20)]
        self.assertEqual(call(self.secure_channel(daemon.target)), b"hello")
        daemon.await_line("the TLS handshake took too long")
        daemon.await_metric(HANDSHAKES, len(silent), outcome="timeout")
        self.assertEqual([one.recv(1) for one in silent], [b""] * len(silent))

    def test_a_unix_socket_has_the_mode_that_was_asked_for(self):
        path = f"{self.folder}/x.sock"
        self.start("127.0.0.1:1", listen_entries=[{"address": f"unix://{path}", "mode": "0600"}])
        found = subprocess.run(["stat", "-c", "%a", path], capture_output=True, text=True,
                               timeout=30, check=True)
        self.assertEqual(found.stdout, "600\n")


if __name__ == "__main__":
    main()
