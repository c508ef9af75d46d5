"""ConfigMaps and Secrets in a directory, as the kubelet lays them out and changes them."""

import itertools
import os
import pathlib
import shutil

numbers = itertools.count(1)


class Projected:
    """NAME -> ..data/NAME for each file, and ..data -> a directory with a name of its own. A change
    is one rename of ..data: who opens a file has the old or the new one."""

    def __init__(self, folder, files, mode=0o644, group=0):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir()
        self.folder.chmod(0o755)
        self._mode, self._group = mode, group
        self._current = None
        self.update(files)
        for name in files:
            (self.folder / name).symlink_to(f"..data/{name}")

    def update(self, files):
        new = self.folder / f"..2026_11_30_12_00_00.{next(numbers)}"
        new.mkdir(mode=0o755)
        for name, content in files.items():
            path = new / name
            path.write_bytes(content)
            os.chown(path, 0, self._group)
            path.chmod(self._mode)
        link = self.folder / "..data_tmp"
        link.symlink_to(new.name)
        link.rename(self.folder / "..data")
        if self._current:
            shutil.rmtree(self._current)
        self._current = new
