#!/usr/bin/python3
"""No TLS session goes on in another connection: each client is judged by the authorities of now,
whatever it has kept of a visit before they changed."""

import ssl

from harness.case import main
from harness.certificates import Authority
from raw_upstream import PREFACE
from tls_support import HANDSHAKES, TlsDaemonTest

UNWATCHED = {"reload": {"watch": False}}
V1_2, V1_3 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3


class Resumption(TlsDaemonTest):
    def clients(self, pair=None):
        """One for each way to resume a session, and its name."""
        for name, version, options in (("by id", V1_2, ssl.OP_NO_TICKET), ("by ticket", V1_2, 0),
                                       ("1.3", V1_3, 0)):
            context = ssl.create_default_context(cafile=self.authority.certificate)
            context.minimum_version = context.maximum_version = version
            context.options |= options
            context.set_alpn_protocols(["h2"])
            if pair:
                context.load_cert_chain(pair.certificate, pair.key)
            yield name, context

    def start_on(self, **more):
        self.daemon = self.start("127.0.0.1:1", listen_entries=self.listen_tls(**more),
                                 **UNWATCHED)

    def visit(self, client, session=None):
        """What is left of it; OSError if the client does not get in."""
        with client.wrap_socket(self.connect(self.daemon.target), server_hostname="localhost",
                                session=session) as connection:
            connection.sendall(PREFACE)
            if not connection.recv(1):
                raise ConnectionResetError("closed")
            self.assertFalse(connection.session_reused)
            return connection.session

    def assert_stays_out(self, outcome, client, session):
        before = self.daemon.scrape().value(HANDSHAKES, outcome=outcome)
        with self.assertRaises(OSError):
            self.visit(client, session)
        self.daemon.await_metric(HANDSHAKES, before + 1, outcome=outcome)

    def test_no_client_gets_what_could_be_resumed_nor_resumes_it(self):
        self.start_on()
        for name, client in self.clients():
            with self.subTest(name):
                session = self.visit(client)
                self.assertFalse(session.has_ticket)
                if client.maximum_version == V1_2:
                    self.assertEqual(session.id, b"")
                self.visit(client, session)

    def test_a_session_from_before_a_client_ca_was_added_lets_nobody_in(self):
        self.start_on()
        kept = [(name, client, self.visit(client)) for name, client in self.clients()]
        self.daemon.reload(self.config("127.0.0.1:1", listen_entries=self.listen_tls(
            client_ca=str(self.authority.certificate)), **UNWATCHED))
        for name, client, session in kept:
            with self.subTest(name):
                self.assert_stays_out("no_certificate", client, session)

    def test_a_session_from_before_the_client_ca_was_replaced_lets_nobody_in(self):
        clients = Authority(self.folder, "clients-ca")
        self.start_on(client_ca=str(clients.certificate))
        web = clients.issue("web", "DNS:web.shop")
        kept = [(name, client, self.visit(client)) for name, client in self.clients(web)]
        clients.replace(Authority(self.folder, "later-ca"))
        self.daemon.await_count("TLS, listener .*: certificate CN=server", 2)
        for name, client, session in kept:
            with self.subTest(name):
                self.assert_stays_out("bad_certificate", client, session)


if __name__ == "__main__":
    main()
