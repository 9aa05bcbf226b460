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
from conftest import DUCHAD, ENVIRONMENT, site
from servers import wait_until

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


def with_deliveries(make_daemon, tmp_path, *deliveries, start=True, **more):
    """A daemon without instruments; its cases are opened by hand."""
    secret = tmp_path / "secret"
    secret.write_text(SECRET + "\n")
    return make_daemon([], [site("outfall-3", []), site("weir", [])], start=start,
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
    alert = wait_until(lambda: daemon.alerts(active=True, kind="fault"), what="the alert")[0]
    assert alert["reason"] == "delivery office: HTTP 410: this address has moved"
    daemon.stop()
    daemon.start()
    listed = wait_until(lambda: "410" in daemon.ctl("deliveries").stdout and
                        daemon.ctl("deliveries").stdout, what="a try")
    assert re.search(r"office +webhook +1 +0 .* HTTP 410: this address has moved", listed)
    tested = daemon.ctl("deliveries", "test", "office")
    assert tested.returncode == 1
    assert tested.stdout == "office: the test failed: HTTP 410: this address has moved\n"
    assert [a["id"] for a in daemon.alerts(active=True, kind="fault")] == [alert["id"]]
    office.answer = lambda event: 200
    assert daemon.ctl("deliveries", "test", "office").stdout.startswith(
        "office: the test was delivered: HTTP 200")
    wait_until(lambda: not daemon.alerts(active=True, kind="fault"), what="the alert's end")
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


def test_check_names_what_is_wrong_with_a_delivery(make_daemon, tmp_path):
    daemon = with_deliveries(make_daemon, tmp_path, '{ id = "a"; type = "webhook";\n'
                             'url = "http://office.example/"; }', start=False)
    checked = subprocess.run([DUCHAD, "--check", "-c", daemon.config], capture_output=True,
                             text=True, env=ENVIRONMENT)
    assert checked.returncode == 78
    assert 'url = "http://office.example/" is not right: http is for receivers on this machine' \
        in checked.stderr
