# SPDX-License-Identifier: Apache-2.0
"""The whole daemon on a disk that fills up and is freed again."""
import glob
import json
import os
import sqlite3
import subprocess
import time

import pytest

import servers
from conftest import modbus_connection, modbus_monitor, mqtt_connection, mqtt_monitor, recorded, site
from disks import small_tmpfs
from servers import wait_until
from shim import Orders
from test_evidence import verify

FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"

FACTORS = ("w01018", "w21003", "w21011", "w21001", "w01001")
SITES = 16  # with five monitors each, ten times a second: 8192 slots, the smallest ring


@pytest.fixture
def small_disk():
    """small_disk(directory) mounts one there."""
    mounted = []

    def mount(directory):
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", directory],
                              capture_output=True, text=True)
        if done.returncode != 0:
            pytest.skip("a file system of its own needs root: " + done.stderr.strip())
        mounted.append(directory)

    yield mount
    for directory in mounted:
        subprocess.run(["umount", "-l", directory], check=True)


def fill(path):
    """Takes the last byte of the disk."""
    with open(path, "wb", buffering=0) as f:
        for size in (65536, 4096, 512, 1):
            try:
                while True:
                    f.write(b"\0" * size)
            except OSError:
                pass


def test_judging_goes_on_while_the_disk_is_full(make_daemon, instrument, small_disk):
    for address in range(0, 10 * SITES, 2):
        instrument.set_float(address, 20.0)
    daemon = make_daemon(
        [modbus_connection(instrument.port, interval_ms=100)],
        [site(f"outfall-{i}", [modbus_monitor(f, address=10 * i + 2 * j,
                                              limits="{ max = 50.0; }" if i == j == 0 else "")
                               for j, f in enumerate(FACTORS)]) for i in range(SITES)],
        start=False)
    os.makedirs(daemon.store)
    small_disk(daemon.store)
    daemon.start()
    wait_until(lambda: daemon.values("outfall-3", "w01018"), what="a first reading")
    filler = os.path.join(daemon.store, "filler")
    fill(filler)
    wait_until(lambda: daemon.metric("ducha_unrecorded_total", reason="disk") > 0, 60,
               "readings passed over", every=0.2)
    assert daemon.request("GET", "/health")[0] == 503
    assert daemon.metric("ducha_ring_full_total") == 0
    instrument.set_float(0, 61.5)  # the limit is passed while nothing can be written
    wait_until(lambda: instrument.requests > 0 and daemon.metric("ducha_ring_used", reader="judge")
               < 1000, what="the judge keeping up")
    before = instrument.requests
    wait_until(lambda: instrument.requests > before + 10, what="more polls")
    os.unlink(filler)

    case, = wait_until(daemon.cases, 30, "the case, once it can be written")
    assert (case["site"], case["factor"], case["first_value"]) == ("outfall-0", "w01018", 61.5)
    fault, = wait_until(lambda: [a for a in daemon.alerts(kind="fault") if a["cleared_at"] and
                                a["reason"] != "disk_filling"], 30,
                        "the fault told and over")
    assert (fault["site"], fault["reason"], fault["case"]) == (None, "unrecorded", None)
    gaps = daemon.get("/api/v1/gaps")["gaps"]
    assert {(g["site"], g["factor"]) for g in gaps} >= {("outfall-3", f) for f in FACTORS}
    assert sum(g["count"] for g in gaps) == daemon.metric("ducha_unrecorded_total", reason="disk")
    newest = daemon.readings("outfall-3", "w01018")[-1]["received_at"]
    wait_until(lambda: daemon.readings("outfall-3", "w01018")[-1]["received_at"] > newest,
               what="readings recorded again")
    wait_until(lambda: daemon.request("GET", "/health")[0] == 200, what="health again")


def test_what_was_acknowledged_on_a_full_disk_is_recorded_after_a_kill(make_daemon, broker, small_disk):
    daemon = make_daemon([mqtt_connection(broker.port)],
                         [site("a", [mqtt_monitor("w01018", "a/+", rest='value = "/v"; time = "/t";')])], start=False)
    os.makedirs(daemon.store)
    small_disk(daemon.store)
    daemon.start()
    wait_until(lambda: broker.subscribed("edge"), what="a subscription")
    now = int(time.time() * 1000)

    def publish(number):
        broker.publish(f"a/{number}", '{"t":%d,"v":%d}' % (now + number, number))
        wait_until(lambda: f"a/{number}" in broker.acknowledged("edge"), 30, f"an acknowledgement of {number}")

    publish(1)
    filler = os.path.join(daemon.store, "filler")
    fill(filler)
    for number in range(2, 6):
        publish(number)
    assert daemon.metric("ducha_unrecorded_total", reason="timeout") == 4
    daemon.kill()
    os.unlink(filler)
    daemon.start()
    wait_until(lambda: daemon.values("a", "w01018") == [1, 2, 3, 4, 5], 30, "all that was acknowledged")
    daemon.stop()


class Clock:
    """Of a daemon that believes it is so many seconds later."""

    def __init__(self, directory):
        if not os.path.exists(FAKETIME):
            pytest.skip("there is no libfaketime (package faketime)")
        self.file = os.path.join(directory, "clock")
        self.environment = dict(FAKETIME_TIMESTAMP_FILE=self.file, FAKETIME_NO_CACHE="1",
                                FAKETIME_DONT_FAKE_MONOTONIC="1", FAKETIME_DONT_RESET="1")

    def set(self, now):
        self.ahead = now - time.time()
        with open(self.file + ".new", "w") as f:
            f.write(f"+{self.ahead:.3f}\n")
        os.rename(self.file + ".new", self.file)

    def now(self):
        return time.time() + self.ahead


