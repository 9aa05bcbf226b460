# SPDX-License-Identifier: Apache-2.0
"""A new configuration in the place of the old one, while readings come in."""
import os
import signal
import struct
import threading

import servers
from conftest import modbus_connection, modbus_monitor, mqtt_connection, mqtt_monitor, site
from servers import wait_until, wait_while_it_grows

LONG = os.environ.get("DUCHA_LONG") == "1"


class Meter:
    """A Modbus TCP instrument that counts its connections and requests, on a thread of its own.
    Register 0 and 1 hold the number of the request as uint32."""

    def __init__(self):
        import socket
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.accepts, self.ends, self.count = 0, 0, 0
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            self.accepts += 1
            threading.Thread(target=self.serve, args=(peer,), daemon=True).start()

    def serve(self, peer):
        self.answer(peer)
        self.ends += 1

    def answer(self, peer):
        with peer:
            while True:
                request = b""
                while len(request) < 12:
                    try:
                        more = peer.recv(12 - len(request))
                    except OSError:
                        return
                    if not more:
                        return
                    request += more
                n = struct.unpack(">H", request[10:12])[0]
                self.count += 1
                data = struct.pack(">I", self.count).ljust(2 * n, b"\0")[:2 * n]
                try:
                    peer.sendall(request[:4] + struct.pack(">HBBB", 3 + 2 * n, request[6], request[7],
                                                           2 * n) + data)
                except OSError:
                    return

    def close(self):
        self.listener.close()


def counter(limits="", connection="line", factor="w01018", address=0):
    return modbus_monitor(factor, connection, type="uint32", limits=limits, address=address)


def reconfigure(daemon, change):
    with open(daemon.config) as f:
        text = f.read()
    new = change(text)
    assert new != text
    with open(daemon.config, "w") as f:
        f.write(new)


def reload(daemon):
    status, body = daemon.request("POST", "/api/v1/reload", "")
    assert status == 200, body
    return body


def is_whole(values):
    return [int(v) for v in values] == list(range(int(values[0]), int(values[0]) + len(values)))


def test_reloads_under_load_lose_and_double_nothing_and_keep_the_sockets(make_daemon, broker):
    meter = Meter()
    below = "{ min = 1.0; opens = \"case\"; }", "{ min = 1.0; on_delay_s = 4; }"  # what it has beside the number is 0
    daemon = make_daemon([modbus_connection(meter.port, interval_ms=20, timeout_ms=10000),
                          mqtt_connection(broker.port, ack_timeout_ms=10000)],
                         [site("s1", [counter("{ max = 1e9; }"), counter(below[0], factor="w21003", address=2),
                                      counter(below[1], factor="w21011", address=4)]),
                          site("s2", [mqtt_monitor("w01018", "a/s2")])])
    wait_until(lambda: broker.subscribed("edge"), what="a subscription")
    published, ending = [0], threading.Event()

    def publish():
        stream = servers.Publisher(broker.port)
        while not ending.wait(0.05):
            stream.publish("a/s2", str(published[0] + 1))
            published[0] += 1
        stream.close()
    publisher = threading.Thread(target=publish)
    publisher.start()
    wait_until(lambda: len(daemon.values("s1", "w01018")) > 5, what="readings")
    raised, = wait_until(lambda: [a for a in daemon.alerts(True, "exceedance") if a["factor"] == "w21003"],
                         what="an alert")
    first = daemon.readings("s1", "w21011")[0]["time"]
    for i in range(300 if LONG else 25):  # each moves every index of the plan
        reconfigure(daemon, lambda text: text.replace("sites: (", 'sites: (\n{ id = "x%d"; name = "X"; '
                    'kind = "outfall"; stale_after_s = 0; monitors: ( { factor = "w01018"; '
                    'connection = "broker"; topic = "x/%d"; } ); },' % (i, i), 1))
        if i % 10 == 0:
            reload(daemon)
        else:
            daemon.process.send_signal(signal.SIGHUP)
            wait_until(lambda: any(s["id"] == f"x{i}" for s in daemon.get("/api/v1/sites")["sites"]),
                       what="the site", every=0.01)
    for _ in range(25):  # nobody waits for these: they fall together
        daemon.process.send_signal(signal.SIGHUP)
    reload(daemon)
    ending.set()
    publisher.join(30)
    wait_while_it_grows(lambda: len(daemon.values("s2", "w01018")), published[0], what="all messages")
    assert [int(v) for v in daemon.values("s2", "w01018")] == list(range(1, published[0] + 1))
    assert is_whole(daemon.values("s1", "w01018"))
    assert meter.accepts == 1
    assert broker.lines() and sum("New client connected" in l and " as edge " in l
                                  for l in broker.lines()) == 1
    assert daemon.metric("ducha_readings_total", driver="modbus") >= len(
        daemon.values("s1", "w01018"))
    assert daemon.metric("ducha_unrecorded_total") == 0
    assert all(daemon.metric("ducha_polls_total", result=r) == 0 for r in ("timeout", "exception", "error"))
    kept, = [a for a in daemon.alerts(True, "exceedance") if a["factor"] == "w21003"]
    assert (kept["id"], kept["raised_at"], kept["case"]) == (raised["id"], raised["raised_at"], raised["case"])
    late, = wait_until(lambda: [a for a in daemon.alerts(True, "exceedance") if a["factor"] == "w21011"],
                       what="the run that was pending")
    assert late["began_at"] == first and len(daemon.cases("open")) == 2
    # the topics that came later are heard, and what is gone is not
    broker.publish("x/3", "7.5")
    wait_until(lambda: daemon.values("x3", "w01018") == [7.5], what="a reading of a new site")
    meter.close()


