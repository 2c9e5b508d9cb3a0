"""The agent desk and the knowledge desk in a real browser: a whole turn of the loop by hand, beside the chat."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.service_process import ServiceProcess
from tests.e2e.test_browser import Page, demo_settings, pytestmark

__all__ = ["demo_settings", "pytestmark"]


@pytest.fixture(scope="module")
def demo(demo_settings: dict[str, str]) -> Iterator[ServiceProcess]:  # the fixture of the chat's tests
    with ServiceProcess(["demo"], demo_settings) as service:
        yield service


def staff_key(demo: ServiceProcess) -> str:
    """The key that the demo printed."""
    found = re.search(r"Staff API key +(\S+)", "".join(demo._said))
    assert found
    return found[1]


class Browser:
    """One browser with a window for the customer and one for staff."""

    def __init__(self, demo: ServiceProcess, profile: Path) -> None:
        self.demo = demo
        self.page = Page(demo.url, profile)
        self.page.open()
        self.chat = self.page.driver.current_window_handle
        self.page.driver.switch_to.new_window("window")
        self.staff = self.page.driver.current_window_handle

    def to_chat(self) -> Page:
        self.page.driver.switch_to.window(self.chat)
        return self.page

    def to_staff(self) -> Page:
        self.page.driver.switch_to.window(self.staff)
        return self.page

    def visit(self, path: str) -> Page:
        page = self.to_staff()
        page.driver.get(f"{self.demo.url}{path}")
        page.until("return document.documentElement.dataset.ready === 'true'")
        return page


@pytest.fixture
def browser(demo: ServiceProcess, tmp_path: Path) -> Iterator[Browser]:
    browser = Browser(demo, tmp_path / "profile")
    try:
        yield browser
        assert browser.page.complaints() == []
    finally:
        browser.page.driver.quit()


def test_a_turn_of_the_loop_in_chinese(browser: Browser, demo: ServiceProcess) -> None:
    page = browser.to_chat()
    page.be("赵一鸣")
    page.until("return document.activeElement.id === 'text'")  # the page has begun anew for this user
    page.ask("退款退到银行卡要几个工作日")
    page.ask("<img src=x onerror=alert(1)> 转人工")

    page = browser.visit(f"/desk#key={staff_key(demo)}")
    assert "key" not in page.js("return location.href").split("/desk")[1]
    page.until("return document.querySelectorAll('#queue .row').length === 1")
    row = page.find("#queue .row")
    assert "赵一鸣" in row.text
    assert "客户要求人工" in row.text
    row.send_keys("\n")  # by keyboard
    page.until("return document.querySelectorAll('#turns .turn').length >= 4")
    assert page.all("#turns img") == []
    page.until("return document.querySelector('#state .thing')")
    assert "退款退到银行卡" in page.find("#record").text
    assert "读取" in page.find("#state").text

    page.find("#make-draft").click()
    page.until("return document.getElementById('reply').value.length > 5")
    page.until("return document.querySelector('#draft-card .source')")
    page.js("document.getElementById('reply').value += ' 我已帮您催促。'")
    page.find("#send-reply").click()
    page.until("return document.querySelector('#turns .turn.agent')")
    assert page.find("#toast").text == "草稿经修改后发送"

    page = browser.to_chat()
    page.until("return document.querySelector('.message.agent')")
    assert "我已帮您催促" in page.find(".message.agent").text
    page.send("好的")
    page.until("return document.body.innerText.includes('已转给正在为您服务的同事')")

    page = browser.to_staff()
    page.until("return [...document.querySelectorAll('.turn.customer')].at(-1).innerText.includes('好的')")
    page.find("#resolve").click()
    page.find("#resolve-form button").click()
    assert "请写一句" in page.find("#resolve-error").text
    page.find("#summary").send_keys("已说明到账时间\n")
    page.until("return document.querySelectorAll('#queue .row').length === 0")
    assert not page.find("#reply-form").is_displayed()

    page = browser.to_chat()
    page.until("return document.body.innerText.includes('本次服务已结束')")
    before = len(page.all(".message.assistant .foot"))
    page.send("退款退到银行卡要几个工作日")  # a new conversation, and the assistant answers again
    page.until(f"return document.querySelectorAll('.message.assistant .foot').length > {before}")
    assert "工作日" in page.all(".message.assistant")[-1].text


def test_the_desks_in_english_and_who_may_enter(browser: Browser, demo: ServiceProcess) -> None:
    page = browser.visit("/desk?lang=en")
    assert page.find(".sign-in h1").text == "Staff sign-in"
    page.find("#key-form button").click()
    assert page.find("#key-error").text == "Enter a key"
    page.expected_errors = ("401 (Unauthorized)", "ERR_CONNECTION_REFUSED")
    page.find("#key").send_keys("tbk_wrong_key\n")
    page.until("return document.getElementById('key-error').textContent.includes('not valid')")
    page.find("#key").clear()
    page.find("#key").send_keys(staff_key(demo) + "\n")
    page.until("return document.querySelector('#queue .state-box strong')")
    assert page.find("#queue").text.startswith("Nobody is waiting")

    page = browser.visit("/knowledge?lang=en")  # the same tab stays signed in
    page.until("return document.querySelector('#panel .state-box strong')")
    assert "No gaps are known yet" in page.find("#panel").text
    for tab, words in (("review", "No articles to review"), ("stock", "Take stock"), ("runs", "No evaluations yet")):
        page.find(f"#tab-{tab}").click()
        page.until(f"return document.getElementById('panel').innerText.includes('{words}')")
    port = demo.port
    demo.kill()
    page.find("#tab-gaps").click()
    page.until("return document.querySelector('#panel .bad')")
    assert "cannot be reached" in page.find("#panel").text
    demo._command[-1] = str(port)
    demo.start()
    page.find("#panel .button").click()  # the demo's key is a new one after a restart
    page.until("return document.body.classList.contains('signed-out')")
    assert "was revoked" in page.find("#key-error").text
