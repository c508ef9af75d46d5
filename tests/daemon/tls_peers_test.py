#!/usr/bin/python3
"""TLS peers that are not as they should be: upstreams that no RPC may reach, and clients that never
come to the end of their handshake or speak something else, each told of in one line."""

import socket
import ssl
import subprocess
import time
import warnings

import grpc

from harness.byte_client import call, code_of
from harness.case import main
from harness.lanekeeper import LANEKEEPER
from raw_upstream import (BEGINS, END_HEADERS, END_STREAM, ENDS, HEADERS, PREFACE, RawUpstream,
                          frame)
from tls_support import HANDSHAKES, TlsDaemonTest

UNAVAILABLE = grpc.StatusCode.UNAVAILABLE
V1_1, V1_2, V1_3 = (getattr(ssl.TLSVersion, name) for name in ("TLSv1_1", "TLSv1_2", "TLSv1_3"))
CLIENT_HELLO = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500)


def answer(stream):
    """OK, and no message."""
    return (frame(HEADERS, END_HEADERS, stream, BEGINS)
            + frame(HEADERS, END_HEADERS | END_STREAM, stream, ENDS))


class Upstreams(TlsDaemonTest):
    def start_before(self, pair=None, alpn=("h2",), version=None):
        """A daemon and a channel before an upstream that shows this and agrees on no more."""
        pair = pair or self.server
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pair.certificate, pair.key)
        if alpn:
            context.set_alpn_protocols(list(alpn))
        if version:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # what is old is meant
                context.set_ciphers("ALL:@SECLEVEL=0")
                context.minimum_version = context.maximum_version = version
        upstream = RawUpstream(answer, tls=context)
        self.stack.callback(upstream.close)
        self.daemon = self.start({"address": upstream.address,
                                  "tls": {"ca": str(self.authority.certificate)}})
        self.channel = self.open_channel(self.daemon.target)

    def served(self):
        return list(self.channel.unary_stream("/s/M")(b"", timeout=20))

    def assert_not_served(self, outcome, why):
        """Every RPC is told why at once, the dials have pauses, and the log has a line for each."""
        end = time.monotonic() + 3
        while time.monotonic() < end:
            with self.assertRaises(grpc.RpcError) as failed:
                call(self.channel)
            self.assertEqual(failed.exception.code(), UNAVAILABLE)
            self.assertRegex(failed.exception.details(), f"cannot connect: TLS handshake .*: {why}")
        dials = self.daemon.scrape().value(HANDSHAKES, side="upstream", outcome=outcome)
        self.assertGreaterEqual(dials, 2)
        # As with one that refuses: after 0, 1 and 2.6 s, and the first time once more.
        self.assertLessEqual(dials, 5)
        self.assertEqual(self.daemon.scrape().value(HANDSHAKES, side="upstream"), dials)
        self.assertLessEqual(self.daemon.count_lines("RPCs get UNAVAILABLE"), dials)

    def test_one_whose_certificate_has_expired_is_not_talked_to(self):
        self.start_before(self.authority.issue("old", "DNS:localhost,IP:127.0.0.1", days=-1))
        self.assert_not_served("bad_certificate", r"certificate verify failed: certificate has "
                                                  r"expired \(CN=old\)")

    def test_one_that_does_not_agree_on_http2_is_not_talked_to(self):
        for alpn in ((), ("http/1.1",)):
            with self.subTest(alpn=alpn):
                self.start_before(alpn=alpn)
                self.assert_not_served("no_http2", "the peer does not offer HTTP/2")

    def test_one_that_is_older_than_tls_1_2_is_not_talked_to(self):
        self.start_before(version=V1_1)
        self.assert_not_served("alert", "the peer refused: protocol version")

    def test_tls_1_2_and_1_3_serve(self):
        for version in (V1_2, V1_3):
            with self.subTest(version=version):
                self.start_before(version=version)
                self.assertEqual(self.served(), [])


