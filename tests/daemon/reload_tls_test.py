#!/usr/bin/python3
"""A reload that changes TLS: of a listener it is for new connections, of the upstream for new RPCs.
Streams that are open go on where they are."""

import contextlib
import os
import pathlib
import signal

import grpc

from harness.byte_client import Stream, call, code_of
from harness.case import both_kinds, main
from harness.certificates import Authority
from harness.waiting import wait_until
from tls_support import HANDSHAKES, BothTongues, TlsDaemonTest


OK = grpc.StatusCode.OK
UNAVAILABLE = grpc.StatusCode.UNAVAILABLE
EXPIRY = "lanekeeper_tls_certificate_expiry_timestamp_seconds"
FRESH = "lanekeeper_tls_reload_success"
UNWATCHED = {"reload": {"watch": False}}


@both_kinds
class Listeners(TlsDaemonTest):
    def start_on(self, entries):
        self.upstream = self.start_upstream()
        self.daemon = self.start(self.upstream.address, listen_entries=entries, **UNWATCHED)
        self.target = self.daemon.target

    def listen_on(self, entries):
        self.daemon.reload(
            self.config(self.upstream.address, listen_entries=entries, **UNWATCHED))
        self.assertEqual(self.daemon.targets, [self.target])  # the socket stays

    def secure_code(self, pair=None, name="localhost"):
        """Of a connection of its own."""
        return code_of(self.secure_channel(self.target, pair, name=name))

    def test_plain_becomes_tls_and_tls_plain_for_new_connections(self):
        plain = [{"address": "127.0.0.1:0"}]
        self.start_on(plain)
        early = self.open_channel(self.target)
        streams = [Stream(early).echo()]
        self.listen_on(self.listen_tls())
        self.daemon.await_line(r"key=listen\[.*\].tls.certificate .*effect=new_connections")
        self.assertEqual(code_of(self.open_channel(self.target)), UNAVAILABLE)
        self.daemon.await_line("the peer speaks plain HTTP/2, this port takes TLS")
        secure = self.secure_channel(self.target)
        streams.append(Stream(secure).echo())
        self.assertEqual(call(early), b"hello")
        self.listen_on(plain)
        self.assertEqual(self.secure_code(), UNAVAILABLE)
        self.daemon.await_line("the peer speaks TLS, this connection is plain")
        self.assertEqual(code_of(self.open_channel(self.target)), OK)
        self.assertEqual(call(secure), b"hello")
        self.assert_goes_on(*streams)

    def test_another_certificate_is_shown_and_its_files_are_the_watched_ones(self):
        self.start_on(self.listen_tls())
        stream = Stream(self.secure_channel(self.target)).echo()
        moved = self.authority.issue("moved", "DNS:moved.test")
        self.listen_on(self.listen_tls(moved))
        self.assertEqual(self.secure_code(name="moved.test"), OK)
        self.assertEqual(self.secure_code(), UNAVAILABLE)
        scrape = self.daemon.scrape()
        self.assertGreater(scrape.value(EXPIRY, file=str(moved.certificate)), 0)
        self.assertEqual(scrape.value(EXPIRY, file=str(self.server.certificate)), 0)
        self.server.key.write_text("nonsense")
        moved.replace(self.authority.issue("again", "DNS:again.test"))
        self.daemon.await_line("certificate CN=again of '.*moved.crt'")
        self.assertEqual(self.secure_code(name="again.test"), OK)
        self.assertEqual(self.daemon.scrape().value(FRESH), 1)
        self.assertEqual(self.daemon.count_lines("cannot be used"), 0)
        self.assert_goes_on(stream)

    def test_a_client_ca_that_is_added_is_asked_of_new_connections(self):
        self.start_on(self.listen_tls())
        early = self.secure_channel(self.target)
        stream = Stream(early).echo()
        self.assertEqual(self.secure_code(), OK)
        web = self.authority.issue("web", "DNS:web.shop")
        foreign = Authority(self.folder, "other-ca").issue("foreign", "DNS:web.shop")
        self.listen_on(self.listen_tls(client_ca=str(self.authority.certificate)))
        self.assertEqual(self.secure_code(), UNAVAILABLE)
        self.daemon.await_line("TLS handshake failed.*outcome=no_certificate ")
        self.assertEqual(self.secure_code(foreign), UNAVAILABLE)
        self.daemon.await_line("TLS handshake failed.*outcome=bad_certificate ")
        self.assertEqual(self.secure_code(web), OK)
        self.assertEqual(call(early), b"hello")
        self.listen_on(self.listen_tls())
        self.assertEqual(self.secure_code(), OK)
        self.assert_goes_on(stream)

    def test_other_client_names_are_asked_of_new_connections(self):
        pairs = {name: self.authority.issue(name, f"DNS:{name}.shop") for name in ("web", "db")}
        authority = str(self.authority.certificate)
        self.start_on(self.listen_tls(client_ca=authority, client_names=["web.shop"]))
        stream = Stream(self.secure_channel(self.target, pairs["web"])).echo()
        self.assertEqual(self.secure_code(pairs["db"]), UNAVAILABLE)
        self.listen_on(self.listen_tls(client_ca=authority, client_names=["db.shop"]))
        self.assertEqual(self.secure_code(pairs["db"]), OK)
        self.assertEqual(self.secure_code(pairs["web"]), UNAVAILABLE)
        self.daemon.await_count("TLS handshake failed.*outcome=wrong_name ", 2)
        self.assert_goes_on(stream)


