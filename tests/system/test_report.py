# SPDX-License-Identifier: Apache-2.0
"""The report of a month of a small district: CSV opened and checked, the page in both languages."""
import csv
import io
import json
import time
from datetime import datetime, timedelta, timezone

from conftest import mqtt_connection, mqtt_monitor, site
from servers import wait_until

TIMED = 'value = "/v"; time = "/t";'
EAST = timezone(timedelta(hours=8))


def tables(text):
    """Rows of each table by its name, as dictionaries."""
    found, columns = {}, None
    assert text.startswith("\ufefftable,"), text[:40]  # by which a spreadsheet knows UTF-8
    for row in csv.reader(io.StringIO(text[1:])):
        if row[0] == "table":
            columns = row
        else:
            found.setdefault(row[0], []).append(dict(zip(columns[1:], row[1:])))
    return found


def test_a_month_is_told_in_tables(make_daemon, broker, tmp_path):
    noon = datetime.now(EAST).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=1)
    month, start = noon.strftime("%Y-%m"), int(noon.timestamp())
    daemon = make_daemon([mqtt_connection(broker.port)], [
        site("outfall", [
            mqtt_monitor("w00000", "o/flow", rest=TIMED),
            mqtt_monitor("w01018", "o/cod", "{ max = 600.0; opens = \"case\"; }",
                         rest=TIMED + " permit_tonnes_year = 1.0;")],
             rest='stale_after_s = 0; grid = { subdistrict = "=cmd()<b>"; };'
                  ' responsible = { leader = "Zhao, L."; };'),
        site("river", [mqtt_monitor("w21003", "r/nh3n", rest=TIMED),
                       mqtt_monitor("w21011", "r/tp", rest=TIMED)],
             rest='stale_after_s = 0; target_class = "III";', kind="river_section")])
    wait_until(lambda: broker.subscribed("edge"), what="the subscription")
    for hour in range(3):
        for topic, value in (("o/flow", 10), ("o/cod", 700 if hour == 1 else 500),
                             ("r/nh3n", 0.6 + 0.3 * hour), ("r/tp", 0.25)):
            broker.publish(topic, json.dumps({"v": value, "t": start + hour * 3600}))

    def report():
        told = tables(daemon.ctl("report", "--month", month, "--csv").stdout)
        # 36 m³ an hour: 18 + 25.2 + 18 kg, and the last value speaks one hour more
        load = next(r["load"] for r in told["loads"] if r["factor"] == "w01018")
        return told if round(float(load), 9) == 79.2 and "sections" in told else None

    wait_until(report, seconds=30, what="what was added up")
    wait_until(daemon.cases, what="the case")
    told = report()
    cod = next(r for r in told["monitors"] if r["factor"] == "w01018")
    assert (cod["days"], cod["exceedances"], cod["exceeding_days"], cod["compliance"]) \
        == ("1", "1", "1", "0")
    assert round(float(cod["mean"]), 6) == round(1700 / 3, 6)
    assert (cod["lowest"], cod["highest"]) == ("500", "700")
    load = next(r for r in told["loads"] if r["factor"] == "w01018")
    assert round(float(load["permit_share"]), 9) == 0.0792
    section, = told["sections"]
    assert (section["site"], section["month"], section["class"], section["worst"],
            section["target"], section["met"]) == ("river", month, "IV", "w21011", "III", "no")
    assert told["worst_monitors"][0]["factor"] == "w01018"
    river = next(s for s in daemon.get("/api/v1/sites")["sites"] if s["id"] == "river")
    if time.time() - start < 86400 - 7200:
        assert (river["section_class"], river["worst"], river["target_class"]) == (4, "w21011", 3)

    now = datetime.now(EAST).strftime("%Y-%m")
    told = tables(daemon.ctl("report", "--month", now, "--csv").stdout)
    groups = {(r["by"], r["name"]): r["registered"] for r in told["cases"]}
    assert groups[("total", "")] == "1" and groups[("leader", "Zhao, L.")] == "1"
    assert groups[("subdistrict", "'=cmd()<b>")] == "1" and groups[("kind", "exceedance")] == "1"

    page = tmp_path / "report.html"
    assert daemon.ctl("report", "--year", now[:4], "-o", str(page)).returncode == 0
    text = page.read_text()
    assert "=cmd()&lt;b&gt;" in text and "<b>" not in text and text.endswith("</html>\n")
    assert "Site outfall</td>" in text and ">measured in</th>" in text and ">unit</th>" not in text
    assert "http://" not in text and "https://" not in text and "<script" not in text
    assert daemon.request("GET", f"/api/v1/report?month={now}&language=zh_CN")[0] == 200
    assert daemon.ctl("report").returncode == 64
    assert daemon.request("GET", "/api/v1/report")[0] == 400
