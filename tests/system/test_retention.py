# SPDX-License-Identifier: Apache-2.0
"""What the daemon takes away: by age, for room, and never what is needed; a ledger that is damaged,
gone or locked under a daemon at work."""
import contextlib
import glob
import json
import os
import sqlite3
import subprocess
import time

import pytest

import servers
from conftest import BUILD, modbus_connection, modbus_monitor, mqtt_connection, mqtt_monitor, site
from disks import small_tmpfs
from servers import wait_until

FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"
FILL = os.path.join(BUILD, "tests", "faults", "fill")
DAYS, ROWS = 10, 30000
ZONE_S = 8 * 3600


def files(daemon):
    return sorted(os.path.basename(p) for p in
                  glob.glob(os.path.join(daemon.store, "daybook", "*.db")))


def day(days_ago):
    return time.strftime("%Y-%m-%d.db", time.gmtime(time.time() + ZONE_S - days_ago * 86400))


def bytes_of(daemon):
    """Files may go meanwhile."""
    total = 0
    for path in glob.glob(os.path.join(daemon.store, "**"), recursive=True):
        with contextlib.suppress(FileNotFoundError):
            total += os.stat(path).st_blocks * 512
    return total


def fill(daemon):
    """A store of ten days, as if the daemon had run."""
    subprocess.run([FILL, daemon.store, "old", "w01003", str(ROWS), str(24 * DAYS)], check=True)
    assert len(files(daemon)) >= DAYS


def removals(daemon):
    """What the ledger says of files that are gone, in the order of their sequences."""
    db = sqlite3.connect(f"file:{daemon.store}/ledger.db?mode=ro", uri=True, timeout=20)
    rows = db.execute("SELECT value FROM named WHERE name GLOB 'removed/*'").fetchall()
    db.close()
    return sorted((json.loads(value) for value, in rows), key=lambda r: r["first"])


@pytest.fixture
def old(make_daemon, instrument):
    """old(storage, …): a daemon that is not started yet, with ten days of readings."""
    def make(storage, sites=(), connections=(), **more):
        instrument.set_float(0, 20.0)
        daemon = make_daemon(
            # seldom: what the log of today's file takes is not what these tests are about
            [modbus_connection(instrument.port, interval_ms=2000), *connections],
            [site("old", [modbus_monitor("w01003")]), *sites], start=False, storage=storage, **more)
        fill(daemon)
        return daemon
    return make


def test_what_is_older_than_keep_days_goes_and_the_rest_is_there(old):
    daemon = old("keep_days = { raw = 4; };")
    kept = [name for name in files(daemon) if name >= day(4)]
    daemon.start()
    wait_until(lambda: set(files(daemon)) - {day(0)} == set(kept) - {day(0)}, 20, "the old to go")
    wait_until(lambda: daemon.metric("ducha_files_removed_total", reason="age") ==
               DAYS + 1 - len(kept), what="each being counted")
    gone = removals(daemon)
    assert len(gone) == DAYS + 1 - len(kept) and {g["why"] for g in gone} == {"age"}
    assert all(a["last"] + 1 == b["first"] for a, b in zip(gone, gone[1:]))
    values = {r["value"] for r in daemon.readings("old", "w01003", seconds=DAYS * 86400)}
    assert max(v for v in values if v > 20) == ROWS - 1 and 0 not in values
    assert not daemon.faults("removed_early")
    daemon.kill()
    daemon.start()  # sequences go on behind those that are gone
    newest = daemon.readings("old", "w01003", seconds=60)[-1]["received_at"]
    wait_until(lambda: daemon.readings("old", "w01003", seconds=60)[-1]["received_at"] > newest,
               what="readings")
    for name in files(daemon):
        assert name >= day(4)


def frames(daemon):
    return sorted(os.path.basename(p).replace(".frames", ".db") for p in
                  glob.glob(os.path.join(daemon.store, "daybook", "*.frames")))


def test_frames_go_before_their_readings_and_the_store_still_verifies(old):
    daemon = old("keep_days = { frames = 2; raw = 6; };")
    assert day(DAYS) in frames(daemon) and day(1) in frames(daemon)
    daemon.start()
    wait_until(lambda: day(6) in files(daemon) and day(7) not in files(daemon), 20, "the old to go")
    wait_until(lambda: day(2) in frames(daemon) and day(3) not in frames(daemon), 20, "their frames to go")
    assert frames(daemon)[0] == day(2)
    daemon.stop()
    done = daemon.ctl("verify", daemon.store)
    assert done.returncode == 0, done.stdout + done.stderr
    kept = os.path.join(daemon.store, "daybook", day(2).replace(".db", ".frames"))
    os.remove(kept)  # nobody said so
    bad = daemon.ctl("verify", daemon.store)
    assert bad.returncode == 1 and os.path.basename(kept) + ": there is no such file" in bad.stderr, bad.stderr


