"""The report: self-contained, escaped, whole in both languages, and honest where figures are missing."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import pytest

from assistant.domain.conversation import Turn
from assistant.domain.reply import Reply
from assistant.llm.embedders import HashEmbedder
from evals.cases import ReplyCase
from evals.loop.gaps import CaseCost, find_gaps
from evals.report import ReportInput, render_report
from evals.report.page import calibration_bins
from evals.report.words import WORDS, Locale
from evals.root_causes import Cause, Diagnosis
from evals.scoring import score_replay, stored_run
from evals.transfer_run import GuardReport, Replay

START = datetime(2026, 10, 1, 12, tzinfo=UTC)
NASTY = "<script>alert('x')</script> & \"quoted\""


def _case(number: int) -> ReplyCase:
    asked = f"第{number}个问题 {NASTY} 羽绒服多久能退款？"
    return ReplyCase(
        f"c-{number}-1",
        f"c-{number}",
        (Turn("customer", asked), Turn("assistant", f"助手 {NASTY}"), Turn("customer", asked)),
        (f"仓库收到之后 {number + 1} 个工作日验收，银行卡 7 个工作日到账。", f"验收要 {number + 1} 个工作日。"),
        at=START + timedelta(days=3 * number),
        channel="web" if number % 2 else "app",
    )


def _reply(number: int) -> Reply:
    good = number % 3 == 0
    text = f"仓库收到之后 {number + 1} 个工作日验收，银行卡 7 个工作日到账。" if good else f"运费 8 元 {NASTY}"
    return Reply(text, "answer", 0.9 if good else 0.4, "", "t", timings_ms={"total": 20.0 + number})


@pytest.fixture(scope="module")
def given() -> ReportInput:
    cases = [_case(number) for number in range(20)]
    embedder = HashEmbedder()
    replies = {case.case_id: _reply(number) for number, case in enumerate(cases)}
    scored = score_replay(cases, Replay(replies, GuardReport(own={"c-1-1": 2}, leaks=())), embedder)
    failed = [s.case_id for s in scored.scores if s.scores is not None and s.scores.accuracy < 0.35]
    diagnoses = [
        Diagnosis(key, Cause.KNOWLEDGE_MISSING if i % 2 else Cause.STATE_NEEDED) for i, key in enumerate(failed)
    ]
    gaps = find_gaps(cases, diagnoses, {"c-1": CaseCost(30, 1, "black")}, embedder)
    run = stored_run(
        scored, embedder.fingerprint, START, "cases.jsonl", causes={d.case_id: (d.cause.value, {}) for d in diagnoses}
    )
    return ReportInput("demo", scored, run, diagnoses, gaps, 0.35)


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.wrong: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_one_file_without_script_or_network(given: ReportInput, locale: Locale) -> None:
    page = render_report(given, locale)
    tags = _Tags()
    tags.feed(page)
    assert not tags.wrong
    assert not tags.open
    assert not tags.seen & {"script", "link", "img", "iframe", "object"}
    assert not re.search(r"(?:https?:)?//|url\(|@import", page)
    assert f'lang="{"zh-CN" if locale == "zh" else "en"}"' in page


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_every_section_is_there_and_no_text_is_left_open(given: ReportInput, locale: Locale) -> None:
    page = render_report(given, locale)
    for name in ("accuracy", "baselines", "trend", "causes", "gaps", "calibration", "measures", "slices", "guard"):
        assert WORDS[locale][name] in page
    assert not re.search(r"\{\w+\}", re.sub(r"<style>.*?</style>", "", page, flags=re.S))
    assert "second human" not in page or locale == "en"


def test_what_people_wrote_is_escaped(given: ReportInput) -> None:
    page = render_report(given)
    assert "<script>" not in page
    assert "&lt;script&gt;alert(" in page


def test_both_languages_have_the_same_words() -> None:
    assert WORDS["zh"].keys() == WORDS["en"].keys()
    for name, text in WORDS["zh"].items():
        assert set(re.findall(r"\{(\w+)\}", text)) <= set(re.findall(r"\{(\w+)\}", WORDS["en"][name])) | {
            "month",
            "day",
        }


def test_an_unusable_measure_is_said_in_the_first_lines(given: ReportInput) -> None:
    page = render_report(replace(given, scored=replace(given.scored, usable=False)), "en")
    assert "not usable on these cases" in page


def test_a_report_without_causes_or_dates_still_stands(given: ReportInput) -> None:
    undated = [replace(case, at=None) for case in given.scored.cases]
    page = render_report(replace(given, scored=replace(given.scored, cases=undated), diagnoses=(), gaps=()), "en")
    assert WORDS["en"]["trend_one"] in page
    assert WORDS["en"]["causes"] not in page


def test_calibration_bins_are_of_about_equal_size() -> None:
    pairs = sorted((0.9 if n % 3 else 0.2, float(n % 2)) for n in range(43))
    bins = calibration_bins(pairs)
    assert sum(b.cases for b in bins) == 43
    assert max(b.cases for b in bins) - min(b.cases for b in bins) <= 1
    assert [b.confidence for b in bins] == sorted(b.confidence for b in bins)
