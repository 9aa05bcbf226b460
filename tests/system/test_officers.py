# SPDX-License-Identifier: Apache-2.0
"""Officers who act over HTTP, known by their tokens."""
import getpass
import hashlib
import http.client
import json

import pytest

import servers
from conftest import mqtt_connection, mqtt_monitor, site

TOKENS = {"li": ("handler", "t" * 40), "wang": ("leader", "w" * 40)}


FIRM = ('stale_after_s = 0; responsible = { unit = "Unit Una"; leader = "Leader Liang"; team = "Team Tan"; '
        'phone = "000-0000009"; contact = "Contact Cao"; }; enterprise = { name = "Invented Works"; permit_no = "P-77"; };')
PERSONS = ("Leader Liang", "Team Tan", "000-0000009", "Contact Cao", "Handler Hu", "a neighbour", "seen by", "Keeper Ke")
ENTERPRISE = ("Site firm", "Unit Una", "Invented Works", "P-77")


@pytest.fixture
def office(make_daemon, tmp_path):
    """A daemon with one case, and officers by token."""
    path = tmp_path / "officers"
    path.write_text("".join(f"{name}:{roles}:{hashlib.sha256(token.encode()).hexdigest()}\n"
                            for name, (roles, token) in TOKENS.items()))
    daemon = make_daemon([], [site("outfall-3", [])], listen=servers.free_port(),
                         http=f' officers_file = "{path}";')
    status, _ = daemon.request("POST", "/api/v1/cases",
                               json.dumps({"site": "outfall-3", "source": "inspection"}))
    assert status == 200
    return daemon


def ask(daemon, method, path, token=None, body=None, scheme="Bearer"):
    connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=20)
    try:
        headers = {} if token is None else {"Authorization": f"{scheme} {token}"}
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode(), answer.headers
    finally:
        connection.close()


def act(daemon, token=None, scheme="Bearer", **body):
    return ask(daemon, "POST", "/api/v1/cases/1/actions", token, body, scheme)


def test_an_officer_acts_in_his_own_name_and_by_his_role(office):
    token = TOKENS["li"][1]
    status, body, _ = act(office, token, action="accept")
    assert status == 200, body
    assert json.loads(body)["history"][-1] | {"at": None} == \
        {"at": None, "action": "accept", "by": "li", "note": None}
    status, body, _ = act(office, token, action="note", by="wang", note="x")
    assert (status, json.loads(body)["error"]) == \
        (403, "the token is that of li, who acts for nobody else")
    status, body, _ = act(office, token, action="close", note="x")
    assert status == 403 and "li may not close" in body
    # whichever way they come: over the socket, too, and in whatever capitals
    status, body = office.request("POST", "/api/v1/cases/1/actions", json.dumps({"action": "close", "note": "x", "by": "LI"}))
    assert status == 403 and "li may not close" in body
    status, body, _ = act(office, TOKENS["wang"][1], action="note", by="wang", note="seen")
    assert status == 200, body
    history = office.cases()[0]["history"]
    assert [h["by"] for h in history if h["action"] in ("accept", "note")] == ["li", "wang"]
    # opened over the socket, where no name was given: the user at its other end
    assert history[0]["by"] == getpass.getuser()
    # who gives a name there is recorded beside it
    status, body = office.request("POST", "/api/v1/cases/1/actions", json.dumps({"action": "note", "note": "x", "by": "Zhao"}))
    step = json.loads(body)["history"][-1]
    assert status == 200 and (step["by"], step["user"]) == ("Zhao", getpass.getuser())
    assert [h.get("user") for h in history if h["action"] in ("accept", "note")] == [None, None]
    assert f"Zhao ({getpass.getuser()})" in office.ctl("case", "1").stdout
    assert f"Zhao <small>({getpass.getuser()})" in office.request("GET", "/api/v1/cases/1/dossier")[1]
    assert getpass.getuser() not in ask(office, "GET", "/api/v1/cases/1")[1]


def test_without_a_token_there_is_nothing_to_do(office):
    before = office.cases()
    for token, scheme, expected in ((None, "", 401), ("x" * 40, "Bearer", 401),
                                    (TOKENS["li"][1], "Basic", 401),
                                    (TOKENS["li"][1] + "t", "Bearer", 401)):
        status, body, headers = act(office, token, scheme, action="accept")
        assert status == expected and headers["WWW-Authenticate"] == 'Bearer realm="ducha"', body
    assert ask(office, "GET", "/api/v1/cases")[0] == 200
    assert ask(office, "POST", "/api/v1/deliveries/folder/test", TOKENS["li"][1])[0] == 403
    assert office.cases() == before
    assert TOKENS["li"][1] not in office.said()