def means(daemon):
    """The days of UTC of which there is a file of minutes."""
    return sorted(os.path.basename(p) for p in glob.glob(os.path.join(daemon.store, "means", "*.db")))


def minutes(daemon, period="minute"):
    body = daemon.get(f"/api/v1/means?site=old&factor=w01003&period={period}&from=0&limit=100000")
    assert (body["site"], body["factor"], body["unit"]) == ("old", "w01003", "NTU") and "next" not in body
    return {row["time"]: (row["count"], row["min"], row["max"]) for row in body["means"]}


def test_minutes_outlast_their_readings_and_go_when_these_are_gone(old):
    daemon = old("keep_days = { raw = 100; minute = 200; };")
    daemon.start()
    wait_until(lambda: len(means(daemon)) >= DAYS, 60, "the minutes of all days")
    rows = daemon.readings("old", "w01003", seconds=(DAYS + 1) * 86400)
    expected = {}
    for row in rows:
        expected.setdefault(row["time"][:16], []).append(row["value"])
    hour = sorted(expected)[-120]  # what is older changes no more
    expected = {at + ":00.000+08:00": (len(v), min(v), max(v)) for at, v in expected.items() if at < hour}
    of_old = {at: row for at, row in minutes(daemon).items() if at[:16] < hour}
    assert of_old == expected
    assert sum(count for count, _, _ in minutes(daemon, "day").values()) >= ROWS
    csv = daemon.ctl("readings", "old", "w01003", "--every", "minute", "--since", "20d", "--csv").stdout.splitlines()
    assert csv[0] == "time,site,factor,count,mean,min,max" and len(csv) - 1 >= len(expected)
    status, body = daemon.request("GET", "/api/v1/means?site=old&factor=w01003&from=0&limit=3")
    page = json.loads(body)
    status, body = daemon.request("GET", f"/api/v1/means?site=old&factor=w01003&from=0&limit=1&after={page['next']}")
    assert json.loads(body)["means"][0]["time"] == sorted(expected)[3]
    daemon.stop()
    settings(daemon, "raw = 100", "raw = 4")
    daemon.start()
    wait_until(lambda: day(5) not in files(daemon), 20, "the old readings to go")
    assert daemon.metric("ducha_means_removed_total", reason="age") == 0
    assert {at: row for at, row in minutes(daemon).items() if at[:16] < hour} == of_old
    daemon.stop()
    settings(daemon, "minute = 200", "minute = 6")
    daemon.start()
    wait_until(lambda: daemon.metric("ducha_means_removed_total", reason="age") >= 3, 20, "minutes to go")
    wait_until(lambda: min(minutes(daemon))[:10] >= day(7)[:10], 20, "those of six days to be left")
    assert not daemon.faults("removed_early")
    daemon.stop()
    settings(daemon, "flush_ms = 100;", "flush_ms = 100; max_bytes = 65536;")  # nobody can live with that
    daemon.start()
    wait_until(lambda: len(means(daemon)) <= 2, 20, "means to go for room")
    wait_until(lambda: daemon.faults("removed_early"), what="the alert of the removal")
    removed = [line for line in daemon.said().splitlines() if "removed: there is no room" in line]
    first = min(i for i, line in enumerate(removed) if "means of minutes" in line)
    assert first > 0 and all("means of minutes" in line for line in removed[first:]), removed


def settings(daemon, before, after):
    with open(daemon.config) as f:
        text = f.read()
    assert before in text
    with open(daemon.config, "w") as f:
        f.write(text.replace(before, after, 1))


def test_without_room_the_oldest_go_and_an_alert_says_so(old):
    daemon = old("")
    size = bytes_of(daemon)
    most = size * 7 // 10 + (640 << 10)  # beside its readings a daemon has a ledger, means, and room to spare
    daemon = old_again(daemon, most)
    daemon.start()
    wait_until(lambda: bytes_of(daemon) <= most, 20, "room")
    left = files(daemon)
    assert day(0) in left and len(left) >= 3 and left == sorted(left)
    assert day(DAYS) not in left
    wait_until(lambda: daemon.faults("removed_early"), what="the alert of the removal")
    wait_until(lambda: daemon.faults("disk_filling"), what="the early alert")
    assert daemon.metric("ducha_store_bytes") <= most
    assert daemon.metric("ducha_unrecorded_total", reason="removed") == 0
    daemon.kill()
    daemon.start()
    assert daemon.faults("removed_early")  # is still said after a restart


def old_again(daemon, most):
    with open(daemon.config) as f:
        text = f.read()
    with open(daemon.config, "w") as f:
        f.write(text.replace("flush_ms = 100;", f"flush_ms = 100; max_bytes = {most};", 1))
    return daemon


class Nowhere:
    """An InfluxDB that is away."""
    url = "http://127.0.0.1:9"


