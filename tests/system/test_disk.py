# SPDX-License-Identifier: Apache-2.0
"""The whole daemon on a disk that fills up and is freed again."""
import os
import subprocess
import time

import pytest

from conftest import modbus_connection, modbus_monitor, mqtt_connection, mqtt_monitor, site
from servers import wait_until

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
