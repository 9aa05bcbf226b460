# SPDX-License-Identifier: Apache-2.0
"""Deliveries from outside: the daemon, and real receivers that are well, ill, false or away."""
import base64
import hashlib
import hmac
import json
import os
import re
import subprocess
import time

import pytest

import receivers
import tls
from conftest import BUILD, DUCHAD, ENVIRONMENT, modbus_connection, modbus_monitor, site
from servers import MOSQUITTO, Broker, wait_until

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    return tls.Certificates(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def office():
    server = receivers.Office()
    yield server
    server.stop()


def delivery(id, type, rest):
    return f'{{ id = "{id}"; type = "{type}"; retry_longest_s = 1; {rest} }}'


def with_deliveries(make_daemon, tmp_path, *deliveries, start=True, connections=(), **more):
    """A daemon without instruments; its cases are opened by hand."""
    secret = tmp_path / "secret"
    secret.write_text(SECRET + "\n")
    (tmp_path / "password").write_text("sesame\n")
    return make_daemon(list(connections), [site("outfall-3", []), site("weir", [])], start=start,
                       deliveries=", ".join(deliveries), **more)


def open_case(daemon, at="outfall-3", **fields):
    status, body = daemon.request("POST", "/api/v1/cases", json.dumps(
        {"site": at, "source": "inspection", "by": "Li", **fields}))
    assert status == 200, body
    return json.loads(body)


def note(daemon, case, text):
    status, body = daemon.request("POST", f"/api/v1/cases/{case['id']}/actions",
                                  json.dumps({"action": "note", "by": "Li", "note": text}))
    assert status == 200, body


def pending(daemon, id):
    return daemon.metric("ducha_deliveries_pending", delivery=id)


def state(daemon, id):
    return next(d for d in daemon.get("/api/v1/deliveries")["deliveries"] if d["id"] == id)


def verify(headers, body):
    """As a receiver does it: Standard Webhooks 1.0.0."""
    content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    digest = hmac.new(base64.b64decode(SECRET[6:]), content, hashlib.sha256).digest()
    assert headers["webhook-signature"] == "v1," + base64.b64encode(digest).decode()
    assert abs(int(headers["webhook-timestamp"]) - time.time()) < 300
    assert headers["Content-Type"].startswith("application/cloudevents+json")


def test_an_office_far_behind_receives_every_case_in_order(make_daemon, tmp_path, office):
    """Its answers are of all kinds, and the daemon is killed in between."""
    troubles = iter([503, 500, (429, {"Retry-After": "1"}, b""), 404, 400, 408])
    office.answer = lambda event: next(troubles, 204)
    rest = f'url = "{office.url()}"; secret_file = "{tmp_path}/secret"; events = ("case.*");'
    daemon = with_deliveries(make_daemon, tmp_path, delivery("office", "webhook", rest))
    cases = [open_case(daemon), open_case(daemon, "weir", title='"<b>\'; DROP TABLE cases; --')]
    for i in range(3):
        for case in cases:
            note(daemon, case, f"{i}: " + "长" * 500 + ' "</script>')
        daemon.kill()
        daemon.start()
    wait_until(lambda: pending(daemon, "office") == 0, 30, "the backlog")
    got = [e for e in office.accepted() if e["type"] != "ducha.test"]
    for case in cases:
        ids = [int(e["id"]) for e in got if e["data"]["id"] == case["id"]]
        distinct = list(dict.fromkeys(ids))
        assert distinct == sorted(distinct) and len(distinct) == 4
    for headers, body, event, _, path in office.requests:
        verify(headers, body)
        assert headers["webhook-id"] == f"edge-01-{event['id']}" and path == "/events?from=edge"
    titled = [e for e in got if e["data"]["id"] == cases[1]["id"]]
    assert titled[0]["data"]["title"] == '"<b>\'; DROP TABLE cases; --'


def test_filters_choose_sites_events_and_severities(make_daemon, tmp_path, office):
    rest = (f'url = "{office.url()}"; events = ("case.opened", "duty.*"); sites = ("weir"); '
            f'min_severity = "serious";')
    daemon = with_deliveries(make_daemon, tmp_path, delivery("office", "webhook", rest))
    open_case(daemon, severity="grave")
    open_case(daemon, "weir")
    wanted = open_case(daemon, "weir", severity="grave")
    note(daemon, wanted, "more")
    wait_until(office.accepted, what="the case")
    wait_until(lambda: pending(daemon, "office") == 0, what="all events looked at")
    assert [(e["type"], e["data"]["id"]) for e in office.accepted()] == \
        [("ducha.case.opened", wanted["id"])]


def test_a_refusing_receiver_is_an_alert_until_it_takes_events_again(make_daemon, tmp_path, office):
    office.answer = lambda event: (410, {}, b"this address has moved\n")
    rest = f'url = "{office.url()}"; secret_file = "{tmp_path}/secret"; events = ("case.*");'
    daemon = with_deliveries(make_daemon, tmp_path, delivery("office", "webhook", rest))
    open_case(daemon)
    alert = wait_until(lambda: daemon.faults("delivery "), what="the alert")[0]
    assert alert["reason"] == "delivery office: HTTP 410: this address has moved"
    daemon.stop()
    daemon.start()
    listed = wait_until(lambda: "410" in daemon.ctl("deliveries").stdout and
                        daemon.ctl("deliveries").stdout, what="a try")
    assert re.search(r"office +webhook +1 +0 .* HTTP 410: this address has moved", listed)
    tested = daemon.ctl("deliveries", "test", "office")
    assert tested.returncode == 1
    assert tested.stdout == "office: the test failed: HTTP 410: this address has moved\n"
    assert [a["id"] for a in daemon.faults("delivery ")] == [alert["id"]]
    office.answer = lambda event: 200
    assert daemon.ctl("deliveries", "test", "office").stdout.startswith(
        "office: the test was delivered: HTTP 200")
    wait_until(lambda: not daemon.faults("delivery "), what="the alert's end")
    assert daemon.ctl("deliveries", "test", "nobody").returncode == 1
    assert daemon.ctl("deliveries", "tset", "office").returncode == 64
    assert state(daemon, "office")["failing_since"] is None
    assert SECRET[6:] not in daemon.said() + listed + json.dumps(state(daemon, "office"))


def test_https_with_a_city_s_own_authority_and_client_certificates(make_daemon, tmp_path,
                                                                   certificates):
    pair = certificates.issue("edge", san="DNS:edge-01")
    office = receivers.Office(tls.context(certificates.good(), client_ca=certificates.ca))
    url = office.url("https", "localhost")
    rest = f'url = "{url}"; ca_file = "{certificates.ca}"; '
    known = rest + f'cert_file = "{pair[0]}"; key_file = "{pair[1]}";'
    try:
        daemon = with_deliveries(make_daemon, tmp_path, delivery("known", "webhook", known),
                                 delivery("unknown", "webhook", rest))
        open_case(daemon)
        wait_until(lambda: pending(daemon, "known") == 0, what="the delivery")
        wait_until(lambda: daemon.metric("ducha_deliveries_total", delivery="unknown",
                                         result="error") > 0, what="a try without certificate")
        assert pending(daemon, "unknown") == 1
        assert len(office.requests) == 1
    finally:
        office.stop()


def refused(daemon, id):
    wait_until(lambda: daemon.metric("ducha_deliveries_total", delivery=id, result="error") > 0,
               what="a try")
    assert pending(daemon, id) == 1
    assert state(daemon, id)["last_error"]


def test_no_bad_certificate_gets_an_event_over_https(make_daemon, tmp_path, certificates):
    offices = {kind: receivers.Office(tls.bad_context(certificates, kind)) for kind in tls.BAD}
    try:
        daemon = with_deliveries(make_daemon, tmp_path, *(
            delivery(kind, "webhook", f'url = "{server.url("https", "localhost")}"; '
                     f'ca_file = "{certificates.ca}"; events = ("case.*");')
            for kind, server in offices.items()))
        open_case(daemon)
        for kind, server in offices.items():
            refused(daemon, kind)
            assert server.handshakes > 0 and server.requests == [], kind
    finally:
        for server in offices.values():
            server.stop()


# --- smtp

def mail(id, post, rest, scheme="smtp"):
    return delivery(id, "smtp", f'url = "{scheme}://localhost:{post.port}"; '
                    f'from = "ducha@edge.example"; events = ("case.*"); {rest}')


def text_of(message):
    return message.get_body().get_content()


def test_a_mail_tells_a_case_over_starttls(make_daemon, tmp_path, certificates):
    """The first try ends with a temporary no; one of two recipients is unknown."""
    troubles = iter(["451 4.3.0 later"])

    def reply(command, what):
        if command == "RCPT" and what == "gone@office.example":
            return "550 5.1.1 no such user here"
        return next(troubles, None) if command == "DATA" else None
    post = receivers.Post(tls.context(certificates.good()), require=True, reply=reply,
                          login=("edge", "sesame"))
    seen = []
    post_reply = post.reply
    post.reply = lambda command, what: (command == "DATA" and seen.append(what)) or \
        post_reply(command, what)
    try:
        daemon = with_deliveries(make_daemon, tmp_path, mail(
            "mail", post, f'to = ("gone@office.example", "office@office.example"); '
            f'ca_file = "{certificates.ca}"; username = "edge"; '
            f'password_file = "{tmp_path}/password";'), environment={"LANGUAGE": "zh_CN", "DUCHA_LOCALE_DIRECTORY": f"{BUILD}/tools/po"})
        case = open_case(daemon, title="盘龙江三号 \u2028 =?UTF-8?B?eA==?= <b>")
        wait_until(lambda: post.mails, what="the mail")
        wait_until(lambda: pending(daemon, "mail") == 0, what="an empty backlog")
        encrypted, recipients, message = post.mails[0]
        assert encrypted and recipients == ["office@office.example"] and len(post.mails) == 1
        assert "案件挂号" in message["Subject"] and case["number"] in message["Subject"]
        assert message["From"].addresses[0].addr_spec == "ducha@edge.example"
        assert len(message["To"].addresses) == 2
        assert message["Message-ID"] == "<edge-01-1@edge.example>"
        assert message["References"] == f"<edge-01-case-{case['id']}@edge.example>"
        assert case["title"] in text_of(message) and "Site outfall-3" in text_of(message)
        dossier, = message.iter_attachments()
        assert dossier.get_content_type() == "text/html"
        assert case["number"] in dossier.get_content()
        assert 'lang="zh' in dossier.get_content()
        assert [re.search(rb"Message-ID: (.*)", m).group(1) for m in seen] == \
            [b"<edge-01-1@edge.example>\r"] * 2
        assert "550 5.1.1 no such user here" in state(daemon, "mail")["last_error"]
        assert "sesame" not in daemon.said()
        tested = daemon.ctl("deliveries", "test", "mail")
        assert tested.returncode == 0, tested.stdout
        assert "测试" in post.mails[1][2]["Subject"]
    finally:
        post.stop()


def test_a_mail_server_that_says_no_is_an_alert(make_daemon, tmp_path):
    no = {"DATA": "554 5.7.1 looks like spam"}
    post = receivers.Post(reply=lambda command, what: no.get(command))
    away = receivers.Post(reply=lambda command, what: "550 5.7.1 not from you")
    rest = 'to = ("office@office.example"); starttls = "off";'
    try:
        daemon = with_deliveries(make_daemon, tmp_path, mail("mail", post, rest),
                                 mail("away", away, rest))
        open_case(daemon)
        open_case(daemon, "weir")
        reasons = {}

        def both():
            for a in daemon.faults("delivery "):
                reasons[a["reason"].split(":")[0]] = a["reason"]
            return len(reasons) == 2
        wait_until(both, what="two alerts")
        assert "is held back: SMTP: 554 5.7.1 looks like spam" in reasons["delivery mail"]
        assert reasons["delivery away"] == "delivery away: SMTP: 550 5.7.1 not from you"
        wait_until(lambda: state(daemon, "mail")["held"] == 2, what="both cases being held")
        assert state(daemon, "away")["held"] == 0
        no.clear()
        wait_until(lambda: pending(daemon, "mail") == 0, what="both mails")
        assert len(post.mails) == 2 and not post.mails[0][0]
    finally:
        post.stop()
        away.stop()


def test_no_bad_certificate_gets_a_mail_or_a_password(make_daemon, tmp_path, certificates):
    posts = {kind: receivers.Post(tls.bad_context(certificates, kind), require=True,
                                  login=("edge", "sesame")) for kind in tls.BAD}
    plain = receivers.Post()
    rest = (f'to = ("o@office.example"); ca_file = "{certificates.ca}"; username = "edge"; '
            f'password_file = "{tmp_path}/password";')
    try:
        daemon = with_deliveries(make_daemon, tmp_path, mail("plain", plain, rest),
                                 *(mail(kind, post, rest) for kind, post in posts.items()))
        open_case(daemon)
        for kind, post in [*posts.items(), ("plain", plain)]:
            refused(daemon, kind)
            assert post.mails == [] and post.commands == [], kind
    finally:
        for post in [*posts.values(), plain]:
            post.stop()


# --- mqtt

def tls_connection(port, ca, rest=""):
    return (f'{{ id = "broker"; driver = "mqtt"; uri = "mqtts://localhost:{port}"; '
            f'client_id = "edge"; ca_file = "{ca}"; {rest} }}')


class Subscriber:
    """mosquitto_sub on all topics, one "topic payload" a line."""

    def __init__(self, broker, *more):
        self.process = subprocess.Popen(["mosquitto_sub", "-h", "localhost", "-p", str(broker.port),
                                         "-i", "office", "-t", "ducha/#", "-q", "1", "-v", *more],
                                        text=True, stdout=subprocess.PIPE)
        wait_until(lambda: broker.subscribed("office"), what="the subscription")

    def next(self):
        line = self.process.stdout.readline()
        assert line, "mosquitto_sub ended"
        topic, payload = line.split(" ", 1)
        return topic, json.loads(payload)

    def stop(self):
        self.process.terminate()
        self.process.wait(10)


@pytest.mark.skipif(MOSQUITTO is None, reason="there is no mosquitto (package mosquitto)")
def test_events_are_published_over_tls_and_after_an_outage(make_daemon, tmp_path, certificates):
    pair, own = certificates.good(), certificates.issue("edge", san="DNS:edge")
    broker = Broker(tmp_path / "broker")
    with open(broker.config, "a") as f:
        f.write(f"cafile {certificates.ca}\ncertfile {pair[0]}\nkeyfile {pair[1]}\n"
                f"require_certificate true\n")
    broker.start()
    rest = f'cert_file = "{own[0]}"; key_file = "{own[1]}";'
    subscribe = ["--cafile", certificates.ca, "--cert", own[0], "--key", own[1]]
    subscriber = Subscriber(broker, *subscribe)
    try:
        daemon = with_deliveries(
            make_daemon, tmp_path,
            delivery("bus", "mqtt", 'connection = "broker"; topic = "ducha/{node}/{event}"; '
                     'timeout_ms = 2000;'),
            connections=[tls_connection(broker.port, certificates.ca, rest)])
        first = open_case(daemon)
        topic, event = subscriber.next()
        assert (topic, event["type"]) == ("ducha/edge-01/case.opened", "ducha.case.opened")
        assert event["data"]["id"] == first["id"]
        wait_until(lambda: pending(daemon, "bus") == 0, what="the daemon knowing that it went out")
        subscriber.stop()
        broker.kill()
        second = open_case(daemon)
        wait_until(lambda: daemon.metric("ducha_deliveries_total", delivery="bus",
                                         result="error") > 0, what="a failed try")
        assert pending(daemon, "bus") > 0
        broker.start()
        subscriber = Subscriber(broker, *subscribe)
        wait_until(lambda: pending(daemon, "bus") == 0, what="the backlog")
        topic, event = subscriber.next()
        while topic != "ducha/edge-01/case.opened":
            topic, event = subscriber.next()
        assert event["data"]["id"] == second["id"]
    finally:
        subscriber.stop()
        broker.stop()


def test_no_bad_certificate_gets_a_word_over_mqtt(make_daemon, tmp_path, certificates):
    """Neither the driver nor a delivery."""
    sinks = {kind: receivers.Sink(tls.bad_context(certificates, kind)) for kind in tls.BAD}
    connections = [tls_connection(sink.port, certificates.ca, f'username = "edge"; '
                                  f'password_file = "{tmp_path}/password";').replace(
                                      '"broker"', f'"{kind}"') for kind, sink in sinks.items()]
    try:
        daemon = with_deliveries(
            make_daemon, tmp_path, *(delivery(kind, "mqtt", f'connection = "{kind}"; topic = "x"; '
                                              f'timeout_ms = 2000; events = ("case.*");')
                                     for kind in sinks), connections=connections)
        open_case(daemon)
        for kind, sink in sinks.items():
            refused(daemon, kind)
            wait_until(lambda: sink.calls >= 2, what="driver and delivery")
            assert sink.told == b"", kind
            assert daemon.metric("ducha_connections_up", connection=kind) == 0
    finally:
        for sink in sinks.values():
            sink.stop()


# --- alertmanager

@pytest.mark.skipif(receivers.ALERTMANAGER is None,
                    reason="there is no alertmanager (package prometheus-alertmanager)")
def test_alerts_fire_in_alertmanager_until_they_are_over(make_daemon, tmp_path, instrument):
    am = receivers.Alertmanager(tmp_path / "am").start()
    instrument.set_float(0, 61.5)
    try:
        daemon = make_daemon(
            [modbus_connection(instrument.port)],
            [site("outfall-3", [modbus_monitor("w01018", limits="{ max = 50.0; }")])],
            deliveries=delivery("oncall", "alertmanager", f'url = "{am.url}/"; resend_s = 1;'))
        alert = wait_until(am.alerts, what="an alert")[0]
        ours, = daemon.alerts(active=True, kind="exceedance")
        assert alert["labels"] == {"alertname": "ducha_exceedance", "kind": "exceedance",
                                   "alert": str(ours["id"]), "node": "edge-01",
                                   "site": "outfall-3", "factor": "w01018"}
        assert alert["annotations"]["value"] == "61.5" and alert["annotations"]["limit"] in ("50", "50.0")
        end = alert["endsAt"]
        wait_until(lambda: am.alerts()[0]["endsAt"] > end, what="the alert being said again")
        assert am.alerts()[0]["startsAt"] == alert["startsAt"]
        am.stop()
        am.start()  # it forgets, as its data are not on disk yet
        wait_until(am.alerts, what="the alert being said to the new one")
        instrument.set_float(0, 20.0)
        wait_until(lambda: not daemon.alerts(active=True), what="the end of it")
        wait_until(lambda: not am.alerts(), what="no alert there")
        assert daemon.ctl("deliveries", "test", "oncall").returncode == 0
    finally:
        am.stop()


def test_check_names_what_is_wrong_with_a_delivery(make_daemon, tmp_path):
    daemon = with_deliveries(make_daemon, tmp_path, '{ id = "a"; type = "webhook";\n'
                             'url = "http://office.example/"; }', start=False)
    checked = subprocess.run([DUCHAD, "--check", "-c", daemon.config], capture_output=True,
                             text=True, env=ENVIRONMENT)
    assert checked.returncode == 78
    assert 'url = "http://office.example/" is not right: http is for receivers on this machine' \
        in checked.stderr


# --- share

@pytest.mark.skipif(MOSQUITTO is None, reason="there is no mosquitto (package mosquitto)")
def test_chosen_readings_are_shared_cleaned_and_flagged(make_daemon, broker, instrument):
    """A value beyond the range is told as such and not as a value; a kill and an outage of the
    broker lose none of a slow series."""
    instrument.set_float(0, 12.5)
    instrument.set_float(2, 7.5)
    monitors = [modbus_monitor("w01018", rest="range = (0.0, 100.0);"),
                modbus_monitor("w21003", address=2)]
    subscriber = Subscriber(broker)
    daemon = make_daemon(
        [modbus_connection(instrument.port), tls_connection(0, "").replace(
            "mqtts://localhost:0", f"mqtt://127.0.0.1:{broker.port}").replace('ca_file = "";', "")],
        [site("outfall-3", monitors)],
        more='share: ( { id = "water"; connection = "broker"; topic = "ducha/{node}/{site}/{factor}"; '
             'factors = ("w01018"); every_s = 3600; timeout_ms = 2000; } );\n')
    try:
        topic, reading = subscriber.next()
        assert topic == "ducha/edge-01/outfall-3/w01018"
        assert reading.pop("time").endswith("+08:00")
        assert reading == {"node": "edge-01", "site": "outfall-3", "factor": "w01018",
                           "unit": "mg/L", "value": 12.5, "flag": "N"}
        instrument.set_float(0, 250.0)  # each change of flag is told at once
        _, reading = subscriber.next()
        assert (reading["value"], reading["flag"]) == (None, "T")
        subscriber.stop()
        broker.kill()
        instrument.set_float(0, 13.5)
        wait_until(lambda: daemon.values("outfall-3", "w01018")[-1] == 13.5, what="the reading")
        daemon.kill()
        broker.start()
        subscriber = Subscriber(broker)
        daemon.start()
        while subscriber.next()[1]["value"] != 13.5:  # what was told before may come again
            pass
        wait_until(lambda: daemon.metric("ducha_shared_readings_total", share="water",
                                         result="ok") >= 1, what="the count")
    finally:
        subscriber.stop()
