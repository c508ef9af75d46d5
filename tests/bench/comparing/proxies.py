"""The proxies: how each is started, what it cannot do, and which version it is."""

import argparse
import os
import pathlib
import random
import re
import subprocess

from . import configs
from .addresses import Endpoint
from .processes import Measured

# A name per entry of the report, in its order. `direct` is the load straight to the upstream.
NAMES = ("lanekeeper-user", "lanekeeper-kernel", "grpc-go", "nginx", "haproxy", "nghttpx", "direct")
OURS = "lanekeeper-user"


def also(text):
    """NAME=PATH of one more column, whose binary takes lanekeeper's --config FILE."""
    name, _, path = text.partition("=")
    if not re.fullmatch(r"[\w.-]+", name) or name in NAMES:
        raise argparse.ArgumentTypeError(f"no new name of letters, digits, -._: {name!r}")
    if not os.access(path, os.X_OK) or not os.path.isfile(path):
        raise argparse.ArgumentTypeError(f"no program: {path!r}")
    return name, os.path.abspath(path)


class Proxies:
    """Starts them one at a time. `tools` names the binaries, `certificate` what TLS listeners show;
    configurations go to `folder`. `others`: further binaries by name, started like lanekeeper."""

    def __init__(self, tools, certificate, folder, others=None):
        self._tools = tools
        self._certificate = certificate
        self._folder = folder
        self._others = others or {}
        ours = dict.fromkeys(("lanekeeper-user", "lanekeeper-kernel"), tools.lanekeeper)
        self._like_lanekeeper = {**ours, **self._others}

    def start(self, name, listen, upstream, cores=0):
        """A running proxy that accepts connections on `listen`, pinned to the first `cores` cores
        and given as many threads if cores is not 0. The caller stops it."""
        words, environment = self._command(name, listen, upstream, cores)
        pinned = ["taskset", "-c", f"0-{cores - 1}"] if cores else []
        child = Measured(name, [*pinned, *words], self._folder, environment=environment)
        try:
            child.await_listening(listen.address)
        except BaseException:
            child.stop()
            raise
        return child

    def cannot(self, name, transport):
        """Why the proxy cannot listen on that transport; empty if it can."""
        binary = self._like_lanekeeper.get(name)
        if not binary or transport != "tls":
            return ""
        return "" if self._takes_tls(binary) else "no TLS listener"

    def versions(self):
        """Name and version, as the programs tell."""
        asked = {
            "nginx": (["nginx", "-v"], r"nginx/(\S+)"),
            "haproxy": (["haproxy", "-v"], r"version (\S+)"),
            "nghttpx": (["nghttpx", "--version"], r"nghttp2/(\S+)"),
            "h2load": (["h2load", "--version"], r"nghttp2/(\S+)"),
            "go": (["go", "version"], r"go version (\S+)"),
            "grpc-go": (["dpkg-query", "--show", "--showformat", "${Version}",
                         "golang-google-grpc-dev"], r"(\S+)"),
            "gRPC (C++)": (["dpkg-query", "--show", "--showformat", "${Version}", "libgrpc++1.51"],
                           r"(\S+)"),
        }
        if self._tools.lanekeeper:
            asked = {"lanekeeper": ([self._tools.lanekeeper, "--version"], r"lanekeeper (.+)"),
                     **asked}
        for name, path in self._others.items():
            asked[name] = ([path, "--version"], r"(\S.*)")
        return {name: _version(words, pattern) for name, (words, pattern) in asked.items()}

    def _command(self, name, listen, upstream, cores):
        certificate = self._certificate
        if binary := self._like_lanekeeper.get(name):
            kind = "kernel" if name.endswith("-kernel") else "user"
            text = configs.lanekeeper(listen, upstream, cores, kind, certificate)
            return [binary, "--config", self._file(text)], {}
        if name == "grpc-go":
            keys = (["--tls-certificate", certificate.chain, "--tls-key", certificate.key]
                    if listen.tls else [])
            return ([self._tools.go_proxy, "--listen", listen.address, "--upstream",
                     upstream.address, *keys], {"GOMAXPROCS": str(cores)} if cores else {})
        if name == "nginx":
            user = "user root;" if os.geteuid() == 0 else ""
            text = configs.nginx(listen, upstream, cores, self._folder, user, certificate)
            return ["nginx", "-p", self._folder, "-c", self._file(text)], {}
        if name == "haproxy":
            text = configs.haproxy(listen, upstream, cores, certificate)
            return ["haproxy", "-db", "-f", self._file(text)], {}
        if name == "nghttpx":
            return configs.nghttpx_words(listen, upstream, cores, certificate), {}
        raise ValueError(f"no proxy is called {name}")

    def _takes_tls(self, binary):
        listen = Endpoint("tls", port=50051)  # only checked, never bound
        upstream = Endpoint("tcp", port=50052)
        path = self._file(configs.lanekeeper(listen, upstream, 0, "user", self._certificate))
        checked = subprocess.run([binary, "--config", path, "--check"],
                                 capture_output=True, timeout=20, check=False)
        return checked.returncode == 0

    def _file(self, text):
        path = pathlib.Path(self._folder, f"config-{random.getrandbits(48):x}")
        path.write_text(text)
        return str(path)


def _version(words, pattern):
    try:
        said = subprocess.run(words, capture_output=True, text=True, timeout=20, check=False)
    except OSError:
        return "not installed"
    found = re.search(pattern, said.stdout + said.stderr)
    return found.group(1) if found else "unknown"