def writer_of(fifo):
    """Once somebody has opened it to read."""
    with contextlib.suppress(OSError):
        return os.fdopen(os.open(fifo, os.O_WRONLY | os.O_NONBLOCK), "wb")
    return None


@both_kinds
class Files(TlsDaemonTest):
    """They may go bad between the configuration's check and their use: then nothing changes."""

    def assert_refused(self, path, good, *arguments, **sections):
        """`path` holds what is good for the first who reads it, and nonsense later."""
        name = "lanekeeper_config_reloads_total"
        self.assertEqual(call(self.channel, bytes(2000)), bytes(2000))
        os.mkfifo(path)
        nonsense = pathlib.Path(f"{path}.new")
        nonsense.write_text("nonsense")
        self.daemon.replace_config(self.config(
            *arguments, limits={"message_size": "1KiB"}, **UNWATCHED, **sections))
        self.daemon.signal(signal.SIGHUP)
        # Who has begun to read waits for the writer to end.
        with wait_until(lambda: writer_of(path), "the file is checked") as checked:
            nonsense.replace(path)
            checked.write(good.read_bytes())
        self.daemon.await_metric(name, 1, result="refused")
        self.daemon.await_line(f"configuration problem .*'{path}' holds no certificate")
        self.assertEqual(self.daemon.scrape().value(name, result="applied"), 0)
        self.assertEqual(self.daemon.scrape().value("lanekeeper_config_reload_success"), 0)
        self.assertEqual(call(self.channel, bytes(2000)), bytes(2000))

    def test_an_upstream_that_shall_be_under_tls_never_gets_new_rpcs_in_plaintext(self):
        plain = self.start_upstream()
        secure = self.start_upstream(0, "--tls", self.server.certificate, self.server.key)
        both = BothTongues(plain.port, secure.port)
        self.stack.callback(both.close)
        self.daemon = self.start(both.address, **UNWATCHED)
        self.channel = self.open_channel(self.daemon.target)
        path = f"{self.folder}/trusted.crt"
        other = f"{self.folder}/x.sock"
        self.assert_refused(path, self.authority.certificate,
                            {"address": both.address, "tls": {"ca": path}},
                            ("127.0.0.1:0", f"unix://{other}"))
        self.assertFalse(os.path.exists(other))
        self.daemon.reload(self.config(
            {"address": both.address, "tls": {"ca": str(self.authority.certificate)}}, **UNWATCHED))
        call(self.channel)
        self.assertEqual(plain.counters()["finished"], 2)

    def test_a_listener_that_shall_ask_for_certificates_lets_nobody_in_without(self):
        upstream = self.start_upstream()
        self.daemon = self.start(upstream.address, listen_entries=self.listen_tls(), **UNWATCHED)
        self.channel = self.secure_channel(self.daemon.target)
        path = f"{self.folder}/clients.crt"
        self.assert_refused(path, self.authority.certificate, upstream.address,
                            listen_entries=self.listen_tls(client_ca=path))
        # The same text counts as a change still, once the file is good.
        pathlib.Path(path).write_bytes(self.authority.certificate.read_bytes())
        self.daemon.reload(self.config(
            upstream.address, listen_entries=self.listen_tls(client_ca=path), **UNWATCHED))
        self.assertEqual(code_of(self.secure_channel(self.daemon.target)), UNAVAILABLE)


