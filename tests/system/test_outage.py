# SPDX-License-Identifier: Apache-2.0
"""A store with three days that InfluxDB has not got: all of it arrives, what is new first, in bounded
memory and at five times the live rate at least, while a case is registered within its ten seconds, and
alerts come and go one after the other, none of them late until the backlog is gone. That what comes while
the server is away is kept, and how long an alert takes, are for other tests (unit/deliver/test-exporter.c,
tests/bench/bench-outage.py). DUCHA_LONG=1: as many readings as ten a second make in three days."""
import os
import subprocess
import time

import servers
from conftest import BUILD, Events, modbus_connection, modbus_monitor, recorded, site
from servers import wait_until
from shim import LONG
from test_soak import memory_of

FILL = os.path.join(BUILD, "tests", "faults", "fill")
ROWS = 72 * 3600 * 10 if LONG else 72 * 3600 // 2
LIVE_EACH_S = 50
LIVE = 10 * LIVE_EACH_S  # that many may wait without an outage
GROWTH_BYTES = 16 << 20  # of what it has asked for; a twentieth of the readings takes nearly as much


def count(influx, factor, least=-10**12):
    rows = influx.points(f"SELECT COUNT(value) FROM reading WHERE factor = '{factor}'"
                         f" AND value >= {least}")
    return rows[0][1] if rows else 0


def alerts_meanwhile(daemon, instrument):
    """Lets a value pass its limit and come back, again and again while there is a backlog, each time
    waiting for the event. Returns how many alerts were told of before the backlog was gone."""
    events, told, behind = Events(daemon), 0, True
    while behind:
        for value, what in ((60.0, "ducha.alert.raised"), (20.0, "ducha.alert.cleared")):
            instrument.set_float(300, value)
            while events.wait(what, 10)["data"]["factor"] != "w21011":
                pass
        behind = daemon.metrics()["ducha_influx_backlog"] > LIVE
        told += behind
    events.close()
    alerts = [a for a in daemon.alerts() if a["factor"] == "w21011"]
    assert len(alerts) == told + 1, f"{len(alerts)} alerts, {told} told of while it was caught up"
    return told


def test_three_days_of_outage_arrive_behind_what_is_new(make_daemon, influx):
    instrument = servers.Instrument(counter=0).start()
    instrument.set_float(100, 20.0)
    instrument.set_float(200, -1.0)
    instrument.set_float(300, 20.0)
    daemon = make_daemon(
        [modbus_connection(instrument.port, interval_ms=1000 // LIVE_EACH_S)],
        [site("outfall-3", [modbus_monitor("w01018", type="uint32"),
                            modbus_monitor("w01001", address=200, rest="interval_ms = 60000;"),
                            modbus_monitor("w21003", address=100, rest="interval_ms = 1000;",
                                           limits="{ max = 50.0; }"),
                            modbus_monitor("w21011", address=300, limits='{ max = 50.0; opens = "alert"; }')])],
        influx=influx, start=False)
    subprocess.run([FILL, daemon.store, "outfall-3", "w01001", str(ROWS), "72"], check=True)
    daemon.start()
    began = time.monotonic()
    wait_until(lambda: count(influx, "w01018") > 0, 30, "a fresh reading in InfluxDB")
    fresh_after = time.monotonic() - began
    waiting = daemon.metrics()["ducha_influx_backlog"]
    memory = memory_of(daemon)
    instrument.set_float(100, 61.5)
    at = time.monotonic()
    wait_until(daemon.cases, 10, "a case meanwhile")
    case_after = time.monotonic() - at
    alerts = alerts_meanwhile(daemon, instrument)
    wait_until(lambda: daemon.metrics()["ducha_influx_backlog"] == 0, 1200, "all of it", every=0.1)
    took = time.monotonic() - began
    grown = memory_of(daemon) - memory
    assert waiting > 0, "the backlog was sent before what is new"
    assert alerts > 0, "no alert before the backlog was gone"
    assert daemon.metric("ducha_unrecorded_total") == daemon.metric("ducha_ring_full_total") == 0
    counts = sorted(recorded(daemon.store, "w01018"))
    assert counts == list(range(1, len(counts) + 1)), "a reading that came meanwhile is missing"
    assert count(influx, "w01001", 0) == ROWS
    assert grown <= GROWTH_BYTES, f"grew by {grown} bytes"
    rate = ROWS / took
    assert rate >= 5 * LIVE_EACH_S, f"{rate:.0f} readings a second"
    print(f"{ROWS} readings of 72 h in {took:.1f} s, {rate:.0f}/s beside {LIVE_EACH_S}/s live; {alerts} alerts"
          f" meanwhile; the first fresh one after {fresh_after:.2f} s with {waiting:.0f} waiting, a case {case_after:.2f} s"
          f" after its cause, memory grew by {grown // 1024} KiB")
    daemon.stop()
    instrument.stop()
