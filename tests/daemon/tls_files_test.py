#!/usr/bin/python3
"""The files of upstream.tls are read again when they change, without a reload: the next connection
goes by them, open streams notice nothing."""

from harness.byte_client import Stream
from harness.case import both_kinds, main
from harness.certificates import Authority
from harness.waiting import wait_until
from tls_support import HANDSHAKES, TlsDaemonTest


FRESH = "lanekeeper_tls_reload_success"


@both_kinds
class UpstreamFiles(TlsDaemonTest):
    def start_both(self, *words, **tls):
        """An upstream that allows one stream on a connection: each stream that is open makes the
        next RPC a connection of its own."""
        self.upstream = self.start_upstream(
            0, 1, "--tls", self.server.certificate, self.server.key, *words)
        self.daemon = self.start({"address": self.upstream.address, "connections": 3, "tls": tls})
        self.channel = self.open_channel(self.daemon.target)
        self.streams = []

    def put(self, authority, path):
        """Its certificate there, by rename."""
        new = path.with_suffix(".new")
        new.write_bytes(authority.certificate.read_bytes())
        new.replace(path)

    def shown(self):
        """The name in the certificate that the next connection shows. An open stream keeps it."""
        self.streams.append(Stream(self.channel, "/daemon.PeerBidi/Echo"))
        return self.streams[-1].receive()

    def test_a_certificate_that_was_renewed_is_shown_and_a_spoiled_one_is_not_taken(self):
        own = self.authority.issue("first", "DNS:lanekeeper.test")
        self.start_both(self.authority.certificate, ca=str(self.authority.certificate),
                        certificate=str(own.certificate), key=str(own.key))
        self.assertEqual(self.shown(), b"first")
        own.replace(self.authority.issue("second", "DNS:lanekeeper.test"))
        self.daemon.await_line("TLS, upstream .*: certificate CN=second of '.*first.crt'")
        self.assertEqual(self.shown(), b"second")
        own.key.write_text("nonsense")
        self.daemon.await_line("TLS, upstream .*: the files have changed and cannot be used, what "
                               "was read before stays: .*holds no private key")
        self.daemon.await_metric(FRESH, 0)
        self.assertEqual(self.shown(), b"second")
        self.daemon.await_metric("lanekeeper_upstream_connections", 3)
        own.replace(self.authority.issue("third", "DNS:lanekeeper.test"))
        self.daemon.await_metric(FRESH, 1)
        self.assert_goes_on(*self.streams)

    def test_another_authority_in_the_file_judges_the_next_connection(self):
        trusted = self.authority.certificate.with_name("trusted.crt")
        self.put(self.authority, trusted)
        self.start_both(ca=str(trusted))
        stream = Stream(self.channel).echo()
        self.put(Authority(self.folder, "other-ca"), trusted)
        # It shows no certificate, and says so each time that it has read the files.
        self.daemon.await_count("TLS, upstream .*: shows no certificate", 2)
        waiting = self.channel.unary_unary("/daemon.Unary/Echo").future(b"x", timeout=60)
        wait_until(lambda: self.daemon.scrape().value(
            HANDSHAKES, side="upstream", outcome="bad_certificate") > 0, "a refusal")
        self.assertFalse(waiting.done())
        self.daemon.await_metric("lanekeeper_upstream_connections", 1)
        stream.echo(b"still here")
        self.put(self.authority, trusted)
        self.assertEqual(waiting.result(), b"x")
        self.assert_goes_on(stream)


if __name__ == "__main__":
    main()
