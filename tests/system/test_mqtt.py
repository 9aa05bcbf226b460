# SPDX-License-Identifier: Apache-2.0
"""Messages through a real mosquitto, sent by mosquitto_pub."""
import json
import time
from datetime import datetime

import pytest

from conftest import mqtt_connection, mqtt_monitor, site
from servers import wait_until

MAX_5 = "{ max = 5.0; }"
JSON_VALUE = 'value = "/data/nh3n"; time = "/ts";'


def listening(make_daemon, broker, monitors, **more):
    daemon = make_daemon([mqtt_connection(broker.port, **more)], [site("bridge", monitors)])
    wait_until(lambda: broker.subscribed("edge"), what="the subscription")
    return daemon


@pytest.mark.parametrize("qos", (0, 1))
def test_plain_and_json_payloads_become_readings(make_daemon, broker, qos):
    daemon = listening(make_daemon, broker, [
        mqtt_monitor("w01018", "b/cod"),
        mqtt_monitor("w21003", "b/lab", MAX_5, rest=JSON_VALUE)])
    now = time.time()
    broker.publish("b/cod", "38.25", qos)
    broker.publish("b/cod", " 3.9e1\n", qos)
    broker.publish("b/lab", json.dumps({"ts": round(now * 1000), "data": {"nh3n": 6.5}}), qos)
    broker.publish("b/lab", json.dumps({"ts": "2026-01-02T03:04:05.678+08:00",
                                        "data": {"nh3n": 1.5, "more": [1, 2]}}), qos)
    wait_until(lambda: daemon.values("bridge", "w01018") == [38.25, 39], what="plain numbers")
    case = wait_until(daemon.cases, what="a case of the JSON value")[0]
    assert (case["factor"], case["first_value"], case["limit"]) == ("w21003", 6.5, 5)
    old = wait_until(lambda: daemon.get(
        "/api/v1/readings?site=bridge&from=2026-01-02T03:04:00%2B08:00"
        "&to=2026-01-02T03:05:00%2B08:00")["readings"], what="the reading with its own time")
    assert (old[0]["time"], old[0]["value"]) == ("2026-01-02T03:04:05.678+08:00", 1.5)


def test_wildcards_take_every_topic_that_fits(make_daemon, broker):
    daemon = listening(make_daemon, broker, [mqtt_monitor("w01018", "a/+/cod"),
                                             mqtt_monitor("w21003", "n/#")])
    for topic, value in (("a/1/cod", "1"), ("a/2/cod", "2"), ("a/1/2/cod", "3"), ("a/cod", "4"),
                         ("n/x/y/z", "5"), ("n", "6")):
        broker.publish(topic, value)
    wait_until(lambda: daemon.values("bridge", "w21003") == [5, 6], what="the last message")
    assert daemon.values("bridge", "w01018") == [1, 2]


def test_bad_payloads_are_counted_and_everything_else_goes_on(make_daemon, broker):
    daemon = listening(make_daemon, broker, [
        mqtt_monitor("w01018", "b/cod", MAX_5),
        mqtt_monitor("w21003", "b/lab", MAX_5, rest=JSON_VALUE)])
    bad = [("b/cod", "12 mg/L"), ("b/cod", "0x10"), ("b/cod", "1,5"),
           ("b/cod", "9" * 300000), ("b/cod", b"\xff\xfe\x00"), ("b/lab", '{"data": {"nh3n": 9'),
           ("b/lab", '{"data": {"nh3n": "nine"}}'), ("b/lab", '{"other": 1}'),
           ("b/lab", '[' * 5000), ("b/lab", '{"data":{"nh3n":9},"data":{"nh3n":8}}')]
    for topic, payload in bad:
        broker.publish(topic, payload)
    broker.publish("b/cod", "6.5")
    case = wait_until(daemon.cases, what="a case after all that")
    assert (len(case), case[0]["first_value"]) == (1, 6.5)
    wait_until(lambda: len(broker.acknowledged("edge")) == len(bad) + 1, what="every PUBACK")
    assert daemon.metric("ducha_unrecorded_total", reason="payload") == len(bad)
    assert [v for v in daemon.values("bridge", "w01018") if v is not None] == [6.5]
    assert [v for v in daemon.values("bridge", "w21003") if v is not None] == []
    assert daemon.said().count("\n") < 60, daemon.said()


def test_silence_is_stale_within_a_second_and_ends_with_the_next_reading(make_daemon, broker):
    daemon = listening(make_daemon, broker, [
        mqtt_monitor("w01018", "b/cod", rest="stale_after_s = 2;"),
        mqtt_monitor("w21003", "b/nh3n", rest="stale_after_s = 0;")])
    broker.publish("b/cod", "20")
    alert = wait_until(lambda: daemon.alerts(active=True, kind="stale"), what="stale")[0]
    reading, = daemon.readings("bridge", "w01018")
    assert (alert["factor"], alert["value"]) == ("w01018", 20)
    assert alert["began_at"] == reading["received_at"]
    began, raised = (datetime.fromisoformat(alert[k]).timestamp() for k in ("began_at", "raised_at"))
    assert 2.0 <= raised - began <= 3.0
    broker.publish("b/cod", "21")
    cleared = wait_until(lambda: daemon.alerts(active=False, kind="stale"), what="its end")[0]
    assert (cleared["id"], cleared["factor"]) == (alert["id"], "w01018")
    # a restart neither forgets nor repeats it
    wait_until(lambda: daemon.alerts(active=True, kind="stale"), what="stale again")
    before = daemon.alerts(active=True, kind="stale")
    daemon.stop()
    daemon.start()
    assert daemon.alerts(active=True, kind="stale") == before


def test_a_broker_that_restarts_is_subscribed_to_again(make_daemon, broker):
    daemon = listening(make_daemon, broker, [mqtt_monitor("w01018", "b/cod")])
    broker.publish("b/cod", "1")
    wait_until(lambda: daemon.values("bridge", "w01018") == [1], what="the first reading")
    for value in (2, 3):
        broker.stop()
        wait_until(lambda: daemon.metric("ducha_connections_up", connection="broker") == 0,
                   what="the loss being noticed")
        broker.start()
        wait_until(lambda: broker.subscribed("edge"), 40, what="the subscription")
        broker.publish("b/cod", str(value))
        wait_until(lambda: daemon.values("bridge", "w01018")[-1] == value, what="the next reading")
    assert daemon.values("bridge", "w01018") == [1, 2, 3]


def test_a_broker_that_is_not_there_yet_is_no_reason_to_end(make_daemon, broker):
    broker.stop()
    daemon = make_daemon([mqtt_connection(broker.port)],
                         [site("bridge", [mqtt_monitor("w01018", "b/cod")])])
    assert daemon.metric("ducha_connections_up", connection="broker") == 0
    broker.start()
    wait_until(lambda: broker.subscribed("edge"), 40, what="the subscription")
    broker.publish("b/cod", "1")
    wait_until(lambda: daemon.values("bridge", "w01018") == [1], what="the first reading")
