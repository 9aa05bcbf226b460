#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What an outage of InfluxDB costs, with a real one and a real broker:

bench-outage.py DUCHAD SIM FILL-DAY [ROWS]

A store with ROWS readings that the database has not got, and a thousand monitors polled once a second
beside. Prints how fast the backlog arrives beside the live readings, what memory grows, and how long it
takes from a message over its limit to the event of its alert: while the database is away, while it is
caught up, and afterwards. Fails if a reading or an alert is missing; how long anything takes is for
the reader.
"""
import os
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import threading
import time

DUCHAD, SIM, FILL = (os.path.abspath(path) for path in sys.argv[1:4])
LONG = bool(os.environ.get("DUCHA_LONG"))
ROWS = int(sys.argv[4]) if len(sys.argv) > 4 else 10000000 if LONG else 1000000
os.environ["DUCHA_BUILD"] = os.path.dirname(DUCHAD)
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "system"))

import servers  # noqa: E402: the path is known by now
from conftest import Daemon, Events, modbus_connection, modbus_monitor, mqtt_connection, mqtt_monitor, site  # noqa: E402
from servers import wait_until  # noqa: E402

SITES, QUIET_S = 100, 20
FACTORS = ("w01001", "w01009", "w01018", "w21003", "w21011", "w21001", "w01019", "w01010", "w01012", "w00000")


class Alerts(threading.Thread):
    """Messages over the limit and under it in turn, each waiting for the event of the one before."""

    def __init__(self, daemon, port):
        super().__init__(daemon=True)
        self.events, self.publisher = Events(daemon), servers.Publisher(port, "watched")
        self.ending, self.took, self.phase = threading.Event(), {}, None
        self.sent = self.seen = 0

    def run(self):
        while not self.ending.is_set():
            high = self.sent % 2 == 0
            phase, at = self.phase, time.monotonic()
            self.sent += 1
            self.publisher.publish("watched", '{"v":%d,"t":%d}' % (60 if high else 20, time.time() * 1000))
            event = self.events.wait("ducha.alert.raised" if high else "ducha.alert.cleared")
            assert event["data"]["site"] == "watched", event
            self.seen += 1
            if high:
                self.took.setdefault(phase, []).append(time.monotonic() - at)
            self.ending.wait(random.uniform(0.01, 0.06))

    def close(self):
        self.ending.set()
        self.join(60)
        assert self.seen == self.sent, f"{self.sent - self.seen} messages without the event of their alert"


def memory_of(daemon):
    """KiB in the machine's memory, and asked for"""
    text = pathlib.Path(f"/proc/{daemon.process.pid}/status").read_text()
    return [int(re.search(rf"{name}:\s+(\d+)", text).group(1)) for name in ("VmRSS", "VmData")]


def share(values, p):
    return sorted(values)[min(int(len(values) * p), len(values) - 1)] * 1000


def make_daemon(directory, broker, influx, port):
    sites = [site(f"site-{s}", [modbus_monitor(f, f"line-{s}", 2 * i) for i, f in enumerate(FACTORS)])
             for s in range(SITES)]
    watched = site("watched", [mqtt_monitor("w21003", "watched", '{ max = 50.0; opens = "alert"; }',
                                            'value = "/v"; time = "/t";')])
    return Daemon(directory, [modbus_connection(port, f"line-{s}", 1000) for s in range(SITES)]
                  + [mqtt_connection(broker.port)], [*sites, watched], influx=influx)


def run(directory, broker, influx, port):
    daemon = make_daemon(directory, broker, influx, port)
    os.makedirs(daemon.store)
    subprocess.run([FILL, daemon.store, str(ROWS)], check=True)
    filled = int(time.time() * 1000)
    influx.stop()
    daemon.start()
    try:
        wait_until(lambda: broker.subscribed("edge"), what="the subscription")
        wait_until(lambda: daemon.metric("ducha_connections_up") >= SITES, what="all connections")
        alerts = Alerts(daemon, broker.port)
        alerts.phase = "away"
        alerts.start()
        time.sleep(QUIET_S)
        before, live, began = memory_of(daemon), daemon.metric("ducha_readings_total"), time.monotonic()
        waiting = daemon.metric("ducha_influx_backlog")
        alerts.phase = "catching up"
        influx.start()
        began_to_take, most = time.monotonic(), before
        while daemon.metric("ducha_influx_backlog") > 2 * SITES * len(FACTORS):
            most = [max(pair) for pair in zip(most, memory_of(daemon))]
            time.sleep(0.2)
        took, ended = time.monotonic() - began_to_take, time.monotonic()
        live = (daemon.metric("ducha_readings_total") - live) / (ended - began)
        alerts.phase = "caught up"
        time.sleep(QUIET_S)
        alerts.close()
        lost = daemon.metric("ducha_unrecorded_total") + daemon.metric("ducha_ring_full_total")
        assert lost == 0, f"{lost} readings were passed over"
        wait_until(lambda: daemon.metric("ducha_influx_backlog") == 0, what="the rest")
    finally:
        daemon.kill()
    arrived = influx.points(f"SELECT COUNT(value) FROM reading WHERE time < {filled}ms")[0][1]
    assert arrived == ROWS, f"{arrived} of {ROWS}"
    rate = waiting / took
    print(f"catch-up: {waiting:.0f} readings in {took:.1f} s, {rate:.0f}/s beside {live:.0f}/s live:"
          f" {rate / live:.1f} times as fast; memory grew by {most[0] - before[0]} KiB (asked for: {most[1] - before[1]} KiB)")
    for phase, values in alerts.took.items():
        print(f"  from a message to the event of its alert, {phase}: median {share(values, 0.5):.1f} ms, 99 % within"
              f" {share(values, 0.99):.1f} ms, all within {share(values, 1):.1f} ms, of {len(values)}")


def main():
    if servers.MOSQUITTO is None or servers.INFLUXD is None:
        return 77
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        ready = directory / "ready"
        fleet = subprocess.Popen([SIM, "--fleet", str(SITES), "--registers", str(2 * len(FACTORS)), "--port-base", "0",
                                  "--ready-file", ready], stdout=subprocess.DEVNULL)
        broker, influx = servers.Broker(directory / "broker"), servers.Influx(directory / "influx")
        try:
            port = wait_until(lambda: ready.exists() and re.search(r"\d{4,}", ready.read_text()), what="the fleet")
            run(directory, broker.start(), influx.start(), int(port.group()))
        finally:
            broker.stop()
            influx.stop()
            fleet.terminate()
            fleet.wait(20)
    return 0


if __name__ == "__main__":
    sys.exit(main())
