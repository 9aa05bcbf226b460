# SPDX-License-Identifier: Apache-2.0
"""The Debian package, built and taken through its life on a machine with systemd: DUCHA_LONG=1, or
DUCHA_PACKAGE with the name of a built one."""
import json
import os
import shutil
import subprocess

import pytest

import machine as machines
from conftest import ROOT
from test_log import message_ids
from servers import wait_until

GIVEN = os.environ.get("DUCHA_PACKAGE")
pytestmark = pytest.mark.skipif(os.environ.get("DUCHA_LONG") != "1" and not GIVEN,
                                reason="builds a Debian package, a minute: DUCHA_LONG=1")

CONFIG = """
node: { id = "edge-1"; office = "Office"; case_prefix = "T"; timezone = "Asia/Shanghai";
  language = "zh_CN"; };
storage: { directory = "/var/lib/ducha"; };
http: { socket = "/run/ducha/duchad.sock"; };
connections: ( { id = "line"; driver = "modbus"; transport = "tcp"; host = "127.0.0.1"; port = 1;
  interval_ms = 1000; } );
sites: ( { id = "outfall-1"; name = "Outfall"; kind = "outfall"; monitors: (
  { factor = "w01018"; connection = "line"; unit_id = 1; table = "holding"; address = 0;
    type = "float32"; } ); } );
"""


def run(*command, cwd=None, **environment):
    answer = subprocess.run(command, cwd=cwd, capture_output=True, text=True,
                            env={**os.environ, **environment})
    assert answer.returncode == 0, answer.stdout[-4000:] + answer.stderr[-4000:]
    return answer.stdout


def build(folder):
    """Return: the package, built in `folder` from the files of the work tree."""
    tree = folder / "ducha"
    tree.mkdir()
    run("sh", "-c", "git ls-files -zco --exclude-standard | tar -c --null -T - | "
        f"tar -x -C '{tree}'", cwd=ROOT)
    run("dpkg-buildpackage", "-b", "-us", "-uc", cwd=tree,
        DEB_BUILD_OPTIONS=f"parallel={os.cpu_count()}")
    built, = folder.glob("ducha_*.deb")
    return built


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """A folder with ducha.deb, and the same as two later versions."""
    for tool in ("dpkg-buildpackage", "dh", "lintian"):
        if shutil.which(tool) is None:
            pytest.skip(f"needs {tool}")
    folder = tmp_path_factory.mktemp("package")
    shutil.copy(GIVEN or build(folder), folder / "ducha.deb")
    for version in ("9.0", "9.1"):
        run("rm", "-rf", folder / "again")
        run("dpkg-deb", "-R", folder / "ducha.deb", folder / "again")
        run("sed", "-i", f"s/^Version: .*/Version: {version}/", folder / "again/DEBIAN/control")
        run("dpkg-deb", "--root-owner-group", "-b", folder / "again", folder / f"next-{version}.deb")
    return folder


@pytest.fixture
def machine(tmp_path, package):
    lacking = machines.lacking()
    if lacking:
        pytest.skip(lacking)
    machine = machines.Machine(tmp_path, package)
    yield machine
    machine.close()


def test_lintian_finds_no_error(package):
    said = run("lintian", "--allow-root", "--fail-on", "error,warning", package / "ducha.deb")
    assert "E: " not in said and "W: " not in said, said


def running(machine):
    return machine.shows("duchad", "ActiveState") == "active"


def answers(machine):
    return machine.run("duchactl", "status", check=False).returncode == 0


