# SPDX-License-Identifier: Apache-2.0
"""A recorded series through a real broker into the whole daemon, beside --backtest on the same rows.

Silence and means are judged by the live clock and so differ by nature; every other alert must be the
same: kind, times, values, peaks.
"""
import json
import math
import os
import random
import signal
import subprocess

from conftest import BUILD, DUCHAD, ENVIRONMENT, Daemon, mqtt_connection, site
from servers import wait_until, wait_while_it_grows

SIM = os.path.join(BUILD, "tools", "sim", "ducha-sim")
SEED = int(os.environ.get("DUCHA_SEED", "20260311"))
COMPARED = ("kind", "site", "factor", "began_at", "raised_at", "cleared_at", "value", "limit",
            "bound", "peak_value", "reason")
LIVE_ONLY = ("stale", "undetermined", "connection", "fault")


def replayed(factor, site_id, limits, rest=""):
    return (f'{{ factor = "{factor}"; connection = "broker"; topic = "ducha/{site_id}/{factor}"; '
            f'value = "/value"; time = "/ts"; flag = "/flag"; {rest} limits: ( {limits} ); }}')


def alerts_of(events, key):
    """(type, what is compared) of every alert event, in no order."""
    lines = []
    for event in events:
        kind = event[key]
        if not kind.endswith(("alert.raised", "alert.cleared")) or event["data"]["kind"] in LIVE_ONLY:
            continue
        lines.append((kind.replace("ducha.", ""),) + tuple(event["data"][name] for name in COMPARED))
    return sorted(lines, key=repr)


def live_and_recorded(daemon, broker, rows, path):
    """Events of the daemon that got the rows over MQTT, and of --backtest."""
    with open(path, "w") as f:
        f.write("time,site,factor,value,flag\n")
        f.writelines(",".join(row) + "\n" for row in rows)
    recorded = subprocess.run([DUCHAD, "--backtest", path, "-c", daemon.config], env=ENVIRONMENT,
                              capture_output=True, timeout=120)
    assert recorded.returncode == 0, recorded.stderr
    ready = path + ".ready"
    sim = subprocess.Popen([SIM, "--replay", path, "--speed", "0", "--hold", "--broker",
                            f"mqtt://127.0.0.1:{broker.port}", "--ready-file", ready],
                           env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        wait_until(lambda: os.path.exists(ready), 20, "ducha-sim being ready")
        wait_until(lambda: daemon.metric("ducha_connections_up", connection="broker") == 1, 20,
                   "duchad being connected")
        sim.send_signal(signal.SIGUSR1)
        assert sim.wait(600) == 0, sim.stderr.read()
    finally:
        sim.kill()
        sim.wait()
    wait_while_it_grows(lambda: daemon.metric("ducha_readings_total", driver="mqtt"),
                        sum(row[3] != "NA" for row in rows), what="all rows being received")
    daemon.stop()
    events = [json.loads(line) for line in recorded.stdout.splitlines()]
    daemon.start()
    wait_until(lambda: daemon.metric("ducha_deliveries_pending", delivery="folder") == 0, 20,
               "all events being delivered")
    return alerts_of(daemon.delivered(), "type"), alerts_of(events, "type")


def noisy_rows(draw, count):
    """A day in minutes: a slow wave, noise, a dead instrument, flags, missing values, one gap."""
    rows, dead = [], None
    for i in range(count):
        if i == count // 2:
            continue
        stamp = 1767225600 + 60 * i + (9000 if i > count // 2 else 0)
        cod = 42 + 12 * math.sin(i / 60) + draw.gauss(0, 2)
        dead = dead if dead and draw.random() < 0.9 else (cod if draw.random() < 0.02 else None)
        flag = draw.choices("NMCDT", (94, 2, 2, 1, 1))[0]
        value = "NA" if draw.random() < 0.02 else f"{dead or cod:.1f}"
        rows.append((str(stamp), "outfall-3", "w01018", value, flag))
        ph = 7.4 + 1.9 * math.sin(i / 45) + draw.gauss(0, 0.1)
        rows.append((str(stamp), "outfall-3", "w01001", f"{ph:.2f}", "N"))
    return rows


def test_a_replayed_series_is_judged_as_the_backtest_judges_it(tmp_path, broker):
    print("DUCHA_SEED =", SEED)
    rows = noisy_rows(random.Random(SEED), 900)
    daemon = Daemon(tmp_path, [mqtt_connection(broker.port)], [site("outfall-3", [
        replayed("w01018", "outfall-3",
                 "{ max = 50.0; on_delay_s = 120; off_delay_s = 180; deadband = 2.0; warn_at = 0.9; },"
                 "{ max = 56.0; on_count = 2; off_count = 3; opens = \"alert\"; }",
                 "range = (0, 58); max_step = 7.0; flat_after_s = 240;"),
        replayed("w01001", "outfall-3", "{ min = 6.0; max = 9.0; on_delay_s = 60; deadband = 0.1; }"),
    ], rest="stale_after_s = 7200;")])
    daemon.start()
    try:
        live, recorded = live_and_recorded(daemon, broker, rows, str(tmp_path / "rows.csv"))
        kinds = {line[1] for line in recorded}
        assert {"exceedance", "warning", "flat", "step", "clue"} <= kinds, kinds
        assert live == recorded
        assert daemon.get("/api/v1/cases?status=all")["cases"]
    finally:
        daemon.stop()
