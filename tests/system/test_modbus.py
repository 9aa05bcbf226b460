# SPDX-License-Identifier: Apache-2.0
"""Instruments over Modbus TCP, with pymodbus as the other side."""
import os
import subprocess

import pytest

import servers
from conftest import DUCHACTL, ENVIRONMENT, Events, modbus_connection, modbus_monitor, site
from servers import wait_until

MAX_50 = "{ max = 50.0; }"


def outfall(make_daemon, instrument, limits=MAX_50, rest="stale_after_s = 0;", **more):
    return make_daemon([modbus_connection(instrument.port)],
                       [site("outfall-3", [modbus_monitor("w01018", limits=limits)], rest)], **more)


def test_an_exceedance_becomes_one_numbered_case_seen_everywhere(make_daemon, instrument, influx):
    instrument.set_float(0, 20.0)
    daemon = outfall(make_daemon, instrument, influx=influx)
    wait_until(lambda: daemon.values("outfall-3", "w01018"), what="a first reading")
    tail = subprocess.Popen([DUCHACTL, "-s", daemon.socket, "tail", "-n", "20"], text=True,
                            stdout=subprocess.PIPE, env=ENVIRONMENT)
    events = Events(daemon)
    try:
        instrument.set_float(0, 61.5)
        case = wait_until(daemon.cases, what="a case")[0]
        assert case["number"].startswith("T〔") and case["number"].endswith("〕1号")
        assert (case["id"], case["site"], case["factor"], case["kind"], case["status"]) == \
            (1, "outfall-3", "w01018", "exceedance", "registered")
        assert (case["first_value"], case["limit"]) == (61.5, 50)
        assert case["multiple"] == pytest.approx(0.23)

        alert, = daemon.alerts(active=True, kind="exceedance")
        assert (alert["value"], alert["limit"], alert["bound"], alert["case"]) == (61.5, 50, "max", 1)

        event = events.wait("ducha.case.opened")
        assert (event["source"], event["data"]["id"]) == ("/nodes/edge-01", 1)
        delivered = wait_until(lambda: daemon.delivered("case.opened"), what="a delivery")
        assert [e["data"]["number"] for e in delivered] == [case["number"]]

        assert case["number"] in daemon.ctl("cases").stdout
        line = tail.stdout.readline()
        while "RAISED" not in line:
            assert line, "tail ended"
            line = tail.stdout.readline()
        words = line.split()
        assert words[1:4] == ["RAISED", "exceedance", "outfall-3"]
        assert "case 1" in line and "50" in words

        wait_until(lambda: influx.points('SELECT id, event, value, "limit" FROM "case"'),
                   what="the case in InfluxDB")
        point = influx.points('SELECT id, event, value, "limit" FROM "case"')[0]
        assert point[1:] == [1, "opened", 61.5, 50]
    finally:
        tail.terminate()
        tail.wait(10)
        events.close()


def test_an_event_stream_goes_on_after_the_last_event_seen(make_daemon, instrument):
    daemon = outfall(make_daemon, instrument)
    instrument.set_float(0, 61.5)
    wait_until(lambda: len(daemon.delivered()) == 2, what="alert.raised and case.opened")
    ids = [int(e["id"]) for e in daemon.delivered()]
    daemon.stop()
    daemon.start()
    everything, rest = Events(daemon, last=0), Events(daemon, last=ids[0])
    try:
        assert int(everything.next()["id"]) == ids[0]
        assert int(everything.next()["id"]) == ids[1]
        assert int(rest.next()["id"]) == ids[1]
        instrument.set_float(0, 20.0)
        assert rest.next()["type"] == "ducha.alert.cleared"
    finally:
        everything.close()
        rest.close()


def test_a_folder_that_cannot_be_written_gets_its_events_later(make_daemon, instrument):
    daemon = outfall(make_daemon, instrument, start=False)
    with open(daemon.out, "w"):
        pass  # a file where the directory should be
    daemon.start()
    instrument.set_float(0, 61.5)
    wait_until(daemon.cases, what="a case")
    wait_until(lambda: daemon.metrics()['ducha_deliveries_pending{delivery="folder"}'] == 2,
               what="two events that wait")
    os.unlink(daemon.out)
    wait_until(lambda: len(daemon.delivered()) == 2, 40, "the delivery")
    assert [e["type"] for e in daemon.delivered()] == ["ducha.alert.raised", "ducha.case.opened"]
    wait_until(lambda: daemon.metrics()['ducha_deliveries_pending{delivery="folder"}'] == 0)


def test_a_second_episode_joins_the_open_case(make_daemon, instrument):
    daemon = outfall(make_daemon, instrument)
    for n, value in enumerate((61.5, 70.0, 55.0), 1):
        instrument.set_float(0, value)
        wait_until(lambda: daemon.alerts(active=True, kind="exceedance"), what="an alert")
        instrument.set_float(0, 20.0)
        wait_until(lambda: not daemon.alerts(active=True, kind="exceedance"), what="its end")
        case, = daemon.cases()
        assert len(case["episodes"]) == n
    assert case["peak_value"] == 70
    assert case["multiple"] == pytest.approx(0.4)
    assert [e["peak_value"] for e in case["episodes"]] == [61.5, 70, 55]
    assert all(e["ended_at"] for e in case["episodes"])
    types = [e["type"] for e in wait_until(
        lambda: len(daemon.delivered("case.*")) >= 3 and daemon.delivered("case.*"))]
    assert types[0] == "ducha.case.opened" and types.count("ducha.case.opened") == 1
    assert "ducha.case.updated" in types


