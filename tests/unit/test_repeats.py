"""Among the passages handed on, what says the same takes one place."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from assistant.domain.knowledge import DocumentKind, Passage
from assistant.repeats import add_unless_said

TEXT = "退款一般 3 个工作日到账。信用卡最长 7 天。节假日顺延。"
ENGLISH = "Refunds arrive within 3 working days. Credit cards take up to 7 days. Public holidays are added."


def passage(
    key: str,
    text: str,
    *,
    kind: DocumentKind = DocumentKind.ARTICLE,
    title: str = "退款",
    heading: str = "",
    score: float = 0.5,
    updated_at: datetime | None = None,
) -> Passage:
    return Passage(key, key, kind, title, heading, text, score, "zh", updated_at=updated_at)


def kept(*passages: Passage) -> list[str]:
    out: list[Passage] = []
    for each in passages:
        add_unless_said(out, each)
    return [p.id for p in out]


@pytest.mark.parametrize("text", [TEXT, ENGLISH])
def test_the_article_has_the_place_of_the_transcript_that_repeats_it(text: str) -> None:
    said = passage("c1", f"**{text}**\n", kind=DocumentKind.RESOLUTION, title="退款没到", score=0.9)
    out: list[Passage] = []
    for each in (said, passage("other", "运费由卖家承担。"), passage("a", text, score=0.7)):
        add_unless_said(out, each)
    assert [(p.id, p.score) for p in out] == [("a", 0.9), ("other", 0.5)]


def test_the_newer_of_two_has_the_place() -> None:
    old, new = datetime(2025, 1, 1, tzinfo=UTC), datetime(2026, 1, 1)  # the later one without a zone
    assert kept(passage("old", TEXT, updated_at=old), passage("new", TEXT, updated_at=new)) == ["new"]
    assert kept(passage("new", TEXT, updated_at=new), passage("old", TEXT, updated_at=old)) == ["new"]
    assert kept(passage("first", TEXT), passage("second", TEXT)) == ["first"]


@pytest.mark.parametrize(
    "other",
    [
        passage("b", TEXT.replace("7", "15")),
        passage("b", TEXT.replace("节假日顺延", "运费不退")),
        passage("b", TEXT, title="青岚 A3"),
        passage("b", TEXT, heading="信用卡"),
        passage("b", TEXT[:14]),
        passage("b", ""),
        passage("b", ENGLISH),
    ],
    ids=["another figure", "another sentence", "another title", "another part", "a piece", "empty", "another language"],
)
def test_what_differs_is_kept(other: Passage) -> None:
    assert kept(passage("a", TEXT), other) == ["a", "b"]


def test_script_width_case_and_marks_do_not_make_a_difference() -> None:
    other = TEXT.replace("账", "賬").replace("3", "３").replace("。", "！")
    assert kept(passage("a", TEXT), passage("b", other)) == ["a"]


def test_empty_texts_are_left_alone() -> None:
    assert kept(passage("a", ""), passage("b", "")) == ["a", "b"]
