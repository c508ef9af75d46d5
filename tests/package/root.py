"""Debian 12 roots to try the package in: made once by debootstrap, overlaid for each test.

They are kept under build/package of the source tree; remove that folder to have them made anew.
"""

import os
import pathlib
import shutil
import subprocess
import sys

SOURCE = pathlib.Path(__file__).resolve().parents[2]
CACHE = SOURCE / "build/package"
MIRROR = os.environ.get("LANEKEEPER_DEBIAN_MIRROR", "http://deb.debian.org/debian")
SECURITY = os.environ.get("LANEKEEPER_DEBIAN_SECURITY", "http://deb.debian.org/debian-security")
SOURCES = f"""deb {MIRROR} bookworm main
deb {MIRROR} bookworm-updates main
deb {SECURITY} bookworm-security main
"""
OWN_MOUNTS = "LANEKEEPER_TEST_OWN_MOUNTS"
PATH = f"{os.environ['PATH']}:/usr/sbin:/sbin"
TOOLS = ("debootstrap", "systemd-nspawn", "nsenter", "dpkg-deb", "dpkg-shlibdeps", "cpack")


def why_not():
    """Why nothing can be tested here; None if it can."""
    if os.environ.get("LANEKEEPER_TEST_PACKAGE") != "1":
        return ("needs root, a Debian mirror and minutes: on request, "
                "LANEKEEPER_TEST_PACKAGE=1 ctest --preset release -L package")
    if os.geteuid() != 0:
        return "needs root, to make a root file system"
    missing = [tool for tool in TOOLS if not shutil.which(tool, path=PATH)]
    if missing:
        return f"{', '.join(missing)} missing: deploy/install-packages package"
    return None


def skip_where_it_cannot_run():
    """Otherwise the process goes on with mounts of its own, which end with it."""
    why = why_not()
    if why:
        print("skipped:", why)
        sys.exit(77)
    CACHE.mkdir(parents=True, exist_ok=True)
    if os.environ.get(OWN_MOUNTS) != "1":
        os.environ[OWN_MOUNTS] = "1"
        os.execvp("unshare", ["unshare", "--mount", "--", sys.executable, *sys.argv])


def run(*words, good=(0,), **options):
    """A command that must succeed: its output."""
    done = subprocess.run([*map(str, words)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace", **options)
    if done.returncode not in good:
        raise AssertionError(f"{' '.join(map(str, words))}: {done.returncode}\n{done.stdout}")
    return done.stdout


class Root:
    """A folder with a system in it."""

    def __init__(self, path, lower=None, changes=None):
        self.path = pathlib.Path(path)
        self.lower = lower
        self.changes = changes

    def run(self, *words, **options):
        """In a container of its own, with the machine's network."""
        return run("systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--pipe",
                   "--resolv-conf=copy-host", "--setenv=DEBIAN_FRONTEND=noninteractive",
                   f"--directory={self.path}", "--", *words,
                   # Its /tmp is the root's own.
                   env={**os.environ, "SYSTEMD_NSPAWN_TMPFS_TMP": "0"}, **options)

    def copy_to(self, path):
        run("cp", "--archive", "--reflink=auto", self.path, path)
        return Root(path)

    def overlay(self, path):
        """Another one like it; what is changed there is kept beside, in `path`.changes."""
        changes = pathlib.Path(f"{path}.changes")
        for folder in (path, changes / "upper", changes / "work"):
            pathlib.Path(folder).mkdir(parents=True)
        # A layer on a layer is the layers of both.
        lower = f"{self.changes}:{self.lower}" if self.lower else self.path
        run("mount", "-t", "overlay", "overlay", "-o",
            f"lowerdir={lower},upperdir={changes}/upper,workdir={changes}/work", path)
        return Root(path, lower, changes / "upper")

    def remove(self):
        if self.lower:
            run("umount", "--recursive", self.path)
            run("rm", "--recursive", "--force", self.changes.parent)
        run("rm", "--recursive", "--force", "--one-file-system", self.path)

    def file(self, path):
        return self.path / path.lstrip("/")


def kept(name, make):
    """A root of that name; make(Root) makes it where there is none."""
    root = Root(CACHE / name)
    if root.path.exists():
        return root
    half = Root(CACHE / f"{name}.half")
    half.remove()
    print(f"making {root.path}", flush=True)
    make(half)
    half.path.rename(root.path)
    return root


def base_root():
    """The least that Debian is."""
    def make(root):
        run("debootstrap", "--variant=minbase", "bookworm", root.path, MIRROR,
            env={**os.environ, "PATH": PATH})
        root.file("/etc/apt/sources.list").write_text(SOURCES)
        root.run("apt-get", "update", "--quiet")
        root.run("apt-get", "dist-upgrade", "--quiet", "--yes")

    return kept("base", make)


def systemd_root():
    """The same with systemd, so that it boots."""
    def make(root):
        base_root().copy_to(root.path)
        root.run("apt-get", "install", "--quiet", "--yes", "--no-install-recommends", "systemd",
                 "systemd-sysv")

    return kept("systemd", make)
