# SPDX-License-Identifier: Apache-2.0
"""The office page and dossiers in a real browser: Debian's chromium, driven by chromedriver."""
import base64
import json
import os
import re
import subprocess
import time
import urllib.request

import pytest

import servers
from browsers import HOSTILE, PO, SHOWN, browser, is_accessible, run, said, scripts
from conftest import Daemon, modbus_connection, modbus_monitor, mqtt_connection, mqtt_monitor, site
from servers import wait_until

PEOPLE = ("Leader Liang", "Contact Cao", "000-0000009", "Handler Hu")


def placed(n):
    """Site n: an outfall, a river section, a water source, and again."""
    kind = ("outfall", "river_section", "water_source")[n % 3]
    name = HOSTILE if n == 0 else f"\u793a\u4f8b\u70b9\u4f4d{n}\u53f7"
    rest = (f'stale_after_s = 900; longitude = 102.7; latitude = 25.05; river = "Brook"; '
            f'responsible = {{ unit = "Unit {n}"; leader = "Leader Liang"; team = "Team"; '
            f'phone = "000-0000009"; contact = "Contact Cao"; }};')
    one = mqtt_monitor("w01018", f"m/{n}", "{ max = 50.0; off_delay_s = 3600; }",
                       rest='value = "/v"; time = "/t"; flag = "/f"; range = (0, 200.0); '
                            'accepted_on = "2025-03-12"; operator = "Runner Ltd";'
                            + (" expected_per_hour = 0.25;" if n == 5 else ""))
    return site(f"s{n}", [one], rest, kind).replace(f'"Site s{n}"', f'"{name}"')


def send(broker, n, rows):
    lines = "\n".join(json.dumps({"t": round(t * 1000), "v": v, "f": f}) for t, v, f in rows)
    subprocess.run(["mosquitto_pub", "-p", str(broker.port), "-t", f"m/{n}", "-q", "1", "-l"],
                   input=lines, text=True, check=True, timeout=20)


def past(now, above):
    """Five hours, every two minutes, with maintenance, silence, and in the fourth hour values above the limit."""
    for minute in range(0, 300, 2):
        t = now - (300 - minute) * 60
        if 160 <= minute < 175:
            yield t, 5.0, "M"
        elif not 125 <= minute < 150:
            yield t, above if 180 <= minute < 240 else 30 + minute % 7, "N"


class District:
    def __init__(self, directory):
        if servers.MOSQUITTO is None:
            pytest.skip("there is no mosquitto (package mosquitto)")
        self.broker = servers.Broker(directory / "broker").start()
        self.port = servers.free_port()
        self.daemon = Daemon(directory, [mqtt_connection(self.broker.port)], [placed(n) for n in range(100)],
                             listen=self.port, environment={"DUCHA_LOCALE_DIRECTORY": PO})
        self.daemon.start()
        wait_until(lambda: self.broker.subscribed("edge"), what="the subscription")
        self.now = time.time()
        for n, above in ((0, 88.0), (1, 60.0), (2, 155.0)):
            send(self.broker, n, past(self.now, above))
        wait_until(lambda: len(self.daemon.cases()) == 3, 60, what="three cases")
        wait_until(lambda: self.daemon.get("/health")["readings"] == 3 * 138, 60, what="all readings")
        self.cases = {c["site"]: c["id"] for c in self.daemon.cases()}
        self.act(self.cases["s1"], "accept", "--note", "seen on site")
        marked = self.daemon.ctl("mark", "s1", "w01018", "--from", str(round(self.now) - 50 * 60), "--to",
                                 str(round(self.now) - 30 * 60), "--flag", "C", "--reason", "belt <renewed>", "--by", "Handler Hu")
        assert marked.returncode == 0, marked.stderr

    def act(self, id, action, *more):
        done = self.daemon.ctl("case", str(id), action, "--by", "Handler Hu", *more)
        assert done.returncode == 0, done.stderr

    def dossier(self, path, site, *more):
        done = self.daemon.ctl("dossier", str(self.cases[site]), "-o", str(path), *more)
        assert done.returncode == 0, done.stderr
        return f"file://{path}"

    def page(self, query=""):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/{query}", timeout=20) as answer:
            return answer.read().decode(), answer.headers


@pytest.fixture(scope="module")
def district(tmp_path_factory):
    here = District(tmp_path_factory.mktemp("pages"))
    yield here
    here.daemon.stop()
    here.broker.stop()


