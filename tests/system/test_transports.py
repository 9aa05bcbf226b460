# SPDX-License-Identifier: Apache-2.0
"""Serial instruments behind sockets, with pymodbus as the other side."""
import random
import socket
import threading

import pytest

import servers
from conftest import modbus_monitor, site
from servers import wait_until


@pytest.fixture
def gateway():
    server = servers.Instrument(rtu=True).start()
    yield server
    server.stop()


def test_an_instrument_behind_a_serial_gateway_opens_a_case(make_daemon, gateway):
    gateway.set_float(0, 20.0)
    gateway.refused.add(40)
    line = (f'{{ id = "bus"; driver = "modbus"; transport = "rtu-over-tcp"; host = "127.0.0.1"; '
            f'port = {gateway.port}; interval_ms = 100; timeout_ms = 1000; request_gap_ms = 5; '
            f'connect_pause_ms = 20; max_gap = 0; }}')
    daemon = make_daemon([line], [site("outfall-3", [
        modbus_monitor("w01018", "bus", limits="{ max = 50.0; }"),
        modbus_monitor("w21003", "bus", address=40)])])
    wait_until(lambda: len(daemon.values("outfall-3", "w01018")) >= 5, what="readings")
    assert set(daemon.values("outfall-3", "w01018")) == {20.0}
    assert {r["value"] for r in daemon.readings("outfall-3", "w21003")} == {None}
    gateway.set_float(0, 61.5)
    case = wait_until(daemon.cases, what="a case")[0]
    assert (case["first_value"], case["limit"]) == (61.5, 50)
    assert daemon.metric("ducha_polls_total", connection="bus", result="exception") > 0
    assert daemon.metric("ducha_polls_total", connection="bus", result="error") == 0
    assert daemon.metric("ducha_unasked_bytes_total", connection="bus") == 0


def test_instruments_on_a_serial_line_open_a_case_and_it_may_be_unplugged(make_daemon, tmp_path):
    cable = servers.Cable(tmp_path)
    instrument = servers.Instrument(device=cable.far).start()
    line = (f'{{ id = "bus"; driver = "modbus"; transport = "rtu"; device = "{cable.device}"; '
            f'baud = 19200; parity = "N"; data_bits = 8; stop_bits = 1; interval_ms = 100; '
            f'timeout_ms = 1000; max_gap = 0; }}')
    try:
        instrument.set_float(0, 20.0)
        instrument.refused.add(40)
        daemon = make_daemon([line], [site("outfall-3", [
            modbus_monitor("w01018", "bus", limits="{ max = 50.0; }"),
            modbus_monitor("w21003", "bus", address=40)])])
        wait_until(lambda: len(daemon.values("outfall-3", "w01018")) >= 5, what="readings")
        assert set(daemon.values("outfall-3", "w01018")) == {20.0}
        assert {r["value"] for r in daemon.readings("outfall-3", "w21003")} == {None}
        assert daemon.metric("ducha_polls_total", connection="bus", result="exception") > 0
        assert daemon.metric("ducha_polls_total", connection="bus", result="error") == 0
        cable.unplug()
        wait_until(lambda: daemon.delivered("connection.lost"), what="connection.lost")
        assert daemon.metric("ducha_connections_up", connection="bus") == 0
        cable.plug()
        wait_until(lambda: daemon.delivered("connection.restored"), what="connection.restored")
        wait_until(lambda: daemon.readings("outfall-3", "w01018")[-1]["flag"] == "N",
                   what="readings again")
        assert {r["flag"] for r in daemon.readings("outfall-3", "w01018")} == {"N", "B"}
        said = [text for text in daemon.said().splitlines() if "answer" in text and "bus: " in text
                and "exception" not in text]
        assert len(said) == 2 and "no answer for 3 polls" in said[0], said
        assert "answering again" in said[1]
        instrument.set_float(0, 61.5)
        case = wait_until(daemon.cases, what="a case")[0]
        assert (case["first_value"], case["limit"]) == (61.5, 50)
        status, health = daemon.request("GET", "/health")
        assert status == 200, health
    finally:
        instrument.stop()
        cable.unplug()


