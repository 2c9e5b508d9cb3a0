"""The chat page in a real browser on `teachback demo`: what a customer sees, in both languages, also when it breaks."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from assistant.bootstrap import build
from assistant.settings import Settings
from ingest.demo import SHOP_TIME, render_demo
from ingest.pipeline import Ingestion
from tests.e2e.service_process import TEACHBACK, ServiceProcess

CHROMIUM, DRIVER = shutil.which("chromium") or shutil.which("google-chrome"), shutil.which("chromedriver")
MISSING = [
    name
    for name, found in (
        ("selenium", importlib.util.find_spec("selenium")),
        ("chromium", CHROMIUM),
        ("chromedriver", DRIVER),
    )
    if not found
]
pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(180),
    pytest.mark.skipif(bool(MISSING), reason=f"needs {', '.join(MISSING)}; .ci/services installs what it can"),
]
ARTICLES = (
    "zh/refund-time",
    "en/refund-time-en",
    "zh/shipping-time",
    "en/shipping-time-en",
    "zh/parcel-late",
    "zh/yuntuan-wash",
    "zh/points",
)
WAIT_S = 60


@pytest.fixture(scope="module")
def demo_settings(tmp_path_factory: pytest.TempPathFactory, model_cache: Path) -> dict[str, str]:
    """Settings of a demo workspace that is built already, from a part of the demo store so that it takes seconds."""
    data = tmp_path_factory.mktemp("demo") / "data"
    service = build(Settings(data_dir=data, cache_dir=model_cache, embedder="bundled"))
    today = datetime.now(SHOP_TIME).date()
    folder = render_demo(service.demo_folder("demo"), today)
    paths = [folder / "articles" / f"{name}.md" for name in ARTICLES]
    report = Ingestion(service.records("demo"), service.keeper("demo"), service.clock.now).run(paths)
    assert len(report.added) == len(ARTICLES)
    (folder / "built").write_text(today.isoformat(), encoding="utf-8")
    service.close()
    return {"TEACHBACK_DATA_DIR": str(data), "TEACHBACK_CACHE_DIR": str(model_cache)}


@pytest.fixture(scope="module")
def demo(demo_settings: dict[str, str]) -> Iterator[ServiceProcess]:
    with ServiceProcess(["demo"], demo_settings) as service:
        yield service


class Page:
    """The chat page in one browser window, in the words of someone who uses it."""

    def __init__(self, url: str, profile: Path) -> None:
        from selenium import webdriver
        from selenium.webdriver.chrome.service import Service

        options = webdriver.ChromeOptions()
        options.binary_location = str(CHROMIUM)
        for flag in (
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            "--disable-component-update",
            "--no-first-run",
            "--window-size=1200,900",
            f"--user-data-dir={profile}",
        ):
            options.add_argument(flag)
        options.add_experimental_option("prefs", {"intl.accept_languages": "zh-CN,zh"})
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=Service(str(DRIVER)))
        self.url = url
        self.expected_errors: tuple[str, ...] = ()

    def open(self) -> None:
        """Load it and wait until its script has run."""
        self.driver.get(self.url)
        self.until("return document.documentElement.dataset.ready === 'true'")

    def until(self, script: str, wait_s: float = WAIT_S) -> Any:
        """Wait until the script returns something true, and return it."""
        from selenium.common.exceptions import TimeoutException
        from selenium.webdriver.support.ui import WebDriverWait

        try:
            return WebDriverWait(self.driver, wait_s, 0.05).until(lambda driver: driver.execute_script(script))
        except TimeoutException:
            pytest.fail(f"never came true: {script}\nthe page says: {self.js('return document.body.innerText')[-800:]}")

    def js(self, script: str, *args: Any) -> Any:
        return self.driver.execute_script(script, *args)

    def find(self, selector: str) -> Any:
        from selenium.webdriver.common.by import By

        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector: str) -> list[Any]:
        from selenium.webdriver.common.by import By

        return list(self.driver.find_elements(By.CSS_SELECTOR, selector))

    def be(self, name: str) -> None:
        """Pick a demo user."""
        self.find("#persona").click()
        self.until("return document.getElementById('people').open")
        self.until(  # the list is drawn when the people have come, which may be after the dialog opens
            f"return [...document.querySelectorAll('#people-list button')].some((b) => b.innerText.includes('{name}'))"
        )
        row = next(button for button in self.all("#people-list button") if name in button.text)
        self.js("arguments[0].scrollIntoView({block: 'center'})", row)
        row.click()
        self.until(f"return document.getElementById('persona-name').textContent === {json.dumps(name)}")
        self.until("return !document.getElementById('composer').inert")  # until then nothing can be typed

    def send(self, text: str) -> None:
        """Type and press Enter."""
        from selenium.webdriver.common.keys import Keys

        self.find("#text").send_keys(text, Keys.ENTER)

    def ask(self, text: str) -> Any:
        """Send, wait for the whole reply, and return its element."""
        before = len(self.all(".message.assistant .foot"))
        self.send(text)
        self.until(f"return document.querySelectorAll('.message.assistant .foot').length > {before}")
        return self.all(".message.assistant")[-1]

    def widest(self) -> tuple[int, int]:
        """How far the widest thing reaches, and the width of the window."""
        reach, width = self.js(
            "const edges = [...document.querySelectorAll('body *')].filter((e) => e.checkVisibility()"
            " && !e.closest('.unseen, .skip, table, pre')).map((e) => e.getBoundingClientRect().right);"
            "return [Math.max(document.documentElement.scrollWidth, ...edges), document.documentElement.clientWidth]"
        )
        return round(reach), width

    def requests(self) -> list[str]:
        """Every address that any request went to."""
        messages = (json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance"))
        sent = ("Network.requestWillBeSent", "Network.webSocketCreated")
        return [m["params"].get("url") or m["params"]["request"]["url"] for m in messages if m["method"] in sent]

    def complaints(self) -> list[str]:
        """What the console says, but for the errors that a test brings about."""
        said = [f"{entry['level']} {entry['message']}" for entry in self.driver.get_log("browser")]
        return [line for line in said if not any(expected in line for expected in self.expected_errors)]


@pytest.fixture
def page(demo: ServiceProcess, tmp_path: Path) -> Iterator[Page]:
    """The page, fresh; afterwards no request may have left the machine and the console must be silent."""
    page = Page(demo.url, tmp_path / "profile")
    try:
        page.open()
        yield page
        elsewhere = [url for url in page.requests() if not url.startswith((page.url, "data:", "blob:", "chrome:"))]
        assert elsewhere == []
        assert page.complaints() == []
    finally:
        page.driver.quit()


def test_a_customer_asks_in_chinese(page: Page) -> None:
    assert page.js("return document.documentElement.lang") == "zh-CN"
    page.be("赵一鸣")
    page.until("return document.querySelectorAll('#starters .offer').length >= 2")  # 猜你想问
    reply = page.ask("我的包裹到哪了")
    assert "YT7325106624903" in reply.text
    chips = [chip.text for chip in page.all(".message.assistant:last-child .chip")]
    assert {"YT7325106624903", "SQ21080377"} <= set(chips)
    assert "已结合" in reply.text

    reply = page.ask("退款退到银行卡要几个工作日")
    assert "3–7 个工作日" in reply.text
    assert "**" not in reply.text, "Markdown is shown as it is written"
    card = page.all(".message.assistant:last-child .source")[0]
    assert "退款多久到账" in card.text
    quote = page.all(".message.assistant:last-child blockquote")[0]
    assert not quote.is_displayed()
    card.click()
    page.until("return document.querySelector('.message.assistant:last-child .source').open")
    assert "工作日" in quote.text
    named = [each.text for each in page.all(".message.assistant:last-child .source .what")]
    assert len(named) == len(set(named)), "one document, one card"

    page.driver.refresh()
    page.until("return document.querySelectorAll('.message.customer').length === 2")  # the conversation is kept


def test_another_customer_sees_only_their_own(page: Page) -> None:
    page.be("赵一鸣")
    assert "YT7325106624903" in page.ask("我的包裹到哪了").text
    page.be("王建国")
    assert page.all(".message") == []
    assert "YT7325106624903" not in page.ask("我的包裹到哪了").text
    assert "看不到" in page.ask("YT7325106624903 到哪了").text


def test_a_customer_asks_in_english(page: Page) -> None:
    page.find("#language").click()
    page.until("return document.documentElement.lang === 'en'")
    assert page.find("#greeting").text == "Hello, how can we help?"
    page.be("Daniel Whitfield")
    reply = page.ask("How long does a refund take?")
    assert "1–2 working days" in reply.text
    assert "When will I get my refund?" in page.all(".message.assistant:last-child .source")[0].text
    assert "Sources" in reply.text or "SOURCES" in reply.text
    reply = page.ask("I want to talk to a person")
    assert "Passed to a person" in reply.text
    assert "You asked for a person" in reply.text


def test_nothing_is_sent_for_nothing(page: Page) -> None:
    for text in ("", "   "):
        page.send(text)
        assert page.find("#hint-text").text == "请先写下您的问题"
    page.js(
        "const t = document.getElementById('text'); t.value = '长'.repeat(4001); t.dispatchEvent(new Event('input'))"
    )
    page.send("")
    assert "4000" in page.find("#hint-text").text
    assert page.all(".message") == []


def test_text_is_never_markup(page: Page) -> None:
    page.ask("<img src=x onerror=\"document.title='owned'\"> **bold** 退款")
    assert page.all("#log img") == []
    assert page.driver.title != "owned"
    assert "<img src=x" in page.find(".message.customer").text


def test_a_phone_scrolls_only_one_way(page: Page) -> None:
    metrics = {"width": 360, "height": 740, "deviceScaleFactor": 2, "mobile": True}
    page.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    page.open()
    assert page.js("return window.innerWidth") == 360
    seen = {"welcome": page.widest()}
    page.find("#persona").click()
    page.until("return document.getElementById('people').open")
    seen["people"] = page.widest()
    page.js("document.getElementById('people').close()")
    page.be("赵一鸣")
    page.ask("退款退到银行卡要几个工作日")
    page.ask("我的包裹到哪了")
    page.ask("单号" + "SF1234567890" * 12)  # one long word
    for part in page.all(".message.assistant details summary"):
        page.js("arguments[0].parentElement.open = true", part)
    seen["conversation"] = page.widest()
    page.find("#language").click()
    seen["English"] = page.widest()
    assert all(reach <= width == 360 for reach, width in seen.values()), seen


def test_a_dead_service_is_said_and_the_message_can_be_sent_again(
    page: Page, demo: ServiceProcess, demo_settings: dict[str, str]
) -> None:
    page.be("赵一鸣")
    page.ask("我的包裹到哪了")
    port = demo.port
    page.expected_errors = ("net::ERR_CONNECTION_REFUSED", "net::ERR_INCOMPLETE_CHUNKED_ENCODING", "net::ERR_EMPTY")
    demo.kill()
    page.send("退款退到银行卡要几个工作日")
    page.until("return document.querySelector('.failure')")
    failure = page.find(".failure")
    assert "已保留" in failure.text
    assert failure.get_attribute("role") == "alert"
    assert page.all(".message.customer")[-1].text.endswith("退款退到银行卡要几个工作日")
    retry = page.find(".failure .button")
    assert retry.text == "重试"
    retry.click()
    page.until("return document.querySelectorAll('.failure').length === 1")  # still dead: said again, not twice

    with ServiceProcess(["demo"], demo_settings, port=port):
        before = len(page.all(".message.assistant .foot"))
        page.find(".failure .button").click()
        page.until(f"return document.querySelectorAll('.message.assistant .foot').length > {before}")
        assert "3–7 个工作日" in page.all(".message.assistant")[-1].text
        assert page.all(".failure") == []
        assert len(page.all(".message.customer")) == 2
    demo.start()  # for whatever test comes next


def test_the_demo_builds_itself_once(tmp_path: Path) -> None:
    """The first command of the README, with the whole demo store; the hashing embedder saves a minute."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("TEACHBACK_", "OPENAI_"))}
    env = {**kept, "TEACHBACK_DATA_DIR": str(tmp_path / "data"), "TEACHBACK_EMBEDDER": "hash"}
    records = []
    for _ in range(2):
        command = [TEACHBACK, "demo", "--build-only", "--json"]
        done = subprocess.run(command, capture_output=True, text=True, env=env, timeout=150)
        assert done.returncode == 0, done.stderr[-2000:]
        records.append(json.loads(done.stdout))
    assert [record["built"] for record in records] == [True, False]
    assert records[0]["workspace"] == "demo"
    assert records[0]["articles"] > 90
    assert records[0]["resolutions"] > 100
