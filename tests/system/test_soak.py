# SPDX-License-Identifier: Apache-2.0
"""Half an hour among faults at random moments, in two daemons side by side. The one lives through all of
it, in flat memory: broker, InfluxDB, clients. The other has a disk that is full, refuses or is slow, and a
ledger that somebody else holds, and is killed at any moment and at any call of the disk, and by what a
failed fsync asks for. Neither loses what it acknowledged, or gives a number twice. DUCHA_LONG=1, or
DUCHA_SOAK_S with the seconds; DUCHA_SEED repeats the order of the faults."""
import os
import random
import sqlite3
import time

import pytest

import servers
from load import Load
from servers import wait_until
from shim import LONG, Orders

SECONDS = int(os.environ.get("DUCHA_SOAK_S", "1800" if LONG else "0"))
SEED = int(os.environ.get("DUCHA_SEED", str(random.SystemRandom().randrange(1 << 31))))
GROWTH_BYTES = 1 << 20
CHECKED = 20  # lives between two looks at all that was ever recorded

pytestmark = pytest.mark.skipif(SECONDS == 0, reason="takes half an hour: DUCHA_LONG=1 or DUCHA_SOAK_S=SECONDS")


def memory_of(daemon):
    """All that it has asked for, whether it was touched or not: rings and the like are asked for once
    and fill up for hours, which is no growth."""
    with open(f"/proc/{daemon.process.pid}/status") as f:
        return next(int(line.split()[1]) * 1024 for line in f if line.startswith("VmData"))


class Faults:
    """Each is over when its function returns."""

    def __init__(self, load, influx, orders, random_):
        self.load, self.influx, self.orders, self.random = load, influx, orders, random_
        self.done = {}

    def broker(self):
        self.load.broker.kill()
        wait_until(lambda: not self.load.stream.going.is_set(), what="the stream noticing")
        time.sleep(self.random.uniform(0, 3))
        self.load.broker.start()
        self.load.subscribed()
        self.load.stream.publisher = servers.Publisher(self.load.broker.port)
        self.load.stream.going.set()

    def influx_away(self):
        self.influx.stop()
        time.sleep(self.random.uniform(0, 5))
        self.influx.start()

    def exceedance(self):
        n = self.random.randrange(self.load.n_sites)
        self.load.exceed(n, self.random.choice((20.0, 60.0, float("nan"))))

    def clients(self):
        for path in ("/health", "/metrics", "/api/v1/cases", "/api/v1/alerts", "/nowhere"):
            self.load.daemon.request("GET", path)

    def disk(self):
        """Full, then freed; a write now and then refused; slow to sync."""
        self.orders.give(self.random.choice((
            "write:1:ENOSPC:ever", f"write:{self.random.randrange(2, 90)}:ENOSPC:every",
            f"write:{self.random.randrange(2, 90)}:EIO:every", "sync:1:slow:ever")))
        time.sleep(self.random.uniform(0, 3))
        self.orders.give("")

    def ledger_locked(self):
        lock = sqlite3.connect(os.path.join(self.load.daemon.store, "ledger.db"), timeout=60,
                               isolation_level=None)
        lock.execute("BEGIN EXCLUSIVE")
        time.sleep(self.random.uniform(0, 3))
        lock.close()

    def any(self):
        self.one(self.broker, self.influx_away, self.exceedance, self.clients)

    def one(self, *faults):
        fault = self.random.choice(faults)
        self.done[fault.__name__] = self.done.get(fault.__name__, 0) + 1
        fault()


def check_all(load):
    """What goes on at all times must go on now."""
    load.more_acknowledged()
    load.check_messages()
    load.watch.check_cases()
    load.watch.check_deliveries()


def test_memory_stays_flat_among_faults(make_daemon, broker, influx):
    print(f"DUCHA_SEED={SEED} DUCHA_SOAK_S={SECONDS}")
    load = Load(make_daemon, broker, influx=influx)
    faults = Faults(load, influx, None, random.Random(SEED))
    began, warm, most = time.monotonic(), None, 0
    try:
        while time.monotonic() - began < SECONDS:
            faults.any()
            time.sleep(0.5)
            assert load.daemon.process.poll() is None, load.daemon.said()[-3000:]
            memory = memory_of(load.daemon)
            if time.monotonic() - began < SECONDS / 3:
                warm = memory if warm is None else max(warm, memory)
            else:
                most = max(most, memory)
        check_all(load)
        print(f"{len(load.watch.acknowledgements.numbers)} messages, {load.instrument.count} polls;"
              f" {warm // 1024} KiB when warm, {most // 1024} KiB at most afterwards; {faults.done}")
        assert most - warm <= GROWTH_BYTES, f"grew from {warm} to {most} bytes"
    finally:
        load.close()


def one_end(load, orders, random_):
    """Kills the daemon in one of the ways there are. Returns which."""
    n = random_.randrange(1, 200)
    order = random_.choice(("", f"disk:{n}:kill", f"disk:{n}:torn", f"sync:{n % 20 + 1}:EIO"))
    load.exceed(random_.randrange(load.n_sites), random_.choice((20.0, 60.0)))
    time.sleep(random_.uniform(0, 1))
    orders.give(order)
    if order == "":
        time.sleep(random_.uniform(0, 0.3))
        load.daemon.kill()
    else:
        code = load.daemon.ended()
        assert code == (1 if "EIO" in order else -9), f"{order}: {code}\n{load.daemon.said()[-2000:]}"
    return order.rpartition(":")[2] or "kill at once"


def test_nothing_is_lost_among_faults_of_the_disk_and_kills(make_daemon, broker, tmp_path):
    orders = Orders(str(tmp_path))
    load = Load(make_daemon, broker, store=orders.store, environment=orders.environment)
    orders.daemon = load.daemon
    random_, began, ends, lives = random.Random(SEED + 1), time.monotonic(), {}, 0
    faults = Faults(load, None, orders, random_)
    try:
        while time.monotonic() - began < SECONDS:
            if lives % 3 == 0:
                faults.one(faults.disk, faults.ledger_locked)
            how = one_end(load, orders, random_)
            ends[how] = ends.get(how, 0) + 1
            lives += 1
            if lives % CHECKED == 0:
                load.check_messages()
            load.daemon.start()
            load.watch.check_cases()
            load.watch.check_deliveries()
            load.more_acknowledged()
        check_all(load)
        print(f"{lives} kills, {len(load.watch.acknowledgements.numbers)} messages; {ends}, {faults.done}")
    finally:
        load.close()
