# SPDX-License-Identifier: Apache-2.0
"""Officers who act on the office page, in a real browser."""
import hashlib
import json
import urllib.request

import pytest

import servers
from browsers import HOSTILE, PO, SHOWN, browser, is_accessible, run, said
from conftest import Daemon, mqtt_connection, mqtt_monitor, site
from test_cases import at


def wait_until(condition, seconds=90, what="the condition"):
    """A machine may be busy with other things for long."""
    return servers.wait_until(condition, seconds, what)


TOKENS = {"li": ("handler", "t" * 40), "wang": ("leader", "w" * 40)}
WORDS = {"en": ("Assigned", "Refused: nothing was recorded.", "this token is no officer's"),
         "zh_CN": ("\u5df2\u4ea4\u529e", "\u672a\u4e88\u53d7\u7406", "\u4ee4\u724c\u65e0\u6548")}


class Office:
    def __init__(self, directory, monitors=(), environment={}, more=""):
        officers = directory / "officers"
        officers.write_text("".join(f"{name}:{roles}:{hashlib.sha256(token.encode()).hexdigest()}\n"
                                    for name, (roles, token) in TOKENS.items()))
        river = site("river", monitors, 'responsible = { unit = "Unit"; leader = "Leader Liang"; };', "river_section")
        self.daemon = Daemon(directory, [mqtt_connection(servers.free_port())] if monitors else [],
                             [river.replace('"Site river"', f'"{HOSTILE}"')], listen=servers.free_port(), more=more,
                             environment={"DUCHA_LOCALE_DIRECTORY": PO, **environment}, http=f' officers_file = "{officers}";').start()
        self.url = f"http://127.0.0.1:{self.daemon.port}/"

    def open_case(self, **more):
        status, body = self.daemon.request("POST", "/api/v1/cases", json.dumps(
            {"site": "river", "source": "inspection", "by": "zhao", "title": HOSTILE.replace("\u202e", ""), **more}))
        assert status == 200, body
        return json.loads(body)["id"]

    def case(self, id):
        return self.daemon.get(f"/api/v1/cases/{id}")

    def act(self, id, **body):
        status, answer = self.daemon.request("POST", f"/api/v1/cases/{id}/actions", json.dumps({"by": "zhao", **body}))
        assert status == 200, answer


@pytest.fixture(scope="module")
def office(tmp_path_factory):
    here = Office(tmp_path_factory.mktemp("office"))
    yield here
    here.daemon.stop()


def shown(browser, query):
    return run(browser, "const e=document.querySelector(arguments[0]);return e&&!e.closest('[hidden]')?e.innerText:null", query)


def see(browser, query, text):
    wait_until(lambda: text in (shown(browser, query) or ""), what=f"{text!r} in {query}")


def click(browser, query):
    wait_until(lambda: shown(browser, query) is not None, what=query)
    run(browser, "document.querySelector(arguments[0]).click()", query)


def fill(browser, name, value):
    from selenium.webdriver.common.by import By
    browser.find_element(By.CSS_SELECTOR, f"#deed-fields [name={name}]").send_keys(value)


def sign_in(browser, token):
    from selenium.webdriver.common.by import By
    wait_until(lambda: shown(browser, "#sign") is not None, what="where to sign in")
    browser.find_element(By.ID, "token").send_keys(token)
    click(browser, "#enter")


def enter(office, browser, name, language="en"):
    """The page in a fresh state, read by this officer."""
    browser.get(f"{office.url}?language={language}")
    run(browser, "sessionStorage.clear()")
    browser.get(f"{office.url}?language={language}")
    said(browser)
    sign_in(browser, TOKENS[name][1])
    see(browser, "#who", name)


def choose(browser, id, action):
    click(browser, f"[data-case='{id}']")
    wait_until(lambda: run(browser, "return document.getElementById('deed').open"), what="the box")
    offered = run(browser, "return [...document.querySelectorAll('#deed-action option')].filter(o=>!o.disabled).map(o=>o.value)")
    run(browser, "const s=document.getElementById('deed-action');s.value=arguments[0];"
                 "s.dispatchEvent(new Event('change',{bubbles:true}))", action)
    return offered


def is_untouched(browser):
    """No script of a name ran, and nothing was said but answers that refuse."""
    assert run(browser, "return window.owned === undefined && document.querySelectorAll('img,iframe').length === 0")
    assert [m for m in said(browser) if "the server responded with a status of 4" not in m] == []


