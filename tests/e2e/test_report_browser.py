"""The report in a real browser, opened as a file without network: on a desktop, a phone, in the dark, on paper."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from evals.report import ReportInput, render_report
from evals.report.words import Locale
from tests.e2e.test_browser import CHROMIUM, DRIVER, pytestmark
from tests.report_input import NASTY, report_input

__all__ = ["pytestmark"]  # the module's marks

LOCALES: tuple[Locale, Locale] = ("zh", "en")

# every visible text with its contrast against what is painted behind it (WCAG 2.2, 1.4.3)
CONTRAST = """
const channel = v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
const parse = text => (text.match(/[\\d.]+/g) || []).map(Number);
const light = c => 0.2126 * channel(c[0]) + 0.7152 * channel(c[1]) + 0.0722 * channel(c[2]);
const behind = element => {
  for (let e = element; e; e = e.parentElement) {
    const c = parse(getComputedStyle(e).backgroundColor);
    if (c.length === 3 || c[3] === 1) return c;
  }
  return [255, 255, 255];
};
const seen = [];
const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walk.nextNode()) {
  const element = walk.currentNode.parentElement, text = walk.currentNode.data.trim();
  if (!text || element.closest('title') || !element.checkVisibility()) continue;
  const style = getComputedStyle(element);
  const ink = light(parse(element instanceof SVGElement ? style.fill : style.color)), paper = light(behind(element));
  const size = parseFloat(style.fontSize), large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
  const ratio = (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
  seen.push([ratio >= (large ? 3 : 4.5), ratio, text.slice(0, 40)]);
}
return seen;
"""
# labels of a chart that reach out of it or over one another
CLASHES = """
const found = [];
for (const svg of document.querySelectorAll('svg')) {
  const frame = svg.getBoundingClientRect();
  const texts = [...svg.querySelectorAll('text')].map(t => [t.textContent, t.getBoundingClientRect()]);
  for (const [name, r] of texts)
    if (r.left < frame.left - 1 || r.right > frame.right + 1 || r.bottom > frame.bottom + 1)
      found.push(name + ' is cut');
  texts.forEach(([a, r], i) => texts.slice(i + 1).forEach(([b, s]) => {
    if (r.left < s.right - 1 && s.left < r.right - 1 && r.top < s.bottom - 2 && s.top < r.bottom - 2)
      found.push(a + ' over ' + b);
  }));
}
return found;
"""
WIDEST = """
const reach = [...document.querySelectorAll('body *')].filter(e => e.checkVisibility() && !e.closest('.wide'))
  .map(e => [e.getBoundingClientRect().right, e.tagName + '.' + e.className]).sort((a, b) => b[0] - a[0])[0];
return [document.documentElement.scrollWidth, reach[0], reach[1]];
"""


@pytest.fixture(scope="module")
def given() -> ReportInput:
    return report_input()


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    profile = tmp_path_factory.mktemp("profile")
    for flag in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-background-networking",
        "--no-first-run",
        f"--user-data-dir={profile}",
    ):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(str(DRIVER)))
    driver.execute_cdp_cmd("Network.enable", {})
    offline = {"offline": True, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0}
    driver.execute_cdp_cmd("Network.emulateNetworkConditions", offline)
    yield driver
    driver.quit()


@pytest.fixture(params=LOCALES)
def page(browser: Any, given: ReportInput, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Any]:
    """The report opened as a file; afterwards nothing may have been asked for but this file, nor complained about."""
    path = tmp_path / "report.html"
    path.write_text(render_report(given, request.param), encoding="utf-8")
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": []})
    for kind in ("performance", "browser"):
        browser.get_log(kind)  # what was before is not this page's
    browser.get(path.as_uri())
    yield browser
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = {m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"}
    assert {url.split("#")[0] for url in asked if not url.startswith("chrome:")} <= {path.as_uri()}
    assert list(browser.get_log("browser")) == []


def _resized(page: Any, width: int, height: int = 844) -> None:
    metrics = {"width": width, "height": height, "deviceScaleFactor": 2, "mobile": width < 500}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


def _open_all(page: Any) -> None:
    page.execute_script("document.querySelectorAll('details').forEach(d => { d.open = true })")


def test_what_customers_wrote_is_text(page: Any) -> None:
    _open_all(page)
    text = page.execute_script("return document.body.innerText")
    assert NASTY in text
    assert page.execute_script("return document.querySelectorAll('script, img, main iframe').length") == 0
    assert page.title != "owned"


def test_nothing_is_wider_than_a_phone(page: Any) -> None:
    _resized(page, 390)
    _open_all(page)
    width, reach, widest = page.execute_script(WIDEST)
    assert width <= 390, widest
    assert reach <= 391, widest


@pytest.mark.parametrize("width", [390, 1100])
def test_labels_of_charts_are_whole_and_apart(page: Any, width: int) -> None:
    _resized(page, width)
    assert page.execute_script("return document.querySelectorAll('svg').length") == 4
    assert page.execute_script(CLASHES) == []
    smallest = page.execute_script(
        "return Math.min(...[...document.querySelectorAll('svg text')].map(t => t.getBoundingClientRect().height))"
    )
    assert smallest >= 11, "too small to read"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_can_be_told_from_its_ground(page: Any, scheme: str) -> None:
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": features})
    _open_all(page)
    seen = page.execute_script(CONTRAST)
    assert len(seen) > 100
    assert [each for each in seen if not each[0]] == []


def test_on_paper_the_folded_tables_are_open(page: Any) -> None:
    from selenium.webdriver.support.ui import WebDriverWait

    shown = (
        "return [...document.querySelectorAll('details')].map(d => [d.classList.contains('screen'),"
        " [...d.querySelectorAll('td, p')].some(e => e.checkVisibility({contentVisibilityAuto: true})"
        " && e.getBoundingClientRect().height > 0)])"
    )
    assert not any(visible for _, visible in page.execute_script(shown))
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    # what was hidden is laid out with the next frame, not at once
    WebDriverWait(page, 10, 0.05).until(
        lambda p: all(visible is not screen for screen, visible in p.execute_script(shown))
    )
    assert [each for each in page.execute_script(CONTRAST) if not each[0]] == []
    assert len(page.execute_cdp_cmd("Page.printToPDF", {"printBackground": True})["data"]) > 10_000


def test_links_lead_to_the_examples(page: Any) -> None:
    links = page.execute_script("return [...document.querySelectorAll('a')].map(a => a.getAttribute('href'))")
    assert links
    assert page.execute_script("return arguments[0].every(link => document.querySelector(link))", links)


def test_the_chinese_page_speaks_chinese(page: Any) -> None:
    if page.execute_script("return document.documentElement.lang") != "zh-CN":
        return
    _open_all(page)
    ours = page.execute_script(
        "return [...document.querySelectorAll('h1, h2, th, summary, strong, .card, section > .soft, .note,"
        " td:first-child, svg text, svg title')].filter(e => !e.closest('code')).map(e => e.textContent)"
    )
    foreign = {word for text in ours for word in re.findall(r"[A-Za-z]{2,}", text)}
    assert foreign <= {"AURC", "chrF", "App", "demo", "transfers", "token"}, foreign
