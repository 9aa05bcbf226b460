# SPDX-License-Identifier: Apache-2.0
"""A machine of its own for the package: systemd and its journal in a container, above a copy of this
machine's root that is thrown away. It needs root and systemd-nspawn, and no network."""
import contextlib
import glob
import itertools
import os
import shutil
import signal
import subprocess

from servers import PATIENCE, wait_until

# Overlay over the root, in a mount namespace that ends with the container. The services of this
# machine are not started there. A container's own filter refuses to read the state of the clock, which
# a machine's does not: what the unit allows is to be seen.
BOOT = r"""
set -e
mount -t tmpfs machine "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay machine -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"
rm -rf "$1"/root/etc/systemd/system/*.wants "$1/root/var/log/journal" "$1/root/etc/machine-id" \
	"$1/root/usr/sbin/policy-rc.d" "$1/root/var/lib/man-db/auto-update" # an index of all manuals
touch "$1/root/etc/machine-id"
cp "$2"/ducha.deb "$2"/next-*.deb "$1/root/root/"
[ "$(stat -f -c %T /sys/fs/cgroup)" = cgroup2fs ] || export SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=0
for groups in /sys/fs/cgroup/systemd /sys/fs/cgroup/unified /sys/fs/cgroup; do
	[ ! -e "$groups/cgroup.procs" ] || { mkdir "$groups/$3"; echo $$ >"$groups/$3/cgroup.procs"; }
done
exec systemd-nspawn --quiet --directory="$1/root" --register=no --keep-unit --boot --private-network \
	--link-journal=no --console=read-only --system-call-filter="adjtimex clock_adjtime" \
	systemd.unit=multi-user.target
"""


def lacking():
    """Why there can be no machine here, or None."""
    if os.geteuid() != 0:
        return "a machine of its own needs root"
    for program in ("systemd-nspawn", "nsenter", "unshare"):
        if shutil.which(program) is None:
            return f"a machine of its own needs {program}"
    return None


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as f:
        return [int(child) for child in f.read().split()]


# One machine's group of processes may still be ending when the next begins.
numbers = itertools.count()


class Machine:
    """`packages`: the folder whose ducha.deb and next-*.deb lie in /root there."""

    def __init__(self, directory, packages):
        self.folder = os.path.join(str(directory), "machine")
        self.console = os.path.join(str(directory), "console")
        self.group = f"ducha-machine-{os.getpid()}-{next(numbers)}"
        os.mkdir(self.folder)
        with open(self.console, "wb") as console:
            self.nspawn = subprocess.Popen(
                ["unshare", "--mount", "sh", "-c", BOOT, "sh", self.folder, str(packages),
                 self.group],
                stdin=subprocess.DEVNULL, stdout=console, stderr=console)
        self.leader = None
        wait_until(self.booted, 60, "systemd in its container", every=0.1)

    def booted(self):
        if self.nspawn.poll() is not None:
            with open(self.console, errors="replace") as f:
                raise AssertionError("the container ended: " + f.read())
        below = children(self.nspawn.pid)
        if not below:
            return False
        self.leader = below[0]
        return self.run("systemctl", "is-active", "multi-user.target", check=False).stdout == "active\n"

    def run(self, *command, check=True, **more):
        """A command there. Return: what came of it (its output as text)."""
        answer = subprocess.run(
            ["nsenter", "--target", str(self.leader), "--mount", "--uts", "--ipc", "--net", "--pid",
             "--root", "--wd", "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8",
             "DEBIAN_FRONTEND=noninteractive", "LANGUAGE=en", *command],
            capture_output=True, text=True, timeout=60 * PATIENCE, **more)
        assert not check or answer.returncode == 0, (command, answer)
        return answer

    def read(self, path):
        return self.run("cat", path).stdout

    def write(self, path, text):
        self.run("sh", "-c", f"cat >'{path}'", input=text)

    def shows(self, unit, key):
        return self.run("systemctl", "show", "--value", "-p", key, unit).stdout.strip()

    def close(self):
        """All of it at once: nothing there is to be kept, and a halt in order is not what is tested."""
        if self.nspawn.poll() is None:
            for child in children(self.nspawn.pid):
                os.kill(child, signal.SIGKILL)
        try:
            self.nspawn.wait(60)
        except subprocess.TimeoutExpired:
            self.nspawn.kill()
            self.nspawn.wait()
        wait_until(self.no_group_is_left, 20, "the container's groups gone")

    def no_group_is_left(self):
        groups = glob.glob(f"/sys/fs/cgroup/**/{self.group}", recursive=True)
        for group in groups:
            for folder, _, _ in os.walk(group, topdown=False):
                with contextlib.suppress(OSError):  # systemd may be quicker, or still leave
                    os.rmdir(folder)
        return not groups