@pytest.mark.parametrize("language", WORDS)
def test_an_officer_assigns_a_case(office, browser, language):
    assigned, _, wrong = WORDS[language]
    id = office.open_case()
    browser.get(f"{office.url}?language={language}")
    run(browser, "sessionStorage.clear()")
    browser.get(f"{office.url}?language={language}")
    assert run(browser, "return document.querySelectorAll('[data-case],dialog,#out').length") == 0
    assert "Leader Liang" not in browser.page_source
    sign_in(browser, "x" * 40)
    see(browser, "#sign-said", wrong)
    assert run(browser, "return document.querySelectorAll('[data-case],dialog,#out').length") == 0
    sign_in(browser, TOKENS["li"][1])
    see(browser, "#who", "li")
    see(browser, "#cases", "Leader Liang")
    is_accessible(browser)
    offered = choose(browser, id, "assign")
    assert offered == ["accept", "assign", "transfer", "merge", "feedback", "attach", "note", "link"]
    assert SHOWN in shown(browser, "#deed-case")
    click(browser, "#deed-go")  # the unit is needed
    assert shown(browser, "#deed-sure") is None
    fill(browser, "unit", "<b>Bureau</b> of 'Drains'")
    click(browser, "#deed-go")
    sure = shown(browser, "#deed-sure")
    assert "<b>Bureau</b> of 'Drains'" in sure and ("under the name li" in sure or "\u4ee5li\u7684\u540d\u4e49" in sure)
    assert office.case(id)["status"] == "registered"  # nothing happens before it is confirmed
    click(browser, "#deed-go")
    see(browser, f"#cases tr:has([data-case='{id}'])", assigned)
    step = office.case(id)["history"][-1]
    assert (step["action"], step["by"], step["unit"]) == ("assign", "li", "<b>Bureau</b> of 'Drains'")
    is_untouched(browser)


@pytest.mark.parametrize("language", WORDS)
def test_a_refused_action_says_what_is_allowed(office, browser, language):
    id = office.open_case()
    enter(office, browser, "wang", language)
    choose(browser, id, "withdraw")
    fill(browser, "note", "seen")
    run(browser, "document.querySelector('#deed-fields [name=reason]').value = 'unfounded'")
    click(browser, "#deed-go")
    office.act(id, action="withdraw", reason="duplicate", note="another was quicker")
    before = office.case(id)["history"]
    click(browser, "#deed-go")
    see(browser, "#deed-refused", WORDS[language][1])
    refusal = shown(browser, "#deed-refused")
    takes, why = {"en": ("What this case takes now: ", "a case that is withdrawn does not take the action withdraw"),
                  "zh_CN": ("\u672c\u6848\u76ee\u524d\u53ef\u4ee5\u529e\u7406: ",
                            "\u6848\u4ef6\u7684\u5f53\u524d\u72b6\u6001")}[language]
    assert why in refusal and (language == "en" or not any("a" <= c <= "z" for c in refusal))
    allowed = refusal.split(takes)[1].splitlines()[0].split(", ")
    assert len(allowed) == 7 and (language == "zh_CN" or set(allowed) == {
        "reopen", "transfer", "merge", "feedback", "attach", "note", "link"})
    assert office.case(id)["history"] == before
    click(browser, "#deed-leave")
    is_untouched(browser)


def test_a_role_decides_what_is_offered_and_closing_says_what_it_lacks(office, browser, tmp_path):
    id = office.open_case()
    enter(office, browser, "li")
    assert "extend" not in choose(browser, id, "attach")
    paper = tmp_path / "\u7167\u7247 <1>.jpg"
    paper.write_bytes(b"\xff\xd8" + b"p" * 70000)
    run(browser, "document.querySelector('#deed-fields [name=type]').value = 'photo'")
    fill(browser, "file", str(paper))
    click(browser, "#deed-go")
    assert paper.name in shown(browser, "#deed-sure")
    click(browser, "#deed-go")
    wait_until(lambda: not run(browser, "return document.getElementById('deed').open"), what="the file kept")
    kept = office.case(id)["attachments"][0]
    assert (kept["name"], kept["type"], kept["by"]) == (paper.name, "photo", "li")
    assert kept["sha256"] == hashlib.sha256(paper.read_bytes()).hexdigest()
    office.act(id, action="assign", unit="U")
    office.act(id, action="plan", note="dig")
    office.act(id, action="rectified")
    enter(office, browser, "wang")
    assert {"close", "extend", "return"} <= set(choose(browser, id, "close"))
    fill(browser, "note", "done")
    click(browser, "#deed-go")
    click(browser, "#deed-go")
    see(browser, "#deed-refused", "It lacks: ")
    assert "more people who checked on the spot" in shown(browser, "#deed-refused")
    assert office.case(id)["status"] == "review"
    is_untouched(browser)


