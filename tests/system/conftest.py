# SPDX-License-Identifier: Apache-2.0
"""Drives the whole daemon from outside. DUCHA_BUILD names the build directory."""
import glob
import http.client
import json
import os
import signal
import socket
import sqlite3
import subprocess
import time

import pytest

import servers
from servers import wait_until

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
BUILD = os.path.abspath(os.environ.get("DUCHA_BUILD", os.path.join(ROOT, "build", "gcc")))
DUCHAD = os.path.join(BUILD, "duchad")
DUCHACTL = os.path.join(BUILD, "tools", "duchactl", "duchactl")
ENVIRONMENT = {**os.environ, "LC_ALL": "C.UTF-8", "LANGUAGE": "en"}


def monitor(factor, connection, rest, limits=""):
    limits = f" limits: ( {limits} );" if limits else ""
    return f'{{ factor = "{factor}"; connection = "{connection}"; {rest}{limits} }}'


def modbus_monitor(factor, connection="line", address=0, type="float32", limits="", rest=""):
    return monitor(factor, connection, f'unit_id = 1; table = "holding"; address = {address}; '
                   f'type = "{type}"; order = "ABCD"; {rest}', limits)


def mqtt_monitor(factor, topic, limits="", rest=""):
    return monitor(factor, "broker", f'topic = "{topic}"; {rest}', limits)


def modbus_connection(port, id="line", interval_ms=100, timeout_ms=1000):
    return (f'{{ id = "{id}"; driver = "modbus"; transport = "tcp"; host = "127.0.0.1"; '
            f'port = {port}; interval_ms = {interval_ms}; timeout_ms = {timeout_ms}; }}')


def mqtt_connection(port, qos=1, ack_timeout_ms=500):
    return (f'{{ id = "broker"; driver = "mqtt"; uri = "mqtt://127.0.0.1:{port}"; '
            f'client_id = "edge"; qos = {qos}; clean_session = false; keepalive_s = 10; '
            f'ack = "stored"; ack_timeout_ms = {ack_timeout_ms}; }}')


def site(id, monitors, rest="stale_after_s = 0;", kind="outfall"):
    return (f'{{ id = "{id}"; name = "Site {id}"; kind = "{kind}"; {rest} '
            f'monitors: ( {", ".join(monitors)} ); }}')


def pytest_collection_modifyitems(items):
    """What takes half an hour begins first, and several workers go on with the rest."""
    items.sort(key=lambda item: "test_soak" not in item.nodeid)


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def recorded(store, factor):
    """All values of a factor with how often each is there, from the daybook's files themselves."""
    values = {}
    for path in glob.glob(os.path.join(store, "daybook", "*.db")):
        db = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=20)
        if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'monitors'").fetchall():
            db.close()  # it has just begun
            continue
        for value, n in db.execute(
                "SELECT value, COUNT(*) FROM readings JOIN monitors ON monitors.id = readings.monitor"
                " WHERE factor = ? AND value IS NOT NULL GROUP BY value", (factor,)):
            values[value] = values.get(value, 0) + n
        db.close()
    return values


