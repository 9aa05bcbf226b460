# SPDX-License-Identifier: Apache-2.0
"""Later marking: the whole daemon, means of the hour and the day on a clock moved by faketime."""
import glob
import json
import os
import sqlite3

import pytest

from conftest import BUILD, mqtt_connection, mqtt_monitor, site
from servers import wait_until

FAKETIME = next(iter(glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")), None)
TIMED = 'value = "/v"; time = "/t"; stale_after_s = 0; expected_per_hour = 4.0;'
HOUR = '{ max = 50.0; average = "hour"; grace_s = 1; opens = "case"; }'


def at(time):
    """The environment of a daemon that believes it is this time, and goes on from there."""
    if FAKETIME is None:
        pytest.skip("there is no libfaketime (package faketime)")
    return {"LD_PRELOAD": FAKETIME, "FAKETIME": "@" + time, "TZ": "Asia/Shanghai",
            "DONT_FAKE_MONOTONIC": "1", "LANGUAGE": "zh_CN",
            "DUCHA_LOCALE_DIRECTORY": os.path.join(BUILD, "tools", "po")}


def outfall(make_daemon, broker, time, limits=HOUR):
    daemon = make_daemon([mqtt_connection(broker.port)],
                         [site("outfall-3", [mqtt_monitor("w01018", "cod", limits, TIMED)])],
                         environment=at(time))
    wait_until(lambda: broker.subscribed("edge"), what="the subscription")
    return daemon


def later(daemon, broker, time):
    """The same daemon at another time of its life."""
    if daemon.process is not None:
        daemon.stop()
    daemon.environment = at(time)
    daemon.start()
    wait_until(lambda: broker.subscribed("edge"), what="the subscription")


def measured(broker, *readings):
    for time, value in readings:
        broker.publish("cod", json.dumps({"t": f"2026-11-{time}+08:00", "v": value}))


def recorded(daemon, n):
    path = "/api/v1/readings?site=outfall-3&from=2026-11-20T00:00:00Z&to=2026-11-30T00:00:00Z"
    return wait_until(lambda: (lambda r: len(r) == n and r)(daemon.get(path)["readings"]),
                      what=f"{n} readings")


def mark(daemon, start, end, flag="M", *more):
    answer = daemon.ctl("--json", "mark", "outfall-3", "w01018", "--from", f"2026-11-{start}", "--to",
                        f"2026-11-{end}", "--flag", flag, "--reason", "pump changed", "--by", "Operator", *more)
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)


def worked_off(daemon, id):
    def done():
        return next((m for m in daemon.get("/api/v1/marks?site=outfall-3")["marks"]
                     if m["id"] == id and m["done"]), None)
    return wait_until(done, what=f"mark {id} worked off")


BAD_HOUR = (("22T10:00:00", 186), ("22T10:15:00", 46), ("22T10:30:00", 46), ("22T10:45:00", 46))


def test_a_mark_computes_the_mean_anew_and_says_so_in_the_case(make_daemon, broker):
    daemon = outfall(make_daemon, broker, "2026-11-22 10:50:00")
    measured(broker, *BAD_HOUR)
    recorded(daemon, 4)
    later(daemon, broker, "2026-11-22 10:59:59")
    case = wait_until(daemon.cases, what="the case of the hour")[0]
    assert case["first_value"] == 81
    given = mark(daemon, "22 10:00:00", "22 10:15:00")
    assert (given["flag"], given["by"], given["done"]) == ("M", "Operator", False)
    done = worked_off(daemon, given["id"])
    assert [(m["before"], m["after"], m["was"], m["is"], m["case"]) for m in done["recomputed"]] == \
        [(81, 46, "exceeds", "complies", case["id"])]
    after = daemon.cases()[0]
    assert after["status"] == "registered" and after["first_value"] == 81
    assert [(h["action"], h.get("note")) for h in after["history"]][-1] == \
        ("recomputed", "重新计算:小时均值81→46,建议撤销")
    assert len(daemon.alerts(active=True, kind="exceedance")) == 1
    readings = recorded(daemon, 4)
    assert [(r["flag"], r.get("mark")) for r in readings] == [("N", "M"), ("N", None), ("N", None), ("N", None)]
    assert list(readings[0])[-1] == "mark" and readings[0]["value"] == 186
    # lifted again: the mean is as it was, and nothing more is suggested
    lifted = worked_off(daemon, mark(daemon, "22 10:00:00", "22 10:15:00", "N")["id"])
    assert [(m["before"], m["after"]) for m in lifted["recomputed"]] == [(46, 81)]
    assert daemon.cases()[0]["history"][-1]["note"] == "重新计算:小时均值46→81"
    assert "46.0→81.0" in daemon.ctl("marks", "outfall-3").stdout
    with sqlite3.connect(os.path.join(daemon.store, "ledger.db")) as ledger:
        for statement in ("UPDATE marks SET flag = 'N'", "DELETE FROM marks", "DELETE FROM recomputed",
                          "UPDATE recomputed SET after = 1"):
            with pytest.raises(sqlite3.IntegrityError, match="never rewritten"):
                ledger.execute(statement)


@pytest.mark.parametrize("end", ("none", "stop", "kill"))
def test_an_open_window_takes_a_mark_in_account(make_daemon, broker, end):
    daemon = outfall(make_daemon, broker, "2026-11-22 10:50:00")
    measured(broker, *BAD_HOUR)
    recorded(daemon, 4)
    given = mark(daemon, "22 10:00:00", "22 10:15:00")
    if end == "kill":
        daemon.kill()
    if end != "none":
        later(daemon, broker, "2026-11-22 10:59:59")
    assert worked_off(daemon, given["id"])["recomputed"] == []
    later(daemon, broker, "2026-11-22 11:50:00")  # the first hour is judged by now
    measured(broker, *((f"22T11:{m}:00", 60) for m in ("00", "15", "30", "45")))
    recorded(daemon, 8)
    later(daemon, broker, "2026-11-22 11:59:59")
    case = wait_until(daemon.cases, what="the case of the next hour")[0]
    assert case["first_value"] == 60 and case["episodes"][0]["began_at"] == "2026-11-22T11:00:00.000+08:00"


def test_a_mark_ahead_of_time_holds_for_what_comes(make_daemon, broker):
    daemon = outfall(make_daemon, broker, "2026-11-22 10:50:00", HOUR + ', { max = 100.0; opens = "alert"; }')
    given = mark(daemon, "22 10:00:00", "22 10:15:00", "C")
    worked_off(daemon, given["id"])
    measured(broker, *BAD_HOUR)
    measured(broker, ("22T10:46:00", 120))
    alert = wait_until(lambda: daemon.alerts(kind="exceedance"), what="the alert of what is not marked")[0]
    assert alert["value"] == 120 and alert["average"] == "instant"
    assert recorded(daemon, 5)[0]["mark"] == "C"


def test_marks_hold_over_a_reload(make_daemon, broker):
    limits = HOUR + ', { max = 100.0; opens = "alert"; }'
    daemon = outfall(make_daemon, broker, "2026-11-22 10:50:00", limits)
    worked_off(daemon, mark(daemon, "22 10:00:00", "22 10:15:00", "C")["id"])
    with open(daemon.config) as f:
        text = f.read()
    with open(daemon.config, "w") as f:  # another site before: every index of the plan moves
        f.write(text.replace("sites: (", "sites: (" + site("a", [mqtt_monitor("w21003", "a")]) + ",", 1))
    assert daemon.ctl("reload").returncode == 0
    worked_off(daemon, mark(daemon, "22 10:30:00", "22 10:40:00", "C")["id"])
    measured(broker, ("22T10:00:00", 186), ("22T10:35:00", 186), ("22T10:46:00", 120))
    alert = wait_until(lambda: daemon.alerts(kind="exceedance"), what="the alert of what is not marked")[0]
    assert alert["value"] == 120
    assert [r.get("mark") for r in recorded(daemon, 3)] == ["C", "C", None]


DAY = '{ max = 50.0; average = "day"; grace_s = 1; min_valid = 0.01; opens = "case"; mark_until = "12:00"; }'


@pytest.mark.parametrize("marked", (False, True))
def test_a_day_opens_its_case_once_it_may_not_be_marked_any_more(make_daemon, broker, marked):
    daemon = outfall(make_daemon, broker, "2026-11-22 23:50:00", DAY)
    measured(broker, ("22T10:00:00", 186), ("22T11:00:00", 46))
    recorded(daemon, 2)
    later(daemon, broker, "2026-11-22 23:59:59")
    assert wait_until(lambda: daemon.alerts(kind="exceedance"), what="the alert of the day")[0]["value"] == 116
    if marked:
        done = worked_off(daemon, mark(daemon, "22 10:00:00", "22 10:15:00", "M", "--file", __file__)["id"])
        assert [(m["before"], m["after"], m["case"]) for m in done["recomputed"]] == [(116, 46, None)]
        assert done["file"] == "test_marks.py" and len(done["sha256"]) == 64
    daemon.kill()
    later(daemon, broker, "2026-11-23 11:50:00")
    assert daemon.cases() == []
    later(daemon, broker, "2026-11-23 11:59:59")
    if not marked:
        case = wait_until(daemon.cases, what="the case")[0]
        assert case["opened_at"].startswith("2026-11-23T12:00:") and case["first_value"] == 116
        assert daemon.alerts(kind="exceedance")[0]["case"] == case["id"]
        return
    # the next day is bad, too, and nobody marks it: its case tells that noon went by without one
    later(daemon, broker, "2026-11-23 23:50:00")
    measured(broker, ("23T10:00:00", 90))
    recorded(daemon, 3)
    assert daemon.cases() == []
    later(daemon, broker, "2026-11-24 11:59:59")
    assert wait_until(daemon.cases, what="the case")[0]["opened_at"].startswith("2026-11-24T12:00:")


def test_what_is_no_mark_is_refused(make_daemon, broker):
    daemon = outfall(make_daemon, broker, "2026-11-22 10:50:00")
    good = {"site": "outfall-3", "factor": "w01018", "from": "2026-11-22T10:00:00Z",
            "to": "2026-11-22T11:00:00Z", "flag": "M", "reason": "r", "by": "b"}
    for change, status, word in (({"flag": "Q"}, 400, "flag"), ({"from": "yesterday"}, 400, "from"),
                                 ({"to": "2026-11-22T10:00:00Z"}, 400, "after"), ({"reason": ""}, 400, "reason"),
                                 ({"site": "nowhere"}, 404, "nowhere"), ({"factor": "w21003"}, 404, "factor"),
                                 ({"colour": "red"}, 400, "colour"), ({"to": "2028-11-22T10:00:00Z"}, 400, "366")):
        got, text = daemon.request("POST", "/api/v1/marks", json.dumps({**good, **change}))
        assert got == status and word in text, (change, text)
    assert daemon.get("/api/v1/marks")["marks"] == []
    assert daemon.ctl("mark", "outfall-3", "w01018", "--from", "x").returncode == 64
    assert daemon.ctl("mark", "outfall-3", "w01018", "--from", "x", "--to", "y", "--flag", "M", "--reason",
                      "r").returncode == 1
