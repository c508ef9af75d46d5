"""The package under test, and others made of it: a next version, one with a changed conffile."""

import os
import pathlib
import re
import tempfile

from root import run


def built(folder):
    """What cpack makes of the build tree."""
    build = os.environ["LANEKEEPER_BUILD"]
    run("cpack", "--config", f"{build}/CPackConfig.cmake", "-B", folder)
    (deb,) = pathlib.Path(folder).glob("*.deb")
    return deb


def field(deb, name):
    return run("dpkg-deb", "--field", deb, name).strip()


def changed(deb, folder, change=lambda tree: None):
    """A later version of it, after change(the folder that it was unpacked to)."""
    version = field(deb, "Version") + "+next"
    with tempfile.TemporaryDirectory(dir=folder) as tree:
        tree = pathlib.Path(tree)
        tree.chmod(0o755)  # becomes the mode of /
        run("dpkg-deb", "--raw-extract", deb, tree)
        control = tree / "DEBIAN/control"
        control.write_text(re.sub(r"(?m)^Version: .*$", f"Version: {version}",
                                  control.read_text()))
        change(tree)
        run("dpkg-deb", "--root-owner-group", "--build", tree, folder)
    return pathlib.Path(folder) / f"lanekeeper_{version}_amd64.deb"
