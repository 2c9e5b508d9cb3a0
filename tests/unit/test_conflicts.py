"""Two sources that differ are shown side by side, a later version holds, and different things are never mixed up."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime, timedelta
from typing import Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assistant.answering import Answerer
from assistant.domain.knowledge import DocumentKind, Passage
from assistant.domain.live import Question
from assistant.domain.reply import Reply
from assistant.extractive import ExtractiveAnswer, ExtractiveAnswerer
from assistant.llm.embedders import HashEmbedder
from assistant.query import Query
from assistant.retrieval import Retrieval, Retriever
from assistant.settings import Settings

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
Locale = Literal["zh", "en"]
# title, statement, question; a unit each
RULES: dict[Locale, list[tuple[str, str, str]]] = {
    "zh": [
        ("价保", "价保期为 {n} 天。", "价保期多少天"),
        ("退货运费", "退货运费为 {n} 元。", "退货运费多少钱"),
        ("退款到账", "退款在 {n} 个工作日内到账。", "退款多久到账"),
        ("电饭煲保修", "电饭煲保修 {n} 个月。", "电饭煲保修多久"),
    ],
    "en": [
        ("Price protection", "Price protection lasts {n} days.", "how long does price protection last"),
        ("Return postage", "Return postage costs {n} yuan.", "how much is return postage"),
        ("Refunds", "A refund takes {n} business days.", "how long does a refund take"),
    ],
}
LATER = {"zh": "以较新的", "en": "This is from the newer"}
DIFFER = {"zh": "资料的说法不一致", "en": "Our sources do not agree"}


def passage(key: str, title: str, text: str, locale: Locale, at: datetime | None, score: float = 0.8) -> Passage:
    return Passage(f"{key}#0", key, DocumentKind.ARTICLE, title, "", text, score, locale, updated_at=at)


def answer(question: str, passages: list[Passage], locale: Locale) -> ExtractiveAnswer:
    return ExtractiveAnswerer().answer(question, passages, locale=locale, embedder=HashEmbedder(), now=NOW)


rules = st.sampled_from(["zh", "en"]).flatmap(
    lambda locale: st.tuples(st.just(locale), st.sampled_from(RULES[locale]))  # type: ignore[index]
)
pairs = st.lists(st.integers(2, 60), min_size=2, max_size=2, unique=True)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rules, pairs, st.integers(0, 400), st.booleans(), st.booleans())
def test_both_figures_are_told_with_their_sources_whatever_the_order(
    rule: tuple[Locale, tuple[str, str, str]], numbers: list[int], apart: int, swapped: bool, dated: bool
) -> None:
    locale, (title, statement, question) = rule
    older, newer = (statement.format(n=n) for n in numbers)
    old_at, new_at = (NOW - timedelta(days=500), NOW - timedelta(days=500 - apart)) if dated else (None, None)
    both = [passage("old", title, older, locale, old_at), passage("new", title, newer, locale, new_at)]
    got = answer(question, both[::-1] if swapped else both, locale)
    assert {c.article_id for c in got.citations} == {"old", "new"}
    assert {str(n) for n in numbers} <= set(re.findall(r"\d+", got.text))
    superseded = dated and apart >= 1
    assert got.conflict is not superseded
    assert (LATER[locale] in got.text) is superseded
    assert (DIFFER[locale] in got.text) is not superseded
    if superseded:  # the newer opens the reply, whatever was found first
        assert got.text.startswith(newer.rstrip("。."))
    for quote in (c.quote for c in got.citations):
        assert quote in (older, newer)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rules, st.integers(2, 60), st.integers(0, 400))
def test_two_sources_that_say_the_same_are_no_conflict(
    rule: tuple[Locale, tuple[str, str, str]], number: int, apart: int
) -> None:
    locale, (title, statement, question) = rule
    said = statement.format(n=number)
    both = [
        passage("old", title, said, locale, NOW - timedelta(days=500)),
        passage("new", title, said, locale, NOW - timedelta(days=500 - apart)),
    ]
    got = answer(question, both, locale)
    assert not got.conflict
    assert LATER[locale] not in got.text


THINGS = ["电饭煲", "电热水壶", "羽绒被", "蓝牙耳机", "扫地机器人", "空气炸锅"]
ENGLISH_THINGS = ["kettle", "duvet", "headphones", "rice cooker", "vacuum"]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.sampled_from(THINGS), min_size=2, max_size=2, unique=True), pairs, st.booleans())
def test_two_products_differ_rightly(things: list[str], numbers: list[int], named: bool) -> None:
    both = [
        passage(f"w{i}", f"{thing}保修", f"{thing}保修 {n} 个月。", "zh", NOW - timedelta(days=90 * i))
        for i, (thing, n) in enumerate(zip(things, numbers, strict=True))
    ]
    got = answer(f"{things[0]}保修多久" if named else "保修多久", both, "zh")
    assert not got.conflict
    assert LATER["zh"] not in got.text
    if named:
        assert str(numbers[1]) not in re.findall(r"\d+", got.text) or numbers[1] == numbers[0]


@pytest.mark.parametrize("thing", ENGLISH_THINGS[1:])
def test_two_products_differ_rightly_in_english(thing: str) -> None:
    both = [
        passage("w0", "Kettle warranty", "The kettle has a warranty of 24 months.", "en", NOW),
        passage("w1", f"{thing.title()} warranty", f"The {thing} has a warranty of 12 months.", "en", None),
    ]
    got = answer("how long is the kettle warranty", both, "en")
    assert not got.conflict
    assert "12" not in got.text


@pytest.mark.parametrize(
    ("one", "other", "question"),
    [
        (("退货", "退货期限为 7 天。"), ("换货", "换货期限为 15 天。"), "退货期限几天"),
        (("上门取件", "上门取件要 2 天。"), ("送货上门", "送货上门要 5 天。"), "上门取件要几天"),
        (("会员积分", "积分 12 个月过期。"), ("优惠券", "优惠券 7 天过期。"), "积分多久过期"),
        (("退款到账", "退款要 3 个工作日。"), ("退款审核", "审核要 24 小时。"), "退款多久"),
        (("运费", "运费为 8 元。"), ("包邮", "满 99 元包邮。"), "运费多少"),
    ],
)
def test_different_things_and_different_kinds_of_figure(
    one: tuple[str, str], other: tuple[str, str], question: str
) -> None:
    both = [passage(f"p{i}", *said, "zh", NOW - timedelta(days=i)) for i, said in enumerate((one, other))]
    got = answer(question, both, "zh")
    assert not got.conflict
    assert LATER["zh"] not in got.text


# -- in the whole answerer --


class Found(Retriever):
    """A retriever that finds these two, about equally."""

    def __init__(self, passages: tuple[Passage, ...]) -> None:
        self.passages = passages

    def search(self, query: Query, *, now: datetime) -> Retrieval:
        return Retrieval(self.passages)


def reply(misses: int, *, apart: int = 0, text: str = "价保期多少天") -> Reply:
    at = NOW - timedelta(days=9)
    found = (
        passage("old", "价保规则", "价保期为 7 天。", "zh", at - timedelta(days=apart)),
        passage("new", "价保规则", "价保期为 15 天。", "zh", at, score=0.78),
    )
    answerer = Answerer(
        retriever=Found(found),
        embedder=HashEmbedder(),
        state_source=None,
        generator=None,
        settings=Settings(),
        clock=type("At", (), {"now": lambda _: NOW})(),
    )
    return asyncio.run(answerer.reply(Question(text, misses=misses)))


def test_the_first_time_it_asks_and_the_second_time_a_person_tells() -> None:
    asked = reply(0)
    assert (asked.decision, asked.handoff) == ("clarify", None)
    assert {"7", "15"} <= set(re.findall(r"\d+", asked.text))
    assert "转人工" in asked.text
    passed = reply(1)
    assert passed.handoff is not None
    assert (passed.decision, passed.handoff.reason, passed.handoff.rule) == (
        "handoff",
        "low_confidence",
        "sources_differ",
    )


def test_a_later_version_is_an_answer() -> None:
    got = reply(1, apart=30)
    assert (got.decision, got.handoff) == ("answer", None)
    assert got.text.startswith("价保期为 15 天。")
    assert "2026年10月14日" in got.text  # when the older one was changed
