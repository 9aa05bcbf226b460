# SPDX-License-Identifier: Apache-2.0
"""duchad --backtest as a script sees it."""
import json
import os
import re
import subprocess

import pytest

from conftest import BUILD, DUCHAD, ENVIRONMENT, ROOT, Daemon, modbus_connection, modbus_monitor, site

ROWS = """time,site,factor,value,flag
2026-01-02 03:00:00,outfall-3,w01018,20,N
2026-01-02 03:01:00,outfall-3,w01018,61.3,N
2026-01-02 03:02:00,outfall-3,w01018,20,N
2026-01-02 03:03:00,outfall-3,w01018,70,N
2026-01-02 03:03:30,outfall-3,w01018,NA,N
2026-01-02 03:04:00,outfall-3,w01018,20,N
2026-01-02 03:04:30,outfall-3,w01018,80,C
"""


@pytest.fixture
def backtest(tmp_path):
    daemon = Daemon(tmp_path, [modbus_connection(1502)], [
        site("outfall-3", [modbus_monitor("w01018", limits="{ max = 50.0; }")])])

    def run(rows, marks=None, more=(), language="en"):
        data = tmp_path / "data.csv"
        data.write_text(rows)
        command = [DUCHAD, "--backtest", str(data), "-c", daemon.config, *more]
        if marks is not None:
            (tmp_path / "marks.csv").write_text(marks)
            command += ["--marks", str(tmp_path / "marks.csv")]
        return subprocess.run(command, capture_output=True, timeout=60, env=ENVIRONMENT | {
            "LANGUAGE": language, "DUCHA_LOCALE_DIRECTORY": os.path.join(BUILD, "tools", "po")})
    run.data = str(tmp_path / "data.csv")
    run.store = daemon.store
    return run


def test_two_runs_are_the_same_byte_for_byte(backtest):
    first, second = backtest(ROWS), backtest(ROWS)
    assert first.returncode == 0, first.stderr
    assert first.stdout == second.stdout
    events = [json.loads(line) for line in first.stdout.splitlines()]
    assert [e["type"] for e in events if e["type"].startswith("alert.")] == \
        ["alert.raised", "alert.cleared", "alert.raised", "alert.cleared"]
    assert [e["type"] for e in events if e["type"].startswith("case.")][0] == "case.opened"
    assert events[0]["time"] == "2026-01-02T03:01:00.000+08:00"
    assert events[0]["data"]["value"] == 61.3


MARKS = "site,factor,from,to,flag,reason\n"


def test_what_is_marked_does_not_count(backtest):
    mark = "outfall-3,w01018,2026-01-02 03:01:00,2026-01-02 03:01:01,M,cleaning\n"
    first = json.loads(backtest(ROWS, MARKS + mark).stdout.splitlines()[0])
    assert first["time"] == "2026-01-02T03:03:00.000+08:00" and first["data"]["value"] == 70


def test_a_bad_mark_is_named_and_nothing_is_evaluated(backtest):
    answer = backtest(ROWS, MARKS + "nowhere,w01018,1767294060,1767294061,M,cleaning\n"
                      "outfall-3,w01018,2026-01-02 03:01:00,2026-01-02 03:01,M,cleaning\n"
                      "outfall-3,w01018,1767294060,1767294061,Q,cleaning\n")
    said = answer.stderr.decode().splitlines()
    assert answer.returncode == 1 and answer.stdout == b""
    assert "marks.csv:2: no monitor \"nowhere\" \"w01018\"" in said[0]
    assert "marks.csv:3: not a time with seconds: \"2026-01-02 03:01\"" in said[1]
    assert "marks.csv:4: unknown flag \"Q\"" in said[2]


def test_the_order_of_the_columns_does_not_matter(backtest):
    swapped = "".join(",".join(reversed(row.split(","))) + "\n" for row in ROWS.splitlines())
    assert swapped.startswith("flag,value,factor,site,time\n")
    assert backtest(swapped).stdout == backtest(ROWS).stdout


def test_a_malformed_row_is_named_and_the_rest_goes_on(backtest):
    answer = backtest(ROWS + "2026-01-02 03:05,outfall-3,w01018,20,N\n"
                      "2026-01-02 03:06:00,outfall-3,w01018,inf,N\n"
                      "2026-01-02 03:07:00,outfall-3,w01018,20,Q\n"
                      "2026-01-02 03:08:00,nowhere,w01018,20,N\n")
    assert answer.returncode == 1
    said = answer.stderr.decode()
    for line in (9, 10, 11):
        assert f"{backtest.data}:{line}: " in said
    assert f"{backtest.data}:12: " not in said and "nowhere" in said
    assert answer.stdout == backtest(ROWS).stdout


def test_no_live_state_is_touched(backtest):
    assert backtest(ROWS).returncode == 0
    assert not os.path.exists(backtest.store)


