"""Certificates for both sides of lanekeeper, in the words of each program."""

import dataclasses
import pathlib

from harness.certificates import Authority

SERVER_NAME = "server.test"


class Tls:
    """An authority for each side: who is known to one is a stranger to the other."""

    def __init__(self, folder):
        self._folder = pathlib.Path(folder)
        self._downstream = Authority(folder, "downstream-ca")
        self._upstream = Authority(folder, "upstream-ca")
        self._lanekeeper = self._downstream.issue("lanekeeper", "DNS:localhost,IP:127.0.0.1")
        self._lanekeeper_as_client = self._upstream.issue("lanekeeper-as-client", "DNS:lanekeeper.test")
        self._server = self._upstream.issue("server", f"DNS:{SERVER_NAME}")
        self._client = self._downstream.issue("client", "DNS:client.test")

    def sides(self, mutual):
        return Sides(
            listen=self._lanekeeper.section(
                client_ca=str(self._downstream.certificate) if mutual else None),
            upstream={"ca": str(self._upstream.certificate), "server_name": SERVER_NAME,
                      **(self._lanekeeper_as_client.section() if mutual else {})},
            server=["-certificate", self._server.certificate, "-key", self._server.key,
                    *(["-client-ca", self._upstream.certificate] if mutual else [])],
            client=self.client(self._client if mutual else None))

    def client(self, pair):
        """The environment of a client that shows this pair, or none."""
        shown = {"TLS_CERTIFICATE": pair.certificate, "TLS_KEY": pair.key} if pair else {}
        return {name: str(file) for name, file in
                {"TLS_CA": self._downstream.certificate, **shown}.items()}

    def expired(self):
        return self._downstream.issue("expired", "DNS:client.test", days=-1)

    def foreign(self):
        """Its authority has the right name: Go and Java show no certificate of one that lanekeeper
        does not ask for."""
        elsewhere = self._folder / "elsewhere"
        elsewhere.mkdir()
        return Authority(elsewhere, "downstream-ca").issue("client", "DNS:client.test")


@dataclasses.dataclass
class Sides:
    """How TLS is spoken."""
    listen: dict  # lanekeeper's listen[].tls
    upstream: dict  # its upstream.tls
    server: list  # words of the server's command line
    client: dict  # environment of the clients
