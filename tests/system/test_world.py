# SPDX-License-Identifier: Apache-2.0
"""The world around a running daemon goes wrong: memory, descriptors, disk space, the clock, the
broker, impatient operators. None of it ends the daemon or costs anything that was accepted."""
import http.client
import os
import resource
import signal
import time

import pytest

import servers
from conftest import modbus_connection, modbus_monitor, site
from disks import small_tmpfs
from load import Load
from servers import wait_until
from shim import LONG, shimmed, turn_on

FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"
DAY = 86400


@pytest.fixture
def load(make_daemon, broker):
    load = Load(make_daemon, broker)
    yield load
    load.close()


@pytest.mark.parametrize("n", (7, 61, 997) if LONG else (61,))
def test_memory_that_runs_out_again_and_again_loses_nothing_unsaid(load, n):
    """What is acknowledged is kept, or counted as not recorded."""
    load.daemon.stop()
    load.daemon.start(**shimmed(load.daemon, f"memory:{n}:ENOMEM:every", on_signal=True))
    load.subscribed()
    load.more_acknowledged()
    turn_on(load.daemon)
    load.exceed(0)
    until = time.monotonic() + (20 if LONG else 3)
    while time.monotonic() < until:
        assert load.daemon.process.poll() is None, load.daemon.said()[-3000:]
        is_up(load.daemon)
        time.sleep(0.05)
    acknowledged = set(load.watch.acknowledgements.read())
    unrecorded = wait_until(lambda: count_unrecorded(load.daemon), what="metrics") - 1
    load.daemon.kill()
    recorded = load.watch.read_daybook("w01003")
    lost = acknowledged - set(recorded)
    assert len(lost) <= unrecorded, f"{sorted(lost)[:20]}: only {unrecorded} are said"
    assert max(recorded.values()) == 1
    load.daemon.start()
    load.subscribed()
    load.more_acknowledged()
    wait_until(lambda: len(load.daemon.cases()) == 1, what="the case")
    load.watch.check_cases()


def count_unrecorded(daemon):
    """One more than the daemon says it did not record; 0 while it cannot say."""
    try:
        return 1 + daemon.metric("ducha_unrecorded_total")
    except (OSError, AssertionError, http.client.HTTPException):
        return 0


@pytest.mark.parametrize("first", range(1, 60) if LONG else (1,))
def test_memory_that_runs_out_at_the_start_is_said(load, first):
    """Each Nth allocation of the start, N from `first` in steps that grow."""
    load.daemon.stop()
    n = first
    while n < 20000:
        open(load.daemon.log, "w").close()
        load.daemon.launch(**shimmed(load.daemon, f"memory:{n}:ENOMEM"))
        wait_until(lambda: load.daemon.process.poll() is not None or is_up(load.daemon), 20,
                   "an end or a start")
        if load.daemon.process.poll() is None:
            load.daemon.stop()
        else:
            said = load.daemon.said()
            assert load.daemon.ended() in (1, 78), f"allocation {n}: {said[-2000:]}"
            assert "memory" in said, f"allocation {n}: ended with: {said[-2000:]}"
        n = n * (2 if LONG else 5) + first
    load.daemon.start()
    load.end(0)


def is_up(daemon):
    try:
        return daemon.request("GET", "/health")[0] in (200, 503)
    except (OSError, http.client.HTTPException):
        return False


def consecutive(values):
    return all(b == a + 1 for a, b in zip(values, values[1:]))