@pytest.mark.parametrize("language", ("zh_CN", "en"))
def test_a_dossier_stands_alone_on_screen_and_paper(district, browser, tmp_path, language):
    browser.get(district.dossier(tmp_path / "d.html", "s1", "--language", language))
    assert said(browser) == []
    assert run(browser, "return performance.getEntriesByType('resource').length") == 0
    is_accessible(browser)
    text = run(browser, "return document.body.innerText")
    for word in ("T\u30142026\u3015" if language == "en" else "\u3014", "60.0 mg/L", "2025-03-12", "Runner Ltd",
                 "102.7", "Leader Liang", "seen on site", "Handler Hu"):
        assert word in text
    assert ("\u8d85\u8fc7\u9650\u503c50 mg/L,\u8d85\u68070.20\u500d" if language == "zh_CN"
            else "above the limit of 50 mg/L, 0.20 times over") in text
    # what was marked later: hatched, its letter in brackets, and who said so
    assert "(C)" in run(browser, "return [...document.querySelectorAll('svg .flag')].map(t=>t.textContent)")
    assert "belt <renewed>" in text and ("\u4e8b\u540e\u6807\u8bb0" if language == "zh_CN" else "Later marks") in text
    for drawn in ("curve", "limit", "episode", "hatched", "silent", "marked"):
        assert run(browser, f"return document.querySelectorAll('svg .{drawn}').length") > 0, drawn
    # on paper: A4, and nothing wider than the page's 182 mm
    pdf = base64.b64decode(browser.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True, "printBackground": True})["data"])
    sizes = {tuple(round(float(x)) for x in box.split()) for box in re.findall(rb"/MediaBox \[([^\]]*)\]", pdf)}
    assert sizes == {(0, 0, 595, 842)} or sizes == {(0, 0, 596, 842)}, sizes
    assert 1 <= len(re.findall(rb"/Type /Page\b(?!s)", pdf)) <= 4
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": 688, "height": 970, "deviceScaleFactor": 1, "mobile": False})
    assert run(browser, "return document.documentElement.scrollWidth") <= 688
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


def test_hostile_names_are_text_and_nothing_else(district, browser, tmp_path):
    for note in ("</td></table><script>window.owned=1</script>", "a\u202eb", "'; DROP TABLE cases; --"):
        district.act(district.cases["s0"], "note", "--note", note)
    browser.get(district.dossier(tmp_path / "d.html", "s0"))
    assert SHOWN in run(browser, "return document.body.innerText")
    assert "</td></table><script>" in run(browser, "return document.body.innerText")
    assert run(browser, "return window.owned === undefined && document.querySelectorAll('script,img,iframe').length") == 0
    assert said(browser) == []
    browser.get(f"http://127.0.0.1:{district.port}/")
    assert SHOWN in run(browser, "return document.body.innerText")
    assert run(browser, "return window.owned === undefined && document.querySelectorAll('img,iframe').length") == 0
    assert run(browser, "return document.querySelectorAll('script').length") == 1
    browser.get(f"http://127.0.0.1:{district.port}/api/v1/cases/{district.cases['s0']}/dossier")
    assert "not named until" in run(browser, "return document.body.innerText")
    assert said(browser) == []
    # what got in all the same could not run
    run(browser, "document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"window.owned=1\">')")
    wait_until(lambda: any("Content Security Policy" in m for m in said(browser)), what="the policy's refusal")
    assert run(browser, "return window.owned === undefined")


def test_the_page_reads_without_scripts_and_filters(district, browser):
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.ui import Select
    scripts(browser, False)
    try:
        browser.get(f"http://127.0.0.1:{district.port}/?language=en")
        page = browser.find_element(By.TAG_NAME, "body").text
        assert "Cases by severity and deadline" in page and "Unit 1" in page and "Unit 2" in page
        assert len(browser.find_elements(By.CSS_SELECTOR, "#sites tbody tr")) == 60
        assert len(browser.find_elements(By.CSS_SELECTOR, "#sites svg path")) == 3
        rows = [r.text for r in browser.find_elements(By.CSS_SELECTOR, "#cases tbody tr")]
        assert [("Unit 2" in r, "Unit 1" in r) for r in rows] == [(True, False), (False, True)]
        severity = json.loads(district.daemon.request("GET", f"/api/v1/cases/{district.cases['s1']}")[1])["severity"]
        Select(browser.find_element(By.NAME, "severity")).select_by_value(severity)
        browser.find_element(By.TAG_NAME, "button").click()
        # a click begins to load the next page, and may come back before that is there
        wait_until(lambda: len(browser.find_elements(By.CSS_SELECTOR, "#cases tbody tr")) == 1, what="the filtered page")
        assert "Unit 1" in browser.find_element(By.CSS_SELECTOR, "#cases tbody tr").text
        browser.find_element(By.CSS_SELECTOR, "#cases a").click()
        assert "Supervision case" in browser.find_element(By.TAG_NAME, "h1").text
    finally:
        scripts(browser, True)


