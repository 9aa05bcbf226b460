# SPDX-License-Identifier: Apache-2.0
"""Small file systems of their own, for root only."""
import contextlib
import fcntl
import os
import shutil
import subprocess

import pytest

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
