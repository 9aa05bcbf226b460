# SPDX-License-Identifier: Apache-2.0
"""Discharged totals of the whole daemon: hours, a permit that is used up, a kill, a late value."""
import json
import time
from datetime import datetime, timedelta, timezone

import pytest

from conftest import mqtt_connection, mqtt_monitor, site
from servers import wait_until

TIMED = 'value = "/v"; time = "/t";'
EAST = timezone(timedelta(hours=8))


@pytest.fixture
def base():
    """Six hours ago, at a full hour."""
    return int(time.time()) // 3600 * 3600 - 6 * 3600


@pytest.fixture
def outfall(make_daemon, broker):
    daemon = make_daemon([mqtt_connection(broker.port)], [site("outfall", [
        mqtt_monitor("w00000", "o/flow", rest=TIMED),
        mqtt_monitor("w01018", "o/cod", rest=TIMED + " permit_tonnes_year = 0.02;")])])
    wait_until(lambda: broker.subscribed("edge"), what="the subscription")
    return daemon


def tell(broker, topic, at, value):
    broker.publish(topic, json.dumps({"v": value, "t": at}))


def cod(daemon, base, period="hour"):
    """Loads by the time of their part, in the months that the test may touch."""
    parts = {}
    for moment in (base, base + 6 * 3600):
        month = datetime.fromtimestamp(moment, EAST).strftime("%Y-%m")
        answer = daemon.get(f"/api/v1/loads?site=outfall&factor=w01018&period={period}&month={month}")
        for load in answer["loads"]:
            parts.update({part["time"]: part for part in load["parts"]})
    return [(round(part["load"], 9), part["covered"]) for _, part in sorted(parts.items())]


def test_hours_permit_kill_and_late_values(outfall, broker, base):
    daemon = outfall
    assert cod(daemon, base) == []
    for hour in range(4):                      # 10 L/s × 500 mg/L are 18 kg in an hour
        tell(broker, "o/flow", base + hour * 3600, 10)
        tell(broker, "o/cod", base + hour * 3600, 500)
    # the last of them speak for the 7200 s that a pushed value does
    whole = [(18, 1)] * 5
    wait_until(lambda: cod(daemon, base) == whole, what="the hours")

    alerts = wait_until(lambda: len(daemon.alerts(kind="load")) == 2 and daemon.alerts(kind="load"),
                        what="both alerts of the permit")
    said = sorted((alert["reason"], alert["limit"], round(alert["value"], 9), alert["unit"])
                  for alert in alerts)
    assert said == [("100%", 0.02, 0.036, "t"), ("80%", 0.02, 0.018, "t")]
    case, = daemon.cases()
    assert (case["kind"], case["factor"], case["unit"]) == ("load", "w01018", "t")
    assert len(case["episodes"]) == 2

    daemon.kill()
    daemon.start()
    wait_until(lambda: broker.subscribed("edge"), what="the subscription again")
    assert cod(daemon, base) == whole
    assert len(daemon.alerts(active=True, kind="load")) == 2
    tell(broker, "o/cod", base + 1800, 1000)   # late: 9 kg more
    wait_until(lambda: cod(daemon, base) == [(27, 1)] + whole[1:], what="the late value")
    assert len(daemon.alerts(kind="load")) == 2
    assert len(daemon.cases()) == 1

    begin, end = (datetime.fromtimestamp(base + at, EAST).isoformat() for at in (3600, 7200))
    given = daemon.ctl("mark", "outfall", "w01018", "--from", begin, "--to", end, "--flag", "M",
                       "--reason", "cleaning", "--by", "Hu")
    assert given.returncode == 0, given.stderr
    wait_until(lambda: cod(daemon, base) == [(27, 1), (0, 0)] + whole[2:], what="the marked hour")
    wait_until(lambda: round(sum(load for load, _ in cod(daemon, base, "day")), 9) == 27 + 3 * 18,
               what="the day's load, or the two days'")
    note = wait_until(lambda: [one["note"] for one in daemon.get("/api/v1/cases/1")["history"]
                               if one["action"] == "recomputed"], what="the note in the case")
    assert note[-1].startswith("recomputed: load of the year ") and note[-1].endswith("0.081 t")

    dossier = daemon.request("GET", "/api/v1/cases/1/dossier")[1]
    for words in ("more than the 0.02 t that are permitted in the year (405.0%)", "permit 0.02</text>",
                  "80% of the permit: 0.016</text>", 'class="curve"', 'class="episode"', "<td>405.0%</td>"):
        assert words in dossier, words
    assert "0.081 / 0.02 t (405.0%)" in daemon.request("GET", "/")[1]
    shown = daemon.ctl("load", "outfall", "w01018").stdout.splitlines()
    assert shown[0].split() == ["TIME", "FACTOR", "SUBSTANCE", "LOAD", "UNIT", "COVERED", "EXCESS",
                                "PERMIT"]
    assert shown[-1].split()[0] == "year" and shown[-1].endswith("%")
    assert daemon.ctl("load", "nowhere").returncode == 1
    assert daemon.ctl("load", "outfall", "--month", "2026-3").returncode == 64
    assert daemon.request("GET", "/api/v1/loads")[0] == 400
