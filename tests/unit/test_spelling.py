"""Questions as people type them: what is misspelt is read as it was meant, what is not is left alone."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.answering import Answerer
from assistant.dictionary import Names
from assistant.domain.knowledge import Article
from assistant.domain.live import Question
from assistant.domain.reply import Reply
from assistant.llm.embedders import HashEmbedder
from assistant.query import Query
from assistant.reply_record import reply_record
from assistant.retrieval import Retriever
from assistant.settings import Settings
from assistant.spelling import Lexicon, read_as
from assistant.spelling.lexicon import latin_words
from assistant.spelling.slips import slips
from assistant.spelling.sounds import readings, sounds
from assistant.store.lexical import build_postings
from assistant.text import Segmenter, fold
from assistant.throwaway import throwaway_retriever
from ingest.pipeline import article_write

NOW = datetime(2026, 11, 22, tzinfo=UTC)
CHINESE = (
    "退款多久到账：银行卡退款三个工作日到账。",
    "优惠券怎么用：结算时选择优惠券，每单限用一张。",
    "空气净化器怎么清洗：滤网每月用清水冲洗，晾干后装回空气净化器。",
    "运费险什么时候赔付：退货入库后运费险自动赔付。",
)
ENGLISH = (
    "How long does a refund take? Refunds arrive within three working days.",
    "The Tingyu humidifier leaks: exchange the seal, then descale the humidifier.",
    "Coupons are applied at checkout, one coupon an order.",
)


def lexicon(*texts: str) -> Lexicon:
    postings = build_postings(texts, ["body"] * len(texts), Segmenter())
    return Lexicon(latin_words(texts), postings.vocabulary, np.diff(postings.indptr))


BOTH = lexicon(*CHINESE, *ENGLISH)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("推款多久到账", "退款多久到账"),
        ("優惠勸怎么用", "优惠券怎么用"),
        ("空汽净化器怎么清洗", "空气净化器怎么清洗"),
        ("运费险什么时候陪付", "运费险什么时候赔付"),
        ("空气净化气怎么清洗", "空气净化器怎么清洗"),
        ("款退多久到账", "退款多久到账"),
        ("tuikuan多久到账", "退款多久到账"),
        ("运费险zidong赔付", "运费险自动赔付"),
        ("tui kuan 多久到账", "退款 多久到账"),
        ("youhuiquan zenme yong", "优惠券怎么用"),
        ("退 款 多 久 到 账", "退款多久到账"),
    ],
)
def test_slips_of_chinese_input(typed: str, meant: str) -> None:
    assert read_as(fold(typed), BOTH) == meant


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("how long does a refudn take", "how long does a refund take"),
        ("how long does a reund take", "how long does a refund take"),
        ("how long does a refunnd take", "how long does a refund take"),
        ("how long does a refumd take", "how long does a refund take"),
        ("howlong does arefund take", "how long does a refund take"),
        ("canI use a coupon", "can I use a coupon"),
        ("my humidfieir leaks", "my humidifier leaks"),  # two slips
        ("my Tingyuu leaks", "my Tingyu leaks"),
        ("how do I recieve it", "how do I receive it"),  # not of the workspace, but English
        ("HOW LONG DOES A REFUND TAKE?", "how long does a refund take?"),
    ],
)
def test_slips_of_english(typed: str, meant: str) -> None:
    assert read_as(fold(typed), BOTH) == meant


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("wo de tuikuan dao le ma", "我的退款到了吗"),
        ("fapiao zenme kai", "发票怎么开"),  # the English texts have this word too
        ("do you have a fapiao", "do you have a fapiao"),
        ("wo de le ma", "wo de le ma"),  # nothing but particles is nobody's question
    ],
)
def test_whole_questions_in_pinyin(typed: str, meant: str) -> None:
    texts = (
        "我的退款到了吗",
        "发票怎么开",
        "We send the fapiao by mail",
        "Is the fapiao free? You have it in the app.",
    )
    assert read_as(fold(typed), lexicon(*texts)) == meant


@pytest.mark.parametrize(
    "text",
    [
        "退款多久到账？",
        "哪张优惠券能用",
        "请问空气净化器的滤网多久换一次",
        "天天气都不好",
        "how long does a refund take?",
        "I don't think it didnt arrive",
        "dont ship it",
        "my favourite color, my favorite colour",  # as either side of the sea writes
        "ask Zhang Wei at Acmex",
        "send it to refudn@example.com or www.refudn.com, order RF-refudn-1",
        "USB HDMI",
        "VIP",
        "CITA 和 SIM 卡",
        "women pay in China",  # each of these is pinyin too
        "wifi 连不上",
        "",
        "？？？",
        "🙂",
        "a",
        "好",
    ],
)
def test_what_is_well_written_or_nobody_knows_stays(text: str) -> None:
    assert read_as(fold(text), BOTH) == fold(text)


@given(st.text(alphabet=st.sampled_from("退款推多久到帳优惠券 refundcoup'.-@AZ09１。？é🙂\u0301"), max_size=60))
def test_whatever_is_typed_is_read_as_something_and_the_same_again(text: str) -> None:
    once = read_as(fold(text), BOTH)
    assert isinstance(once, str)
    assert len(once) <= 3 * len(fold(text)) + 3


def test_an_empty_workspace_mends_nothing_chinese_and_a_long_text_is_left_alone() -> None:
    assert read_as("推款多久到账", lexicon()) == "推款多久到账"
    long = "how long does a refudn take " * 40
    assert read_as(long, BOTH) == long


@pytest.mark.parametrize(
    ("one", "other", "apart"),
    [("refund", "refudn", 1), ("refund", "refund", 0), ("refund", "rfnud", 2), ("ab", "abcd", 2), ("a", "abcd", 3)],
)
def test_slips_between_words(one: str, other: str, apart: int) -> None:
    assert slips(one, other, 2) == slips(other, one, 2) == apart


def test_sounds() -> None:
    assert "nv" in readings("女")
    assert "tuikuan" in readings("退款")
    assert set(sounds("知")) & set(sounds("资"))  # zh and z
    assert readings("退x") == []


def retriever(*articles: Article) -> Retriever:
    writes = [article_write(article, "", "") for article in articles]
    entries = [entry for write in writes for entry in write.entries]
    return throwaway_retriever([chunk for write in writes for chunk in write.chunks], entries, HashEmbedder())


def test_the_retriever_searches_what_was_meant_and_says_so() -> None:
    by = retriever(
        Article("refund", "退款多久到账", "银行卡退款三个工作日到账。"),
        Article("coupon", "优惠券怎么用", "结算时选择优惠券。"),
    )
    found = by.search(Query("yhq怎么用？优惠劝呢"), now=NOW)
    assert found.read_as == "yhq怎么用?优惠券呢"
    assert found.best is not None
    assert found.best.document_id == "coupon"
    assert by.search(Query("退款多久到账"), now=NOW).read_as is None
    assert by.search(Query("优惠劝怎么用", as_typed=True), now=NOW).read_as is None
    assert by.reading("推款") == by.search(Query("推款"), now=NOW).read_as


class Noon:
    def now(self) -> datetime:
        return NOW


def reply_to(text: str, locale: str | None = None) -> Reply:
    by = retriever(
        Article("refund", "退款多久到账", "银行卡退款三个工作日到账。", questions=("退款几天到账",)),
        Article("coupon", "优惠券怎么用", "结算时选择优惠券。", questions=("怎么用优惠券",)),
    )
    answerer = Answerer(
        retriever=by, embedder=HashEmbedder(), state_source=None, generator=None, settings=Settings(), clock=Noon()
    )
    return asyncio.run(answerer.reply(Question(text, locale=locale)))


def test_the_reply_is_to_what_was_meant_and_its_record_says_so() -> None:
    reply = reply_to("优惠劝怎么用")
    assert "结算时选择优惠券" in reply.text
    assert reply_record(reply, passages=True)["read_as"] == "优惠券怎么用"
    assert "read_as" not in reply_record(reply)  # the format of the docs is as it was


def test_pinyin_is_answered_in_chinese_unless_a_language_was_asked_for() -> None:
    reply = reply_to("youhuiquan zenme yong")
    assert reply.text.startswith("结算时选择优惠券")
    assert "Chinese" in reply_to("youhuiquan zenme yong", "en").text


NAMED = ("极光保温杯用手洗", "免换镁棒热水器", "安睡m9热水器怎么装", "暂不支持退换", "小灶煲汤")


def with_names(texts: Sequence[str], *names: str) -> Lexicon:
    postings = build_postings(texts, ["body"] * len(texts), Names(names).beside(Segmenter()))
    return Lexicon(latin_words(texts), postings.vocabulary, np.diff(postings.indptr))


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("极光保温被怎么洗", "极光保温杯怎么洗"),  # sounds alike
        ("极光温保杯怎么洗", "极光保温杯怎么洗"),  # swapped
        ("极光温杯怎么洗", "极光保温杯怎么洗"),  # one left out
        ("极光保保温杯怎么洗", "极光保温杯怎么洗"),  # one typed twice
        ("極光溫保杯怎麼洗", "极光保温杯怎么洗"),
        ("安睡M9热稅器", "安睡M9热水器"),
        ("安睡M9热水企怎么装", "安睡M9热水器怎么装"),
    ],
)
def test_a_slip_in_a_name_of_the_workspace(typed: str, meant: str) -> None:
    names = with_names(NAMED, "极光保温杯", "免换镁棒", "安睡m9热水器", "暂不支持退换")
    assert read_as(fold(typed), names) == meant
    assert read_as(meant, names) == meant


@pytest.mark.parametrize(
    "text",
    [
        "极光保温被子怎么洗",  # a quilt
        "极光保温壶怎么洗",  # another thing
        "安睡m8热水器",  # another model
        "暂支持退换吗",  # not turned round
        "极光保温杯",
        "极光",
        "极",
        "免换镁",
    ],
)
def test_what_is_no_slip_of_a_name_stays(text: str) -> None:
    assert read_as(text, with_names(NAMED, "极光保温杯", "免换镁棒", "安睡m9热水器", "暂不支持退换")) == text


def test_many_slips_at_once_do_not_keep_us_busy() -> None:
    noise = " ".join(f"xq{letter}zvtw" for letter in "abcdefghijklmnopqrstuvwxyz")
    assert read_as(noise, BOTH) == noise