class Clients(TlsDaemonTest):
    def start_both_ports(self):
        upstream = self.start_upstream()
        self.daemon = self.start(upstream.address, listen_entries=[
            *self.listen_tls(), {"address": "127.0.0.1:0"}])
        self.secure, self.plain = self.daemon.targets

    def test_one_that_drips_its_handshake_has_no_more_time_than_one_that_is_silent(self):
        self.start_both_ports()
        dripping = self.connect(self.secure)
        dripping.settimeout(0.1)  # between two bytes
        sent = 0
        with self.assertRaises((ConnectionError, EOFError)):
            while sent < len(CLIENT_HELLO):
                dripping.sendall(CLIENT_HELLO[sent:sent + 1])
                sent += 1
                try:
                    if not dripping.recv(1):
                        raise EOFError
                except socket.timeout:
                    self.assertLess(sent, len(CLIENT_HELLO), "it may drip for ever")
        self.daemon.await_metric(HANDSHAKES, 1, outcome="timeout")
        self.daemon.await_count("TLS handshake failed .*outcome=timeout", 1)
        self.assertEqual(code_of(self.secure_channel(self.secure)), grpc.StatusCode.OK)

    def test_one_that_speaks_something_else_gets_one_line_that_says_so(self):
        self.start_both_ports()
        cases = {(self.secure, PREFACE): "the peer speaks plain HTTP/2, this port takes TLS",
                 (self.secure, b"POST / HTTP/1.1\r\n\r\n"):
                     "the peer speaks plain HTTP/1, this port takes TLS",
                 (self.secure, b"\x05\x01\x00"): "the peer's first bytes are not TLS",
                 (self.plain, CLIENT_HELLO): "the peer speaks TLS, this connection is plain"}
        for (target, words), why in cases.items():
            with self.subTest(why):
                for times in (1, 2):
                    with self.connect(target) as peer:
                        peer.sendall(words)
                        peer.sendall(b"and more")
                        port = peer.getsockname()[1]
                        try:
                            while peer.recv(1000):
                                pass
                        except ConnectionResetError:
                            pass  # closed with bytes unread
                    self.daemon.await_count(f"peer=ipv4:127.0.0.1:{port} .*{why}", 1)
                    self.daemon.await_count(why, times)


class Check(TlsDaemonTest):
    def problems(self, certificate, key, more=""):
        path = f"{self.folder}/check.yaml"
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"listen:\n- address: 127.0.0.1:0\n  tls:\n    certificate: {certificate}\n"
                       f"    key: {key}\n{more}upstream: {{address: 'orders:1'}}\n")
        done = subprocess.run([LANEKEEPER, "--check", "--config", path], capture_output=True,
                              text=True, timeout=30)
        self.assertEqual(done.returncode, 78 if done.stderr else 0)
        return done.stderr

    def test_a_pair_that_is_good_passes(self):
        self.assertEqual(self.problems(self.server.certificate, self.server.key), "")

    def test_a_pair_that_has_expired_is_refused_with_its_place_and_date(self):
        old = self.authority.issue("old", "DNS:localhost", days=-1)
        self.assertRegex(self.problems(old.certificate, old.key),
                         r"check.yaml:4:18: listen\[0\].tls.certificate: the certificate in "
                         r"'.*old.crt' \(CN=old\) expired on \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")

    def test_files_that_cannot_be_read_are_all_told_with_their_places(self):
        garbled = self.server.certificate.with_name("garbled.crt")
        garbled.write_text("-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n")
        told = self.problems(garbled, "/nowhere/tls.key", f"    client_ca: {self.folder}\n")
        for problem in (r":4:18: listen\[0\].tls.certificate: '.*garbled.crt' has a certificate "
                        r"that cannot be read",
                        r":5:10: listen\[0\].tls.key: '/nowhere/tls.key' cannot be read: No such "
                        r"file or directory",
                        r":6:16: listen\[0\].tls.client_ca: '.*' "):
            self.assertRegex(told, problem)


if __name__ == "__main__":
    main()
