# SPDX-License-Identifier: Apache-2.0
"""Cases as an office works them: the whole daemon, a clock moved by faketime, restarts in between."""
import glob
import http.client
import json
import os
import subprocess

import pytest

import servers
from conftest import DUCHAD, ENVIRONMENT, ROOT, modbus_connection, modbus_monitor, site
from servers import wait_until

FAKETIME = next(iter(glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")), None)
SITES = [site("outfall-3", [modbus_monitor("w01018", limits="{ max = 50.0; }")],
              rest='stale_after_s = 0; responsible = { unit = "Plant"; leader = "L"; team = "T"; };'),
         site("spring", [modbus_monitor("w01003")], kind="water_source")]


def at(time):
    """The environment of a daemon that believes it is this time, and goes on from there."""
    if FAKETIME is None:
        pytest.skip("there is no libfaketime (package faketime)")
    return {"LD_PRELOAD": FAKETIME, "FAKETIME": "@" + time, "TZ": "Asia/Shanghai",
            "DONT_FAKE_MONOTONIC": "1"}


def post(daemon, path, body, expected=200):
    status, text = daemon.request("POST", path, body if isinstance(body, (bytes, str)) else json.dumps(body))
    assert status == expected, f"{path}: {status} {text}"
    return json.loads(text)


def act(daemon, id, action, expected=200, **fields):
    return post(daemon, f"/api/v1/cases/{id}/actions", {"action": action, **fields}, expected)


def by_hand(daemon, expected=200, **fields):
    return post(daemon, "/api/v1/cases", fields, expected)


def quiet_daemon(make_daemon, **more):
    """One whose instruments are not there: cases are opened by hand."""
    return make_daemon([modbus_connection(servers.free_port(), interval_ms=60000)], SITES, **more)


def steps(case):
    return [h["action"] for h in case["history"]]


def test_deadlines_run_over_restarts_and_holidays(make_daemon):
    # Friday before the Spring Festival; Saturday 14 is worked, free from 15 to 23
    daemon = quiet_daemon(make_daemon, environment=at("2026-02-13 10:00:00"))
    case = by_hand(daemon, site="outfall-3", source="inspection", by="H")
    assert case["due_at"].startswith("2026-02-14T10:00:0") and case["stage"] == "verify"
    assert act(daemon, 1, "accept", by="H")["due_at"] == "2026-02-14T23:59:59.000+08:00"
    assert act(daemon, 1, "assign", by="H", unit="Plant")["due_at"] == "2026-02-25T23:59:59.000+08:00"
    spring = by_hand(daemon, site="spring", source="complaint", by="H")
    assert spring["due_at"].startswith("2026-02-13T10:30:0")
    daemon.stop()

    # 26 minutes of silence later: the spring is past its half time, and the daemon was down meanwhile
    daemon.environment = at("2026-02-13 10:26:00")
    daemon.start()
    wait_until(lambda: steps(daemon.get("/api/v1/cases/2"))[-1] == "reminded", what="a reminder")
    assert daemon.get("/api/v1/cases/2")["escalation"] == 0
    assert steps(daemon.get("/api/v1/cases/1")) == ["registered", "accept", "assign"]
    daemon.kill()

    daemon.environment = at("2026-02-24 00:00:01")
    daemon.start()
    wait_until(lambda: daemon.get("/api/v1/cases/2")["escalation"] == 3, what="an overdue spring")
    first = wait_until(lambda: steps(c := daemon.get("/api/v1/cases/1"))[-1] == "reminded" and c, what="the reminder")
    assert first["escalation"] == 0
    overdue = wait_until(lambda: daemon.delivered("case.overdue"), what="the event")
    assert [(e["data"]["id"], e["data"]["escalation"]) for e in overdue] == [(2, 3)]
    daemon.stop()

    daemon.environment = at("2026-02-26 00:00:00")
    daemon.start()
    first = wait_until(lambda: (c := daemon.get("/api/v1/cases/1"))["escalation"] == 1 and c, what="overdue")
    assert steps(first)[-1] == "overdue" and first["history"][-1]["by"] == "duchad"
    daemon.stop()

    # set back by a week: nothing is said twice
    daemon.environment = at("2026-02-19 00:00:00")
    daemon.start()
    case = by_hand(daemon, site="outfall-3", source="mayor", by="H")
    assert case["number"] == "T〔2026〕3号"
    assert steps(daemon.get("/api/v1/cases/1")) == steps(first)
    assert len(daemon.delivered("case.overdue")) == 2


def test_roles_decide_who_may_do_what(make_daemon):
    daemon = quiet_daemon(make_daemon, more="""
        officers: ( { id = "h"; name = "Handler"; roles = ("handler"); },
                    { id = "i"; name = "Inspector"; roles = ("inspector"); },
                    { id = "l"; name = "Leader"; roles = ("leader"); } );
        closing: { compliant_days = { outfall = 0; }; };""")
    assert "none of the officers" in by_hand(daemon, 403, site="outfall-3", source="mayor", by="Nobody")["error"]
    by_hand(daemon, site="outfall-3", source="mayor", by="h")
    assert act(daemon, 1, "accept", by="Inspector")["history"][-1]["by"] == "Inspector"
    assert "takes the role handler or leader" in act(daemon, 1, "assign", 403, by="i", unit="U")["error"]
    act(daemon, 1, "assign", by="h", unit="U")
    act(daemon, 1, "plan", by="h", note="n", track="immediate")
    act(daemon, 1, "rectified", by="h")
    assert "may not close" in act(daemon, 1, "close", 403, by="h", note="n")["error"]
    refused = act(daemon, 1, "close", 409, by="i", note="n", checkers="Inspector, A", approved_by="Inspector")
    assert refused["missing"] == ["checkers", "record", "attachment", "approval"]
    assert "(checkers), of the officers who may close or return" in refused["error"]
    for kind in ("record", "photo"):
        post(daemon, f"/api/v1/cases/1/attachments?name={kind}.jpg&type={kind}&by=i", os.urandom(300000))
    case = act(daemon, 1, "close", by="i", note="n", checkers="Inspector, l", approved_by="Leader")
    assert case["status"] == "closed" and [a["type"] for a in case["attachments"]] == ["record", "photo"]


HOSTILE = ["<script>alert(1)</script>", "'; DROP TABLE cases; --", "a\r\nSet-Cookie: x", "\u202egnp.exe",
           "%s%n%x", "{prefix}", "../../../etc/passwd", "\\", "\"", "😀", "e\u0301"]


def test_hostile_text_is_kept_as_text_and_long_text_is_refused(make_daemon):
    daemon = quiet_daemon(make_daemon)
    by_hand(daemon, site="outfall-3", source="complaint", title=HOSTILE[0], document=HOSTILE[1], by=HOSTILE[7])
    for text in HOSTILE:
        assert act(daemon, 1, "note", note=text, by="H")["history"][-1]["note"] == text
    for field in ("by", "unit", "leader", "team", "note", "document", "checkers", "relation"):
        error = act(daemon, 1, "transfer", 400, **{"note": "n", field: "x" * 5000})["error"]
        assert field in error and "bytes" in error
        assert field in act(daemon, 1, "transfer", 400, **{"note": "n", field: "a\x1b[2Jb"})["error"]
    status, _ = daemon.request("POST", "/api/v1/cases/1/actions",
                               b'{"action":"note","note":"' + b"x" * (1 << 20) + b'"}')
    assert status == 413
    for body in (b'{"action":"note","note":"\xff\xfe"}', b'{"action":"note","note":"a\\u0000b"}', b"[" * 60000):
        assert daemon.request("POST", "/api/v1/cases/1/actions", body)[0] == 400
    error = by_hand(daemon, 400, site="outfall-3", source="complaint", complainant="Somebody")["error"]
    assert "complainant" in error  # who complains is never stored
    assert by_hand(daemon, site="outfall-3", source="province", document="No. 12", by="H")["seq"] == 2
    listed = daemon.ctl("case", "1")
    assert listed.returncode == 0 and "\x1b" not in listed.stdout


def test_the_operators_tool_walks_a_case_to_its_end(make_daemon, tmp_path):
    daemon = quiet_daemon(make_daemon, more="closing: { compliant_days = { outfall = 0; }; other_person = false; };")
    photo = tmp_path / "a photo.jpg"
    photo.write_bytes(os.urandom(2 << 20))
    record = tmp_path / "the record.pdf"
    record.write_bytes(os.urandom(1 << 10))

    def ctl(*arguments, code=0):
        done = daemon.ctl(*arguments)
        assert done.returncode == code, f"{arguments}: {done.returncode} {done.stdout} {done.stderr}"
        return done.stdout + done.stderr

    assert "T〔2026〕1号" not in ctl("cases")
    opened = ctl("case", "open", "--site", "outfall-3", "--factor", "w01018", "--source", "12369",
                 "--document", "No. 7", "--title", "smell", "--note", "n", "--by", "H")
    assert "smell" in opened and "No. 7" in opened
    ctl("case", "open", "--site", "spring", "--source", "city", "--document", "No. 7", "--by", "H")
    ctl("case", "1", "link", "2", "--relation", "upstream")
    ctl("case", "1", "accept", "--by", "H")
    ctl("case", "1", "assign", "--unit", "Plant", "--by", "H")
    ctl("case", "1", "plan", "--note", "two steps", "--step", "pump", "--due", "2099-01-01", code=1)
    ctl("case", "1", "plan", "--note", "two steps", "--step", "pump", "--by", "H")
    assert "not struck off" in ctl("case", "1", "rectified", "--by", "H", code=1)
    ctl("case", "1", "rectified", "--step", "pump", "--by", "H")
    ctl("case", "1", "rectified", "--by", "H")
    refused = ctl("case", "1", "close", "--note", "done", code=1)
    assert "checkers" in refused and "allowed now: " in refused
    ctl("case", "1", "attach", "--file", str(photo), "--type", "photo", "--by", "H")
    ctl("case", "1", "attach", "--file", str(record), "--type", "record", "--by", "H")
    closed = ctl("case", "1", "close", "--note", "done", "--checkers", "A, B", "--approved-by", "L")
    assert "a photo.jpg" in closed and "struck off  pump" in closed and "status        closed" in closed
    hash = daemon.get("/api/v1/cases/1")["attachments"][0]["sha256"]
    assert (tmp_path / "d0" / "store" / "attachments" / hash).read_bytes() == photo.read_bytes()
    ctl("case", "2", "merge", "1", "--note", "n", code=1)
    ctl("case", "2", "level", "--level", "province", "--document", "No. 9", "--by", "H", code=1)
    listed = ctl("case", "2", "level", "--level", "province", "--document", "No. 9", "--dated", "2026-01-02", "--by", "H")
    assert "No. 9 (2026-01-02)" in listed and "No. 7" in listed
    assert "no cases" in ctl("cases", "--overdue")
    ctl("shelve", "outfall-3", "w01018", "--for", "2h", "--reason", "calibration", "--by", "H")
    assert "calibration" in ctl("shelves") and "shelved until 20" in ctl("sites")
    cod = daemon.get("/api/v1/sites")["sites"][0]["monitors"][0]
    assert cod["shelved"]["reason"] == "calibration" and cod["shelved"]["by"] == "H" and cod["shelved"]["until"]
    ctl("unshelve", "outfall-3", "w01018", "--by", "H")
    ctl("unshelve", "outfall-3", "w01018", code=1)
    assert daemon.get("/api/v1/sites")["sites"][0]["monitors"][0]["shelved"] is None


def test_an_alert_is_acknowledged_and_a_shelf_holds_back_its_case(make_daemon, instrument):
    instrument.set_float(0, 20.0)
    daemon = make_daemon([modbus_connection(instrument.port)], SITES)
    wait_until(lambda: daemon.values("outfall-3", "w01018"), what="a first reading")
    post(daemon, "/api/v1/shelves", {"site": "outfall-3", "for_s": 600, "reason": "cleaning", "by": "H"})
    instrument.set_float(0, 61.0)
    alert = wait_until(lambda: daemon.alerts(active=True, kind="exceedance"), what="an alert")[0]
    assert alert["shelved_until"] and alert["case"] is None and daemon.cases() == []
    assert daemon.ctl("alert", str(alert["id"]), "ack", "--by", "Duty").returncode == 0
    assert daemon.alerts(active=True, kind="exceedance")[0]["acknowledged_by"] == "Duty"
    assert daemon.ctl("alert", "999", "ack").returncode == 1
    assert daemon.ctl("unshelve", "outfall-3").returncode == 0
    case = wait_until(daemon.cases, what="the case")[0]
    assert case["episodes"][0]["alert"] == alert["id"]


def test_a_listener_reads_cases_and_nothing_else(make_daemon):
    port = servers.free_port()
    daemon = quiet_daemon(make_daemon, listen=port)
    by_hand(daemon, site="outfall-3", source="mayor", by="H")
    case = post(daemon, "/api/v1/cases/1/attachments?name=a.jpg&type=photo", b"bytes")
    path = f"/api/v1/cases/1/attachments/{case['attachments'][0]['sha256']}"
    assert daemon.request("GET", path)[1] == "bytes"
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    for method, target, expected in (("GET", "/api/v1/cases/1", 200), ("GET", path, 403),
                                     ("POST", "/api/v1/cases", 403), ("POST", "/api/v1/shelves", 403),
                                     ("POST", "/api/v1/cases/1/attachments?name=a&type=photo", 403)):
        connection.request(method, target, b"{}" if method == "POST" else None)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == expected, target
    stored = os.path.join(daemon.store, "attachments", path.split("/")[-1])
    os.chmod(stored, 0o600)
    with open(stored, "wb") as file:
        file.write(b"others")
    status, text = daemon.request("GET", path)
    assert status == 500 and "its hash differs" in text


def test_the_person_on_duty_is_called_for_what_is_grave(make_daemon, instrument):
    instrument.set_float(0, 20.0)
    daemon = make_daemon([modbus_connection(instrument.port)], SITES,
                         more='duty: { people = ("Anna", "Bert"); rotate = "none"; };')
    wait_until(lambda: daemon.values("outfall-3", "w01018"), what="a first reading")
    instrument.set_float(0, 151.0)
    call = wait_until(lambda: daemon.delivered("duty.called"), what="a call")[0]["data"]
    assert call["person"] == "Anna" and call["call"] == 1 and call["next_at"]
    assert call["alert"]["kind"] == "exceedance" and call["alert"]["value"] == 151
    assert daemon.get("/api/v1/cases/1")["severity"] == "grave"


def test_check_says_whose_appointment_has_run_out(tmp_path):
    file = tmp_path / "ducha.cfg"
    sites = ", ".join(f'{{ id = "s{year}"; kind = "air"; responsible = {{ contact = "C"; valid_until = "{year}-01-01"; }}; }}'
                      for year in (2020, 2999))
    file.write_text(f'node: {{ id = "n"; data_directory = "{ROOT}/config"; }};\nsites: ( {sites} );\n')
    done = subprocess.run([DUCHAD, "--check", "-c", file], capture_output=True, text=True, env=ENVIRONMENT)
    assert done.returncode == 0 and done.stdout == "2 sites, 0 monitors, 0 limits, 0 connections: ok\n"
    assert 'site "s2020"' in done.stderr and "2020-01-01" in done.stderr and "s2999" not in done.stderr