@pytest.fixture
def dated(tmp_path):
    """An office of its own, whose clock can be moved, with a monitor of which nothing comes."""
    here = Office(tmp_path, [mqtt_monitor("w01018", "t")], at("2026-03-02 10:00:00"),
                  "closing: { checkers = 0; record = false; attachments = 0; approval = false; five_ones = false; };")
    yield here
    here.daemon.stop()


def test_a_chinese_page_says_which_days_do_not_count(dated, browser):
    office = dated
    id = office.open_case(factor="w01018", kind="exceedance")
    office.act(id, action="assign", unit="U")
    office.act(id, action="plan", note="dig")
    office.act(id, action="rectified")
    office.daemon.stop()
    office.daemon.environment |= at("2026-03-04 12:00:00")
    office.daemon.start()
    enter(office, browser, "wang", "zh_CN")
    choose(browser, id, "close")
    fill(browser, "note", "done")
    click(browser, "#deed-go")
    click(browser, "#deed-go")
    see(browser, "#deed-refused", "\u8fbe\u6807\u5929\u6570\u4e0d\u8db3\n2026-03-03 ")
    # there are no data, which may not have been added up yet
    assert any(why in shown(browser, "#deed-refused") for why in ("\u65e0\u76d1\u6d4b\u6570\u636e", "\u6570\u636e\u5c1a\u672a\u6c47\u603b"))


def test_a_token_stays_in_its_tab_and_is_forgotten(office, browser):
    id = office.open_case()
    token = TOKENS["wang"][1]
    enter(office, browser, "wang")
    browser.get(f"{office.url}?language=en&severity=general")
    see(browser, "#who", "wang")  # another page of the same tab
    assert token not in browser.page_source and token not in browser.current_url
    here, before = browser.current_window_handle, set(browser.window_handles)
    wait_until(lambda: shown(browser, f"[data-case='{id}']"), what="the case")
    click(browser, f"#cases a[href^='/api/v1/cases/{id}/']")
    wait_until(lambda: len(browser.window_handles) > len(before), what="the dossier's tab")
    browser.switch_to.window((set(browser.window_handles) - before).pop())
    wait_until(lambda: "Leader Liang" in run(browser, "return document.body ? document.body.innerText : ''"), what="the dossier")
    assert browser.current_url.startswith("blob:") and "zhao" in run(browser, "return document.body.innerText")
    assert run(browser, "return getComputedStyle(document.querySelector('table')).borderCollapse") == "collapse"
    browser.close()
    browser.switch_to.window(here)
    browser.switch_to.new_window("tab")
    browser.get(f"{office.url}?language=en")
    wait_until(lambda: shown(browser, "#sign") is not None, what="where to sign in")
    assert run(browser, "return sessionStorage.length + localStorage.length + document.cookie.length") == 0
    browser.close()
    browser.switch_to.window(here)
    click(browser, "#out")
    wait_until(lambda: shown(browser, "#sign") is not None, what="where to sign in")
    assert run(browser, "return document.querySelectorAll('[data-case],dialog').length + sessionStorage.length") == 0
    assert "Leader Liang" not in browser.page_source and token not in office.daemon.said()


def test_without_a_script_or_a_token_the_page_only_reads(office):
    office.open_case()

    def page(token=None):
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        with urllib.request.urlopen(urllib.request.Request(office.url + "?language=zh_CN", headers=headers), timeout=20) as answer:
            return answer.read().decode()

    open_page, officers = page(), page(TOKENS["li"][1])
    assert "data-acts" not in open_page and "<dialog" not in open_page and 'id="sign" hidden' in open_page
    assert 'data-acts="accept assign' in officers and "Leader Liang" in officers
    assert len(officers.encode()) < 100 << 10
    assert "data-acts" not in office.daemon.request("GET", "/")[1]
