# SPDX-License-Identifier: Apache-2.0
"""What a restart may not invent, and a daemon that is reached over its listener alone."""
import http.client
import json
import re

import servers
from conftest import modbus_connection, modbus_monitor, site
from servers import wait_until


def test_a_kill_during_an_outage_invents_no_silence_and_no_case(make_daemon, instrument):
    instrument.set_float(0, 20.0)
    daemon = make_daemon([modbus_connection(instrument.port)], [site(
        "outfall-3", [modbus_monitor("w01018", limits="{ max = 50.0; }")],
        rest='stale_after_s = 2; opens = ("exceedance", "stale");')])
    wait_until(lambda: daemon.values("outfall-3", "w01018"), what="a first reading")
    instrument.stop()
    wait_until(lambda: daemon.alerts(active=True, kind="connection"), what="a connection alert")
    lost = len(daemon.readings("outfall-3", "w01018"))
    # a poll of a lost connection takes up to a second: silence has been due for long by then
    wait_until(lambda: len(daemon.readings("outfall-3", "w01018")) >= lost + 5, 30, "a lasting outage")
    before = sorted((a["id"], a["kind"]) for a in daemon.alerts())
    daemon.kill()
    daemon.start()
    wait_until(lambda: len(daemon.readings("outfall-3", "w01018")) >= lost + 10, 30,
               "the outage after the restart")
    assert sorted((a["id"], a["kind"]) for a in daemon.alerts()) == before
    assert daemon.cases() == []


def test_a_daemon_without_a_socket_answers_on_its_listener(make_daemon, instrument):
    port = servers.free_port()
    daemon = make_daemon([modbus_connection(instrument.port)],
                         [site("outfall-3", [modbus_monitor("w01018")])], start=False)
    with open(daemon.config) as f:
        text = f.read()
    with open(daemon.config, "w") as f:
        f.write(re.sub(r"http: \{.*?\};", f'http: {{ socket = ""; listen = "127.0.0.1:{port}"; }};', text))

    def ask(method, path, timeout=5):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
        try:
            connection.request(method, path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    daemon.request = lambda method, path, body=None, headers=None, timeout=20: ask(method, path, timeout)
    daemon.start()
    assert ask("GET", "/health")[0] == 200
    assert ask("POST", "/api/v1/cases/1/actions")[0] == 403


def test_a_changed_range_or_slope_is_on_record(make_daemon, tmp_path):
    """Over a restart and a reload; what stays the same adds nothing."""
    daemon = make_daemon([modbus_connection(servers.free_port(), interval_ms=60000)],
                         [site("outfall-3", [modbus_monitor("w01018", rest="range = (0.0, 200.0);")])])
    status, body = daemon.request("POST", "/api/v1/cases", json.dumps(
        {"site": "outfall-3", "factor": "w01018", "source": "inspection", "by": "Li"}))
    assert status == 200, body

    def settings():
        page = daemon.request("GET", "/api/v1/cases/1/dossier")[1]
        table = page.partition("The range or the slope was changed:")[2].partition("</table>")[0]
        return [re.findall(r"<td>([^<]*)</td>", row)[-3:] for row in table.split("<tr>")[2:]]

    def become(before, after):
        text = open(daemon.config).read()
        assert before in text
        open(daemon.config, "w").write(text.replace(before, after))
    assert settings() == []
    daemon.stop()
    daemon.start()
    assert settings() == []
    daemon.kill()
    become("range = (0.0, 200.0);", "range = (0.0, 400.0); scale = 2.0;")
    daemon.start()
    assert settings() == [["0 \u2013 200 mg/L", "1", "0"], ["0 \u2013 400 mg/L", "2", "0"]]
    become("scale = 2.0;", "scale = 2.0; offset = -1.5;")
    assert daemon.ctl("reload").returncode == 0
    wait_until(lambda: len(settings()) == 3, what="the setting of the reload")
    assert settings()[2] == ["0 \u2013 400 mg/L", "2", "-1.5"]
