# SPDX-License-Identifier: Apache-2.0
"""A city: edges of different names, and one registry in PostgreSQL."""
import json
import os

import pytest

import receivers
import tls
from conftest import ROOT, site
from servers import wait_until

NODES = ("east", "west", "south")
ALONE, STRANGER = "north", "stranger"


@pytest.fixture(scope="module")
def city(tmp_path_factory):
    if receivers.Postgres.BIN is None:
        pytest.skip("there is no PostgreSQL (package postgresql)")
    folder = tmp_path_factory.mktemp("city")
    certificates = tls.Certificates(folder / "tls")
    server = receivers.Postgres(os.path.join(ROOT, "config", "postgresql", "ducha.sql"),
                                certificates.good())
    server.ca, server.folder = certificates.ca, folder
    for node in (*NODES, ALONE, STRANGER):
        (folder / node).write_text(f"{node}-password\n")
    server.psql("; ".join(f"CREATE ROLE {node} LOGIN PASSWORD '{node}-password'; "
                          f"GRANT ducha_edge TO {node}; "
                          f"INSERT INTO ducha.nodes VALUES ('{node}', '{node}')"
                          for node in (*NODES, ALONE)) +
                f"; CREATE ROLE {STRANGER} LOGIN PASSWORD '{STRANGER}-password'; "
                f"GRANT ducha_edge TO {STRANGER}")
    yield server
    server.remove()


def registry(city, node, port, rest="", role=None, id="city"):
    return (f'{{ id = "{id}"; type = "postgresql"; url = "postgresql://localhost:{port}/city"; '
            f'username = "{role or node}"; password_file = "{city.folder}/{role or node}"; '
            f'timeout_ms = 1000; retry_longest_s = 1; {rest} }}')


def post(daemon, path, **body):
    status, answer = daemon.request("POST", path, json.dumps(body))
    assert status == 200, answer
    return json.loads(answer)


def pending(daemon):
    return daemon.metric("ducha_deliveries_pending", delivery="city")


def test_three_edges_and_one_that_was_cut_off(make_daemon, city):
    relay = receivers.Relay(city.port)
    daemons = {node: make_daemon(
        [], [site("outfall-3", [])], name=node, deliveries=registry(
            city, node, relay.port if node == "south" else city.port,
            f'ca_file = "{city.ca}";' if node == "west" else "")) for node in NODES}
    evil = "'); DROP TABLE ducha.cases; -- \"\\ </script> 案件"
    try:
        for node, daemon in daemons.items():
            post(daemon, "/api/v1/cases", site="outfall-3", source="inspection", by="Li",
                 title=evil)
            wait_until(lambda: pending(daemon) == 0, what=f"the first case of {node}")
        relay.cut = True
        for daemon in daemons.values():
            post(daemon, "/api/v1/cases/1/actions", action="accept", by="Li")
            post(daemon, "/api/v1/cases", site="outfall-3", source="complaint", by="Li")
        for node in ("east", "west"):
            wait_until(lambda: pending(daemons[node]) == 0, what=f"the events of {node}")
        wait_until(lambda: daemons["south"].metric("ducha_deliveries_total", delivery="city",
                                                   result="error") > 0, what="the cut being seen")
        assert pending(daemons["south"]) == 2
        assert city.psql("SELECT status FROM ducha.cases WHERE node = 'south'") == [["registered"]]
        daemons["south"].kill()
        relay.restore()
        daemons["south"].start()
        wait_until(lambda: pending(daemons["south"]) == 0, what="the backlog")
        for node, daemon in daemons.items():
            ours = sorted([[str(c["id"]), c["number"], c["status"]] for c in daemon.cases()])
            assert city.psql("SELECT id, number, status FROM ducha.cases "
                             f"WHERE node = '{node}' ORDER BY id") == ours
            history = city.psql("SELECT position, action, by FROM ducha.history WHERE node = "
                                f"'{node}' AND case_id = 1 ORDER BY position")
            assert history == [[str(i + 1), h["action"], h["by"]] for i, h in
                               enumerate(c for c in daemon.get("/api/v1/cases/1")["history"])]
        assert city.psql("SELECT DISTINCT data->>'title' FROM ducha.cases WHERE id = 1 AND node <> 'north'") == [[evil]]
        assert city.psql("SELECT count(*) FROM ducha.events WHERE node <> 'north'")[0][0] == "9"
        assert city.psql("SELECT count(DISTINCT usename) FROM pg_stat_ssl JOIN pg_stat_activity "
                         "USING (pid) WHERE ssl AND usename = 'west'") == [["1"]]
    finally:
        relay.stop()


def test_an_edge_speaks_for_itself_alone(make_daemon, city):
    daemon = make_daemon([], [site("outfall-3", [])], name=ALONE, deliveries=", ".join((
        registry(city, ALONE, city.port, role=STRANGER, id="other"),
        registry(city, ALONE, city.port))))
    post(daemon, "/api/v1/cases", site="outfall-3", source="inspection", by="Li")
    wait_until(lambda: pending(daemon) == 0, what="the case")
    alert = wait_until(lambda: daemon.faults("delivery "), what="the alert")[0]
    assert alert["reason"] == \
        "delivery other: PostgreSQL 42501: role stranger does not speak for node north"
    assert daemon.ctl("deliveries", "test", "city").returncode == 0
    # what is sent twice or late changes nothing
    event, = city.psql("SELECT event FROM ducha.events WHERE id = 1 AND node = 'north'")[0]
    before = city.psql("TABLE ducha.cases") + city.psql("TABLE ducha.history")
    for _ in range(2):
        city.psql("SET SESSION AUTHORIZATION north; "
                  f"SELECT ducha.take('north', 1, $e${event}$e$::jsonb)")
    assert city.psql("TABLE ducha.cases") + city.psql("TABLE ducha.history") == before
    # an edge that began anew under the same name is told so
    daemon.stop()
    fresh = make_daemon([], [site("outfall-3", [])], name=ALONE,
                        deliveries=registry(city, ALONE, city.port))
    post(fresh, "/api/v1/cases", site="outfall-3", source="inspection", by="Li")
    alert = wait_until(lambda: fresh.faults("delivery "), what="the alert")[0]
    assert "an edge that lost its ledger needs a new node id" in alert["reason"]
