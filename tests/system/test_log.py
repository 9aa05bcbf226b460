# SPDX-License-Identifier: Apache-2.0
"""The log: plain lines on stderr, or messages with fields in systemd's journal, and their catalogue."""
import os
import re
import shutil
import signal
import socket
import struct
import subprocess

import pytest

import servers
from conftest import (DUCHAD, ENVIRONMENT, ROOT, Daemon, modbus_connection, modbus_monitor, site)
from servers import wait_until

# In a mount namespace whose /run has the test's socket in the place of the journal's.
WITH_JOURNAL = 'mount --bind "$1" /run && shift && exec "$@"'


def message_ids():
    """{name: id} of the messages that the daemon knows."""
    with open(os.path.join(ROOT, "daemon/base/messages.h")) as f:
        return dict(re.findall(r'X\((\w+), \w+, \w+,[\s\\]*"([0-9a-f]{32})"\)', f.read()))


def lone_daemon(tmp_path):
    """A daemon with one connection that nobody answers."""
    return Daemon(tmp_path, [modbus_connection(servers.free_port(), interval_ms=100)],
                  [site("outfall-1", [modbus_monitor("w01018")])])


def test_each_message_is_in_the_catalogue(tmp_path):
    ids = message_ids()
    assert len(set(ids.values())) == len(ids) > 25
    if shutil.which("journalctl") is None:
        pytest.skip("journalctl is not installed")
    for folder in ("usr/lib/systemd/catalog", "var/lib/systemd/catalog"):
        os.makedirs(tmp_path / folder)
    shutil.copy(os.path.join(ROOT, "systemd/ducha.catalog"), tmp_path / "usr/lib/systemd/catalog")

    def journalctl(*arguments):
        return subprocess.run(["journalctl", f"--root={tmp_path}", *arguments], check=True,
                              capture_output=True, text=True)
    assert journalctl("--update-catalog").stderr == ""
    listed = journalctl("--list-catalog").stdout.splitlines()
    assert sorted(line.split(" ")[0] for line in listed) == sorted(ids.values())
    assert all(line.split(" ")[1] == "ducha:" for line in listed)


def fields_of(datagram):
    """The native protocol of the journal: NAME=value, or NAME, 64 bits of length, value."""
    fields, rest = {}, datagram
    while rest:
        line, _, rest = rest.partition(b"\n")
        name, equals, value = line.partition(b"=")
        if not equals:
            length, = struct.unpack("<Q", rest[:8])
            value, rest = rest[8:8 + length], rest[9 + length:]
        fields[name.decode()] = value.decode()
    return fields


class Journal:
    """What the journal would receive."""

    def __init__(self, directory):
        self.run = os.path.join(str(directory), "run")
        os.makedirs(os.path.join(self.run, "systemd/journal"))
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(os.path.join(self.run, "systemd/journal/socket"))
        self.socket.settimeout(20)

    def message(self, **wanted):
        """The next message that has these fields."""
        while True:
            fields = fields_of(self.socket.recv(1 << 16))
            if all(fields.get(name) == value for name, value in wanted.items()):
                return fields


def namespace_or_skip():
    """Root alone may, and in a chroot whose root is no mount nobody may."""
    result = subprocess.run(["unshare", "--mount", "true"], capture_output=True, text=True)
    if result.returncode != 0:
        pytest.skip(f"there is no mount namespace to be had: {result.stderr.strip()}")


def test_the_journal_gets_messages_with_fields(tmp_path):
    namespace_or_skip()
    ids, journal, daemon = message_ids(), Journal(tmp_path), lone_daemon(tmp_path)
    with open(daemon.log, "ab") as log:
        stream = os.fstat(log.fileno())
        daemon.process = subprocess.Popen(
            ["unshare", "--mount", "sh", "-c", WITH_JOURNAL, "sh", journal.run, DUCHAD, "-c", daemon.config],
            stderr=log, stdout=log, stdin=subprocess.DEVNULL, cwd=daemon.directory,
            env={**ENVIRONMENT, "JOURNAL_STREAM": f"{stream.st_dev}:{stream.st_ino}"})
    ready = journal.message(MESSAGE_ID=ids["READY"])
    assert ready["PRIORITY"] == "6" and ready["SYSLOG_IDENTIFIER"] == "duchad"
    assert ready["MESSAGE"] == "edge-01: 1 sites, 1 monitors, 1 connections in service"
    lost = journal.message(MESSAGE_ID=ids["CONNECTION_LOST"])
    assert (lost["DUCHA_CONNECTION"], lost["PRIORITY"]) == ("line", "4") and "DUCHA_SITE" not in lost
    alert = journal.message(MESSAGE_ID=ids["ALERT"])
    assert alert["DUCHA_CONNECTION"] == "line" and "RAISED connection line" in alert["MESSAGE"]
    daemon.stop()
    journal.message(MESSAGE_ID=ids["ENDING"])
    assert daemon.said() == ""


def test_plain_stderr_and_a_level_that_moves(tmp_path):
    daemon = lone_daemon(tmp_path).start()
    wait_until(lambda: "line: no answer" in daemon.said(), 20, "the loss of the connection")
    assert not re.search(r"^<\d>", daemon.said(), flags=re.M)

    def reloads(says, n):
        daemon.process.send_signal(signal.SIGHUP)
        wait_until(lambda: daemon.said().count("taken up: ") == n, 20, "the reload")
        return says in daemon.said()
    assert not reloads("readings stood for", 1)
    daemon.process.send_signal(signal.SIGUSR1)
    wait_until(lambda: "the log says what is debug" in daemon.said(), 20, "the new level")
    assert reloads("readings stood for", 2)
    for level in ("info", "warning"):
        daemon.process.send_signal(signal.SIGUSR2)
        wait_until(lambda: f"the log says what is {level}" in daemon.said(), 20, "the new level")
    daemon.stop()
    assert "ending on signal" not in daemon.said()