def test_a_bad_file_is_told_by_line_and_changes_nothing(make_daemon, instrument):
    instrument.set_float(0, 20.0)
    daemon = make_daemon([modbus_connection(instrument.port)],
                         [site("s1", [modbus_monitor("w01018", limits="{ max = 50.0; }")])])
    with open(daemon.config) as f:
        lines = f.read().splitlines()
    where = next(i for i, l in enumerate(lines) if "max = 50.0" in l) + 1
    reconfigure(daemon, lambda text: text.replace("max = 50.0", "max = 50.0; mox = 1"))
    result = daemon.ctl("reload")
    assert result.returncode == 1 and f"{daemon.config}:{where}: " in result.stderr
    assert "mox" in result.stderr and "stays" in result.stderr
    assert f"{daemon.config}:{where}: " in daemon.said()
    instrument.set_float(0, 60.0)
    wait_until(daemon.cases, what="a case by the old limit")


def test_what_only_a_restart_changes_is_refused_by_name(make_daemon, instrument):
    daemon = make_daemon([modbus_connection(instrument.port)],
                         [site("s1", [modbus_monitor("w01018")])])
    reconfigure(daemon, lambda text: text.replace('"edge-01"', '"edge-02"')
                .replace(f'directory = "{daemon.store}"', 'directory = "/tmp/elsewhere"'))
    result = daemon.ctl("reload")
    assert result.returncode == 1
    assert ":1: node.id cannot change while the daemon runs" in result.stderr
    assert ":2: storage.directory cannot change" in result.stderr
    assert daemon.get("/health")["node"] == "edge-01"


def test_a_changed_limit_acts_and_a_pending_run_goes_on(make_daemon, instrument):
    instrument.set_float(0, 60.0)
    instrument.set_float(2, 60.0)
    kept = "{ max = 50.0; on_delay_s = 5; }"
    daemon = make_daemon([modbus_connection(instrument.port)],
                         [site("s1", [modbus_monitor("w01018", limits=kept),
                                      modbus_monitor("w21003", address=2,
                                                     limits="{ max = 100.0; }")])])
    first = wait_until(lambda: daemon.readings("s1", "w01018"), what="a reading")[0]["time"]
    reconfigure(daemon, lambda text: text.replace("max = 100.0", "max = 55.0"))
    result = daemon.ctl("reload")
    assert (result.returncode, result.stdout) == (
        0, "1 sites, 2 monitors, 2 limits, 1 connections: in force\n")
    alert = wait_until(lambda: daemon.alerts(True, "exceedance"), what="the new limit's alert")[0]
    assert (alert["factor"], alert["limit"]) == ("w21003", 55)
    alert, = wait_until(lambda: [a for a in daemon.alerts(True, "exceedance")
                                 if a["factor"] == "w01018"], what="the run's alert")
    assert alert["began_at"] == first
    # taken out, its alert ends as at a restart, and its case stays
    reconfigure(daemon, lambda text: text.replace("limits: ( { max = 55.0; } );", ""))
    reload(daemon)
    gone, = [a for a in daemon.alerts(False, "exceedance")]
    assert gone["factor"] == "w21003"
    assert len(daemon.alerts(True, "exceedance")) == 1 and len(daemon.cases("open")) == 2


def test_connections_end_begin_and_change_while_one_keeps_its_socket(make_daemon):
    kept, changed, gone, new = Meter(), Meter(), Meter(), Meter()
    monitors = [counter(connection=c, factor=f) for c, f in
                (("kept", "w01018"), ("changed", "w21003"), ("gone", "w00000"))]
    daemon = make_daemon([modbus_connection(m.port, id=i, timeout_ms=10000) for m, i in
                          ((kept, "kept"), (changed, "changed"), (gone, "gone"))],
                         [site("s1", monitors)])
    wait_until(lambda: min(kept.count, changed.count, gone.count) > 3, what="polls")
    reconfigure(daemon, lambda text: text
                .replace(f"port = {changed.port}; interval_ms = 100",
                         f"port = {changed.port}; interval_ms = 50")
                .replace(modbus_connection(gone.port, id="gone", timeout_ms=10000),
                         modbus_connection(new.port, id="new", timeout_ms=10000))
                .replace('connection = "gone"', 'connection = "new"'))
    reload(daemon)
    wait_until(lambda: new.count > 3, what="polls of the new one")
    wait_until(lambda: changed.accepts == 2, what="the changed one again")
    wait_until(lambda: gone.ends == 1, what="the end of the one that is gone")
    ended = gone.count
    assert kept.accepts == 1
    # a further monitor: another request; the same socket, unless a reply is outstanding just then
    reconfigure(daemon, lambda text: text.replace(
        "monitors: (", "monitors: ( " + counter(connection="kept", factor="w01001", address=90) +
        ",", 1))
    reload(daemon)
    wait_until(lambda: daemon.values("s1", "w01001"), what="the further monitor")
    assert kept.accepts <= 2 and (gone.accepts, new.accepts) == (1, 1)
    assert gone.count == ended
    assert is_whole([v for v in daemon.values("s1", "w00000")][-3:])
    series = daemon.metrics()
    assert 'ducha_connections_up{connection="new"}' in series
    assert 'ducha_connections_up{connection="gone"}' not in series
    for meter in (kept, changed, gone, new):
        meter.close()
