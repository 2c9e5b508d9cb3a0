"""Tasks on the chat page in a real browser: by mouse and keyboard, pressed twice, after a reload, without a server."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from assistant.bootstrap import build
from assistant.settings import Settings
from ingest.demo import SHOP_TIME, render_demo
from ingest.pipeline import Ingestion
from tests.e2e.service_process import ServiceProcess
from tests.e2e.test_browser import Page, pytestmark

__all__ = ["pytestmark"]  # the module's marks

ADDRESS = "杭州市西湖区文三路 12 号 3 幢 502 室"
LAST = "return [...document.querySelectorAll('p.eyebrow[class*=task-]')].at(-1)?.className.includes('task-{}')"


class Demo:
    """The demo of a temporary folder; ``effects`` is what was really done at its shop."""

    def __init__(self, folder: Path) -> None:
        self.settings = {"TEACHBACK_DATA_DIR": str(folder), "TEACHBACK_EMBEDDER": "hash"}
        service = build(Settings(data_dir=folder, embedder="hash"))
        today = datetime.now(SHOP_TIME).date()
        shop = render_demo(service.demo_folder("demo"), today)
        pages = [shop / "articles" / "zh" / "change-address.md"]
        Ingestion(service.records("demo"), service.keeper("demo"), service.clock.now).run(pages)
        (shop / "built").write_text(today.isoformat(), encoding="utf-8")
        service.close()
        self._shop = shop / "shop.db"

    def effects(self) -> list[tuple[str, str]]:
        if not self._shop.exists():
            return []
        connection = sqlite3.connect(self._shop)
        try:
            return connection.execute("select kind, subject from changes order by id").fetchall()
        finally:
            connection.close()


@pytest.fixture
def demo(tmp_path: Path) -> Demo:
    return Demo(tmp_path / "data")


@pytest.fixture
def served(demo: Demo) -> Iterator[ServiceProcess]:
    with ServiceProcess(["demo"], demo.settings) as service:
        yield service


@pytest.fixture
def page(served: ServiceProcess, tmp_path: Path) -> Iterator[Page]:
    page = Page(served.url, tmp_path / "profile")
    try:
        page.open()
        yield page
        assert page.complaints() == []
    finally:
        page.driver.quit()


def wait_for(page: Page, status: str) -> None:
    page.until(LAST.format(status))


def test_a_card_by_mouse_keyboard_and_after_a_reload(page: Page, demo: Demo) -> None:
    from selenium.webdriver.common.keys import Keys

    page.be("陈雨桐")
    page.ask(f"把订单 SQ21080551 的地址改成{ADDRESS}")
    wait_for(page, "awaiting_confirmation")
    assert ADDRESS in page.find(".task-card").text
    page.js("document.querySelector('.task-card .quiet').click()")  # never mind
    wait_for(page, "cancelled")
    assert demo.effects() == []

    page.ask(f"把订单 SQ21080551 的地址改成{ADDRESS}")
    wait_for(page, "awaiting_confirmation")
    page.driver.refresh()
    page.until("return document.documentElement.dataset.ready === 'true'")
    page.until("return document.querySelectorAll('.task-card .buttons').length === 1")
    card = page.find(".task-card")
    assert ADDRESS in card.text
    page.js(
        "const b = document.querySelector('.task-card .button'); b.click(); b.click();"
        "b.dispatchEvent(new Event('click'))"
    )
    wait_for(page, "done")
    assert demo.effects() == [("address", "SQ21080551")]
    page.driver.refresh()
    page.until("return document.querySelectorAll('.message.customer').length > 2")
    assert page.all(".task-card") == []

    page.ask("给羽绒服那单开发票，抬头个人")
    wait_for(page, "awaiting_confirmation")
    for _ in range(40):  # from the text field backwards, as Shift+Tab goes
        if page.driver.switch_to.active_element.text == "确认":
            break
        page.driver.switch_to.active_element.send_keys(Keys.SHIFT, Keys.TAB)
    assert page.driver.switch_to.active_element.text == "确认"
    page.driver.switch_to.active_element.send_keys(Keys.ENTER)
    wait_for(page, "done")
    assert demo.effects()[-1] == ("invoice", "SQ21044127")

    page.ask("帮我领一张优惠券")
    page.ask("第一张")
    wait_for(page, "awaiting_confirmation")
    page.ask("确认")  # in words, as well as by the button
    wait_for(page, "done")
    assert [kind for kind, _ in demo.effects()] == ["address", "invoice", "coupon"]


def test_a_server_that_dies_before_the_press_says_so_and_it_is_done_once(
    page: Page, demo: Demo, served: ServiceProcess
) -> None:
    page.expected_errors = ("net::ERR_CONNECTION_REFUSED", "net::ERR_INCOMPLETE_CHUNKED_ENCODING", "net::ERR_EMPTY")
    page.find("#language").click()
    page.be("Daniel Hartley")
    page.ask("Please cancel order SQ20332018")
    wait_for(page, "awaiting_confirmation")
    port = served.port
    served.kill()
    page.find(".task-card .button").click()
    page.until("return document.querySelector('.failure')")
    assert demo.effects() == []
    with ServiceProcess(["demo"], demo.settings, port=port):
        page.find(".failure .button").click()
        wait_for(page, "done")
        assert demo.effects() == [("cancelled", "SQ20332018")]
