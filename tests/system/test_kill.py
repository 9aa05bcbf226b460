# SPDX-License-Identifier: Apache-2.0
"""SIGKILL at random moments under load, again and again: nothing accepted is lost or invented.

DUCHA_KILLS is how often (100, in two runs; in each of ten runs with DUCHA_LONG=1), DUCHA_SEED repeats
them.
The load is a pymodbus instrument whose counter stands for each polled reading, a stream of QoS 1
messages through mosquitto, and one more exceedance in each life of the daemon.

The broker's own log tells which messages the daemon has acknowledged at the moment of the kill: each
of them has to be in the daybook then.
"""
import glob
import os
import random
import sqlite3
import threading
import time

import pytest

import servers
from conftest import modbus_connection, modbus_monitor, mqtt_connection, mqtt_monitor, recorded, site
from servers import wait_until, wait_while_it_grows
from shim import LONG

RUNS = 10 if LONG else 2
KILLS = int(os.environ.get("DUCHA_KILLS", "100")) // (1 if LONG else RUNS)
SEED = int(os.environ.get("DUCHA_SEED", str(random.SystemRandom().randrange(1 << 31))))
FLUSH_S = 0.1
WAITING = 500  # messages that may be on their way
FIRST = 100  # address of the first of the registers that exceed, two for each


class Stream(threading.Thread):
    """Sends numbered messages, each under a topic of its own, as the broker's log shows topics."""

    def __init__(self, broker):
        super().__init__(daemon=True)
        self.publisher = servers.Publisher(broker.port)
        self.ending, self.going = threading.Event(), threading.Event()
        self.sent, self.most = 0, float("inf")

    def run(self):
        while not self.ending.is_set():
            if not self.going.wait(0.1):
                continue
            if self.sent >= self.most:
                self.ending.wait(0.05)
                continue
            now = int(time.time() * 1000)
            self.sent += 1
            try:
                self.publisher.publish(f"load/{self.sent}", '{"t":%d,"v":%d}' % (now, self.sent))
            except OSError:  # the broker is gone; somebody who knows goes on with another
                self.going.clear()
            self.ending.wait(0.008)
        self.publisher.close()


class Acknowledgements:
    """Follows the broker's log: which numbers the daemon has acknowledged."""

    def __init__(self, broker):
        self.broker, self.offset, self.sent, self.numbers = broker, 0, {}, set()

    def read(self):
        with open(self.broker.log, errors="replace") as log:
            log.seek(self.offset)
            text = log.read()
        text = text[:text.rfind("\n") + 1]
        self.offset += len(text.encode())
        for line in text.splitlines():
            if "Sending PUBLISH to edge" in line:
                mid = line.split(", m", 1)[1].split(",", 1)[0]
                self.sent[mid] = int(line.split("'load/", 1)[1].split("'", 1)[0])
            elif "Received PUBACK from edge" in line:
                mid = line.split("Mid: ", 1)[1].split(",", 1)[0]
                self.numbers.add(self.sent.pop(mid))
        return self.numbers


class Disk(threading.Thread):
    """How long the machine holds up a small write that is synced, beside the daemon's own: what
    others write, or remove, can keep each fsync of a file system waiting for seconds."""

    EVERY_S = 0.02

    def __init__(self, path):
        super().__init__(daemon=True)
        self.path, self.ending = path, threading.Event()
        self.stalls = []  # (from, to); the last is under way

    def run(self):
        with open(self.path, "wb", buffering=0) as f:
            while not self.ending.is_set():
                began = time.monotonic() + self.EVERY_S
                self.stalls.append((began, float("inf")))
                self.ending.wait(self.EVERY_S)
                f.write(b"x")
                os.fsync(f.fileno())
                self.stalls[-1] = (began, time.monotonic())

    def stalled(self, since, until):
        """Seconds of that time."""
        return sum(max(0.0, min(b, until) - max(a, since)) for a, b in self.stalls)


class Watch:
    """What has been seen of the daemon so far, and must not change."""

    def __init__(self, daemon, instrument, acknowledgements):
        self.daemon, self.instrument = daemon, instrument
        self.acknowledgements = acknowledgements
        self.numbers = {}   # of cases, by id
        self.alerts = {}    # active ones: (id, began_at, raised_at) by factor and site
        self.judged = 0      # replies looked at after earlier kills
        self.oldest = 0.0    # age at the kill of the oldest reply that was not kept

    def read_daybook(self, factor):
        return recorded(self.daemon.store, factor)

    def check_messages(self, recorded):
        lost = self.acknowledgements.read() - set(recorded)
        assert not lost, f"acknowledged and not in the daybook: {sorted(lost)[:20]}"
        twice = [v for v, n in recorded.items() if n > 1]
        assert not twice, f"recorded more than once: {twice[:20]}"

    def check_polls(self, killed_at, disk):
        recorded = self.read_daybook("w01018")
        invented = set(recorded) - set(range(1, self.instrument.count + 1))
        twice = [v for v, n in recorded.items() if n > 1]
        assert not invented and not twice, f"invented {invented}, recorded twice {twice[:20]}"
        served = self.instrument.served[self.judged:]
        self.judged += len(served)
        for served_at, count in served:
            age = killed_at - served_at
            if age > 0 and count not in recorded:
                self.oldest = max(self.oldest, age)
                stalled = disk.stalled(served_at, killed_at)
                assert age <= FLUSH_S + 1 + stalled, (
                    f"reading {count}, {age:.3f} s before the kill, is lost, and the disk was held"
                    f" up for {stalled:.3f} s of that")

    def check_cases(self):
        cases = self.daemon.cases()
        ids = sorted(c["id"] for c in cases)
        assert ids == list(range(1, len(ids) + 1)), f"case ids: {ids}"
        sequence = [int(c["number"].split("〕")[1].rstrip("号"))
                    for c in sorted(cases, key=lambda c: c["id"])]
        assert sequence == ids, f"case numbers: {sequence}"
        places = [(c["site"], c["factor"]) for c in cases]
        assert len(set(places)) == len(places), "two open cases of one monitor"
        for case in cases:
            known = self.numbers.setdefault(case["id"], (case["number"], case["site"]))
            assert known == (case["number"], case["site"]), f"case {case['id']} changed"
        assert set(self.numbers) <= set(ids), "a case that was seen is gone"

    def check_deliveries(self):
        opened = [e["data"] for e in self.daemon.delivered("case.opened")]
        ids = [c["id"] for c in opened]
        assert len(set(ids)) == len(ids), "a case was announced as two events"
        for case in opened:
            known = self.numbers.setdefault(case["id"], (case["number"], case["site"]))
            assert known == (case["number"], case["site"]), f"case {case['id']} changed"

    def check_alerts(self):
        now = {(a["site"], a["factor"]): (a["id"], a["began_at"], a["raised_at"])
               for a in self.daemon.alerts(active=True, kind="exceedance")}
        for place, alert in self.alerts.items():
            assert now.get(place) == alert, f"{place}: was {alert}, is {now.get(place)}"
        self.alerts = now