def test_what_influxdb_has_not_had_stays_until_there_is_no_room(old):
    daemon = old("keep_days = { raw = 4; };", influx=Nowhere())
    daemon.start()
    wait_until(lambda: daemon.metric("ducha_store_bytes") > 0, what="a look")
    before = files(daemon)
    assert len(before) >= DAYS
    daemon.stop()
    old_again(daemon, bytes_of(daemon) * 7 // 10).start()
    wait_until(lambda: day(DAYS) not in files(daemon), 30, "the oldest to go")
    lost = wait_until(lambda: daemon.metric("ducha_unrecorded_total", reason="removed"), what="a count")
    wait_until(lambda: daemon.faults("removed_unsent"), what="the alert")
    gaps = wait_until(lambda: daemon.get("/api/v1/gaps?from=2020-01-01T00:00:00Z")["gaps"], 30,
                      "gap records")
    assert {(g["site"], g["factor"]) for g in gaps} == {("old", "w01003")}
    wait_until(lambda: sum(g["count"] for g in daemon.get(
        "/api/v1/gaps?from=2020-01-01T00:00:00Z")["gaps"]) ==
        daemon.metric("ducha_unrecorded_total", reason="removed"), 30, "all gap records")
    assert lost > 0


def test_what_an_open_case_needs_stays(old, broker):
    daemon = old("keep_days = { raw = 2; };", connections=[mqtt_connection(broker.port)],
                 sites=[site("s", [mqtt_monitor("w01018", "s/cod", limits="{ max = 50.0; }",
                                                rest='value = "/v"; time = "/t";')])])
    oldest, newest = files(daemon)[0], files(daemon)[-1]
    # the ledger has the case before the keeper first looks: written by a daemon that keeps all
    with open(daemon.config) as f:
        text = f.read()
    with open(daemon.config, "w") as f:
        f.write(text.replace("raw = 2;", "raw = 400;"))
    daemon.start()
    wait_until(lambda: broker.subscribed("edge"), what="the subscription")
    publisher = servers.Publisher(broker.port)
    began = int((time.time() - 5 * 86400) * 1000)
    publisher.publish("s/cod", '{"t":%d,"v":61.5}' % began)
    case, = wait_until(daemon.cases, what="a case that began five days ago")
    assert case["episodes"][0]["ended_at"] is None
    daemon.stop()
    with open(daemon.config, "w") as f:
        f.write(text)
    daemon.start()
    wait_until(lambda: oldest not in files(daemon), 20, "the oldest to go")
    wait_until(lambda: files(daemon)[0] == day(6), 20, "all to go that may")
    assert [day(n) in files(daemon) for n in range(6, -1, -1)] == [True] * 7, newest
    daemon.ctl("case", str(case["id"]), "withdraw", "--by", "Officer D", "--note", "a test",
               "--reason", "false_alarm")
    status = daemon.get(f"/api/v1/cases/{case['id']}")["status"]
    if status == "withdrawn":
        wait_until(lambda: day(6) not in files(daemon), 20, "the case's days to go")
    publisher.close()


@pytest.mark.parametrize("when", ["at the start", "under way"])
def test_a_clock_far_ahead_removes_nothing_for_its_age(old, tmp_path, when):
    if not os.path.exists(FAKETIME):
        pytest.skip("there is no libfaketime (package faketime)")
    daemon = old("keep_days = { raw = 20; };")
    before = set(files(daemon))
    clock = str(tmp_path / "clock")

    def set_clock(text):
        with open(clock + ".new", "w") as f:
            f.write(text + "\n")
        os.rename(clock + ".new", clock)

    set_clock("+60d" if when == "at the start" else "+0")
    environment = dict(LD_PRELOAD=FAKETIME, FAKETIME_TIMESTAMP_FILE=clock, FAKETIME_NO_CACHE="1",
                       FAKETIME_DONT_FAKE_MONOTONIC="1", FAKETIME_DONT_RESET="1")
    daemon.start(**environment)
    wait_until(lambda: daemon.metric("ducha_store_bytes") > 0, what="a look")
    set_clock("+60d" if when == "at the start" else "+3653d")
    wait_until(lambda: "no readings are removed for their age" in daemon.said(), 20, "the doubt")
    wait_until(lambda: set(files(daemon)) > before, 20, "a file of the day that the clock shows")
    # the keeper looks again, and would now remove what is older
    looks = daemon.metric("ducha_store_bytes")
    wait_until(lambda: daemon.metric("ducha_store_bytes") != looks, 20, "another look")
    assert set(files(daemon)) >= before
    assert daemon.metric("ducha_files_removed_total") == 0
    if when == "at the start":
        return
    # nor does a daemon that finds the file which the wrong clock has made
    daemon.kill()
    daemon.start(**environment)
    wait_until(lambda: daemon.faults("clock_doubted"), what="the alert of the clock")  # behind the first look
    assert set(files(daemon)) >= before
    assert daemon.ctl("clock", "confirm").returncode == 0
    wait_until(lambda: daemon.metric("ducha_files_removed_total") >= DAYS - 1, what="what is old by now going")
    wait_until(lambda: not daemon.faults("clock_doubted"), what="the alert's end")


def fill_up(place):
    with open(os.path.join(place, "filler"), "ab", buffering=0) as f:
        for n in (65536, 4096, 512, 1):
            with contextlib.suppress(OSError):
                while True:
                    f.write(b"x" * n)


def test_a_full_disk_keeps_nothing_that_is_overdue(old, tmp_path):
    with small_tmpfs(str(tmp_path / "small"), "64m") as place:
        daemon = old("keep_days = { raw = 20; };", store=os.path.join(place, "store"))

        def keep(before, days):
            with open(daemon.config) as f:
                text = f.read()
            with open(daemon.config, "w") as f:
                f.write(text.replace(f"raw = {before};", f"raw = {days};"))

        def settled(days):
            wait_until(lambda: day(days + 1) not in files(daemon), 20, "the old to go")
            assert day(days) in files(daemon)

        daemon.start()
        reserve = os.path.join(place, "store", "reserve")
        wait_until(lambda: os.stat(reserve).st_blocks > 0, what="the reserve")
        fill_up(place)
        keep(20, 6)
        wait_until(lambda: daemon.ctl("reload").returncode == 0, 30, "a moment in which no thread waits for the disk")
        settled(6)
        daemon.kill()
        fill_up(place)
        keep(6, 4)
        daemon.start()
        settled(4)
        assert daemon.faults("disk_filling")


# --- the ledger ---


@pytest.fixture
def two(make_daemon, instrument):
    """A daemon with two monitors, of which the first exceeds."""
    instrument.set_float(0, 61.5)
    instrument.set_float(2, 20.0)
    daemon = make_daemon([modbus_connection(instrument.port)],
                         [site("s", [modbus_monitor("w01018", limits="{ max = 50.0; }"),
                                     modbus_monitor("w21003", address=2, limits="{ max = 50.0; }")])])
    wait_until(lambda: len(daemon.cases()) == 1, what="a case")
    return daemon


def numbers(daemon):
    """None while the ledger cannot be read."""
    status, body = daemon.request("GET", "/api/v1/cases?status=all")
    if status == 200:
        return sorted(int(c["number"].split("〕")[1].rstrip("号")) for c in json.loads(body)["cases"])
    return None


@pytest.mark.parametrize("how", ["overwritten", "gone"])
def test_a_ledger_lost_under_way_is_made_again_and_goes_on(two, instrument, how):
    began = two.alerts(active=True)[0]
    path = os.path.join(two.store, "ledger.db")
    # not in the middle of a transaction, whose pages would go over the damage and hide it
    lock = sqlite3.connect(path, timeout=60, isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    if how == "gone":
        os.unlink(path)
    else:
        with open(path, "r+b") as f:
            f.write(b"x" * os.path.getsize(path))
    lock.close()
    polls = instrument.requests
    instrument.set_float(2, 62.5)
    wait_until(lambda: numbers(two) == [1, 2], 20, "both cases, the first as it was")
    assert {c["factor"] for c in two.cases()} == {"w01018", "w21003"}
    assert [a["began_at"] for a in two.alerts(active=True) if a["id"] == began["id"]] == [began["began_at"]]
    assert instrument.requests > polls
    if how == "overwritten":
        wait_until(lambda: two.faults("damaged"), what="the alert")
        for aside in glob.glob(path + ".corrupt-*"):
            os.unlink(aside)
        wait_until(lambda: not two.faults("damaged"), 20, "the alert over, the file being taken away")
    two.kill()
    two.start()
    assert numbers(two) == [1, 2]


def test_a_locked_ledger_loses_no_verdict_and_stops_no_poll(two, instrument):
    lock = sqlite3.connect(os.path.join(two.store, "ledger.db"), timeout=60, isolation_level=None)
    lock.execute("BEGIN EXCLUSIVE")
    instrument.set_float(2, 62.5)
    wait_until(lambda: "the ledger cannot be written" in two.said(), 20, "the trouble being said")
    instrument.set_float(2, 20.0)  # over before it could be written
    polls = instrument.requests
    wait_until(lambda: instrument.requests > polls + 10, what="polls")
    assert two.request("GET", "/health")[0] == 503
    lock.execute("COMMIT")
    lock.close()
    wait_until(lambda: numbers(two) == [1, 2], 20, "the case")
    case = next(c for c in two.cases() if c["factor"] == "w21003")
    assert case["first_value"] == 62.5
    wait_until(lambda: two.request("GET", "/health")[0] == 200, what="health")
