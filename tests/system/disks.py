# SPDX-License-Identifier: Apache-2.0
"""Small file systems of their own, for root only; and what a power cut leaves, for anybody."""
import contextlib
import fcntl
import glob
import os
import pathlib
import shutil
import struct
import subprocess

import pytest

from shim import noted

EXT4_IOC_SHUTDOWN = 0x8004587d
NO_LOG_FLUSH = (2).to_bytes(4, "little")


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def mounted_or_skip(*command):
    """mount(8), which needs root and what the kernel has."""
    if os.geteuid() != 0:
        pytest.skip("needs root, to mount a file system")
    result = run("mount", *command)
    if result.returncode != 0:
        pytest.skip(f"cannot mount here: {result.stderr.strip()}")


@contextlib.contextmanager
def small_tmpfs(directory, size):
    os.makedirs(directory, exist_ok=True)
    mounted_or_skip("-t", "tmpfs", "-o", f"size={size}", "tmpfs", directory)
    try:
        yield directory
    finally:
        run("umount", "-l", directory)


class PowerCut:
    """An ext4 in a file, whose power can be cut: what was not synced is gone."""

    environment = {}

    def __init__(self, directory):
        self.image, self.place = os.path.join(directory, "disk"), os.path.join(directory, "mnt")
        os.makedirs(self.place)
        with open(self.image, "wb") as f:
            f.truncate(64 << 20)
        if run("mkfs.ext4", "-q", "-F", self.image).returncode != 0:
            pytest.skip("there is no mkfs.ext4 (package e2fsprogs)")
        self.mount()

    def mount(self):
        mounted_or_skip("-o", "loop", self.image, self.place)

    def cut(self):
        fd = os.open(self.place, os.O_RDONLY)
        fcntl.ioctl(fd, EXT4_IOC_SHUTDOWN, NO_LOG_FLUSH)
        os.close(fd)

    def restore(self):
        """Nobody has a file there open any more.

        Another mount namespace, made meanwhile, may hold the dead file system; mounted from the same
        image it would be found again, dead. So what the disk holds goes on as a disk of its own.
        """
        assert run("umount", self.place).returncode == 0
        shutil.copyfile(self.image, self.image + ".copy")
        os.replace(self.image + ".copy", self.image)
        self.mount()

    def close(self):
        run("umount", "-l", self.place)


class Synced:
    """A directory on whatever disk, with the interface of PowerCut and no need of root: the shim notes
    what the daemon writes and what it syncs, and a cut leaves what was synced and nothing else. A new
    file is there once it was synced itself, as on ext4; a new name, and one that is gone, once its
    folder was. What has no note stays as it is."""

    RECORD = struct.Struct("@c3xIqQ")

    def __init__(self, directory):
        self.place, self.log = os.path.join(directory, "disk"), os.path.join(directory, "log")
        self.base = os.path.join(directory, "base")
        self.store = os.path.join(self.place, "store")
        os.makedirs(self.store)
        self.environment = noted(self.store, self.log)
        self.begin()

    def begin(self):
        shutil.rmtree(self.base, ignore_errors=True)
        shutil.copytree(self.store, self.base)
        open(self.log, "wb").close()

    def notes(self):
        with open(self.log, "rb") as f:
            data = f.read()
        at = 0
        while at + self.RECORD.size <= len(data):
            what, n_path, offset, n_data = self.RECORD.unpack_from(data, at)
            at += self.RECORD.size
            path = data[at:at + n_path].decode()
            yield what.decode(), path, offset, data[at + n_path:at + n_path + n_data]
            at += n_path + n_data

    def cut(self):
        """Nothing yet: until the daemon is gone it may sync more, and acknowledge more."""

    def restore(self):
        names = {}    # as the daemon saw them: [what is synced, what waits for it]
        durable = {}  # as the disk has them

        def file(path):
            if path not in names:
                kept = os.path.join(self.base, os.path.relpath(path, self.store))
                names[path] = [bytearray(), []]
                if os.path.isfile(kept):
                    names[path][0][:] = pathlib.Path(kept).read_bytes()
                    durable[path] = names[path]
            if names[path] is None:
                names[path] = [bytearray(), []]
            return names[path]

        for what, path, offset, data in self.notes():
            if what in "wt":
                file(path)[1].append((what, offset, data))
            elif what == "r":
                target = data.decode()
                file(target)
                names[target] = file(path)
                names[path] = None
            elif what == "u":
                file(path)
                names[path] = None
            elif os.path.isdir(path):
                for name in [n for n in names if os.path.dirname(n) == path]:
                    durable.pop(name, None)
                    if names[name] is not None:
                        durable[name] = names[name]
            else:
                self.sync(file(path))
                durable[path] = names[path]
        for path in [*names, *glob.glob(os.path.join(self.store, "**", "*-shm"), recursive=True)]:
            pathlib.Path(path).unlink(missing_ok=True)
        for path, (content, _) in durable.items():
            pathlib.Path(path).write_bytes(content)
        self.begin()

    @staticmethod
    def sync(file):
        content, waiting = file
        for what, offset, data in waiting:
            if what == "t":
                del content[offset:]
            content.extend(bytes(max(0, offset - len(content))))
            content[offset:offset + len(data)] = data
        waiting.clear()

    def close(self):
        pass
