#!/usr/bin/python3
"""Which folder may include which, what no source of the proxy may contain, and what the tests leave to
one file."""

import graphlib
import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]

# What a folder of proxy/ may include besides itself; `config` and `protos` are folders beside it.
# The files in proxy/ itself put the parts together and may include everything.
RPC = {"observe", "grpc", "http2", "net", "log", "tls", "base", "config"}
ALLOWED = {
    "admin": {"observe", "log", "net", "base", "config", "protos"},
    "cli": {"protos", "base", "config", "log"},
    "demo": {"protos", "base"},
    "downstream": {"rpc", *RPC},
    "upstream": {"rpc", *RPC},
    "rpc": RPC,
    "observe": {"grpc", "base", "config"},
    "log": {"observe", "grpc", "base", "config"},
    "grpc": {"base"},
    "http2": {"net", "base"},
    "net": {"tls", "base", "config"},
    "config": {"tls"},
    "tls": {"base"},
    "base": set(),
}
# Leaves that need no row: the version for everyone, and what config/ takes from base/.
ALLOWED_FILES = {"config": {"proxy/base/file.h", "proxy/base/text.h", "proxy/base/words.h"}}
FOR_EVERYONE = {"proxy/version.h"}

KNOW_NGHTTP2 = ("proxy/http2/",)
KNOW_OPENSSL = ("proxy/tls/", "proxy/net/tls_session.")
KNOW_GRPC = ("proxy/admin/", "proxy/demo/", "proxy/cli/", "proxy/main.cc")
MOST_LINES = 300
# Ways around the language, the libraries' public headers and the operator's settings.
FORBIDDEN = re.compile(
    r"(?<![A-Za-z0-9])(asm(?![A-Za-z0-9])|dlsym|__wrap|mallopt|prctl|sched_set|execv|grpc_core)")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)', re.MULTILINE)
SOURCES = (".h", ".cc")


def read_tree():
    """Text by path, of every file of proxy/ and config/."""
    paths = [path for folder in ("proxy", "config") for path in (ROOT / folder).rglob("*")]
    return {str(path.relative_to(ROOT)): path.read_text(errors="replace")
            for path in paths if path.is_file()}


def folder_of(path):
    """`net` of proxy/net/x.h, `config` of config/x.h, empty for a file in proxy/ itself."""
    first, _, rest = path.partition("/")
    return first if first != "proxy" else rest.rpartition("/")[0].partition("/")[0]


def includes(tree):
    """(path, line, bracket or quote, what it includes) of all sources."""
    for path, text in tree.items():
        if path.endswith(SOURCES):
            for found in INCLUDE.finditer(text):
                yield path, text.count("\n", 0, found.start(2)) + 1, found[1], found[2]


def forbidden_edges(tree):
    return [f"{path}:{line}: includes {target}" for path, line, quote, target in includes(tree)
            if quote == '"' or target.startswith(("proxy/", "config/", "protos/", "tests/"))
            if not may_include(path, target)]


def may_include(path, target):
    """A quoted include is a path from the root of the repository."""
    here = folder_of(path)
    known = target.startswith(("proxy/", "config/", "protos/"))
    if here == "" or target in FOR_EVERYONE or target in ALLOWED_FILES.get(here, ()):
        return known
    there = folder_of(target)
    return known and here in ALLOWED and (there == here or there in ALLOWED[here])


def headers_outside(tree, prefix, allowed):
    return [f"{path}:{line}: includes <{target}>" for path, line, _, target in includes(tree)
            if re.match(prefix, target) and not path.startswith(allowed)]


def nghttp2_outside(tree):
    return headers_outside(tree, r"nghttp2/", KNOW_NGHTTP2)


def openssl_outside(tree):
    return headers_outside(tree, r"openssl/", KNOW_OPENSSL)


def grpc_outside(tree):
    return headers_outside(tree, r"grpc(pp)?[/.]", KNOW_GRPC)


def long_files(tree):
    counts = {path: len(text.splitlines()) for path, text in tree.items()
              if path.startswith("proxy/") and path.endswith(SOURCES)}
    return [f"{path}: {count} lines" for path, count in counts.items() if count > MOST_LINES]


def forbidden_words(tree):
    return [f"{path}:{number}: {found[1]}" for path, text in tree.items()
            if path.startswith("proxy/") for number, line in enumerate(text.splitlines(), 1)
            for found in FORBIDDEN.finditer(line)]


