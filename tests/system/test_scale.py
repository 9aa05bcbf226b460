# SPDX-License-Identifier: Apache-2.0
"""Five thousand instruments at once, beside some that never answer in time."""
import glob
import os
import re
import resource
import selectors
import socket
import sqlite3
import struct
import subprocess
import threading
import time

import pytest

from conftest import BUILD, modbus_connection, modbus_monitor, site
from servers import wait_until, wait_while_it_grows

SIM = os.path.join(BUILD, "tools", "sim", "ducha-sim")
FACTORS = ("w01018", "w21003", "w21011", "w21001", "w01001")
HEALTHY, SILENT, TRICKLING = 5000, 50, 50
INSTRUMENTS = HEALTHY + SILENT + TRICKLING
DESCRIPTORS = 12000
WATCHED_S = 8
# Polls come once a second. A machine that is busy otherwise may hold one up or lose one; an
# instrument that another one blocks would miss several.
LONGEST_GAP_S = 2.5


class Trickle:
    """Answers rightly, but a byte every 100 ms: no reply is whole before its deadline."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
        self.port = self.listener.getsockname()[1]
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.listener, selectors.EVENT_READ)
        self.pending, self.sent = {}, 0
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while not self.stopping.wait(0.1):
            for key, _ in self.selector.select(0):
                if key.fileobj is self.listener:
                    connection, _ = self.listener.accept()
                    self.selector.register(connection, selectors.EVENT_READ)
                else:
                    self.hear(key.fileobj)
            for connection, bytes in list(self.pending.items()):
                try:
                    self.sent += connection.send(bytes[:1])
                except OSError:
                    self.drop(connection)
                else:
                    self.pending[connection] = bytes[1:]

    def hear(self, connection):
        try:
            request = connection.recv(64)
        except OSError:
            request = b""
        if len(request) < 12:
            self.drop(connection)
            return
        count = struct.unpack(">H", request[10:12])[0]
        self.pending[connection] = (request[:4] + struct.pack(">HBBB", 3 + 2 * count, request[6],
                                                              request[7], 2 * count)
                                    + bytes(2 * count))

    def drop(self, connection):
        self.pending.pop(connection, None)
        self.selector.unregister(connection)
        connection.close()

    def stop(self):
        self.stopping.set()
        self.thread.join(20)
        for key in list(self.selector.get_map().values()):
            key.fileobj.close()
        self.selector.close()


@pytest.fixture
def fleet(tmp_path):
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard != resource.RLIM_INFINITY and hard < DESCRIPTORS:
        pytest.skip(f"the hard limit of descriptors is {hard}, this needs {DESCRIPTORS}")
    ready = tmp_path / "ready"
    process = subprocess.Popen([SIM, "--fleet", str(HEALTHY), "--registers", "10", "--port-base", "0",
                                "--ready-file", ready], stdout=subprocess.DEVNULL)
    try:
        yield int(wait_until(lambda: ready.exists() and re.search(r"\d{4,}", ready.read_text()),
                             what="the fleet").group())
    finally:
        process.terminate()
        process.wait(20)


def sockets_of(daemon):
    folder = f"/proc/{daemon.process.pid}/fd"
    n = 0
    for name in os.listdir(folder):
        try:
            n += os.readlink(f"{folder}/{name}").startswith("socket:")
        except OSError:
            pass
    return n


def readings_by_site(daemon, from_ms):
    """{site: times of its first factor's good readings}, out of the daybooks."""
    times = {}
    for path in glob.glob(os.path.join(daemon.store, "**", "????-??-??*.db"), recursive=True):
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
            for name, ms in db.execute(
                    "SELECT site, received_ms FROM readings JOIN monitors ON monitors.id = monitor "
                    "WHERE factor = ? AND flag = 'N' AND received_ms >= ? ORDER BY received_ms",
                    (FACTORS[0], from_ms)):
                times.setdefault(name, []).append(ms)
        db.close()
    return times


def test_five_thousand_connections_and_the_healthy_ones_do_not_feel_the_others(make_daemon, fleet):
    silent = socket.create_server(("127.0.0.1", 0), backlog=4096)  # the kernel accepts, no more
    trickle = Trickle()
    ports = ([silent.getsockname()[1]] * SILENT + [trickle.port] * TRICKLING + [fleet] * HEALTHY)
    names = ([f"silent-{i}" for i in range(SILENT)] + [f"slow-{i}" for i in range(TRICKLING)]
             + [f"good-{i}" for i in range(HEALTHY)])
    # mixed, so that bad ones lie between good ones
    order = sorted(range(INSTRUMENTS), key=lambda i: i * 2654435761 % 2 ** 32)
    try:
        daemon = make_daemon(
            [modbus_connection(ports[i], names[i], interval_ms=1000, timeout_ms=500) for i in order],
            [site(names[i], [modbus_monitor(f, names[i], 2 * a) for a, f in enumerate(FACTORS)])
             for i in order])
        wait_while_it_grows(lambda: daemon.metric("ducha_connections_up"), HEALTHY,
                            what="all the healthy ones connected", every=1)
        assert sockets_of(daemon) >= HEALTHY
        assert daemon.metric("ducha_connections_up") == HEALTHY
        begin_ms = time.time() * 1000
        time.sleep(WATCHED_S)
        end_ms = time.time() * 1000
        assert daemon.metric("ducha_connections_up") == HEALTHY
        assert daemon.metric("ducha_ring_full_total") == 0
        assert daemon.metric("ducha_polls_total", result="timeout") > 0
    finally:
        daemon.stop()
        trickle.stop()
        silent.close()
    assert trickle.sent > TRICKLING
    times = readings_by_site(daemon, begin_ms)
    assert not [name for name in times if not name.startswith("good-")]
    assert len(times) == HEALTHY
    gaps = {}
    for name, seen in times.items():
        moments = [begin_ms] + [ms for ms in seen if ms <= end_ms] + [end_ms]
        gaps[name] = max(b - a for a, b in zip(moments, moments[1:])) / 1000
    held_up = {name: gap for name, gap in gaps.items() if gap > LONGEST_GAP_S}
    assert not held_up, f"{len(held_up)} instruments were held up, such as {sorted(held_up.items())[:5]}"