def test_descriptors_that_run_out_leave_other_instruments_alone(make_daemon):
    one, other = servers.Instrument(counter=0).start(), servers.Instrument(counter=0)
    daemon = make_daemon([modbus_connection(one.port, "one"), modbus_connection(other.port, "two")],
                         [site("a", [modbus_monitor("w01018", "one", type="uint32")]),
                          site("b", [modbus_monitor("w01018", "two", type="uint32")])])
    wait_until(lambda: len(daemon.values("a", "w01018")) > 3, what="readings")
    limits = resource.prlimit(daemon.process.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(daemon.process.pid, resource.RLIMIT_NOFILE, (3, limits[1])) # all are in use
    other.start()
    before = one.count
    wait_until(lambda: one.count >= before + 20, what="polls of the one")
    assert other.requests == 0
    resource.prlimit(daemon.process.pid, resource.RLIMIT_NOFILE, limits)
    wait_until(lambda: len(daemon.values("b", "w01018")) > 3, 40, "readings of the other")
    values = daemon.values("a", "w01018")
    assert consecutive(values), values
    daemon.stop()
    one.stop()
    other.stop()


def test_a_full_disk_that_is_freed_loses_nothing_acknowledged(make_daemon, broker, tmp_path):
    with small_tmpfs(str(tmp_path / "small"), "12m") as place:
        load = Load(make_daemon, broker, store=os.path.join(place, "store"))
        load.more_acknowledged()
        filler = os.path.join(place, "filler")
        with open(filler, "wb", buffering=0) as f:
            try:
                while True:
                    f.write(b"x" * 4096)
            except OSError:
                pass
        load.exceed(0)
        wait_until(lambda: not load.stream.is_alive() or "full" in load.daemon.said() or
                   "space" in load.daemon.said(), 30, "the daemon saying that the disk is full")
        polled = load.daemon.metric("ducha_polls_total")
        wait_until(lambda: load.daemon.metric("ducha_polls_total") >= polled + 10, 30, "polls going on")
        os.unlink(filler)
        load.more_acknowledged()
        load.check_messages()
        load.daemon.kill()
        load.daemon.start()
        wait_until(lambda: len(load.daemon.cases()) == 1, 30, "the case of the full disk")
        load.watch.check_cases()
        load.daemon.stop()
        load.close()


STEPS = (1, -1, 3600, -3600, DAY, -DAY, 3652 * DAY, -3652 * DAY)
MOMENTS = ("1970-01-02 00:00:00", "2038-01-19 03:14:05", "2100-03-01 00:00:00")


def test_steps_of_the_clock_cost_no_poll(make_daemon, tmp_path):
    if not os.path.exists(FAKETIME):
        pytest.skip("there is no libfaketime (package faketime)")
    clock = str(tmp_path / "clock")
    instrument = servers.Instrument(counter=0).start()
    instrument.set_float(100, 20.0)

    def set_clock(text):
        with open(clock + ".new", "w") as f:
            f.write(text + "\n")
        os.rename(clock + ".new", clock)

    set_clock("+0")
    daemon = make_daemon([modbus_connection(instrument.port)],
                         [site("a", [modbus_monitor("w01018", type="uint32"),
                                     modbus_monitor("w21003", address=100,
                                                    limits="{ max = 50.0; }")],
                               rest="stale_after_s = 30;")], start=False)
    daemon.start(LD_PRELOAD=FAKETIME, FAKETIME_TIMESTAMP_FILE=clock, FAKETIME_NO_CACHE="1",
                 FAKETIME_DONT_FAKE_MONOTONIC="1", FAKETIME_DONT_RESET="1")
    for step in [f"{s:+d}" for s in STEPS] + [f"@{m}" for m in MOMENTS] + ["+0"]:
        set_clock(step)
        before = instrument.count
        wait_until(lambda: instrument.count >= before + 5, 10, f"polls after {step}")
        assert daemon.healthy()
    instrument.set_float(100, 61.5)
    wait_until(daemon.cases, 10, "a case after all steps")
    daemon.stop()
    assert consecutive(sorted(recorded_counts(daemon)))
    instrument.stop()


def recorded_counts(daemon):
    from test_kill import Watch
    return Watch(daemon, None, None).read_daybook("w01018")


def test_a_broker_that_dies_again_and_again_loses_nothing_acknowledged(load):
    for n in range(100 if LONG else 3):
        load.more_acknowledged(3)
        load.broker.kill()
        wait_until(lambda: not load.stream.going.is_set(), what="the stream noticing")
        load.broker.start()
        load.subscribed()
        load.stream.publisher = servers.Publisher(load.broker.port)
        load.stream.going.set()
    load.more_acknowledged(3)
    load.check_messages()
    load.daemon.stop()


def test_a_storm_of_reload_requests_costs_no_poll(load):
    before = load.instrument.count
    for _ in range(10000 if LONG else 2000):
        load.daemon.process.send_signal(signal.SIGHUP)
    load.more_acknowledged()
    wait_until(lambda: load.instrument.count >= before + 20, what="polls")
    load.exceed(0)
    load.end(1)
    assert consecutive(sorted(load.watch.read_daybook("w01018")))