def called(port):
    try:
        return socket.create_connection(("127.0.0.1", port), 20)
    except ConnectionRefusedError:
        return None


class Unit:
    """A cellular unit: dials in, registers, and carries bytes between the daemon and an instrument.

    Behind and within what the instrument says it puts heartbeats, and it sends everything in pieces.
    """

    def __init__(self, port, instrument, registration):
        # /health answers before the drivers listen
        self.daemon = wait_until(lambda: called(port), what="the daemon listening to units")
        self.instrument = socket.create_connection(("127.0.0.1", instrument.port), 20)
        for s in (self.daemon, self.instrument):
            s.settimeout(None)
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.random = random.Random(1)
        self.say(registration)
        self.threads = [threading.Thread(target=f, daemon=True) for f in (self.down, self.up)]
        for thread in self.threads:
            thread.start()

    def say(self, data):
        while data:
            n = self.random.randint(1, 4)
            self.daemon.sendall(data[:n])
            data = data[n:]

    def down(self):
        self.carry(self.daemon, self.instrument.sendall)
        self.close()

    def up(self):
        self.carry(self.instrument, lambda data: self.say(self.mixed(data)))

    def mixed(self, data):
        at = self.random.randint(0, len(data))
        return data[:at] + b"\xfe\xfeping" + data[at:]

    @staticmethod
    def carry(source, sink):
        try:
            while data := source.recv(4096):
                sink(data)
        except OSError:
            pass

    def close(self):
        for s in (self.daemon, self.instrument):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def end(self):
        self.close()
        for thread in self.threads:
            thread.join(20)


def test_instruments_behind_units_that_dial_in_are_read_through_heartbeats(make_daemon, gateway):
    port = servers.free_port()
    lines = [f'{{ id = "{id}"; driver = "modbus"; transport = "dtu"; listen = "127.0.0.1:{port}"; '
             f'registration = "{packet}"; heartbeat = "hex:fefe70696e67"; interval_ms = 50; '
             f'timeout_ms = 2000; max_gap = 0; }}'
             for id, packet in (("unit-1", "860000000000017"), ("unit-2", "hex:d7020d0a"))]
    gateway.set_float(0, 20.0)
    gateway.set_float(10, 7.0)
    daemon = make_daemon(lines, [site("outfall-3", [
        modbus_monitor("w01018", "unit-1", limits="{ max = 50.0; }"),
        modbus_monitor("w01001", "unit-2", address=10)])])
    units = [Unit(port, gateway, b"860000000000017"), Unit(port, gateway, b"\xd7\x02\r\n")]
    try:
        wait_until(lambda: len(daemon.values("outfall-3", "w01018")) >= 40
                   and len(daemon.values("outfall-3", "w01001")) >= 40, what="readings")
        assert set(daemon.values("outfall-3", "w01018")) <= {20.0, None}
        assert set(daemon.values("outfall-3", "w01001")) <= {7.0, None}
        for unit in ("unit-1", "unit-2"):
            assert daemon.metric("ducha_unasked_bytes_total", connection=unit) == 0
            assert daemon.metric("ducha_polls_total", connection=unit, result="timeout") == 0
        units.append(Unit(port, gateway, b"860000000000017"))
        units[0].threads[0].join(20)
        assert not units[0].threads[0].is_alive(), "the older connection goes on"
        gateway.set_float(0, 61.5)
        case = wait_until(daemon.cases, what="a case")[0]
        assert (case["first_value"], case["limit"]) == (61.5, 50)
        with socket.create_connection(("127.0.0.1", port), 20) as unknown:
            unknown.sendall(b"who am I")
            assert unknown.recv(1) == b""
        assert daemon.metric("ducha_callers_refused_total", reason="unknown") == 1
        assert daemon.said().count("no connection has a registration") == 1
    finally:
        for unit in units:
            unit.end()
