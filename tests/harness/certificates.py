"""Authorities and certificates for one test, by the openssl command line."""

import os
import pathlib
import subprocess


def openssl(*words):
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True, timeout=60)


class Pair:
    """The paths of a certificate and its key, in PEM form."""

    def __init__(self, folder, name):
        self.certificate = pathlib.Path(folder, f"{name}.crt")
        self.key = pathlib.Path(folder, f"{name}.key")

    def read(self):
        return self.key.read_bytes(), self.certificate.read_bytes()

    def section(self, **more):
        """As lanekeeper's `tls` takes it, with further keys; without those that are None."""
        keys = {"certificate": str(self.certificate), "key": str(self.key), **more}
        return {key: value for key, value in keys.items() if value is not None}

    def replace(self, other):
        """By rename, first the one and then the other, as most who renew certificates do."""
        os.replace(other.certificate, self.certificate)
        os.replace(other.key, self.key)


class Authority(Pair):
    """Its own certificate is self-signed; with `names` a server can show it, too."""

    def __init__(self, folder, name="ca", names=None):
        super().__init__(folder, name)
        self._folder = folder
        extensions = ["-addext", f"subjectAltName={names}"] if names else []
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-days", 2, "-subj", f"/CN={name}", *extensions, "-keyout", self.key,
                "-out", self.certificate)

    def issue(self, name, names, days=1):
        """`names` as openssl writes them: "DNS:web.shop,URI:spiffe://shop/web"."""
        pair = Pair(self._folder, name)
        request = pathlib.Path(self._folder, f"{name}.csr")
        extensions = pathlib.Path(self._folder, f"{name}.ext")
        extensions.write_text(f"subjectAltName={names}\n")
        openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-subj", f"/CN={name}", "-keyout", pair.key, "-out", request)
        openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.key,
                "-CAcreateserial", "-days", days, "-extfile", extensions, "-out",
                pair.certificate)
        return pair
