"""The report: self-contained, escaped, whole in both languages, and honest where figures are missing."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from html import escape, unescape
from html.parser import HTMLParser

import pytest

from evals.report import ReportInput, render_report
from evals.report.facts import Held, differ, held, marked
from evals.report.first import lack_line
from evals.report.lacks import lacks_of
from evals.report.page import calibration_bins
from evals.report.pieces import Pieces
from evals.report.since import since_last
from evals.report.words import WORDS, Locale
from evals.root_causes import Cause, Diagnosis
from evals.runs import EvalRun, RunRow
from tests.report_input import START, report_input


@pytest.fixture(scope="module")
def given() -> ReportInput:
    return report_input()


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
    names = ("accuracy", "todo", "since", "baselines", "trend", "causes", "gaps", "calibration", "measures", "slices")
    for name in (*names, "live", "service", "guard", "provenance"):
        assert WORDS[locale][name] in page
    places = [page.index(f'id="{name}"') for name in ("todo", "since", "baselines", "causes", "gaps", "provenance")]
    assert places == sorted(places), "what to do comes first, evidence after"
    assert not re.search(r"\{\w+\}", re.sub(r"<style>.*?</style>", "", page, flags=re.S))
    assert "second human" not in page or locale == "en"


def test_what_people_wrote_is_escaped(given: ReportInput) -> None:
    page = render_report(given)
    assert "<script>" not in page
    assert "&lt;script&gt;document." in page


def test_both_languages_have_the_same_words() -> None:
    assert WORDS["zh"].keys() == WORDS["en"].keys()
    for name, text in WORDS["zh"].items():
        assert set(re.findall(r"\{(\w+)\}", text)) == set(re.findall(r"\{(\w+)\}", WORDS["en"][name])), name
    assert not [name for name, text in WORDS["en"].items() if re.search(r"[\u3400-\u9fff]", text)]


def test_an_unusable_measure_is_said_in_the_first_lines(given: ReportInput) -> None:
    page = render_report(replace(given, scored=replace(given.scored, usable=False)), "en")
    assert "not usable on these cases" in page


def test_a_report_without_causes_or_dates_still_stands(given: ReportInput) -> None:
    undated = [replace(case, at=None) for case in given.scored.cases]
    bare = replace(given, scored=replace(given.scored, cases=undated), diagnoses=(), gaps=(), with_causes=False)
    page = render_report(bare, "en")
    assert WORDS["en"]["trend_one"] in page
    assert page.count(WORDS["en"]["causes_off"]) == 2
    solved = render_report(replace(bare, with_causes=True), "en")
    assert WORDS["en"]["todo_none"] in solved
    assert WORDS["en"]["causes_none"] in solved


def test_what_is_missing_says_so_and_shows_no_figure(given: ReportInput) -> None:
    scored = replace(given.scored, baselines={}, usable=None, replay=replace(given.scored.replay, replies={}))
    page = render_report(replace(given, scored=scored, since=None), "en")
    for name in ("since_none", "live_none", "baselines_none", "calibration_few", "service_none", "usable_unknown"):
        assert escape(WORDS["en"][name]) in page, name


def _stored(given: ReportInput, name: str, days: int, shift: float) -> EvalRun:
    made = replace(given.run.provenance, created_at=START - timedelta(days=days))
    rows = (
        replace(row, values={"accuracy": min(1.0, max(0.0, (row.values["accuracy"] or 0.0) + shift))})
        for row in given.run.rows
    )
    return replace(given.run, run_id=name, provenance=made, rows=tuple(rows))


def test_it_compares_with_the_newest_run_before_it(given: ReportInput) -> None:
    stored = [
        _stored(given, "older", 9, -0.5),
        _stored(given, "last", 2, 0.5),
        _stored(given, "later", -1, 0.0),
        given.run,
        replace(_stored(given, "other", 1, 0.0), kind="drafts"),
        replace(_stored(given, "strangers", 1, 0.0), rows=(RunRow("x", {"accuracy": 0.5}),)),
    ]
    since = since_last(given.run, stored, 0.35)
    assert since is not None
    assert since.comparison.before == "last"
    assert since.comparison.regression
    assert since.now_unsolved
    assert not since.now_solved
    page = render_report(replace(given, since=since), "en")
    assert "Worse: accuracy -0." in page
    assert f"Newly unsolved: {len(since.now_unsolved)}" in page
    assert since.changed == ()
    assert "Changed in between" not in page
    other = replace(stored[1], provenance=replace(stored[1].provenance, data="x", models={"embedder": "other"}))
    changed = since_last(given.run, [other], 0.35)
    assert changed is not None
    assert "Changed in between: cases, models." in render_report(replace(given, since=changed), "en")
    assert since_last(given.run, [given.run], 0.35) is None


def test_a_group_that_fell_by_next_to_nothing_is_not_told(given: ReportInput) -> None:
    for fall, told in ((0.001, False), (0.2, True)):
        since = since_last(given.run, [_stored(given, "last", 2, fall)], 0.35)
        assert since is not None
        assert any(
            d.high is not None and d.high < 0 for each in since.comparison.slices.values() for d in each.values()
        )
        assert ("Groups that fell" in render_report(replace(given, since=since), "en")) is told


def test_the_three_costliest_gaps_come_with_what_they_lack(given: ReportInput) -> None:
    page = render_report(given, "en")
    first = page[page.index('id="todo"') : page.index('id="since"')]
    assert first.count("<li><h3>") == min(3, len(given.gaps))
    assert "个工作日验收" in first, "the people's own words are what is to be written"
    for gap in given.gaps[:3]:
        assert f'href="#gap-{gap.id}"' in first
        assert f'id="gap-{gap.id}"' in page


@pytest.mark.parametrize(
    ("cause", "evidence", "said"),
    [
        (
            Cause.KNOWLEDGE_STALE,
            {"rival": {"document_id": "price", "pairs": [["duration 360h", "168h"]]}},
            "Check and revise “Price protection”: people say “15 days”, the knowledge has “7 days”.",
        ),
        (
            Cause.RETRIEVAL_MISSED,
            {"passage": {"document_id": "price", "kind": "article"}},
            "“Price protection” holds the answer but was not used",
        ),
        (
            Cause.RETRIEVAL_MISSED,
            {"passage": {"document_id": "c-9/1", "kind": "resolution"}},
            "Past conversation c-9 holds the answer",
        ),
        (Cause.STATE_NEEDED, {"held_values": ["date 11-4", "amount 40"]}, "People used dates, amounts from"),
        (Cause.STATE_NEEDED, {}, "People had to look into the customer's records"),
        (Cause.UNDETERMINED, {}, "The experiments cannot tell"),
    ],
)
def test_each_cause_says_what_to_do(given: ReportInput, cause: Cause, evidence: dict[str, object], said: str) -> None:
    cases = {case.case_id: case for case in given.scored.cases}
    diagnoses = [Diagnosis(d.case_id, cause, evidence) for d in given.diagnoses]
    lacks = lacks_of(given.gaps[0], cases, diagnoses, {"price": "Price protection"}, {}, START)
    assert [lack.cases for lack in lacks] == [len(given.gaps[0].case_ids)]
    assert said in unescape(lack_line(Pieces("en"), lacks[0]))


def test_where_then_and_now_differ_is_marked() -> None:
    then, now = "价保 7 天。运费 8 元 <b>。", "价保 15 天。运费 8 元。"
    assert marked(then, now) == "<mark>价保 7 天。</mark>运费 8 元 &lt;b&gt;。"
    assert marked(now, then) == "<mark>价保 15 天。</mark>运费 8 元。"
    assert differ(then, now)
    assert not differ("48 小时内", "within two days")
    assert held("退到余额 40 元，15 天内", "15 天内可以补差 40 元，订单 SQ20871534") == Held(2, 2)
    assert held("好的", "15 天内") == Held(0, 1)


def test_calibration_bins_are_of_about_equal_size() -> None:
    pairs = sorted((0.9 if n % 3 else 0.2, float(n % 2)) for n in range(43))
    bins = calibration_bins(pairs)
    assert sum(b.cases for b in bins) == 43
    assert max(b.cases for b in bins) - min(b.cases for b in bins) <= 1
    assert [b.confidence for b in bins] == sorted(b.confidence for b in bins)