@pytest.mark.parametrize("way", ("stop", "kill"))
def test_an_alert_that_ended_during_a_downtime_is_cleared_afterwards(make_daemon, instrument, way):
    instrument.set_float(0, 61.5)
    daemon = outfall(make_daemon, instrument)
    wait_until(lambda: daemon.alerts(active=True), what="an alert")
    before, = daemon.alerts(active=True)
    daemon.stop() if way == "stop" else daemon.kill()
    instrument.set_float(0, 20.0)
    daemon.start()
    after = wait_until(lambda: daemon.alerts(active=False), what="its end")[0]
    assert {k: after[k] for k in ("id", "began_at", "raised_at", "value", "case")} == \
        {k: before[k] for k in ("id", "began_at", "raised_at", "value", "case")}
    instrument.set_float(0, 70.0)
    wait_until(lambda: len(daemon.cases()[0]["episodes"]) == 2, what="a second episode")
    assert len(daemon.cases()) == 1


def test_cases_are_numbered_without_gap(make_daemon, instrument):
    factors = ("w01018", "w21003", "w21011", "w01003")
    daemon = make_daemon([modbus_connection(instrument.port)], [site("outfall-3", [
        modbus_monitor(f, address=10 * i, limits=MAX_50) for i, f in enumerate(factors)])])
    for n, _ in enumerate(factors, 1):
        instrument.set_float(10 * (n - 1), 60.0 + n)
        wait_until(lambda: len(daemon.cases()) == n, what=f"case {n}")
        daemon.stop()
        daemon.start()
    cases = sorted(daemon.cases(), key=lambda c: c["id"])
    assert [c["id"] for c in cases] == [1, 2, 3, 4]
    assert [c["factor"] for c in cases] == list(factors)
    assert [int("".join(filter(str.isdigit, c["number"].split("〕")[1]))) for c in cases] == [1, 2, 3, 4]


def test_exceptions_and_nan_are_flagged_readings_and_the_others_go_on(make_daemon, instrument):
    instrument.registers[0], instrument.registers[1] = 0x7fc0, 0  # NaN
    instrument.set_float(100, 7.0)
    instrument.refused.add(200)
    daemon = make_daemon([modbus_connection(instrument.port)], [site("outfall-3", [
        modbus_monitor("w01018", address=0, limits=MAX_50),
        modbus_monitor("w01001", address=100),
        modbus_monitor("w21003", address=200, limits="{ max = 5.0; }")])])
    wait_until(lambda: len(daemon.values("outfall-3", "w01001")) >= 5, what="good readings")
    nan = daemon.readings("outfall-3", "w01018")
    assert nan and all(r["value"] is None and r["flag"] != "N" for r in nan)
    refused = daemon.readings("outfall-3", "w21003")
    assert refused and all(r["value"] is None and r["flag"] != "N" for r in refused)
    good = daemon.readings("outfall-3", "w01001")
    assert {(r["value"], r["flag"]) for r in good} == {(7.0, "N")}
    assert daemon.cases() == []
    assert daemon.metric("ducha_polls_total", connection="line", result="exception") > 0


def test_a_request_refused_for_a_gap_is_parted_for_good(make_daemon, instrument):
    instrument.set_float(0, 7.0)
    instrument.set_float(10, 8.0)
    instrument.refused.update(range(2, 10))
    daemon = make_daemon([modbus_connection(instrument.port)], [site("outfall-3", [
        modbus_monitor("w01018", address=0), modbus_monitor("w01001", address=10)])])
    wait_until(lambda: len(daemon.values("outfall-3", "w01001")) >= 10, what="good readings")
    for factor, value in (("w01018", 7.0), ("w01001", 8.0)):
        assert {(r["value"], r["flag"]) for r in daemon.readings("outfall-3", factor)} == \
            {(value, "N")}
    assert daemon.metric("ducha_polls_total", connection="line", result="exception") == 1
    with open(daemon.log) as log:
        assert log.read().count("asked apart") == 1


def test_an_instrument_that_goes_away_is_one_lost_connection(make_daemon, instrument):
    instrument.set_float(0, 20.0)
    daemon = outfall(make_daemon, instrument, limits="", rest="stale_after_s = 2;")
    wait_until(lambda: daemon.values("outfall-3", "w01018"), what="a first reading")
    assert daemon.metric("ducha_connections_up", connection="line") == 1
    port = instrument.port
    instrument.stop()
    wait_until(lambda: daemon.delivered("connection.lost"), what="connection.lost")
    wait_until(lambda: daemon.alerts(active=True, kind="connection"), what="a connection alert")
    again = servers.Instrument()
    again.port = port
    again.set_float(0, 21.0)
    again.start()
    try:
        wait_until(lambda: 21.0 in daemon.values("outfall-3", "w01018"), 40, "readings again")
        wait_until(lambda: daemon.delivered("connection.restored"), what="connection.restored")
        wait_until(lambda: not daemon.alerts(active=True, kind="connection"), what="its end")
    finally:
        again.stop()


def test_sigterm_under_load_loses_nothing(make_daemon):
    instrument = servers.Instrument(counter=0).start()
    under_way = set()
    try:
        daemon = make_daemon([modbus_connection(instrument.port, interval_ms=20)], [site(
            "outfall-3", [modbus_monitor("w01018", type="uint32", limits="{ max = 10.0; }")])])
        for n in range(1, 4):
            wait_until(lambda: len(instrument.served) > n * 60, what="readings")
            daemon.stop()
            # the reply to a request under way at the stop may never be read
            under_way.add(instrument.served[-1][1])
            counts = {c for _, c in instrument.served} - under_way
            daemon.start()
            recorded = set(daemon.values("outfall-3", "w01018"))
            assert counts <= recorded, sorted(counts - recorded)
        assert len(daemon.cases()) == 1
        assert len(daemon.alerts(active=True, kind="exceedance")) == 1
    finally:
        daemon.stop()
        instrument.stop()