def test_what_was_measured_meets_the_limit_of_its_day_and_unit(tmp_path):
    """Fine dust of 70 µg/m³ on four days: the limit of the day is 75 until February 2026, then 60."""
    daemon = Daemon(tmp_path, [modbus_connection(1502)], [
        site("roof", [modbus_monitor(
            "a34004", limits='{ standard = "GB3095-2012"; class = "2"; }',
            rest='unit = "mg/m3"; expected_per_hour = 1.0;')], kind="air")])
    data = tmp_path / "data.csv"
    hours = [(day, hour) for day in ("02-27", "02-28", "03-01", "03-02", "03-03")
             for hour in range(24)]
    data.write_text("time,site,factor,value,flag\n" + "".join(
        f"2026-{day}T{hour:02}:00:00+08:00,roof,a34004,0.07,N\n" for day, hour in hours))
    answer = subprocess.run([DUCHAD, "--backtest", str(data), "-c", daemon.config],
                            capture_output=True, timeout=60, env=ENVIRONMENT)
    assert (answer.returncode, b"warning" in answer.stderr) == (0, False), answer.stderr
    alerts = [json.loads(line) for line in answer.stdout.splitlines() if b"alert." in line[:20]]
    assert [(e["type"], e["time"], e["data"]["value"], e["data"]["limit"], e["data"]["unit"],
             e["data"]["limit_source"]) for e in alerts] == [
        ("alert.raised", "2026-03-02T00:00:00.000+08:00", 0.07, 0.06, "mg/m3",
         "GB3095-2026 2, transition, 60 µg/m³")]


def test_silence_is_judged_up_to_the_last_year_that_can_be_written(tmp_path):
    daemon = Daemon(tmp_path, [modbus_connection(1502)], [
        site("outfall-3", [modbus_monitor("w01018", limits="{ max = 50.0; }")],
             rest="stale_after_s = 60;")])
    data = tmp_path / "data.csv"
    data.write_text("time,site,factor,value,flag\n"
                    "2026-01-02T03:00:00+08:00,outfall-3,w01018,20,N\n"
                    "9999-12-31T23:59:59+08:00,outfall-3,w01018,NA,N\n")
    answer = subprocess.run([DUCHAD, "--backtest", str(data), "-c", daemon.config],
                            capture_output=True, timeout=60, env=ENVIRONMENT)
    assert answer.returncode == 0 and b"runtime error" not in answer.stderr, answer.stderr
    events = [json.loads(line) for line in answer.stdout.splitlines()]
    assert [(e["type"], e["data"]["kind"]) for e in events
            if e["type"].startswith("alert.")] == [("alert.raised", "stale")]


def test_a_case_is_explained_in_the_language_of_the_office(backtest):
    events = [json.loads(line) for line in backtest(ROWS).stdout.splitlines()]
    number = next(e["data"]["number"] for e in events if e["type"] == "case.opened")
    english = backtest(ROWS, more=("--explain", number)).stdout.decode()
    chinese = backtest(ROWS, more=("--explain", "1"), language="zh_CN").stdout.decode()
    assert "61.3 > 50: a run of violating readings begins" in english
    assert "61.3 > 50:超限序列开始" in chinese and "挂号 %s" % number in chinese
    assert len(english.splitlines()) == len(chinese.splitlines())
    assert not [line for line in chinese.splitlines()[1:] if " raise" in line or "reading" in line]


def test_nothing_is_explained_of_what_is_not_there(backtest):
    for what in ("2", "outfall-3", "outfall-3:w99999", "outfall-3:w01018:month", "outfall-3:w01018:day:hour", ""):
        done = backtest(ROWS, more=("--explain", what))
        assert done.returncode == 1 and done.stdout == b"", what
        assert ("--explain %s: no case" % what).encode() in done.stderr, what


def test_a_limit_that_never_raised_says_how_near_it_was(backtest):
    quiet = ROWS.replace("61.3", "50").replace("70", "49.9")
    done = backtest(quiet, more=("--explain", "outfall-3:w01018:instant"))
    assert done.returncode == 0
    assert "never raised: none of 5 readings that counted violated it" in done.stdout.decode()
    assert "5 of 6 readings counted, not 1 with another flag than N" in done.stdout.decode()


SENTENCE = re.compile(r'SAY\(\s*((?:"(?:[^"\\]|\\.)*"\s*)+)\)')


def test_every_sentence_of_an_explanation_is_translated():
    daemon, catalogue = os.path.join(ROOT, "daemon"), os.path.join(ROOT, "tools/po/zh_CN.po")
    with open(catalogue, encoding="utf-8") as file:
        known = dict(re.findall(r'^msgid "(.+)"\nmsgstr "(.+)"$', file.read(), re.MULTILINE))
    said = set()
    for name in os.listdir(daemon):
        if name.startswith("explain") and name.endswith(".c"):
            with open(os.path.join(daemon, name), encoding="utf-8") as file:
                said |= {"".join(re.findall(r'"((?:[^"\\]|\\.)*)"', m)) for m in SENTENCE.findall(file.read())}
    assert len(said) > 80
    for english in said:
        assert english in known, english
        assert sorted(re.findall(r"{[a-z_]+}", known[english])) == sorted(re.findall(r"{[a-z_]+}", english)), english