def until_slowed(daemon, token):
    """The answers to the same request over one connection, until it is too much."""
    connection, statuses = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=20), []
    try:
        while 429 not in statuses and len(statuses) < 5000:
            connection.request("POST", "/api/v1/cases/1/actions", "{}", {"Authorization": f"Bearer {token}"})
            answer = connection.getresponse()
            answer.read()
            statuses.append(answer.status)
    finally:
        connection.close()
    assert statuses[-1] == 429
    return statuses


def test_guessing_is_slowed_down_and_keeps_no_officer_out(office):
    guesses = until_slowed(office, "guess")
    assert guesses[:10] == [401] * 10
    assert act(office, TOKENS["li"][1], action="accept")[0] == 200
    # what is asked badly counts as well, and costs no fsync, so that it is quicker than a token a second
    many = until_slowed(office, TOKENS["wang"][1])
    assert many[:60] == [400] * 60
    assert ask(office, "GET", "/api/v1/cases", TOKENS["wang"][1])[0] == 200


def texts(daemon, token=None):
    """What the listener says of cases, alerts, shelves, marks, deliveries and events."""
    paths = ("cases?status=all", "cases/1", "alerts", "shelves", "marks", "deliveries")
    answers = [ask(daemon, "GET", f"/api/v1/{path}", token) for path in paths]
    assert [status for status, _, _ in answers] == [200] * len(paths), answers
    connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=20)
    try:
        connection.request("GET", "/api/v1/events?last=1000", headers={} if token is None else {"Authorization": f"Bearer {token}"})
        stream, events = connection.getresponse(), []
        while "ducha.case.updated" not in (events or [""])[-1]:
            line = stream.readline().decode()
            events += [line[5:]] if line.startswith("data:") else []
    finally:
        connection.close()
    return [body for _, body, _ in answers] + events


def test_the_listener_names_nobody_without_a_token(make_daemon, tmp_path):
    path = tmp_path / "officers"
    path.write_text(f"li:leader:{hashlib.sha256(b'token').hexdigest()}\n")
    firm = site("firm", [mqtt_monitor("w01018", "t")], FIRM)
    daemon = make_daemon([mqtt_connection(servers.free_port())], [firm], listen=servers.free_port(),
                         http=f' officers_file = "{path}";')
    order = {"site": "firm", "source": "complaint", "title": "a neighbour smells it", "by": "Handler Hu"}
    for where, body in (("cases", order),
                        ("shelves", {"site": "firm", "for_s": 3600, "reason": "seen by Pan", "by": "Keeper Ke"}),
                        ("marks", {"site": "firm", "factor": "w01018", "from": "1767225600", "to": "1767229200",
                                   "flag": "M", "reason": "seen by Pan", "by": "Keeper Ke"}),
                        ("cases/1/actions", {"action": "note", "note": "seen by Pan", "by": "Handler Hu"})):
        status, answer = daemon.request("POST", f"/api/v1/{where}", json.dumps(body))
        assert status == 200, answer
    names = PERSONS + ENTERPRISE
    everything = texts(daemon, "token")
    assert {name for name in names if name not in "".join(everything)} == {"000-0000009", "Contact Cao"}
    assert everything[1].strip() == daemon.request("GET", "/api/v1/cases/1")[1].strip()
    everybody = texts(daemon)
    assert [name for name in names for text in everybody if name in text] == []
    case, shown = daemon.get("/api/v1/cases/1"), json.loads(everybody[1])
    assert set(case) == set(shown) and [list(h) for h in case["history"]] == [list(h) for h in shown["history"]]
    assert [h["action"] for h in shown["history"]] == ["registered", "note"] and shown["site"] is None
    # once a person stands for it, the enterprise is named, and persons still are not
    status, answer = daemon.request("POST", "/api/v1/cases/1/actions", json.dumps({"action": "accept", "by": "Handler Hu"}))
    assert status == 200, answer
    everybody = "".join(texts(daemon))
    assert [name for name in PERSONS if name in everybody] == []
    assert [name for name in ENTERPRISE if name not in everybody] == []


def told(daemon, path):
    status, body, _ = ask(daemon, "GET", path)
    assert status == 200, body
    return body


def first_told(daemon, query):
    """What a stream without a token begins with: its cursor, and what it tells first."""
    connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=20)
    try:
        connection.request("GET", f"/api/v1/events?{query}")
        stream, lines = connection.getresponse(), []
        while not lines or not lines[-1].startswith("data:"):
            lines.append(stream.readline().decode())
    finally:
        connection.close()
    return int(lines[0].split()[-1]), json.loads(lines[-1][5:])


