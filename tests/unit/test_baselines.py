"""The replies that an answer metric has to tell apart."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from assistant.domain.conversation import Turn
from assistant.llm.embedders import HashEmbedder
from evals.baselines import (
    COURTESY,
    against_first,
    bm25_reply,
    constant_courtesy,
    nearest_reply,
    random_human,
    second_human,
)
from evals.cases import Prediction, ReplyCase

START = datetime(2026, 3, 1, tzinfo=UTC)


def case(
    name: str, asked: str, *references: str, conversation: str = "", locale: str = "zh", day: int = 0
) -> ReplyCase:
    turns = (Turn("customer", asked),)
    return ReplyCase(name, conversation or name, turns, references, locale, at=START + timedelta(days=day))


CASES = [
    case("a", "我的退款什么时候到账", "三到七个工作日到账", "银行卡要等七天", day=0),
    case("a2", "我的退款什么时候到账呢", "同一段会话的回复", conversation="a", day=1),
    case("b", "退款怎么还没有到账", "已经退到支付宝", day=2),
    case("c", "发票抬头写错了可以改吗", "三十天内可以重开一次", day=3),
    case("d", "where is my refund", "It takes three days.", locale="en", day=4),
    case("e", "is the invoice title wrong", "We can reissue it.", locale="en-GB", day=5),
    case("f", "没有人回复过", day=6),
]


def by_case(predictions: list[Prediction]) -> dict[str, str]:
    return {prediction.case_id: prediction.reply for prediction in predictions}


def test_the_constant_speaks_the_language_of_the_case() -> None:
    replies = by_case(constant_courtesy(CASES))
    assert replies["a"] == COURTESY["zh"]
    assert replies["e"] == COURTESY["en"]


def test_a_random_human_is_seeded_speaks_the_language_and_is_never_of_the_same_conversation() -> None:
    assert random_human(CASES, seed=1) == random_human(CASES, seed=1)
    drawn = {seed: by_case(random_human(CASES, seed=seed)) for seed in range(30)}
    assert {replies["a"] for replies in drawn.values()} == {"已经退到支付宝", "三十天内可以重开一次"}
    assert {replies["d"] for replies in drawn.values()} == {"We can reissue it."}


def test_a_draw_does_not_depend_on_which_other_cases_are_asked_about() -> None:
    assert by_case(random_human(CASES))["d"] == by_case(random_human(CASES[:6]))["d"]


def test_the_nearest_reply_is_of_another_conversation() -> None:
    for predictions in (nearest_reply(CASES, HashEmbedder()), bm25_reply(CASES)):
        replies = by_case(predictions)
        assert replies["a"] == "已经退到支付宝"
        assert replies["b"] in ("三到七个工作日到账", "同一段会话的回复")
        assert replies["f"] != ""


def test_earlier_only_lends_from_the_past_alone() -> None:
    for predictions in (
        nearest_reply(CASES, HashEmbedder(), earlier_only=True),
        bm25_reply(CASES, earlier_only=True),
    ):
        replies = by_case(predictions)
        assert "a" not in replies
        assert "a2" not in replies  # the only earlier case is its own conversation
        assert replies["b"] in ("三到七个工作日到账", "同一段会话的回复")


def test_the_second_human_is_there_only_where_one_wrote() -> None:
    assert by_case(second_human(CASES)) == {"a": "银行卡要等七天"}
    assert [len(c.references) for c in against_first(CASES)] == [1, 1, 1, 1, 1, 1, 0]


def test_no_cases_no_replies() -> None:
    assert nearest_reply([], HashEmbedder()) == bm25_reply([]) == random_human([]) == []
