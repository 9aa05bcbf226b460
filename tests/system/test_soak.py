# SPDX-License-Identifier: Apache-2.0
"""Half an hour among faults at random moments in flat memory: DUCHA_LONG=1, or DUCHA_SOAK_S with
the seconds. DUCHA_SEED repeats the order of the faults."""
import os
import random
import time

import pytest

import servers
from load import Load
from servers import wait_until
from shim import LONG

SECONDS = int(os.environ.get("DUCHA_SOAK_S", "1800" if LONG else "0"))
SEED = int(os.environ.get("DUCHA_SEED", str(random.SystemRandom().randrange(1 << 31))))
GROWTH_BYTES = 1 << 20


def memory_of(daemon):
    """All that it has asked for, whether it was touched or not: rings and the like are asked for once
    and fill up for hours, which is no growth."""
    with open(f"/proc/{daemon.process.pid}/status") as f:
        return next(int(line.split()[1]) * 1024 for line in f if line.startswith("VmData"))


class Faults:
    def __init__(self, load, influx, random_):
        self.load, self.influx, self.random = load, influx, random_

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

    def any(self):
        self.random.choice((self.broker, self.influx_away, self.exceedance, self.clients))()


@pytest.mark.skipif(SECONDS == 0, reason="takes half an hour: DUCHA_LONG=1 or DUCHA_SOAK_S=SECONDS")
def test_memory_stays_flat_among_faults(make_daemon, broker, influx):
    print(f"DUCHA_SEED={SEED} DUCHA_SOAK_S={SECONDS}")
    load = Load(make_daemon, broker, influx=influx)
    faults = Faults(load, influx, random.Random(SEED))
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
        load.check_messages()
        print(f"{len(load.watch.acknowledgements.numbers)} messages, {load.instrument.count} polls;"
              f" {warm // 1024} KiB when warm, {most // 1024} KiB at most afterwards")
        assert most - warm <= GROWTH_BYTES, f"grew from {warm} to {most} bytes"
    finally:
        load.close()