def test_install_start_reload_upgrade_remove_purge(machine):
    # Installed, it runs, and the operator's tool finds it.
    machine.run("dpkg", "-i", "/root/ducha.deb")
    wait_until(lambda: running(machine), 20, "the service after the installation")
    assert answers(machine)
    assert machine.run("systemctl", "is-enabled", "duchad").stdout == "enabled\n"
    assert machine.run("stat", "-c", "%U %a", "/var/lib/ducha", "/etc/ducha/credentials").stdout == \
        "ducha 750\nroot 700\n"
    assert machine.run("su", "-s", "/bin/sh", "-c", "duchactl status", "nobody", check=False).returncode == 69
    machine.run("duchad", "--check")

    # A district, taken up without a new start.
    machine.write("/etc/ducha/ducha.cfg", CONFIG)
    first = machine.shows("duchad", "MainPID")
    machine.run("systemctl", "reload", "duchad")
    assert running(machine) and machine.shows("duchad", "MainPID") == first
    assert "outfall-1" in machine.run("duchactl", "sites").stdout

    # A newer version: the administrator's file stays, and so does the ledger; it is started again.
    ledger = machine.run("stat", "-c", "%i", "/var/lib/ducha/ledger.db").stdout
    said = machine.run("dpkg", "-i", "/root/next-9.0.deb")
    wait_until(lambda: running(machine) and answers(machine), 20, "the service after the upgrade")
    assert machine.shows("duchad", "MainPID") != first, said
    assert machine.read("/etc/ducha/ducha.cfg") == CONFIG
    assert machine.run("stat", "-c", "%i", "/var/lib/ducha/ledger.db").stdout == ledger
    assert "outfall-1" in machine.run("duchactl", "sites").stdout

    # A configuration that is wrong: 78, and no loop of starts; mended, the next version runs.
    machine.write("/etc/ducha/ducha.cfg", CONFIG.replace("port", "prot"))
    machine.run("systemctl", "restart", "duchad", check=False)
    wait_until(lambda: machine.shows("duchad", "ActiveState") == "failed", 20, "the refusal")
    assert (machine.shows("duchad", "ExecMainStatus"), machine.shows("duchad", "NRestarts")) == ("78", "0")
    machine.write("/etc/ducha/ducha.cfg", CONFIG)
    machine.run("dpkg", "-i", "/root/next-9.1.deb")
    wait_until(lambda: running(machine), 20, "the service, mended")

    # Removed: no process, no program; configuration and evidence stay.
    machine.run("dpkg", "-r", "ducha")
    assert machine.run("pgrep", "-x", "duchad", check=False).returncode == 1
    assert machine.run("test", "-e", "/usr/sbin/duchad", check=False).returncode == 1
    machine.run("test", "-s", "/etc/ducha/ducha.cfg")

    # Purged: the configuration goes, evidence stays, and it is said.
    machine.write("/etc/ducha/credentials/seal.key", "secret")
    said = machine.run("dpkg", "-P", "ducha").stdout
    assert "/var/lib/ducha stays" in said and "/etc/ducha/credentials stays" in said
    assert machine.run("test", "-e", "/etc/ducha/ducha.cfg", check=False).returncode == 1
    assert machine.run("find", "/etc/systemd/system", "-name", "duchad*").stdout == ""
    assert machine.run("stat", "-c", "%i", "/var/lib/ducha/ledger.db").stdout == ledger
    assert machine.run("stat", "-c", "%U", "/var/lib/ducha/ledger.db").stdout == "ducha\n"


def in_journal(machine, **fields):
    """The messages of the service with these fields."""
    matches = [f"{name}={value}" for name, value in fields.items()]
    said = machine.run("journalctl", "-u", "duchad", "-o", "json", *matches).stdout
    return [json.loads(line) for line in said.splitlines()]


CLOCK_ERRORS = """
import glob, sqlite3
for name in glob.glob("/var/lib/ducha/daybook/*.db"):
    print(*(error for error, in sqlite3.connect(name).execute("SELECT clock_error_us FROM chain")))
"""
CLOCK_UNKNOWN = "-2"


def test_the_journal_the_clock_and_a_drop_in(machine):
    """In its sandbox the daemon speaks to the journal, knows the state of the clock, reaches its
    instruments, and with the networks named those alone."""
    machine.run("dpkg", "-i", "/root/ducha.deb")
    machine.run("systemd-run", "--unit=instrument", "ducha-sim", "--fleet", "1", "--port", "1502")
    machine.write("/etc/ducha/ducha.cfg", CONFIG.replace("port = 1;", "port = 1502;"))
    machine.run("systemctl", "restart", "duchad")
    ids = message_ids()
    assert in_journal(machine, MESSAGE_ID=ids["READY"])[-1]["MESSAGE"].endswith("in service")
    wait_until(lambda: machine.run("python3", "-c", CLOCK_ERRORS).stdout.split(), 20, "a commit")
    assert CLOCK_UNKNOWN not in machine.run("python3", "-c", CLOCK_ERRORS).stdout.split()

    machine.run("systemctl", "stop", "instrument")
    lost = wait_until(lambda: in_journal(machine, MESSAGE_ID=ids["CONNECTION_LOST"]), 20, "the loss")
    assert lost[0]["DUCHA_CONNECTION"] == "line" and lost[0]["_SYSTEMD_UNIT"] == "duchad.service"
    explained = machine.run("journalctl", "-u", "duchad", "-x", "DUCHA_CONNECTION=line").stdout
    assert "Connection line does not answer" in explained
    assert "Nothing behind this connection is read" in explained

    machine.run("mkdir", "-p", "/etc/systemd/system/duchad.service.d")
    machine.run("sh", "-c", "cp /usr/share/doc/ducha/examples/duchad.service.d/10-no-serial.conf "
                "/usr/share/doc/ducha/examples/duchad.service.d/20-networks.conf "
                "/etc/systemd/system/duchad.service.d/")
    machine.run("systemctl", "daemon-reload")
    machine.run("systemctl", "restart", "duchad")
    assert running(machine) and answers(machine)
