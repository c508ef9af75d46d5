"""The image's last stage, built step by step in a Debian 12 root, as an engine would do it.

The first stage, the build, is not run again: its outcome is the binary of the build tree, stripped.
The base is debootstrap's least system without what debian:12-slim leaves out; the image itself
cannot be fetched here.
"""

import json
import pathlib
import shlex

from deploy.dockerfile_test import DOCKERFILE, stages
from root import SOURCE, base_root, run

# As debian:12-slim has it: documents are left out, apt keeps nothing that it fetched.
SLIM_DPKG = """path-exclude /usr/share/doc/*
path-include /usr/share/doc/*/copyright
path-exclude /usr/share/man/*
path-exclude /usr/share/locale/*
path-exclude /usr/share/info/*
"""
SLIM_APT = 'DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/*.bin"; };\n'


class Image:
    """Its root, whom it runs as, and what."""

    def __init__(self, folder, binary):
        self.root = base_root().overlay(f"{folder}/image")
        self._stripped = pathlib.Path(folder, "lanekeeper")
        run("strip", "-o", self._stripped, binary)
        self.user = self.entrypoint = None
        *_, final = stages(DOCKERFILE.read_text())
        for keyword, rest in final:
            getattr(self, f"_{keyword.lower()}")(rest)

    def _from(self, rest):
        assert rest == "debian:12-slim", rest
        self.root.file("/etc/dpkg/dpkg.cfg.d/slim").write_text(SLIM_DPKG)
        self.root.file("/etc/apt/apt.conf.d/slim").write_text(SLIM_APT)
        run("find", *(self.root.file(f"/usr/share/{folder}")
                      for folder in ("doc", "man", "locale", "info")),
            "-type", "f", "!", "-name", "copyright", "-delete")
        self.root.run("sh", "-c", "apt-get clean; rm -rf /var/lib/apt/lists/*")
        self.base_size = self.sizes()

    def _expose(self, _):
        pass  # tells people, changes nothing

    def _copy(self, rest):
        words = shlex.split(rest)
        if words[0] == "--from=build":
            assert words[1] == "/lanekeeper", words
            sources = [self._stripped]
            words.pop(0)
        else:
            sources = [SOURCE / word for word in words[:-1]]
        target = self.root.file(words[-1])
        (target if words[-1].endswith("/") else target.parent).mkdir(parents=True, exist_ok=True)
        for source in sources:
            run("cp", "--recursive", source, target)

    def _run(self, rest):
        self.root.run("sh", "-c", rest)

    def _user(self, rest):
        self.user, self.group = rest.split(":")

    def _entrypoint(self, rest):
        self.entrypoint = json.loads(rest)

    def launcher(self, config_folder):
        """What runs a command in it as Kubernetes' restricted profile does: the root read-only, not
        root, no capabilities, no new privileges. Namespaces of its own but for the network."""
        script = ('mount --rbind "$1" "$1" && mount -o bind,ro "$2" "$1/etc/lanekeeper" && '
                  'mount -o remount,bind,ro "$1" && mount -t proc proc "$1/proc" && '
                  'root=$1; user=$3; group=$4; shift 4; exec chroot "$root" setpriv '
                  '--reuid="$user" --regid="$group" --clear-groups --bounding-set=-all '
                  '--no-new-privs "$@"')
        self.root.file("/etc/lanekeeper").mkdir(exist_ok=True)
        return ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-euc", script, "sh",
                str(self.root.path), str(config_folder), self.user, self.group]

    def sizes(self):
        """Files, and as registries keep them."""
        files = run("du", "--summarize", "--bytes", self.root.path).split()[0]
        packed = run("sh", "-c", f"tar --create --directory={self.root.path} . | gzip -6 | wc -c")
        return f"{int(files) / 1e6:.0f} MB, packed {int(packed) / 1e6:.0f} MB"
