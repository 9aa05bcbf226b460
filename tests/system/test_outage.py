# SPDX-License-Identifier: Apache-2.0
"""A store with three days that InfluxDB has not got: all of it arrives, what is new first, in bounded
memory and at five times the live rate at least, while a case is registered within its ten seconds. That
what comes while the server is away is kept, and the judge's own time, are for other tests
(unit/deliver/test-exporter.c, tests/bench). DUCHA_LONG=1: as many readings as ten a second make in three days."""
import os
import subprocess
import time

import servers
from conftest import BUILD, modbus_connection, modbus_monitor, site
from servers import wait_until
from shim import LONG

FILL = os.path.join(BUILD, "tests", "faults", "fill")
ROWS = 72 * 3600 * 10 if LONG else 72 * 3600 // 2
LIVE_EACH_S = 50
GROWTH_BYTES = 16 << 20


def memory_of(daemon):
    with open(f"/proc/{daemon.process.pid}/statm") as f:
        return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def count(influx, factor, least=-10**12):
    rows = influx.points(f"SELECT COUNT(value) FROM reading WHERE factor = '{factor}'"
                         f" AND value >= {least}")
    return rows[0][1] if rows else 0


def test_three_days_of_outage_arrive_behind_what_is_new(make_daemon, influx):
    instrument = servers.Instrument(counter=0).start()
    instrument.set_float(100, 20.0)
    instrument.set_float(200, -1.0)
    daemon = make_daemon(
        [modbus_connection(instrument.port, interval_ms=1000 // LIVE_EACH_S)],
        [site("outfall-3", [modbus_monitor("w01018", type="uint32"),
                            modbus_monitor("w01001", address=200, rest="interval_ms = 60000;"),
                            modbus_monitor("w21003", address=100, rest="interval_ms = 1000;",
                                           limits="{ max = 50.0; }")])],
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
    wait_until(lambda: daemon.metrics()["ducha_influx_backlog"] == 0, 1200, "all of it", every=0.1)
    took = time.monotonic() - began
    grown = memory_of(daemon) - memory
    assert waiting > 0, "the backlog was sent before what is new"
    assert count(influx, "w01001", 0) == ROWS
    assert grown <= GROWTH_BYTES, f"grew by {grown} bytes"
    rate = ROWS / took
    assert rate >= 5 * LIVE_EACH_S, f"{rate:.0f} readings a second"
    print(f"{ROWS} readings of 72 h in {took:.1f} s, {rate:.0f}/s beside {LIVE_EACH_S}/s live;"
          f" the first fresh one after {fresh_after:.2f} s with {waiting:.0f} waiting, a case"
          f" {case_after:.2f} s after its cause, memory grew by {grown // 1024} KiB")
    daemon.stop()
    instrument.stop()
