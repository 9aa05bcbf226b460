# SPDX-License-Identifier: Apache-2.0
"""The daemon as a service: what it tells systemd, and what it tells nobody."""
import base64
import glob
import hashlib
import os
import re
import resource
import signal
import socket
import urllib.error
import urllib.request

from conftest import modbus_connection, modbus_monitor, mqtt_monitor, site
from servers import free_port, wait_until


class Manager:
    """systemd's side of the notification socket."""

    def __init__(self, directory):
        self.path = os.path.join(str(directory), "notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.socket.settimeout(20)
        self.heard = []

    def wait(self, condition):
        """The first message from now on that fits."""
        while True:
            message = dict(l.split("=", 1) for l in self.socket.recv(4096).decode().split("\n"))
            self.heard.append(message)
            if condition(message):
                return message


def test_systemd_hears_of_the_state_of_reloads_and_of_every_thread(make_daemon, instrument, tmp_path):
    manager = Manager(tmp_path)
    instrument.set_float(0, 60.0)
    daemon = make_daemon([modbus_connection(instrument.port),
                          modbus_connection(free_port(), id="dead")],
                         [site("s1", [modbus_monitor("w01018", limits="{ max = 50.0; }"),
                                      modbus_monitor("w21003", "dead")])],
                         environment={"NOTIFY_SOCKET": manager.path})
    manager.wait(lambda m: m.get("READY") == "1")
    manager.wait(lambda m: m.get("WATCHDOG") == "1")
    manager.wait(lambda m: m.get("STATUS") == "1 of 2 monitors answering, 1 case open")
    daemon.process.send_signal(signal.SIGHUP)
    assert int(manager.wait(lambda m: m.get("RELOADING") == "1")["MONOTONIC_USEC"]) > 0
    manager.wait(lambda m: m.get("READY") == "1")
    # an event loop that stands still is no heartbeat
    daemon.stop()
    manager.wait(lambda m: m.get("STOPPING") == "1")


def test_secrets_are_said_nowhere(make_daemon, tmp_path):
    canaries = {name: f"canary-{name}-7f3a" for name in ("mqtt", "influx", "smtp", "hook", "token", "url")}
    canaries["hook"] = base64.b64encode(b"canary-hook-7f3a-canary-hook-7f3").decode()
    for name, secret in canaries.items():
        with open(tmp_path / name, "w") as f:
            f.write(f"whsec_{secret}\n" if name == "hook" else f"{secret}\n")
    dead = free_port()
    broker = (f'{{ id = "broker"; driver = "mqtt"; uri = "mqtt://127.0.0.1:{dead}"; '
              f'client_id = "edge"; username = "edge"; password_file = "{tmp_path}/mqtt"; }}')
    officers = tmp_path / "officers"
    officers.write_text(f"li:handler:{hashlib.sha256(canaries['token'].encode()).hexdigest()}\n")
    mail = (f'{{ id = "mail"; type = "smtp"; url = "smtp://127.0.0.1:{dead}"; from = "ducha@edge.example"; '
            f'to = ("office@city.example"); username = "edge"; password_file = "{tmp_path}/smtp"; }}')
    port = free_port()
    daemon = make_daemon([broker], [site("s1", [mqtt_monitor("w01018", "a/b")])], start=False, deliveries=mail,
                         listen=port, http=f' officers_file = "{officers}";',
                         more=f'influx: {{ url = "http://127.0.0.1:{dead}"; database = "d"; '
                              f'username = "u"; password_file = "{tmp_path}/influx"; }};\n')
    with open(daemon.config) as f:
        text = f.read()
    with open(daemon.config, "w") as f:
        f.write(text.replace('deliveries: (', 'deliveries: ( { id = "hook"; type = "webhook"; '
                             f'url = "http://127.0.0.1:{dead}/"; secret_file = "{tmp_path}/hook"; }},'))
    daemon.arguments = ["--debug"]
    resource.setrlimit(resource.RLIMIT_CORE, (resource.getrlimit(resource.RLIMIT_CORE)[1],) * 2)
    daemon.start()
    status, _ = daemon.request("POST", "/api/v1/cases", '{"site":"s1","source":"inspection",'
                               '"by":"Lin","note":"n","title":"t"}')
    assert status in (200, 201)
    wait_until(lambda: "cannot connect" in daemon.said(), what="MQTT failing")
    wait_until(lambda: "hook" in daemon.said(), what="the webhook failing")
    wait_until(lambda: "mail" in daemon.said(), what="the mail failing")
    assert daemon.ctl("reload").returncode == 0
    for token in (canaries["token"], canaries["url"]):  # an officer's, and nobody's
        ask = urllib.request.Request(f"http://127.0.0.1:{port}/api/v1/cases",
                                     headers={"Authorization": f"Bearer {token}"})
        try:
            urllib.request.urlopen(ask, timeout=20).read()
        except urllib.error.HTTPError as error:
            assert error.code == 401
    answers = [daemon.request("GET", path)[1] for path in
               ("/health", "/metrics", "/api/v1/sites", "/api/v1/deliveries", "/api/v1/alerts",
                "/api/v1/cases?status=all")]
    with open(daemon.config) as f:
        text = f.read()
    with open(daemon.config, "w") as f:
        f.write(text.replace(f'url = "smtp://', f'url = "smtp://me:{canaries["url"]}@') + "wrong = 1;\n")
    refused = daemon.ctl("reload")
    assert refused.returncode == 1 and "does not belong into the address" in refused.stderr
    answers.append(refused.stderr)
    archive = tmp_path / "case.tar"
    assert daemon.ctl("evidence", "1", "-o", str(archive)).returncode == 0
    answers.append(archive.read_bytes().decode("latin-1"))
    pid = daemon.process.pid
    for name in ("cmdline", "environ", "comm"):
        with open(f"/proc/{pid}/{name}") as f:
            answers.append(f.read())
    with open(f"/proc/{pid}/limits") as f:  # no core is dumped, whatever the one who starts it allows;
        # and at a limit of 1 no program gets it either (core_pattern with a pipe), at 0 it would
        assert "Max core file size 1 1 bytes" in re.sub(r"\s+", " ", f.read())
    stored = b""
    for folder, _, names in os.walk(daemon.store):
        for name in names:
            with open(os.path.join(folder, name), "rb") as f:
                stored += f.read()
    daemon.process.send_signal(signal.SIGABRT)
    assert daemon.ended() == -signal.SIGABRT and not glob.glob(f"{daemon.directory}/core*")
    for secret in canaries.values():
        assert all(secret not in a for a in answers + [daemon.said()])
        assert secret.encode() not in stored