def one_life(watch, random_, n, stream, after_puback):
    """Lets site n exceed and kills the daemon, both at random moments, or as soon as the broker has
    got one more acknowledgement. Returns when it was killed."""
    length = random_.uniform(1.2, 2.4) if n % 6 == 0 else random_.uniform(0.0, 0.8)
    exceeds = random_.uniform(0.0, length)
    time.sleep(exceeds)
    watch.instrument.set_float(FIRST + 2 * n, 60.0 + n)
    time.sleep(length - exceeds)
    if after_puback:
        known = len(watch.acknowledgements.read())
        stream.most = known + WAITING
        wait_until(lambda: len(watch.acknowledgements.read()) > known, what="a PUBACK", every=0)
    killed_at = time.monotonic()
    watch.daemon.kill()
    return killed_at


@pytest.mark.parametrize("run", range(RUNS))
def test_a_kill_at_any_moment_loses_and_invents_nothing(make_daemon, broker, tmp_path, run):
    print(f"DUCHA_SEED={SEED} DUCHA_KILLS={KILLS}")
    random_ = random.Random(SEED + run)
    instrument = servers.Instrument(counter=0).start()
    sites = [site("load", [modbus_monitor("w01018", type="uint32"),
                           mqtt_monitor("w01003", "load/+", rest='value = "/v"; time = "/t";')]),
             *(site(f"s{n}", [modbus_monitor("w21003", address=FIRST + 2 * n,
                                             limits="{ max = 50.0; }")]) for n in range(KILLS))]
    daemon = make_daemon([modbus_connection(instrument.port, interval_ms=50, timeout_ms=2000),
                          # a slow machine is no slow disk: nothing is acknowledged unrecorded
                          mqtt_connection(broker.port, ack_timeout_ms=8000)], sites)
    wait_until(lambda: broker.subscribed("edge"), what="the subscription")
    stream, watch = Stream(broker), Watch(daemon, instrument, Acknowledgements(broker))
    disk = Disk(str(tmp_path / "disk"))
    disk.start()
    stream.start()
    began, starting = time.monotonic(), 0.0
    try:
        for n in range(KILLS):
            # a message that waits for its commit takes the polled readings along, so that every
            # third life does without
            (stream.going.clear if n % 3 == 0 else stream.going.set)()
            stream.most = len(watch.acknowledgements.read()) + WAITING
            killed_at = one_life(watch, random_, n, stream, after_puback=n % 3 == 1)
            watch.check_deliveries()
            recorded = watch.read_daybook("w01003")
            watch.check_messages(recorded)
            watch.check_polls(killed_at, disk)
            at = time.monotonic()
            daemon.start()
            starting = max(starting, time.monotonic() - at)
            watch.check_cases()
            watch.check_alerts()
            wait_until(lambda: len(daemon.cases()) == n + 1, 20,
                       f"a case for the exceedance of site s{n} that still lasts")
        stream.ending.set()
        stream.join(20)
        wait_while_it_grows(lambda: len(watch.acknowledgements.read()), stream.sent,
                            what="the broker being rid of all messages")
        wait_until(lambda: len(daemon.delivered("case.opened")) == KILLS, what="all deliveries")
        watch.check_messages(watch.read_daybook("w01003"))
        watch.check_cases()
        watch.check_deliveries()
        watch.check_alerts()
        daemon.stop()
        check_files(daemon)
    finally:
        stream.ending.set()
        disk.ending.set()
        instrument.stop()
    print(f"{KILLS} kills in {time.monotonic() - began:.0f} s: {stream.sent} messages, "
          f"{len(instrument.served)} polls, {len(watch.numbers)} cases; oldest reply not kept "
          f"{watch.oldest * 1000:.0f} ms before the kill; slowest start {starting:.2f} s")


def check_files(daemon):
    files = glob.glob(os.path.join(daemon.store, "daybook", "*.db"))
    assert files
    for path in [*files, os.path.join(daemon.store, "ledger.db")]:
        db = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=20)
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        db.close()
