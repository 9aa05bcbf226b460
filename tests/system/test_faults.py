# SPDX-License-Identifier: Apache-2.0
"""The whole daemon among instruments that misbehave, which ducha-sim plays."""
import os
import re
import signal
import subprocess

import pytest

from conftest import BUILD, ENVIRONMENT, modbus_connection, modbus_monitor, monitor, site
from servers import wait_until

SIM = os.path.join(BUILD, "tools", "sim", "ducha-sim")
FAULTS = ["silence", "half-open", "close", "reset", "trickle", "late", "stray", "duplicate",
          "foreign", "transaction", "protocol", "unit", "function", "byte-count", "length-low",
          "length-high", "cut", "surplus", "fewer", "more", "garbage", "chatter"]
DELAYS = {"trickle": 5, "late": 700, "stray": 700, "duplicate": 10, "chatter": 10}


class Sim:
    """ducha-sim; its time stands still until begin()."""

    def __init__(self, directory, servers):
        self.directory = str(directory)
        scenario = os.path.join(self.directory, "faults.cfg")
        ready = os.path.join(self.directory, "ready")
        with open(scenario, "w") as f:
            f.write("servers: (\n" + ",\n".join(servers) + "\n);\n")
        self.process = subprocess.Popen([SIM, "--hold", "--ready-file", ready, scenario],
                                        stdout=subprocess.PIPE, text=True, env=ENVIRONMENT)
        wait_until(lambda: os.path.exists(ready), what="ducha-sim")
        with open(ready) as f:
            lines = [line.split() for line in f]
        self.ports = {line[1]: int(line[3]) for line in lines if line[0] == "modbus"}

    def begin(self):
        self.process.send_signal(signal.SIGUSR1)

    def stop(self):
        """Returns how many faults were played, after making sure that nobody wrote."""
        self.process.terminate()
        told = self.process.communicate(timeout=20)[0]
        faults, writes = re.search(r"faults: (\d+) played, (\d+) requests that do not", told).groups()
        assert int(writes) == 0
        return int(faults)


@pytest.fixture
def make_sim(tmp_path):
    sims = []

    def make(*servers):
        sims.append(Sim(tmp_path, servers))
        return sims[-1]

    yield make
    for sim in sims:
        if sim.process.poll() is None:
            sim.process.kill()
            sim.process.communicate()


def server(id, bases, faults=""):
    """One unit from 1 for each of @bases, the number it shows."""
    units = ", ".join(f'{{ name = "{id}-{i}"; unit_id = {i}; address = 0; base = {base}; }}'
                      for i, base in enumerate(bases, 1))
    return f'{{ id = "{id}"; instruments: ( {units} ); faults: ( {faults} ); }}'


def unit_monitor(factor, unit, connection="line"):
    return monitor(factor, connection, f'unit_id = {unit}; table = "holding"; address = 0; '
                                       f'type = "float32"; order = "ABCD";')


def flags(readings):
    return {r["flag"] for r in readings}


def test_a_broken_instrument_costs_only_its_own_readings(make_daemon, make_sim):
    def fault(kind):
        return f'{{ kind = "{kind}"; share = 0.4; delay_ms = {DELAYS.get(kind, 0)}; }}'

    codes = (1, 2, 3, 4, 5, 6, 8, 10, 11)
    faults = {kind: fault(kind) for kind in FAULTS}
    faults.update({f"exception-{c}": f'{{ kind = "exception"; code = {c}; share = 0.4; }}'
                   for c in codes})
    faults["healthy"] = ""
    shown = {kind: 10.0 + i for i, kind in enumerate(faults)}
    sim = make_sim(*[server(kind, [shown[kind]], text) for kind, text in faults.items()])
    daemon = make_daemon(
        [modbus_connection(sim.ports[k], id=k, interval_ms=100,
                           timeout_ms=5000 if k == "healthy" else 300) for k in faults],
        [site(k, [modbus_monitor("w01018", connection=k)]) for k in faults])

    def good(kind):
        return [r["value"] for r in daemon.readings(kind) if r["flag"] == "N"]

    for kind in faults:
        wait_until(lambda: len(good(kind)) >= 10, 60, f"good readings of {kind}")
    for kind in faults:
        readings = daemon.readings(kind)
        assert {r["value"] for r in readings if r["flag"] == "N"} == {shown[kind]}, kind
        assert {r["value"] for r in readings if r["flag"] != "N"} <= {None}, kind
    assert flags(daemon.readings("healthy")) == {"N"}
    assert daemon.metric("ducha_connections_up", connection="healthy") == 1
    for kind in ("silence", "transaction", "cut", "foreign", "fewer", "unit"):
        assert flags(daemon.readings(kind)) == {"N", "B"}
    assert sim.stop() > 100