class TheSources(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.tree = read_tree()

    def holds(self, rule):
        if problems := rule(self.tree):
            self.fail("\n" + "\n".join(sorted(problems)))

    def test_a_folder_includes_only_the_folders_below_it(self):
        self.holds(forbidden_edges)

    def test_every_folder_has_its_row_in_the_table(self):
        folders = {folder_of(path) for path in self.tree if path.endswith(SOURCES)}
        self.assertLessEqual(folders - {""}, set(ALLOWED))

    def test_only_http2_knows_libnghttp2(self):
        self.holds(nghttp2_outside)

    def test_only_tls_knows_openssl(self):
        self.holds(openssl_outside)

    def test_only_the_control_plane_and_the_tools_know_the_grpc_library(self):
        self.holds(grpc_outside)

    def test_no_file_of_the_proxy_has_more_than_300_lines(self):
        self.holds(long_files)

    def test_no_file_of_the_proxy_replaces_or_reaches_around_what_it_stands_on(self):
        self.holds(forbidden_words)

    def test_the_sources_were_found(self):
        for path in ("proxy/main.cc", "proxy/base/task.h", "config/config.h"):
            self.assertIn(path, self.tree)


class TheTests(unittest.TestCase):
    def test_only_the_harness_starts_processes_beside_a_test(self):
        scripts = (path for path in (ROOT / "tests").rglob("*")
                   if path.suffix in ("", ".py") and path.is_file())
        found = [str(path.relative_to(ROOT)) for path in scripts
                 if re.search(r"\bPopen\(", path.read_text(errors="replace"))]
        self.assertEqual(found, ["tests/harness/processes.py"])


class TheRules(unittest.TestCase):
    """Each rule sees a line that breaks it, and passes its neighbour that does not."""

    def sees(self, rule, path, line):
        self.assertEqual(len(rule({path: f"// ok\n{line}\n"})), 1, f"{path}: {line}")

    def passes(self, rule, path, line):
        self.assertEqual(rule({path: f"// ok\n{line}\n"}), [], f"{path}: {line}")

    def test_the_table_has_no_cycle(self):
        order = list(graphlib.TopologicalSorter(ALLOWED).static_order())
        self.assertLess(order.index("http2"), order.index("rpc"))

    def test_an_include_upwards_is_seen(self):
        self.sees(forbidden_edges, "proxy/rpc/rpc.h", '#include "proxy/upstream/channel.h"')
        self.sees(forbidden_edges, "proxy/base/task.h", '#include "proxy/net/buffer.h"')
        self.sees(forbidden_edges, "proxy/base/task.h", '#include "config/config.h"')
        self.sees(forbidden_edges, "proxy/http2/stream.cc", '  #  include "proxy/log/fields.h"')
        self.sees(forbidden_edges, "config/load.cc", '#include "proxy/base/list.h"')
        self.sees(forbidden_edges, "proxy/demo/places.cc", '#include "proxy/app.h"')

    def test_an_include_downwards_passes(self):
        self.passes(forbidden_edges, "proxy/rpc/rpc.h", '#include "proxy/http2/stream.h"')
        self.passes(forbidden_edges, "proxy/rpc/rpc.h", '#include "proxy/rpc/pooled.h"')
        self.passes(forbidden_edges, "proxy/admin/page/page.h", '#include "proxy/admin/watch.h"')
        self.passes(forbidden_edges, "proxy/app.cc", '#include "proxy/upstream/channel.h"')
        self.passes(forbidden_edges, "config/load.cc", '#include "proxy/base/text.h"')
        self.passes(forbidden_edges, "proxy/net/buffer.cc", "#include <string>")

    def test_an_include_of_what_is_no_part_of_the_product_is_seen(self):
        for line in ('#include "tests/support/bytes.h"', '#include "app.h"',
                     "#include <tests/support/bytes.h>", '#include "proxy/threads/crew.h"'):
            self.sees(forbidden_edges, "proxy/rpc/rpc.h", line)
        self.sees(forbidden_edges, "proxy/main.cc", '#include "tests/support/bytes.h"')

    def test_a_folder_without_a_row_may_include_nothing(self):
        self.sees(forbidden_edges, "proxy/new/x.h", '#include "proxy/base/list.h"')

    def test_nghttp2_elsewhere_is_seen(self):
        self.sees(nghttp2_outside, "proxy/rpc/rpc.h", "#include <nghttp2/nghttp2.h>")
        self.passes(nghttp2_outside, "proxy/http2/session.cc", "#include <nghttp2/nghttp2.h>")

    def test_openssl_elsewhere_is_seen(self):
        self.sees(openssl_outside, "proxy/net/transport.h", "#include <openssl/ssl.h>")
        self.passes(openssl_outside, "proxy/tls/context.cc", "#include <openssl/ssl.h>")

    def test_grpc_elsewhere_is_seen(self):
        for line in ("#include <grpc/status.h>", "#include <grpcpp/grpcpp.h>",
                     '#include "grpcpp/support/status.h"'):
            self.sees(grpc_outside, "proxy/observe/status_names.h", line)
            self.sees(grpc_outside, "proxy/app.cc", line)
            self.passes(grpc_outside, "proxy/admin/grpc_service.h", line)
        self.passes(grpc_outside, "proxy/rpc/rpc.h", '#include "proxy/grpc/status.h"')

    def test_a_line_too_many_is_seen(self):
        self.assertEqual(long_files({"proxy/a.cc": "x\n" * MOST_LINES}), [])
        self.assertEqual(len(long_files({"proxy/a.cc": "x\n" * (MOST_LINES + 1)})), 1)

    def test_a_forbidden_word_is_seen(self):
        for line in ("asm volatile(\"\");", "__asm__(\"\");", "dlsym(RTLD_NEXT, name);",
                     "int __wrap_connect(int);", "-Wl,--wrap=x,__wrap_x", "mallopt(1, 2);",
                     "prctl(PR_SET_NAME, name);", "sched_setaffinity(0, 8, &set);",
                     "execve(path, argv, env);", "namespace grpc_core {"):
            self.sees(forbidden_words, "proxy/base/x.cc", line)
        self.passes(forbidden_words, "proxy/base/x.cc", "a phantasm of wasm and chasms")


if __name__ == "__main__":
    unittest.main()