@both_kinds
class Upstreams(TlsDaemonTest):
    def start_on(self, upstream):
        self.daemon = self.start(upstream, **UNWATCHED)
        self.channel = self.open_channel(self.daemon.target)

    def swap_to(self, upstream):
        self.daemon.reload(self.config(upstream, **UNWATCHED))

    def await_connections(self, count):
        self.daemon.await_metric("lanekeeper_upstream_connections", count)

    def refusal(self):
        """Why a new RPC did not reach the upstream."""
        with self.assertRaises(grpc.RpcError) as failed:
            call(self.channel)
        self.assertEqual(failed.exception.code(), UNAVAILABLE)
        return failed.exception.details()

    def test_plain_becomes_tls_and_tls_plain_for_new_rpcs(self):
        plain = self.start_upstream()
        secure = self.start_upstream(0, "--tls", self.server.certificate, self.server.key)
        both = BothTongues(plain.port, secure.port)
        self.stack.callback(both.close)
        tls = {"address": both.address, "tls": {"ca": str(self.authority.certificate)}}
        self.start_on(both.address)
        streams = [Stream(self.channel).echo()]
        self.swap_to(tls)
        self.daemon.await_line("key=upstream.tls.ca .*effect=new_rpcs")
        streams.append(Stream(self.channel).echo())
        for _ in range(5):
            call(self.channel)
        self.assertEqual(plain.counters(), {"active": 1, "finished": 0, "cancelled": 0})
        self.await_connections(2)
        self.swap_to(both.address)
        call(self.channel)
        self.assertEqual(plain.counters(), {"active": 1, "finished": 1, "cancelled": 0})
        self.await_connections(3)
        self.assert_goes_on(*streams)
        self.await_connections(1)
        self.assertEqual(
            self.daemon.scrape().value(HANDSHAKES, side="upstream", outcome="ok"), 1)

    def test_another_authority_judges_the_next_connection(self):
        upstream = self.start_upstream(0, "--tls", self.server.certificate, self.server.key)
        other = Authority(self.folder, "other-ca")
        trusted, foreign = ({"address": upstream.address, "tls": {"ca": str(one.certificate)}}
                            for one in (self.authority, other))
        self.start_on(trusted)
        stream = Stream(self.channel).echo()
        self.swap_to(foreign)
        self.assertIn("certificate verify failed", self.refusal())
        stream.echo(b"still there")
        self.swap_to(trusted)
        self.assertEqual(call(self.channel), b"hello")
        self.assert_goes_on(stream)
        self.await_connections(1)

    def test_another_name_is_asked_of_the_next_connection(self):
        pair = self.authority.issue("orders", "DNS:orders.test,DNS:sales.test")
        upstream = self.start_upstream(0, "--tls", pair.certificate, pair.key)

        def named(name):
            return {"address": upstream.address,
                    "tls": {"ca": str(self.authority.certificate), "server_name": name}}

        self.start_on(named("orders.test"))
        stream = Stream(self.channel).echo()
        self.swap_to(named("stock.test"))
        self.assertIn("expected stock.test", self.refusal())
        self.swap_to(named("sales.test"))
        self.assertEqual(call(self.channel), b"hello")
        self.await_connections(2)
        self.assert_goes_on(stream)
        self.await_connections(1)

    def test_another_certificate_of_its_own_is_shown_to_the_next_connection(self):
        upstream = self.start_upstream(0, "--tls", self.server.certificate, self.server.key,
                                       self.authority.certificate)

        def showing(name):
            own = self.authority.issue(name, f"DNS:{name}.test")
            return {"address": upstream.address,
                    "tls": {"ca": str(self.authority.certificate),
                            "certificate": str(own.certificate), "key": str(own.key)}}

        self.start_on(showing("first"))
        stream = Stream(self.channel).echo()
        self.assertEqual(call(self.channel, method="/daemon.Peer/Name"), b"first")
        self.swap_to(showing("second"))
        self.assertEqual(call(self.channel, method="/daemon.Peer/Name"), b"second")
        self.await_connections(2)
        self.assert_goes_on(stream)
        self.await_connections(1)


if __name__ == "__main__":
    main()
