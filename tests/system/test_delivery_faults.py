# SPDX-License-Identifier: Apache-2.0
"""Each kind of delivery against each fault of its receiver (the matrix is in tests/README.md)."""
import glob
import json
import os
import re
import subprocess
import threading

import pytest

import receivers
import servers
from conftest import ROOT, modbus_connection, modbus_monitor, site

def wait_until(condition, seconds=90, what="the condition"):
    """A machine may be busy with other things for long."""
    return servers.wait_until(condition, seconds, what)


FAKETIME = next(iter(glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")), None)
COMMON = "timeout_ms = 2000; retry_longest_s = 1;"


class Webhook:
    """An HTTP server. got: (id of the event, of its case, of the message) in the order of arrival."""
    marker, refusals = b"specversion", {"4xx": 400, "5xx": 503}

    def __init__(self, directory):
        self.server, self.status, self.connections = receivers.Office(answer=lambda event: self.status), 204, []
        self.port = self.server.port

    def delivery(self, port):
        return f'type = "webhook"; url = "http://127.0.0.1:{port}/"; events = ("case.*");'

    def refuse(self, kind):
        self.status = self.refusals.get(kind, 204)

    def got(self):
        with self.server.lock:
            return [(int(event["id"]), event["data"]["id"], headers["webhook-id"])
                    for headers, _, event, status, _ in self.server.requests if status == 204]

    def stop(self):
        self.server.stop()


class Smtp:
    """aiosmtpd; each mail carries the dossier."""
    marker, refusals = b"\r\n.\r\n", {"4xx": "451 4.3.0 later", "5xx": "554 5.7.1 no"}

    def __init__(self, directory):
        self.no, self.connections = None, []
        self.server = receivers.Post(reply=lambda command, what: self.no if command == "DATA" else None)
        self.port = self.server.port

    def delivery(self, port):
        return (f'type = "smtp"; url = "smtp://127.0.0.1:{port}"; starttls = "off"; from = "a@edge.example"; '
                f'to = ("b@office.example"); events = ("case.*");')

    def refuse(self, kind):
        self.no = self.refusals.get(kind)

    def got(self):
        mails = [message for _, _, message in list(self.server.mails)]
        assert all(len(list(m.iter_attachments())) == 1 for m in mails)
        return [(int(re.search(r"edge-01-(\d+)@", m["Message-ID"])[1]),
                 int(re.search(r"case-(\d+)@", m["References"])[1]), m["Message-ID"]) for m in mails]

    def stop(self):
        self.server.stop()


class Mqtt:
    """mosquitto, and mosquitto_sub behind it."""
    marker, refusals = b"specversion", {}

    def __init__(self, directory):
        if servers.MOSQUITTO is None:
            pytest.skip("there is no mosquitto (package mosquitto)")
        self.broker = servers.Broker(directory / "broker").start()
        self.port, self.lines = self.broker.port, []
        self.subscriber = subprocess.Popen(["mosquitto_sub", "-p", str(self.port), "-i", "office", "-t", "ducha/#", "-q", "1"],
                                           text=True, stdout=subprocess.PIPE)
        threading.Thread(target=lambda: self.lines.extend(iter(self.subscriber.stdout.readline, "")), daemon=True).start()
        wait_until(lambda: self.broker.subscribed("office"), what="the subscription")

    def delivery(self, port):
        self.connections = [f'{{ id = "broker"; driver = "mqtt"; uri = "mqtt://127.0.0.1:{port}"; client_id = "edge"; }}']
        return 'type = "mqtt"; connection = "broker"; topic = "ducha/{event}"; events = ("case.*");'

    def refuse(self, kind):
        pass

    def got(self):
        events = [json.loads(line) for line in list(self.lines)]
        return [(int(e["id"]), e["data"]["id"], e["source"] + e["id"]) for e in events]

    def stop(self):
        self.subscriber.terminate()
        self.subscriber.wait(10)
        self.broker.stop()


class Postgresql:
    """A registry. It takes an event twice without a trace, so that its table has each once."""
    marker, refusals = b"specversion", {"5xx": "REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA ducha FROM ducha_edge, PUBLIC"}

    def __init__(self, directory):
        if receivers.Postgres.BIN is None:
            pytest.skip("there is no PostgreSQL (package postgresql)")
        self.server = receivers.Postgres(os.path.join(ROOT, "config", "postgresql", "ducha.sql"))
        self.port, self.connections, self.password = self.server.port, [], directory / "password"
        self.password.write_text("sesame\n")
        self.server.psql("CREATE ROLE edge LOGIN PASSWORD 'sesame'; GRANT ducha_edge TO edge; "
                         "INSERT INTO ducha.nodes VALUES ('edge-01', 'edge')")

    def delivery(self, port):
        return (f'type = "postgresql"; url = "postgresql://127.0.0.1:{port}/city"; username = "edge"; '
                f'password_file = "{self.password}"; events = ("case.*");')

    def refuse(self, kind):
        self.server.psql(self.refusals.get(kind, "GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA ducha TO ducha_edge"))

    def got(self):
        return [(int(id), int(case), f"{node}{id}") for id, case, node in self.server.psql(
            "SELECT id, event->'data'->>'id', node FROM ducha.events ORDER BY received, id")]

    def stop(self):
        self.server.remove()


class Office:
    """A daemon whose delivery goes through a gate, and what it should have told."""

    def __init__(self, make_daemon, directory, kind):
        self.receiver = kind(directory)
        self.gate = receivers.Gate(self.receiver.port, kind.marker)
        rest = self.receiver.delivery(self.gate.port)
        self.daemon = make_daemon(self.receiver.connections, [site("outfall-3", []), site("weir", [])],
                                  deliveries=f'{{ id = "office"; {rest} {COMMON} }}')

    def post(self, path, **body):
        status, answer = self.daemon.request("POST", path, json.dumps({"by": "Li", **body}))
        assert status == 200, answer

    def open(self, at):
        self.post("/api/v1/cases", site=at, source="inspection")

    def note(self, text, cases=(1, 2)):
        for id in cases:
            self.post(f"/api/v1/cases/{id}/actions", action="note", note=text)

    def count(self, *results):
        return sum(self.daemon.metric("ducha_deliveries_total", delivery="office", result=r) for r in results)

    def arrived(self):
        wait_until(lambda: self.daemon.metric("ducha_deliveries_pending", delivery="office") == 0, 90, "the backlog")

    def faulty(self, fault):
        """Two events while the receiver is ill; it is well again once that was noticed."""
        before, met = self.count("error", "refused"), self.gate.met
        if fault in self.receiver.refusals:
            self.receiver.refuse(fault)
        else:
            self.gate.set(fault)
        self.note(fault)
        wait_until(lambda: self.count("error", "refused") > before, 90, f"{fault} being noticed")
        assert fault in ("down", *self.receiver.refusals) or self.gate.met > met
        self.receiver.refuse(None)
        self.gate.set("pass")
        self.arrived()

    def told(self):
        """Ids of the case events that the ledger has, by case, once all of them were seen at the receiver."""
        wait_until(lambda: self.daemon.metric("ducha_deliveries_pending", delivery="folder") == 0, what="the folder")
        events = [e for e in self.daemon.delivered() if e["type"].startswith("ducha.case.")]
        told = {case: [int(e["id"]) for e in events if e["data"]["id"] == case] for case in (1, 2)}
        wait_until(lambda: {id for id, _, _ in self.receiver.got()} == set(sum(told.values(), [])), what="all of them there")
        return told

    def stop(self):
        self.gate.stop()
        self.receiver.stop()


@pytest.mark.parametrize("kind", (Webhook, Smtp, Mqtt, Postgresql))
def test_each_event_arrives_whatever_the_receiver_does(make_daemon, tmp_path, kind):
    office = Office(make_daemon, tmp_path, kind)
    try:
        office.open("outfall-3")
        office.open("weir")
        office.arrived()
        for fault in ("down", "reset", "mute", "stall", *kind.refusals):
            office.faulty(fault)
        office.told()
        first = len(office.receiver.got())
        assert office.count("ok") <= first <= office.count("ok") + office.count("error")
        office.gate.set("down")
        office.note("before the kill")
        office.daemon.kill()
        office.gate.set("pass")
        office.daemon.start()
        office.note("after the kill")
        office.arrived()
        told = office.told()
        later = len(office.receiver.got()) - first
        assert office.count("ok") <= later <= office.count("ok") + office.count("error") and office.count("refused") == 0
        got = office.receiver.got()
        assert {len(ids) for ids in told.values()} == {1 + 4 + len(kind.refusals) + 2}
        for case, ids in told.items():
            seen = [(id, message) for id, of, message in got if of == case]
            assert list(dict.fromkeys(id for id, _ in seen)) == ids
            assert len(set(seen)) == len(ids)  # one name for each, however often it came
        if kind is not Postgresql:  # whose table shows each once
            assert len(got) > sum(map(len, told.values()))  # what lost its answer came again
    finally:
        office.stop()


def test_an_office_away_for_days_misses_nothing(make_daemon, tmp_path):
    """Eight days by the daemon's clock, with a kill each; events are kept for a day otherwise."""
    if FAKETIME is None:
        pytest.skip("there is no libfaketime (package faketime)")

    def at(day):
        return {"LD_PRELOAD": FAKETIME, "FAKETIME": f"@2026-03-{day:02d} 10:00:00", "TZ": "Asia/Shanghai",
                "DONT_FAKE_MONOTONIC": "1"}
    receiver = Webhook(tmp_path)
    gate = receivers.Gate(receiver.port, b"specversion")
    gate.set("down")
    daemon = make_daemon([], [site("outfall-3", []), site("weir", [])], environment=at(2),
                         deliveries=f'{{ id = "office"; {receiver.delivery(gate.port)} {COMMON} alarm_after_s = 1; }}')
    try:
        for day in range(2, 11):
            status, answer = daemon.request("POST", "/api/v1/cases", json.dumps(
                {"site": "weir", "source": "inspection", "by": "Li", "title": f"day {day}"}))
            assert status == 200, answer
            wait_until(lambda: daemon.metric("ducha_deliveries_total", delivery="office", result="error") > 0, what="a try")
            if day == 10:
                break
            daemon.kill()
            daemon.environment = at(day + 1)
            daemon.start()
        alert, = wait_until(lambda: daemon.faults("delivery "), what="the alert of the office being away")
        assert alert["reason"].startswith("delivery office: ")
        gate.set("pass")
        wait_until(lambda: daemon.metric("ducha_deliveries_pending", delivery="office") == 0, what="the backlog")
        wait_until(lambda: not daemon.faults("delivery "), what="the alert's end")
        wait_until(lambda: daemon.metric("ducha_deliveries_pending", delivery="folder") == 0, what="the folder")
        told = [int(e["id"]) for e in daemon.delivered() if e["type"].startswith("ducha.case.")]
        assert sorted({id for id, _, _ in receiver.got()}) == told
        opened = [e for _, _, e, _, _ in receiver.server.requests if e["type"] == "ducha.case.opened"]
        assert [e["data"]["title"] for e in opened] == [f"day {day}" for day in range(2, 11)]
        assert daemon.metric("ducha_deliveries_total", delivery="office", result="ok") == len(told)
    finally:
        gate.stop()
        receiver.stop()


def test_a_mail_with_a_large_dossier_goes_through(make_daemon, tmp_path):
    office = Office(make_daemon, tmp_path, Smtp)
    try:
        office.open("outfall-3")
        for i in range(24):
            office.note(f"{i} " + "\u957f" * 1300, (1,))
        office.arrived()
        mails = [message for _, _, message in office.receiver.server.mails]
        sizes = [len(next(m.iter_attachments()).get_content().encode()) for m in mails]
        assert len(mails) == 25 and sizes[-1] > 64 << 10
        assert "23 \u957f" in next(mails[-1].iter_attachments()).get_content()
    finally:
        office.stop()


@pytest.mark.skipif(receivers.ALERTMANAGER is None, reason="there is no alertmanager (package prometheus-alertmanager)")
def test_alertmanager_hears_of_each_alert_whatever_happens(make_daemon, tmp_path, instrument):
    """It has no ids and no order, only what fires: each alert once, by its number."""
    am = receivers.Alertmanager(tmp_path / "am").start()
    gate = receivers.Gate(am.port, b"alertname")
    answer = b"HTTP/1.1 %s\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno"
    faults = [("down", b""), ("reset", b""), ("mute", b""), ("stall", b""), ("say", answer % b"400 Bad Request"),
              ("say", answer % b"503 Service Unavailable")]
    factors = ("w01018", "w21003", "w21011", "w21001", "w01009", "w01010", "w01014")
    for i in range(len(factors)):
        instrument.set_float(2 * i, 20.0)
    daemon = make_daemon(
        [modbus_connection(instrument.port)],
        [site("outfall-3", [modbus_monitor(f, address=2 * i, limits="{ max = 50.0; }") for i, f in enumerate(factors)])],
        deliveries=f'{{ id = "oncall"; type = "alertmanager"; url = "http://127.0.0.1:{gate.port}"; resend_s = 1; {COMMON} }}')

    def count(*results):
        return sum(daemon.metric("ducha_deliveries_total", delivery="oncall", result=r) for r in results)

    def firing():
        return {a["labels"]["alert"] for a in am.alerts() if a["labels"]["alertname"] == "ducha_exceedance"}

    def active():
        return {str(a["id"]) for a in daemon.alerts(active=True, kind="exceedance")}
    try:
        for i, (fault, said) in enumerate(faults):
            before = count("error", "refused")
            gate.set(fault, said)
            instrument.set_float(2 * i, 61.5)
            wait_until(lambda: count("error", "refused") > before, 90, f"{fault} {said} being noticed")
            gate.set("pass")
            wait_until(lambda: len(active()) == i + 1 and firing() == active(), 90, f"the alert after {fault} {said}")
        gate.set("down")
        instrument.set_float(2 * 6, 61.5)
        wait_until(lambda: len(active()) == 7, what="the last alert")
        daemon.kill()
        gate.set("pass")
        daemon.start()
        wait_until(lambda: firing() == active() and len(active()) == 7, 90, "all alerts after the kill")
        for i in range(len(factors)):
            instrument.set_float(2 * i, 20.0)
        wait_until(lambda: not active() and not firing(), 90, "the end of all alerts")
    finally:
        gate.stop()
        am.stop()


def test_a_folder_gets_each_event_once_whatever_happens(make_daemon, tmp_path):
    """It cannot be slow or say no: it is not there, or it does not take what is written."""
    daemon = make_daemon([], [site("outfall-3", []), site("weir", [])],
                         deliveries=f'{{ id = "other"; type = "file"; directory = "{tmp_path}/other"; retry_longest_s = 1; }}')

    def note(id, text):
        status, answer = daemon.request("POST", f"/api/v1/cases/{id}/actions", json.dumps({"action": "note", "note": text, "by": "Li"}))
        assert status == 200, answer

    def errors():
        return daemon.metric("ducha_deliveries_total", delivery="other", result="error")

    def names(folder):
        return sorted(os.listdir(folder))
    for at in ("outfall-3", "weir"):
        assert daemon.request("POST", "/api/v1/cases", json.dumps({"site": at, "source": "inspection", "by": "Li"}))[0] == 200
    wait_until(lambda: daemon.metric("ducha_deliveries_pending", delivery="other") == 0, what="the cases")
    os.rename(tmp_path / "other", tmp_path / "away")
    (tmp_path / "other").write_text("in the way")
    note(1, "down")
    wait_until(lambda: errors() > 0, what="the folder being missed")
    note(2, "down")
    daemon.kill()
    os.remove(tmp_path / "other")
    os.rename(tmp_path / "away", tmp_path / "other")
    daemon.start()
    note(1, "after")
    wait_until(lambda: daemon.metric("ducha_deliveries_pending", delivery="other") == 0, what="the backlog")
    wait_until(lambda: daemon.metric("ducha_deliveries_pending", delivery="folder") == 0, what="the other folder")
    assert names(tmp_path / "other") == names(daemon.out)
    for name in names(daemon.out):
        assert (tmp_path / "other" / name).read_bytes() == open(os.path.join(daemon.out, name), "rb").read()
    assert daemon.metric("ducha_deliveries_total", delivery="other", result="ok") == 3
