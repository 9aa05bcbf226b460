# SPDX-License-Identifier: Apache-2.0
"""Nothing is lost on the way to a real influxd, and a dead one slows nobody."""
import os
import socket
import types

import servers
from conftest import modbus_connection, modbus_monitor, mqtt_connection, mqtt_monitor, site
from servers import wait_until


def counting(make_daemon, influx, interval_ms=20):
    """A daemon that reads a counter and, beside it, a value that a test sets."""
    instrument = servers.Instrument(counter=0).start()
    instrument.set_float(100, 20.0)
    daemon = make_daemon([modbus_connection(instrument.port, interval_ms=interval_ms)], [site(
        "outfall-3", [modbus_monitor("w01018", type="uint32", rest="interval_ms = 20;"),
                      modbus_monitor("w21003", address=100, limits="{ max = 50.0; }")])],
        influx=influx)
    return instrument, daemon


def compare(daemon, influx):
    """Stops the source by stopping the daemon, starts it again to look, and compares."""
    wait_until(lambda: daemon.metrics()["ducha_influx_backlog"] == 0, 90, "an empty backlog")
    points = influx.points("SELECT value FROM reading WHERE factor = 'w01018' ORDER BY time")
    recorded = [r["value"] for r in daemon.readings("outfall-3", "w01018")]
    # the source goes on while we look: what InfluxDB has is a beginning of what is recorded
    values = [p[1] for p in points]
    assert values == recorded[:len(values)]
    assert len(values) > 0
    return len(values)


def test_a_database_that_is_down_at_the_start_gets_everything_later(make_daemon, influx):
    influx.stop()
    instrument, daemon = counting(make_daemon, influx)
    wait_until(lambda: daemon.metrics()["ducha_influx_backlog"] > 100, what="a backlog")
    instrument.set_float(100, 61.5)
    wait_until(daemon.cases, 5, "a case while the database is down")
    influx.start()
    n = compare(daemon, influx)
    assert n > 50
    wait_until(lambda: influx.points('SELECT value FROM "case"'), what="the case in InfluxDB")
    daemon.stop()
    instrument.stop()


def test_a_database_that_restarts_loses_nothing(make_daemon, influx):
    instrument, daemon = counting(make_daemon, influx)
    wait_until(lambda: influx.points("SELECT value FROM reading LIMIT 1"), what="a first point")
    for _ in range(2):
        influx.stop()
        wait_until(lambda: daemon.metrics()["ducha_influx_backlog"] > 50, what="a backlog")
        influx.start()
        compare(daemon, influx)
    assert daemon.metric("ducha_influx_lines_total", result="rejected") == 0
    daemon.stop()
    instrument.stop()


def test_a_daemon_that_stops_meanwhile_sends_the_rest_after_its_start(make_daemon, influx):
    instrument, daemon = counting(make_daemon, influx)
    wait_until(lambda: influx.points("SELECT value FROM reading LIMIT 1"), what="a first point")
    influx.stop()
    wait_until(lambda: daemon.metrics()["ducha_influx_backlog"] > 50, what="a backlog")
    daemon.stop()
    influx.start()
    daemon.start()
    compare(daemon, influx)
    daemon.stop()
    instrument.stop()


def test_a_database_that_never_answers_slows_neither_judge_nor_stop(make_daemon):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(50)
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        instrument, daemon = counting(make_daemon, types.SimpleNamespace(url=url))
        wait_until(lambda: daemon.metrics()["ducha_influx_backlog"] > 20, what="a backlog")
        instrument.set_float(100, 61.5)
        wait_until(daemon.cases, 5, "a case while the database is silent")
        daemon.stop()
        daemon.start()
        assert daemon.metrics()["ducha_influx_backlog"] > 20
        daemon.stop()
        instrument.stop()


def section_points(influx):
    """(time, class, worst) of each point, whose tags have to be these."""
    found = influx.query("SELECT class, worst FROM section GROUP BY *")["results"][0].get("series", [])
    for series in found:
        assert series["tags"] == {"kind": "river_section", "node": "edge-01", "site": "bend-3"}
    return [tuple(row) for series in found for row in series["values"]]


def test_the_class_of_a_section_arrives_as_one_point_an_hour(make_daemon, influx, broker):
    """The totals are made anew from the readings, so the class of the present hour is due at once."""
    daemon = make_daemon([mqtt_connection(broker.port)], [site(
        "bend-3", [mqtt_monitor("w01018", "b/cod"), mqtt_monitor("w21011", "b/tp")],
        'stale_after_s = 0; target_class = "III";', "river_section")], influx=influx)
    wait_until(lambda: broker.subscribed("edge"), what="the subscription")
    for topic, value, factor in (("b/cod", "35.0", "w01018"), ("b/tp", "0.25", "w21011")):
        broker.publish(topic, value)  # the worse first: whatever is classed early is of the same class
        wait_until(lambda: daemon.readings("bend-3", factor), what="the reading")
    daemon.stop()
    os.remove(os.path.join(daemon.store, "tally.db"))
    daemon.start()
    wait_until(lambda: section_points(influx), what="the section in InfluxDB")
    points = section_points(influx)
    assert {point[1:] for point in points} == {(5, "w01018")}
    assert all(time % 3600000 == 0 for time, *_ in points)
    assert sorted(influx.points("SHOW FIELD KEYS FROM section")) == [["class", "integer"], ["worst", "string"]]
    daemon.stop()
    daemon.start()
    wait_until(lambda: daemon.metrics()["ducha_influx_backlog"] == 0, 90, "an empty backlog")
    assert daemon.metric("ducha_influx_lines_total", result="rejected") == 0
    assert {point[1:] for point in section_points(influx)} == {(5, "w01018")}
    daemon.stop()