def test_the_page_is_small_and_follows_events(district, browser):
    page, headers = district.page("?language=zh_CN")
    assert len(page.encode()) < 100 << 10
    assert "default-src 'none'" in headers["Content-Security-Policy"] and "unsafe" not in headers["Content-Security-Policy"]
    browser.get(f"http://127.0.0.1:{district.port}/?language=zh_CN")
    is_accessible(browser)
    assert run(browser, "return document.title") == "Office"
    # on a phone each case has its deadline in sight, named in the page's language
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": 360, "height": 740, "deviceScaleFactor": 1, "mobile": True})
    assert run(browser, "return document.documentElement.scrollWidth") <= 360
    assert run(browser, """return [...document.querySelectorAll('#cases tbody tr')].every(tr => {
        const due = tr.children[6], box = due.getBoundingClientRect(), site = tr.children[2].getBoundingClientRect();
        return box.right <= 360 && box.bottom <= site.top + 1 && getComputedStyle(due, '::before').content.includes('\u671f\u9650')})""")
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    wait_until(lambda: run(browser, "return document.getElementById('live').textContent") == "\u5b9e\u65f6\u66f4\u65b0",
               what="the event stream")
    run(browser, "window.same = true; document.querySelector('#cases a').focus()")
    send(district.broker, 4, [(time.time(), 70.0, "N")])
    wait_until(lambda: "\u793a\u4f8b\u70b9\u4f4d4\u53f7" in run(browser, "return document.getElementById('cases').innerText"),
               what="the new case on the page")
    assert run(browser, "return window.same") is True
    assert run(browser, "return document.activeElement.tagName") == "A"
    # results that are hours apart are a curve, too
    send(district.broker, 5, [(time.time() - hours * 3600, 20.0 + hours, "N") for hours in (8, 4, 0)])
    wait_until(lambda: "L" in district.page("?site=s5")[0].partition('<path d="')[2].partition('"')[0], what="the curve")
    assert said(browser) == []


def test_an_open_page_names_no_person_and_no_unverified_enterprise(district):
    page, _ = district.page()
    outfall, section = f"/api/v1/cases/{district.cases['s0']}/dossier", f"/api/v1/cases/{district.cases['s1']}/dossier"
    assert outfall not in page and section in page and "not shown on the open page: 1" in page
    whole = district.daemon.request("GET", "/")[1]
    assert outfall in whole and "Leader Liang" in whole
    open_dossier, own = (urllib.request.urlopen(f"http://127.0.0.1:{district.port}{outfall}").read().decode(),
                         district.daemon.request("GET", outfall)[1])
    asked, of_section = (district.daemon.request("GET", section + query)[1] for query in ("?public=1", ""))
    for person in PEOPLE:
        assert person not in page and person not in open_dossier and person not in asked
        assert person in own + of_section
    for name in ("Unit 0", "s0<", "DROP TABLE", "Brook"):
        assert name not in open_dossier and name in own
    assert "Unit 1" in asked and "seen on site" not in asked and "Later marks" in asked and "belt" not in asked
    for query in ("?site=none", "?status=odd", "?severity=odd", "?page=0", "?page=x", "?language=de", "?more=1"):
        assert district.daemon.request("GET", "/" + query)[0] in (400, 404), query
    assert district.daemon.request("GET", "/?site=&status=&severity=&page=9")[0] == 200


FAULTS = {"garbage": b"\xde\x12\x04\x95" + os.urandom(4000), "empty": b"", "missing": None,
          "places": 'msgid "Supervision case"\nmsgstr "%s%n%s"\n\nmsgid "Node {node}, {time}."\nmsgstr "{nodes} %n"\n'}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_translation_falls_back_to_english(make_daemon, tmp_path, fault):
    folder = tmp_path / "locale" / "zh_CN" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    content = FAULTS[fault]
    if isinstance(content, bytes):
        (folder / "ducha.mo").write_bytes(content)
    elif content is not None:
        head = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\n'
        subprocess.run(["msgfmt", "-o", folder / "ducha.mo", "-"], input=head + content, text=True, check=True)
    daemon = make_daemon([modbus_connection(servers.free_port(), interval_ms=60000)],
                         [site("outfall-3", [modbus_monitor("w01018")])],
                         environment={"DUCHA_LOCALE_DIRECTORY": str(tmp_path / "locale"), "LANGUAGE": "zh_CN"})
    status, body = daemon.request("POST", "/api/v1/cases", json.dumps({"site": "outfall-3", "source": "mayor", "by": "H"}))
    assert status == 200, body
    status, page = daemon.request("GET", "/api/v1/cases/1/dossier?language=zh_CN")
    assert status == 200 and "Registered by hand on" in page and "Node edge-01, 2" in page
    assert ("%s%n%s" in page) == (fault == "places")
    assert ("stay English" in daemon.said()) == (fault != "places")
    assert daemon.request("GET", "/?language=zh_CN")[0] == 200