def test_nothing_leads_to_an_enterprise_before_a_case_is_verified(make_daemon):
    firm, river = site("firm", [mqtt_monitor("w01018", "t")], FIRM), site("river", [], kind="river_section")
    daemon = make_daemon([mqtt_connection(servers.free_port())], [firm, river], listen=servers.free_port())

    def post(where, **body):
        status, answer = daemon.request("POST", f"/api/v1/{where}", json.dumps({"by": "Handler Hu", **body}))
        assert status == 200, answer

    # 1 is verified, 2 and 4 are not, and all are of one enterprise; 3 is of the river
    for where, rest in (("firm", {}), ("firm", {"factor": "w01018"}), ("river", {}), ("firm", {})):
        post("cases", site=where, source="inspection", title="smell", **rest)
    post("cases/1/actions", action="accept")
    post("cases/1/actions", action="link", other=2, relation="same outfall")
    post("cases/2/actions", action="link", other=1, relation="same outfall")
    post("cases/3/actions", action="link", other=2, relation="downstream")
    post("cases/3/actions", action="transfer", unit="the Invented Works", note="theirs")
    post("cases/4/actions", action="merge", other=1, note="the same")
    post("cases/2/actions", action="withdraw", reason="instrument_fault", note="pump")
    numbers = {n: daemon.get(f"/api/v1/cases/{n}")["number"] for n in (1, 2, 4)}
    for n in (2, 4):
        case, page = told(daemon, f"/api/v1/cases/{n}"), told(daemon, f"/api/v1/cases/{n}/dossier")
        assert [name for name in ENTERPRISE + ("firm", "w01018") if name in case + page] == []
        assert json.loads(case)["links"] == [] and not json.loads(case).get("merged_into")
        assert json.loads(case)["opened_at"] is None and numbers[n] in page
        assert [numbers[m] for m in (1, 3, 2, 4) if m in numbers and m != n and numbers[m] in page] == []
    for n in (1, 3):
        case = json.loads(told(daemon, f"/api/v1/cases/{n}"))
        assert case["links"] == [] and [h.get("other") for h in case["history"] if h.get("other")] == []
        assert [numbers[m] for m in (2, 4) if numbers[m] in told(daemon, f"/api/v1/cases/{n}/dossier")] == []
    assert "Site firm" in told(daemon, "/api/v1/cases/1/dossier")
    section = [told(daemon, path) for path in ("/api/v1/cases/3", "/api/v1/cases/3/dossier", "/?status=open&site=river")]
    assert [text for text in section if "Site river" not in text or "Invented" in text] == []
    # neither a list that is asked for by site or time, nor the place where it goes on
    for query in ("site=firm", "from=0", "to=9999999999"):
        for limit in (1, 2, 1000):
            page = json.loads(told(daemon, f"/api/v1/cases?status=all&limit={limit}&{query}"))
            assert {c["id"] for c in page["cases"]} <= {1, 3} and page.get("next") in (None, 1, 3), (query, page)
    assert daemon.get("/api/v1/shelves")["shelves"][0]["case"] == 2  # which the withdrawal made
    assert [s["case"] for s in json.loads(told(daemon, "/api/v1/shelves"))["shelves"]] == [None]
    at, event = first_told(daemon, "site=firm&last=1")
    assert event["data"]["id"] == 1 and int(event["id"]) == at + 1
    assert "not shown" in told(daemon, "/?language=en&status=all") and "not shown" not in told(daemon, "/?language=en&status=all&site=firm")


def test_a_token_that_was_taken_out_is_good_for_nothing_after_a_reload(office, tmp_path):
    li, wang = TOKENS["li"][1], TOKENS["wang"][1]
    stream = http.client.HTTPConnection("127.0.0.1", office.port, timeout=20)
    stream.request("GET", "/api/v1/events", headers={"Authorization": f"Bearer {li}"})
    watched = stream.getresponse()
    assert watched.status == 200
    path = tmp_path / "officers"
    path.write_text("".join(l for l in path.read_text().splitlines(True) if not l.startswith("li:")))
    assert act(office, li, action="note", note="before")[0] == 200
    while b"before" not in watched.readline():
        pass
    assert ask(office, "POST", "/api/v1/reload", wang)[0] == 403
    assert office.ctl("reload").returncode == 0
    assert act(office, li, action="note", note="after")[0] == 401
    assert act(office, wang, action="note", note="after")[0] == 200
    watched.read()  # to its end
    stream.close()
