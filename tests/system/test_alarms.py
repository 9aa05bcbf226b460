# SPDX-License-Identifier: Apache-2.0
"""Alarm discipline on a running daemon: one alert for what lies behind a lost connection, and no flag
and no time out of service that hides an exceedance for ever."""
import datetime
import json

from conftest import modbus_connection, modbus_monitor, mqtt_connection, mqtt_monitor, site
from servers import wait_until

import servers

FORTY = [f"w{n}" for n in (
    1001, 1003, 1006, 1009, 1010, 1012, 1014, 1017, 1018, 1019, 1020, 20111, 20115, 20116, 20117, 20119, 20120,
    20121, 20122, 20123, 20124, 20125, 20126, 20127, 20128, 20138, 20139, 20140, 20141, 20142, 20143, 20144, 21001,
    21003, 21006, 21007, 21011, 21016, 21022, 23002)]
FORTY = [f if len(f) == 6 else f"w0{f[1:]}" for f in FORTY]


def test_forty_monitors_behind_a_lost_connection_are_one_alert(make_daemon, broker):
    """A monitor elsewhere that falls silent after the loss, and is stale, tells that the forty had their time."""
    instrument = servers.Instrument().start()
    daemon = make_daemon(
        [modbus_connection(instrument.port), mqtt_connection(broker.port)],
        [site("forty", [modbus_monitor(f, address=2 * n) for n, f in enumerate(FORTY)], "stale_after_s = 3;"),
         site("other", [mqtt_monitor("w01018", "o/cod", rest="stale_after_s = 3;")])])
    wait_until(lambda: all(daemon.readings("forty", f) for f in FORTY), what="a reading of each")
    wait_until(lambda: broker.subscribed("edge"), what="the subscription")
    instrument.stop()
    wait_until(lambda: daemon.alerts(active=True, kind="connection"), what="the alert of the connection")
    broker.publish("o/cod", "20.0")
    wait_until(lambda: daemon.readings("other", "w01018"), what="a reading elsewhere")
    raised = lambda: [a for a in daemon.alerts(kind="stale") if a["site"] == "other" and a["value"] == 20.0]
    wait_until(raised, what="silence elsewhere")
    assert [a["kind"] for a in daemon.alerts() if a["site"] != "other"] == ["connection"]


def test_maintenance_hides_an_exceedance_only_until_somebody_is_told(make_daemon, broker):
    daemon = make_daemon([mqtt_connection(broker.port)], [site("outfall-3", [
        mqtt_monitor("w21003", "o/nh", "{ max = 5.0; }", 'value = "/v"; flag = "/f"; time = "/t"; ')],
        "stale_after_s = 0; clues: { flagged_after_s = 600; };")])
    wait_until(lambda: broker.subscribed("edge"), what="the subscription")
    now = datetime.datetime.now(datetime.timezone.utc)

    def say(minutes_ago, value, flag):
        time = (now - datetime.timedelta(minutes=minutes_ago)).isoformat(timespec="seconds")
        broker.publish("o/nh", json.dumps({"v": value, "f": flag, "t": time}))
        wait_until(lambda: value in daemon.values("outfall-3", "w21003"), what=f"the reading {value}")

    say(40, 9.1, "M")
    say(31, 9.2, "M")
    assert daemon.alerts() == []
    say(30, 9.3, "M")
    wait_until(lambda: daemon.alerts(active=True), what="an alert")
    (clue,) = daemon.alerts()
    assert (clue["kind"], clue["reason"], clue["case"]) == ("clue", "flagged", None)
    say(20, 9.4, "N")
    wait_until(lambda: daemon.alerts(active=True, kind="exceedance"), what="the exceedance")
    wait_until(lambda: not daemon.alerts(active=True, kind="clue"), what="the end of the clue")
    assert [r["flag"] for r in daemon.readings("outfall-3", "w21003")] == ["M", "M", "M", "N"]


def test_out_of_service_ends_by_itself(make_daemon, broker):
    """A mark over what is to come sets it aside, with who and why, until its end and no longer."""
    daemon = make_daemon([mqtt_connection(broker.port)], [site("outfall-3", [
        mqtt_monitor("w21003", "o/nh", "{ max = 5.0; }", 'value = "/v"; time = "/t"; ')])])
    wait_until(lambda: broker.subscribed("edge"), what="the subscription")
    now = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
    at = lambda minutes: (now + datetime.timedelta(minutes=minutes)).isoformat()
    daemon.ctl("mark", "outfall-3", "w21003", "--from", at(-30), "--to", at(-10), "--flag", "F",
               "--reason", "out of service: pump taken out", "--by", "Chen")

    def say(minutes, value):
        broker.publish("o/nh", json.dumps({"v": value, "t": at(minutes)}))
        wait_until(lambda: value in daemon.values("outfall-3", "w21003"), what=f"the reading {value}")

    say(-20, 9.1)
    say(-11, 9.2)
    assert daemon.alerts() == []
    say(-10, 9.3)
    wait_until(lambda: daemon.alerts(active=True, kind="exceedance"), what="the exceedance")
    (exceedance,) = daemon.alerts()
    assert exceedance["value"] == 9.3 and exceedance["case"] == 1
