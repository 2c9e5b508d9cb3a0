"""A passage as it would read had it the human's figures, and what the customer's words alone pick out of one."""

from __future__ import annotations

import numpy as np
import pytest

from assistant.domain.conversation import Turn
from assistant.domain.knowledge import Chunk, DocumentKind
from assistant.llm.embedders import HashEmbedder
from evals.answer_metrics.figures import Figure, figures
from evals.answer_metrics.semantic import SentenceVectors
from evals.cases import ReplyCase
from evals.root_causes.counterfactual import clashes, human_words, mended, telling_clauses, with_figure
from evals.root_causes.parts import only_wants_person, says_changed, telling_parts
from evals.root_causes.reading import asked, read_out


@pytest.mark.parametrize(
    ("sentence", "human", "expected"),
    [
        ("银行卡:5–9 个工作日", "一般 3-7 个工作日", "银行卡:3–7 个工作日"),
        ("**六年晾六次**,换季时各六次。", "一年晾两次", "**一年晾二次**,换季时各二次。"),
        (
            "滤芯每 5 个月换,每天超过 14 小时的可以提前",
            "3 个月换,开 12 小时以上",
            "滤芯每 3 个月换,每天超过 12 小时的可以提前",
        ),
        ("夜间噪声: 57 dB", "夜间 28 分贝", "夜间噪声: 28 dB"),
        ("1. 三地每单收取 22 元", "统一 20 元", "1. 三地每单收取 20 元"),
        ("Nothing within five days", "within three days", "Nothing within three days"),
        ("We keep it for 5 days.", "48 hours", "We keep it for 2 days."),
        ("两件都打 87 折", "打 85 折", "两件都打 85 折"),
        ("16:00 前付款", "下午5点前", "17:00 前付款"),
        ("", "3 天", ""),
        ("没有数字", "3 天", "没有数字"),
        ("保留 3 天", "三天", "保留 3 天"),
    ],
)
def test_a_humans_figure_takes_the_place_of_the_nearest_that_can_be_told_as_it(
    sentence: str, human: str, expected: str
) -> None:
    for figure in sorted(figures(human), key=lambda f: (f.kind, f.value)):
        made = with_figure(sentence, figure)
        sentence = made.text if made is not None else sentence
    assert sentence == expected


def test_what_human_or_customer_said_is_not_replaced() -> None:
    assert with_figure("满 99 元包邮", Figure("amount", "20"), figures("不是说 99 元就包邮吗")) is None


def test_a_figure_is_mended_wherever_the_passage_gives_it() -> None:
    held = ("内蒙古每单收取 22 元。", "内蒙古:22 元", "满 99 元包邮。")
    clauses = telling_clauses(["内蒙古统一收 20 元运费，您这边要加 20 的哈", "好的"])
    agreed = np.array([[0.6, 0.3, 0.0]] * len(clauses), dtype=np.float32)
    found = clashes(clauses, held, agreed, "内蒙古统一收 20 元运费，您这边要加 20 的哈\n99 不包邮吗")
    assert {clash.mended for clash in found} == {"内蒙古每单收取 20 元。", "内蒙古:20 元"}
    assert found[0].pairs == ((Figure("amount", "20"), Figure("amount", "22")),)
    chunk = Chunk(
        "1", "fee", DocumentKind.ARTICLE, 0, "运费", "", "内蒙古每单收取 22 元。\n| 内蒙古:22 元 |", "zh", "public"
    )
    assert mended(chunk, found).text == "内蒙古每单收取 20 元。\n| 内蒙古:20 元 |"
    assert clashes(clauses, held, np.zeros_like(agreed), "") == []
    assert clashes((), held, np.zeros((0, 3), dtype=np.float32), "") == []


def test_a_page_without_a_full_stop_is_not_looked_into() -> None:
    page = " ".join(f"{n} 元" for n in range(100, 2000))
    clauses = ("另收 20 元",)
    assert clashes(clauses, (page,), np.ones((1, 1), dtype=np.float32), "") == []


def _case(*customer: str, references: tuple[str, ...] = ("好的",)) -> ReplyCase:
    return ReplyCase("c-1-0", "c-1", tuple(Turn("customer", text) for text in customer), references)


def test_the_humans_words_alone_are_a_public_article() -> None:
    chunk = human_words(_case("能刻字吗"), ("另收 20 元。", "最多 6 个字。"))
    assert (chunk.kind, chunk.audience, chunk.text) == (DocumentKind.ARTICLE, "public", "另收 20 元。\n最多 6 个字。")


def test_the_reader_goes_by_the_customers_words_and_has_little_room() -> None:
    vectors = SentenceVectors(HashEmbedder())
    held = (
        "杯身刻字另收 20 元。",
        *(f"第 {n} 条与此无关的说明文字，写得很长很长很长很长很长很长很长。" for n in range(9)),
    )
    out = read_out(_case("杯身刻字另收多少"), held, vectors).splitlines()
    assert out[0] == held[0]
    assert len(out) < len(held)
    assert read_out(_case("杯身刻字"), (), vectors) == ""
    assert asked(_case("在吗")) == ("在吗",)


def test_a_greeting_is_not_the_reply_that_is_examined() -> None:
    case = _case("多久退", references=("您好，看到记录了", "验货 1–2 个工作日，到银行卡还要 3–7 个工作日。"))
    assert "3–7" in "".join(telling_parts(case).every).replace("-", "–")
    assert telling_parts(_case("多久退", references=("好的",))).size == 0


def test_a_message_that_asks_for_a_person_may_ask_more() -> None:
    assert not only_wants_person(_case("我要人工 说明书丢了 不知道怎么除垢"))
    assert only_wants_person(_case("我要人工！！转人工"))


def test_a_condition_is_no_change() -> None:
    assert not says_changed("以后要是改成退款，没还的期数就取消")
    assert says_changed("价保已经改成 15 天")