def rows(daemon):
    """(day, factor, value, received_ms) of each reading that has a value."""
    found = []
    for path in sorted(glob.glob(os.path.join(daemon.store, "daybook", "*.db"))):
        db = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=20)
        found += [(os.path.basename(path)[:10], *row) for row in db.execute(
            "SELECT factor, value, received_ms FROM readings JOIN monitors ON monitors.id = readings.monitor"
            " WHERE value IS NOT NULL ORDER BY seq")]
        db.close()
    return found


@pytest.mark.parametrize("how", ["refused", "full"])
def test_midnight_on_a_full_disk_costs_neither_day_a_reading(make_daemon, broker, small_disk, tmp_path, how):
    """The file of the new day cannot be made before the disk is freed. What was acknowledged and what was
    polled on either side of midnight is there then, once, and found by its time, though the first commit
    is one and goes where its first reading belongs; the case of that time is registered, and both days
    verify as they were sealed, after a kill as well."""
    clock, orders = Clock(str(tmp_path)), Orders(str(tmp_path))
    if how == "full":
        small_disk(orders.store)
    midnight = (int(time.time() + 8 * 3600) // 86400 + 1) * 86400 - 8 * 3600  # of UTC+8
    day, next_day = (time.strftime("%Y-%m-%d", time.gmtime(midnight + s)) for s in (8 * 3600 - 1, 8 * 3600))
    instrument = servers.Instrument(counter=0).start()
    instrument.set_float(100, 20.0)
    daemon = make_daemon(
        [modbus_connection(instrument.port), mqtt_connection(broker.port)],
        [site("a", [modbus_monitor("w01018", type="uint32"),
                    mqtt_monitor("w01003", "a/+", rest='value = "/v"; time = "/t";'),
                    modbus_monitor("w21003", address=100, limits="{ max = 50.0; }")])],
        store=orders.store, start=False, environment={
            **orders.environment, **clock.environment, "LD_PRELOAD": f"{orders.environment['LD_PRELOAD']}:{FAKETIME}"})
    clock.set(midnight - 60)
    daemon.start()
    orders.daemon = daemon
    wait_until(lambda: broker.subscribed("edge"), what="a subscription")
    sent = []

    def publish():
        sent.append(len(sent) + 1)
        broker.publish(f"a/{sent[-1]}", '{"t":%d,"v":%d}' % (clock.now() * 1000, sent[-1]))
        wait_until(lambda: f"a/{sent[-1]}" in broker.acknowledged("edge"), 30, "an acknowledgement")

    publish()
    wait_until(lambda: recorded(daemon.store, "w01003") == {1: 1}, what="a first message")
    filler = os.path.join(daemon.store, "filler")
    fill(filler) if how == "full" else orders.give("write:1:ENOSPC:ever")
    publish()
    clock.set(midnight - 1)
    polled = instrument.count
    wait_until(lambda: clock.now() > midnight + 1, what="midnight")
    publish()
    instrument.set_float(100, 61.5)
    wait_until(lambda: instrument.count >= polled + 20, what="polls")
    assert recorded(daemon.store, "w01003") == {1: 1}
    os.unlink(filler) if how == "full" else orders.give("")

    wait_until(lambda: recorded(daemon.store, "w01003") == {n: 1 for n in sent}, 30, "all that was acknowledged")
    case, = wait_until(daemon.cases, 30, "the case")
    assert case["first_value"] == 61.5
    publish()
    wait_until(lambda: recorded(daemon.store, "w01003") == {n: 1 for n in sent}, 30, "a message of the next day")
    daemon.kill()
    found = [(day_, value, ms) for day_, factor, value, ms in rows(daemon) if factor == "w01018"]
    assert [value for _, value, _ in found] == list(range(1, len(found) + 1)), "a reading is missing, or there twice"
    assert {day_ for day_, *_ in found} == {day, next_day}
    assert all(day_ == day for day_, _, at in found if at < midnight * 1000), "of the day before, in the file of the next"
    daemon.start()  # takes what was set aside, too
    wait_until(lambda: recorded(daemon.store, "w01003") == {n: 1 for n in sent}, 30, "all of it again")
    for begin, end in (((midnight - 60) * 1000, midnight * 1000), (midnight * 1000, found[-1][2] + 1)):
        path = "/api/v1/readings?site=a&factor=w01018&limit=100000&from={}&to={}".format(*(
            time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(ms // 1000)) + f".{ms % 1000:03}Z" for ms in (begin, end)))
        assert [r["value"] for r in daemon.get(path)["readings"]] == [v for _, v, at in found if begin <= at < end]
    daemon.stop()
    done = verify(daemon.store, "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    answer = json.loads(done.stdout)
    assert answer["clean"] and answer["unsealed"] == 0 and answer["bad"] is None
    instrument.stop()


def test_a_start_without_any_room_says_so(make_daemon, instrument, tmp_path):
    with small_tmpfs(str(tmp_path / "small"), "8m") as place:
        daemon = make_daemon([modbus_connection(instrument.port)], [site("s", [modbus_monitor("w01018")])],
                             start=False, store=os.path.join(place, "store"))
        daemon.start()
        daemon.kill()
        os.truncate(os.path.join(place, "store", "reserve"), 0)
        filler = os.path.join(place, "filler")
        fill(filler)
        assert daemon.launch().ended() == 1
        assert "there is no room left for a start" in daemon.said()
        os.unlink(filler)
        daemon.start()
        wait_until(lambda: daemon.values("s", "w01018"), what="readings")
