# SPDX-License-Identifier: Apache-2.0
"""The daemon's figures, as Prometheus, its rules and the dashboard use them."""
import json
import os
import re
import shutil
import subprocess
import urllib.error
import urllib.parse
import urllib.request

import pytest

import servers
from conftest import ROOT, modbus_connection, modbus_monitor, site
from servers import free_port, wait_until

PROMTOOL, PROMETHEUS = shutil.which("promtool"), shutil.which("prometheus")
needs_prometheus = pytest.mark.skipif(PROMTOOL is None or PROMETHEUS is None,
                                      reason="there is no prometheus (package prometheus)")
# interface.md's names with their labels.
PROMISED = {
    "ducha_build_info": {"version"}, "ducha_readings_total": {"driver", "flag"},
    "ducha_polls_total": {"connection", "result"}, "ducha_polls_late_total": set(),
    "ducha_poll_seconds": set(), "ducha_ring_slots": {"ring"},
    "ducha_ring_used": {"ring", "reader"}, "ducha_ring_full_total": {"ring"},
    "ducha_detection_seconds": set(), "ducha_alerts_active": {"kind"},
    "ducha_cases_open": {"status"}, "ducha_cases_opened_total": {"kind", "severity"},
    "ducha_unrecorded_total": {"reason"}, "ducha_influx_lines_total": {"result"},
    "ducha_influx_backlog": set(), "ducha_deliveries_pending": {"delivery"},
    "ducha_deliveries_total": {"delivery", "result"}, "ducha_connections_up": {"connection"},
}


class Prometheus(servers.Process):
    def __init__(self, directory, target):
        super().__init__(directory)
        self.port = free_port()
        self.config = os.path.join(self.directory, "prometheus.yml")
        with open(self.config, "w") as f:
            f.write("global: {scrape_interval: 1s, evaluation_interval: 1s}\n"
                    f"rule_files: [{ROOT}/config/prometheus/ducha-alerts.yml]\n"
                    "scrape_configs:\n  - job_name: ducha\n"
                    f"    static_configs: [{{targets: ['127.0.0.1:{target}']}}]\n")

    def start(self):
        self.run([PROMETHEUS, f"--config.file={self.config}",
                  f"--storage.tsdb.path={self.directory}/data",
                  f"--web.listen-address=127.0.0.1:{self.port}"])
        wait_until(lambda: self.query("up") is not None, 30, "prometheus answering")
        return self

    def get(self, path, **parameters):
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?" + urllib.parse.urlencode(parameters)
        with urllib.request.urlopen(url, timeout=10) as answer:
            return json.load(answer)["data"]

    def query(self, text):
        try:
            return self.get("query", query=text)["result"]
        except urllib.error.HTTPError as error:
            if error.code == 503:  # not ready yet
                return None
            raise AssertionError(f"{text}: {error.read().decode()}")
        except OSError:
            return None


def dashboard():
    with open(os.path.join(ROOT, "config", "grafana", "ducha.json")) as f:
        return json.load(f)


@needs_prometheus
def test_the_rules_raise_what_they_should_and_nothing_else():
    folder = os.path.join(ROOT, "config", "prometheus")
    subprocess.run([PROMTOOL, "check", "rules", "ducha-alerts.yml"], cwd=folder, check=True)
    subprocess.run([PROMTOOL, "test", "rules", "ducha-alerts.test.yml"], cwd=folder, check=True)
    with open(os.path.join(folder, "ducha-alerts.yml")) as f:
        rules = set(re.findall(r"alert: (\w+)", f.read()))
    with open(os.path.join(folder, "ducha-alerts.test.yml")) as f:
        assert set(re.findall(r"alertname: (\w+)", f.read())) == rules


@needs_prometheus
def test_prometheus_takes_every_figure_and_the_dashboard_shows_them(make_daemon, instrument, influx,
                                                                    tmp_path):
    instrument.set_float(0, 60.0)
    port = free_port()
    daemon = make_daemon([modbus_connection(instrument.port)],
                         [site("s1", [modbus_monitor("w01018", limits="{ max = 50.0; }")])],
                         listen=port, influx=influx)
    wait_until(daemon.cases, what="a case")
    text = daemon.request("GET", "/metrics")[1]
    checked = subprocess.run([PROMTOOL, "check", "metrics"], input=text, text=True,
                             capture_output=True)
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")
    for name, labels in PROMISED.items():
        found = re.search(rf"^{name}(?:_count)?(?:{{(.*?)}})? ", text, re.M)
        assert found, name
        assert set(re.findall(r'(\w+)="', found.group(1) or "")) == labels, name
    server = Prometheus(tmp_path / "prometheus", port).start()
    try:
        wait_until(lambda: len(server.query("ducha_poll_seconds_count[1m]")[0]["values"]) > 2
                   if server.query("ducha_poll_seconds_count") else False, what="three scrapes")
        empty = []
        for panel in dashboard()["panels"]:
            for target in panel["targets"]:
                expression = target["expr"].replace("$instance", ".*")
                for name in re.findall(r"ducha_\w+", expression):
                    assert re.search(rf"^{re.sub('_bucket$', '', name)}\b|^{name}\b", text, re.M), name
                if not server.query(expression):
                    empty.append(panel["title"])
        assert empty == []
        with open(os.path.join(ROOT, "config", "prometheus", "ducha-alerts.yml")) as f:
            names = set(re.findall(r"ducha_\w+", f.read())) - {"ducha_detection_seconds_bucket"}
        assert all(re.search(rf"^{name}\b", text, re.M) for name in names)
        rules = server.get("rules")["groups"][0]["rules"]
        assert len(rules) == 10 and all(r["health"] in ("ok", "unknown") for r in rules)
    finally:
        server.stop()
