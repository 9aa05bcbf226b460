# SPDX-License-Identifier: Apache-2.0
"""Who acts over the socket is who the kernel says, in his role; and clients that flood the daemon
keep it from nothing."""
import itertools
import json
import os
import socket
import subprocess
import threading

import pytest

import servers
from conftest import DUCHACTL, ENVIRONMENT, modbus_connection, modbus_monitor, site
from servers import wait_until

OFFICERS = """
officers: ( { id = "n"; name = "Ning"; user = "nobody"; roles = ("inspector"); },
            { id = "r"; name = "Rong"; user = "root"; roles = ("handler"); },
            { id = "g"; name = "Guest"; roles = ("leader"); } );
"""


def duchactl(daemon, *words, user="root"):
    return subprocess.run(["setpriv", "--reuid", user, "--clear-groups", DUCHACTL, "-s", daemon.socket,
                           "--json", *words], capture_output=True, text=True, env=ENVIRONMENT)


@pytest.fixture
def office(make_daemon, tmp_path):
    """A daemon with a case, whose socket everybody on this machine can reach."""
    if os.geteuid() != 0:
        pytest.skip("to be another user needs root")
    daemon = make_daemon([], [site("outfall-3", [])], more=OFFICERS)
    for folder in (tmp_path, *tmp_path.parents):
        if os.stat(folder).st_uid == 0 and str(folder).startswith("/tmp/"):
            os.chmod(folder, 0o755)
    os.chmod(daemon.socket, 0o666)
    assert duchactl(daemon, "case", "open", "--site", "outfall-3", "--source", "inspection").returncode == 0
    return daemon


def last_by(daemon):
    return json.loads(duchactl(daemon, "case", "1").stdout)["history"][-1]["by"]


def test_the_user_at_the_other_end_is_the_one_who_acts(office):
    assert duchactl(office, "case", "1", "note", "--note", "x", user="nobody").returncode == 0
    assert last_by(office) == "Ning"
    assert duchactl(office, "case", "1", "note", "--note", "x").returncode == 0
    assert last_by(office) == "Rong"


def test_nobody_acts_in_the_name_of_another_user(office):
    answer = duchactl(office, "case", "1", "note", "--note", "x", "--by", "Rong", user="nobody")
    assert answer.returncode == 1
    assert 'Rong acts as the user "root", and you are "nobody"' in answer.stderr
    assert duchactl(office, "case", "1", "note", "--note", "x", "--by", "Guest", user="nobody").returncode == 0
    assert last_by(office) == "Guest"


def test_each_has_the_deeds_of_his_role(office):
    assert duchactl(office, "case", "1", "assign", "--unit", "U", user="nobody").returncode == 1
    assert duchactl(office, "case", "1", "assign", "--unit", "U").returncode == 0
    assert duchactl(office, "cases", user="nobody").returncode == 0


class Flood:
    """Clients of all kinds at once: quick, greedy, mute, and those that never finish a request."""

    def __init__(self, path):
        self.path, self.ending, self.answered, self.kept = path, threading.Event(), 0, []
        self.threads = [threading.Thread(target=self.ask, args=(request,)) for request in 4 * (
            "/api/v1/sites", "/api/v1/readings?site=outfall-3&factor=w01018&limit=100000")]
        heads = itertools.cycle(("GET /api/v1/events HTTP/1.1\r\nHost: x\r\n\r\n", "GET /metr", ""))
        for head in itertools.islice(heads, 180):
            self.hold(head)
        wait_until(lambda: len(self.kept) > 100 or self.hold(next(heads)), 60, "a hundred clients at once")
        for thread in self.threads:
            thread.start()

    def hold(self, head):
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(2)
        try:
            client.connect(self.path)
            client.sendall(head.encode())
            self.kept.append(client)
        except OSError:
            client.close()  # there is no room for more: just what a flood is to find

    def ask(self, request):
        while not self.ending.is_set():
            client = socket.socket(socket.AF_UNIX)
            client.settimeout(2)
            try:
                client.connect(self.path)
                client.sendall(f"GET {request} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
                while client.recv(65536):
                    self.answered += 1
            except OSError:
                self.ending.wait(0.01)
            finally:
                client.close()

    def end(self):
        self.ending.set()
        for thread in self.threads:
            thread.join()
        for client in self.kept:
            client.close()


@pytest.mark.skipif(os.environ.get("DUCHA_LONG") != "1", reason="wants a quiet machine: DUCHA_LONG=1")
def test_a_flood_of_clients_keeps_the_daemon_from_nothing(make_daemon, tmp_path):
    """Polls go on and none is lost, and a case is registered in the midst of it."""
    instrument = servers.Instrument(counter=10).start()
    instrument.set_float(0, 20.0)
    daemon = make_daemon([modbus_connection(instrument.port, interval_ms=50, timeout_ms=10000)], [
        site("outfall-3", [modbus_monitor("w01018", limits="{ max = 50.0; }"),
                           modbus_monitor("w21003", address=10, type="uint32")])])
    wait_until(lambda: instrument.count > 20, 20, "polls")
    flood = Flood(daemon.socket)
    try:
        before = instrument.count
        wait_until(lambda: instrument.count > before + 100, 60, "polls during the flood")
        instrument.set_float(0, 80.0)
        wait_until(lambda: daemon.cases(), 30, "a case during the flood")
    finally:
        flood.end()
    wait_until(lambda: daemon.healthy(), 30, "the API after the flood")
    counts = [int(reading["value"]) for reading in daemon.readings("outfall-3", "w21003")]
    assert counts == list(range(counts[0], counts[0] + len(counts))), "a poll was answered and not recorded"
    assert daemon.metric("ducha_ring_full_total", ring="field") == 0
