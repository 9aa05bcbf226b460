# SPDX-License-Identifier: Apache-2.0
"""Debian's chromium, driven by chromedriver; and what the tests with it share."""
import os
import shutil

import pytest

from conftest import BUILD

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
PO = os.path.join(BUILD, "tools", "po")
HOSTILE = ("<script>window.owned=1</script><img src=x onerror='window.owned=1'>\\\" onload=\\\"window.owned=1"
           "'; DROP TABLE cases; -- \u202egnp.exe {limit} %s%n")
SHOWN = HOSTILE.replace("\\", "").replace("\u202e", "\ufffd")


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    selenium = pytest.importorskip("selenium.webdriver", reason="there is no python3-selenium")
    if CHROMIUM is None or DRIVER is None:
        pytest.skip("there is no chromium (packages chromium, chromium-driver)")
    from selenium.webdriver.chrome.service import Service
    options = selenium.ChromeOptions()
    options.binary_location = CHROMIUM
    for argument in ("headless=new", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "no-proxy-server",
                     "disable-background-networking", "disable-component-update", "disable-sync",
                     "disable-dev-shm-usage", f"user-data-dir={tmp_path_factory.mktemp('chromium')}"):
        options.add_argument("--" + argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = selenium.Chrome(service=Service(DRIVER), options=options)
    yield driver
    driver.quit()


def said(browser):
    return [entry["message"] for entry in browser.get_log("browser")]


def run(browser, script, *arguments):
    return browser.execute_script(script, *arguments)


def scripts(browser, on):
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": not on})


def is_accessible(browser):
    """Landmarks once each, headings in order, heads of tables, names of drawings and fields."""
    assert run(browser, "return ['header','main','footer'].map(n=>document.querySelectorAll('body>'+n).length)") == [1, 1, 1]
    assert run(browser, "return document.documentElement.lang") in ("en", "zh-CN")
    assert run(browser, "return document.querySelectorAll('h1').length") == 1
    assert run(browser, "return [...document.querySelectorAll('th')].filter(t=>!t.scope).length") == 0
    assert run(browser, "return [...document.querySelectorAll('table')].filter(t=>!t.querySelector('th')).length") == 0
    assert run(browser, "return [...document.querySelectorAll('select,input:not([type=hidden]),textarea')]"
                        ".filter(s=>!s.labels.length).length") == 0
    assert run(browser, """return [...document.querySelectorAll('svg')].filter(s=>s.getAttribute('role')!=='img' ||
        !(s.getAttribute('aria-label') || (s.querySelector('title') && s.querySelector('desc').textContent))).length""") == 0
