# SPDX-License-Identifier: Apache-2.0
"""A ledger that was lost, in whatever way, with the daemon killed: what the API says afterwards is what it said before."""
import glob
import json
import os
import random
import shutil
import subprocess

from conftest import DUCHACTL, ENVIRONMENT, modbus_connection, modbus_monitor, site
from servers import wait_until

# While an alert is active these go on with each reading.
MOVING = {"last_value", "last", "readings", "peak_value", "peak", "peak_at", "shelved_until"}


def still(value):
    if isinstance(value, dict):
        return {k: still(v) for k, v in value.items() if k not in MOVING}
    return [still(v) for v in value] if isinstance(value, list) else value


def all_of(daemon):
    cases = daemon.cases()
    return still({"cases": cases, "each": [daemon.get(f"/api/v1/cases/{c['id']}") for c in cases],
                  # faults of its own come and go with the file that was set aside
                  "alerts": [a for a in daemon.alerts() if a["kind"] != "fault"],
                  "shelves": daemon.get("/api/v1/shelves"), "marks": daemon.get("/api/v1/marks"),
                  "deliveries": [d["id"] for d in daemon.get("/api/v1/deliveries")["deliveries"]]})


def post(daemon, path, **body):
    status, answer = daemon.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
    assert status in (200, 201), answer
    return answer


def zeros(path):
    size = os.path.getsize(path)
    with open(path, "r+b") as f:
        f.write(b"\0" * size)


def head(path):
    with open(path, "r+b") as f:
        f.write(os.urandom(100))


def cut(path):
    pages = os.path.getsize(path) // 4096
    os.truncate(path, random.randrange(1, pages) * 4096)


def flips(path):
    pages = os.path.getsize(path) // 4096
    with open(path, "r+b") as f:
        for page in random.sample(range(pages), pages // 3):
            f.seek(page * 4096 + random.randrange(4096 - 64))
            f.write(os.urandom(64))
        f.seek(4096 * random.randrange(1, pages))
        f.write(b"\0" * 4096)


def noise(path):
    with open(path, "wb") as f:
        f.write(os.urandom(300000))


def empty(path):
    os.truncate(path, 0)


def folder(path):
    os.unlink(path)
    os.mkdir(path)


def older(path):
    shutil.copy(path + "-older", path)


WAYS = (zeros, head, cut, flips, noise, empty, os.unlink, folder, older)


def test_a_lost_ledger_is_the_same_afterwards(make_daemon, instrument):
    instrument.set_float(0, 61.5)
    instrument.set_float(2, 20.0)
    daemon = make_daemon(
        [modbus_connection(instrument.port)],
        [site("s", [modbus_monitor("w01018", limits="{ max = 50.0; }"),
                    modbus_monitor("w21003", address=2, limits="{ max = 50.0; }")]),
         site("t", [modbus_monitor("w21011", address=2)])])
    path = os.path.join(daemon.store, "ledger.db")
    case, = wait_until(daemon.cases, what="a case")
    began, = [a for a in daemon.alerts(active=True) if a["kind"] == "exceedance"]
    post(daemon, f"/api/v1/cases/{case['id']}/actions", action="accept", by="H")
    post(daemon, f"/api/v1/cases/{case['id']}/actions", action="note", by="H", note="on site at ten")
    post(daemon, "/api/v1/cases", site="t", source="complaint", by="H", note="smell")
    random.seed(7)
    for i, way in enumerate(WAYS):
        with open(path, "rb") as f, open(path + "-older", "wb") as copy:
            copy.write(f.read())
        # a second case comes and goes, and somebody says something
        instrument.set_float(2, 62.5)
        wait_until(lambda: len([a for a in daemon.alerts(active=True) if a["kind"] == "exceedance"]) == 2, what="an alert")
        instrument.set_float(2, 20.0)
        wait_until(lambda: len([a for a in daemon.alerts(active=True) if a["kind"] == "exceedance"]) == 1, what="its end")
        post(daemon, "/api/v1/cases/2/actions", action="note", by="H", note=f"note {i}")
        before = all_of(daemon)
        told = {e["id"] for e in daemon.delivered()}
        daemon.kill()
        way(path)
        polls = instrument.requests
        daemon.start()
        assert all_of(daemon) == before, way.__name__
        assert instrument.requests >= polls
        assert [a for a in daemon.alerts(active=True) if a["kind"] == "exceedance"][0]["began_at"] == began["began_at"]
        assert {e["id"] for e in daemon.delivered()} >= told
    assert "made again, whole" in daemon.said()
    assert daemon.said().count("made again, whole") >= len(WAYS) - 1
    fault, = wait_until(lambda: daemon.faults("damaged"), what="the alert")
    done = subprocess.run([DUCHACTL, "verify", daemon.store], capture_output=True, text=True, env=ENVIRONMENT)
    assert done.returncode == 0, done.stdout + done.stderr
    numbers = sorted(int(c["number"].split("〕")[1].rstrip("号")) for c in daemon.cases())
    assert numbers == list(range(1, len(numbers) + 1))
    for aside in glob.glob(path + ".corrupt-*"):
        shutil.rmtree(aside) if os.path.isdir(aside) else os.unlink(aside)
    wait_until(lambda: not daemon.faults("damaged"), 20, "the alert over, the files being taken away")
