"""Disturbed questions: one slip each, the same in every run; without the bench extra those that need it are skipped."""

from __future__ import annotations

import pytest

from evals.bench.disturb import (
    dropped,
    full_width,
    homophone,
    neighbour_key,
    pinyin_typed,
    swapped,
    traditional,
    upper_case,
)
from evals.bench.robustness import demo_questions

QUESTION, ENGLISH = "银行卡退款多久到账", "When will my refund arrive?"


def _distance_one_place(before: str, after: str) -> bool:
    return len(before) == len(after) and sum(a != b for a, b in zip(before, after, strict=True)) == 1


@pytest.mark.parametrize("text", [QUESTION, ENGLISH])
def test_slips_change_one_place_and_are_the_same_each_time(text: str) -> None:
    assert sorted(swapped(text)) == sorted(text)
    assert len(dropped(text)) == len(text) - 1
    assert (swapped(text), dropped(text)) == (swapped(text), dropped(text))


def test_a_neighbouring_key() -> None:
    assert _distance_one_place(ENGLISH, neighbour_key(ENGLISH))


def test_width_case_and_script() -> None:
    assert full_width("A3 净化器?") == "Ａ３\u3000净化器？"
    assert upper_case("Refund?") == "REFUND?"
    assert traditional("退款多久到账") == "退款多久到賬"


def test_characters_that_sound_alike() -> None:
    pypinyin = pytest.importorskip("pypinyin", reason="the bench extra is not installed")
    slipped = homophone(QUESTION)
    assert _distance_one_place(QUESTION, slipped)
    at = next(i for i, character in enumerate(QUESTION) if slipped[i] != character)
    assert pypinyin.lazy_pinyin(slipped[at]) == pypinyin.lazy_pinyin(QUESTION[at])  # by itself: 行 has two sounds
    assert homophone(ENGLISH) == ENGLISH


def test_a_word_typed_in_pinyin() -> None:
    pytest.importorskip("pypinyin", reason="the bench extra is not installed")
    typed = pinyin_typed("怎么退款")
    assert typed in ("zenme退款", "怎么tuikuan")


@pytest.mark.parametrize("empty", ["", "？", "ok", "好"])
def test_nothing_to_disturb(empty: str) -> None:
    for disturb in (swapped, dropped, neighbour_key):
        assert disturb(empty) == empty


@pytest.mark.parametrize("tongue", ["zh", "en"])
def test_questions_held_out_stand_nowhere(tongue: str) -> None:
    data, articles = demo_questions(tongue)
    assert len(data.queries) >= 20
    held = {question for article in articles for question in article.questions}
    assert not held.intersection(data.queries.values())
    assert {article.audience for article in articles} == {"public"}
    assert {key for grades in data.qrels.values() for key in grades} <= data.corpus.keys()