class Daemon:
    """duchad with a configuration and a store of its own."""

    def __init__(self, directory, connections, sites, influx=None, node="", more="", listen=None,
                 environment=None, store=None, deliveries="", storage="", http="",
                 name="edge-01"):
        self.directory = str(directory)
        self.store = store or os.path.join(self.directory, "store")
        self.out = os.path.join(self.directory, "out")
        self.socket = os.path.join(self.directory, "s")
        self.config = os.path.join(self.directory, "ducha.cfg")
        self.log = os.path.join(self.directory, "duchad.log")
        self.process, self.port = None, listen
        self.environment = environment or {}
        self.arguments = []
        listener = f' listen = "127.0.0.1:{listen}";' if listen else ""
        text = (f'node: {{ id = "{name}"; office = "Office"; case_prefix = "T"; '
                f'timezone = "Asia/Shanghai"; language = "en"; '
                f'data_directory = "{ROOT}/config"; {node} }};\n'
                f'storage: {{ directory = "{self.store}"; flush_ms = 100; {storage} }};\n'
                f'http: {{ socket = "{self.socket}";{listener}{http} }};\n'
                f'deliveries: ( {{ id = "folder"; type = "file"; directory = "{self.out}"; }}{", " + deliveries if deliveries else ""} );\n')
        if influx is not None:
            text += (f'influx: {{ url = "{influx.url}"; api = "v1"; database = "ducha"; '
                     f'gzip = true; batch_lines = 500; flush_ms = 100; }};\n')
        text += "connections: (\n" + ",\n".join(connections) + "\n);\n"
        text += "sites: (\n" + ",\n".join(sites) + "\n);\n" + more
        with open(self.config, "w") as f:
            f.write(text)

    def launch(self, **environment):
        """Starts it, whatever comes of that."""
        assert self.process is None
        servers.forget_dead_clocks()
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([DUCHAD, "-c", self.config, *self.arguments], stderr=log, stdout=log,
                                            stdin=subprocess.DEVNULL, cwd=self.directory,
                                            env={**ENVIRONMENT, **self.environment,
                                                 **environment})
        return self

    def start(self, **environment):
        self.launch(**environment)
        wait_until(self.healthy, 20, "duchad answering /health", every=0.01)
        return self

    def ended(self, seconds=30):
        """The exit code of a daemon that ends by itself."""
        code = self.process.wait(seconds * servers.PATIENCE)
        self.process = None
        return code

    def healthy(self):
        if self.process.poll() is not None:
            raise AssertionError(f"duchad ended with {self.process.returncode}:\n{self.said()}")
        try:
            return self.request("GET", "/health")[0] in (200, 503)
        except OSError:
            return False

    def said(self):
        with open(self.log, errors="replace") as f:
            return f.read()

    def stop(self):
        """SIGTERM: exit 0 within 10 s."""
        if self.process is None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(10 * servers.PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            self.process = None
            raise AssertionError("duchad did not stop within 10 s of SIGTERM:\n" + self.said())
        self.process = None
        assert code == 0, f"duchad ended with {code}:\n{self.said()}"

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process = None

    # the API

    def request(self, method, path, body=None, headers=None, timeout=20):
        connection = UnixConnection(self.socket, timeout)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def get(self, path):
        status, body = self.request("GET", path)
        assert status == 200, f"{path}: {status} {body}"
        return json.loads(body)

    def readings(self, site, factor=None, seconds=3600):
        since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - seconds))
        until = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 600))
        path = f"/api/v1/readings?site={site}&from={since}&to={until}&limit=100000"
        if factor:
            path += f"&factor={factor}"
        return self.get(path)["readings"]

    def values(self, site, factor):
        return [r["value"] for r in self.readings(site, factor)]

    def cases(self, status="all"):
        return self.get(f"/api/v1/cases?status={status}")["cases"]

    def alerts(self, active=None, kind=None):
        """Faults that the machine's own disk may cause at any time are there only if asked for."""
        path = "/api/v1/alerts" if active is None else f"/api/v1/alerts?active={str(active).lower()}"
        return [a for a in self.get(path)["alerts"]
                if a["kind"] == kind or kind is None and a["reason"] not in ("unrecorded", "disk_filling")]

    def faults(self, begins):
        """Active faults of its own of one sort: others may come from what the machine's disk does."""
        return [a for a in self.alerts(active=True, kind="fault") if a["reason"].startswith(begins)]

    def metrics(self):
        status, body = self.request("GET", "/metrics")
        assert status == 200
        series = {}
        for line in body.splitlines():
            if line and not line.startswith("#"):
                name, value = line.rsplit(" ", 1)
                series[name] = float(value)
        return series

    def metric(self, name, **labels):
        """The sum of all series of a name with these labels."""
        wanted = [f'{k}="{v}"' for k, v in labels.items()]
        return sum(v for k, v in self.metrics().items()
                   if k.split("{")[0] == name and all(w in k for w in wanted))

    def delivered(self, type="*"):
        """Events of the file delivery, in order."""
        events = []
        for name in sorted(glob.glob(os.path.join(self.out, f"*-*{type}.json"))):
            with open(name) as f:
                events.append(json.load(f))
        return events

    def ctl(self, *arguments, timeout=20):
        return subprocess.run([DUCHACTL, "-s", self.socket, *arguments], capture_output=True,
                              text=True, timeout=timeout, env=ENVIRONMENT)


class Events:
    """Listens to /api/v1/events."""

    def __init__(self, daemon, last=None):
        self.connection = UnixConnection(daemon.socket, 30)
        headers = {"Accept": "text/event-stream"}
        if last is not None:
            headers["Last-Event-ID"] = str(last)
        self.connection.request("GET", "/api/v1/events", headers=headers)
        self.answer = self.connection.getresponse()
        assert self.answer.status == 200

    def next(self, seconds=60):
        """What keeps the stream alive comes even where no event does."""
        deadline = time.monotonic() + seconds * servers.PATIENCE
        while time.monotonic() < deadline:
            line = self.answer.readline().decode()
            assert line, "the stream ended"
            if line.startswith("data:"):
                return json.loads(line[5:])
        raise AssertionError(f"no event within {seconds} s")

    def wait(self, type, seconds=60):
        """The next event of this type."""
        while True:
            event = self.next(seconds)
            if event["type"] == type:
                return event

    def close(self):
        self.answer.close()
        self.connection.close()


@pytest.fixture
def make_daemon(tmp_path):
    """make_daemon(connections, sites, …) starts a daemon; at the end it must stop cleanly."""
    daemons = []

    def make(connections, sites, start=True, **more):
        directory = tmp_path / f"d{len(daemons)}"
        directory.mkdir()
        daemon = Daemon(directory, connections, sites, **more)
        daemons.append(daemon)
        return daemon.start() if start else daemon

    yield make
    for daemon in daemons:
        if daemon.process is not None:
            daemon.stop()


@pytest.fixture
def instrument():
    server = servers.Instrument().start()
    yield server
    server.stop()


@pytest.fixture
def broker(tmp_path):
    if servers.MOSQUITTO is None:
        pytest.skip("there is no mosquitto (package mosquitto)")
    server = servers.Broker(tmp_path / "broker").start()
    yield server
    server.stop()


@pytest.fixture
def influx(tmp_path):
    if servers.INFLUXD is None:
        pytest.skip("there is no influxd (package influxdb)")
    server = servers.Influx(tmp_path / "influx").start()
    yield server
    server.stop()