def test_a_dead_unit_leaves_its_neighbours_their_rate(make_daemon, make_sim):
    sim = make_sim(server("gateway", [11.0, 12.0, 13.0],
                          '{ kind = "silence"; unit_id = 2; at = 0; for = 0.5; }'))
    factors = {"w01018": 1, "w21003": 2, "w21011": 3}
    daemon = make_daemon(
        [modbus_connection(sim.ports["gateway"], interval_ms=100, timeout_ms=300)],
        [site("plant", [unit_monitor(f, u) for f, u in factors.items()])])
    wait_until(lambda: len(daemon.readings("plant", "w01018")) >= 60, 60, "readings")
    assert flags(daemon.readings("plant", "w21003")) == {"B"}
    asked = daemon.metric("ducha_polls_total", connection="line", result="timeout")
    assert 3 <= asked <= 12
    sim.begin()
    wait_until(lambda: "answering again" in daemon.said(), 60, "the return of unit 2")
    wait_until(lambda: "N" in flags(daemon.readings("plant", "w21003")), what="its value")
    missed = [r["flag"] for r in daemon.readings("plant", "w21003")]
    said = [line for line in daemon.said().splitlines() if "answer" in line]
    assert len(said) == 2, said
    assert "line: no answer from unit 2 for 3 polls (timeout)" in said[0]
    said_missed = int(re.search(r"line: unit 2 answering again, (\d+) polls missed", said[1]).group(1))
    # a timeout and the next round may fall on one tick, and thus on one reading
    assert 0 <= said_missed - missed.count("B") <= 12
    for factor in ("w01018", "w21011"):
        readings = daemon.readings("plant", factor)
        assert {r["value"] for r in readings if r["flag"] == "N"} == {10.0 + factors[factor]}
        assert sum(r["flag"] != "N" for r in readings) <= 3  # the first failure comes in between
    assert daemon.delivered("connection.lost") == []
    sim.stop()


def test_a_refusal_is_one_outage_with_readings_that_say_so(make_daemon, make_sim):
    sim = make_sim(server("plant", [11.0], '{ kind = "refusal"; at = 0.5; for = 3; }'),
                   server("other", [12.0]))
    daemon = make_daemon([modbus_connection(sim.ports["plant"]),
                          modbus_connection(sim.ports["other"], id="other", timeout_ms=5000)],
                         [site("plant", [modbus_monitor("w01018")]),
                          site("other", [modbus_monitor("w01018", connection="other")])])
    wait_until(lambda: "N" in flags(daemon.readings("plant")), what="a first reading")
    sim.begin()
    wait_until(lambda: daemon.delivered("connection.lost"), what="connection.lost")
    wait_until(lambda: daemon.delivered("connection.restored"), 40, "connection.restored")
    wait_until(lambda: daemon.readings("plant")[-1]["flag"] == "N", what="readings again")
    assert flags(daemon.readings("plant")) == {"N", "B"}
    assert flags(daemon.readings("other")) == {"N"}
    assert len(daemon.delivered("connection.lost")) == 1
    said = [line for line in daemon.said().splitlines() if "line: " in line and "answer" in line]
    assert len(said) == 2, said
    assert "no answer" in said[0] and re.search(r"answering again, \d+ polls missed", said[1])
    sim.stop()
