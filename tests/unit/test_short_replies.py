"""Turns of a word or two: what they say, and which of the offered choices they pick."""

from __future__ import annotations

import pytest

from assistant.domain.conversation import Turn
from assistant.domain.live import Question
from assistant.phrases import choices_in, many_on, unsupported, which_one
from assistant.short_replies import asks_which, chosen, is_bare_no, is_numbered, picked, said_by, topic_in
from assistant.tasks.wording import say

NOTED = [
    "好的",
    "嗯嗯",
    "哦哦好的",
    "知道了谢谢",
    "明白啦",
    "是的",
    "对",
    "OK",
    "好滴👌",
    "ok got it",
    "Yes.",
    "I see, thanks",
    "收到！",
]
DONE = [
    "没有了",
    "不用了，谢谢",
    "好的没事了",
    "就这样吧",
    "没问题了",
    "That's all",
    "no thanks",
    "nothing else, thank you",
    "I’m good",
]
NO = ["没解决", "没有解决", "还没解决", "不是", "都不是", "不对", "no", "No wait, don't", "none of these"]
OTHERS = [
    "解决了没",
    "好了没",
    "",
    "好的，那换货呢",
    "不是这个，是电饭煲",
    "没有收到货",
    "没有发票",
    "不用密码能登录吗",
    "可以吗",
    "ok?",
    "对公转账",
    "好用吗",
    "no refund yet",
    "that's all I got in the parcel",
    "yes but when",
    "fine for women",
    "right shoe is torn",
    "知道了，退款呢",
    "行李箱",
    "中码",
    "算运费吗",
    "解决不了",
]


@pytest.mark.parametrize("text", NOTED)
def test_noted(text: str) -> None:
    assert said_by(text) == "noted"


@pytest.mark.parametrize("text", DONE)
def test_nothing_more_is_wanted(text: str) -> None:
    assert said_by(text) == "done"


@pytest.mark.parametrize("text", NO)
def test_no(text: str) -> None:
    assert said_by(text) == "no"


@pytest.mark.parametrize("text", OTHERS)
def test_whatever_says_more_is_none_of_them(text: str) -> None:
    assert said_by(text) is None


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("1", 0),
        ("第二个", 1),
        ("选3", 2),
        ("我问的是第一个", 0),
        ("二", 1),
        ("最后一个", 2),
        ("the first one", 0),
        ("Option 2 please", 1),
        ("last one", 2),
        ("#3", 2),
        ("4", None),
        ("2nd", 1),
        ("第二个谢谢", 1),
        ("(2)", 1),
        ("第二个？", 1),
        ("两个", None),
        ("第一个和第二个", None),
        ("第二个包裹没到", None),
        ("the first one is broken", None),
        ("好的", None),
        ("1 公斤要多少运费", None),
    ],
)
def test_a_choice_is_picked_by_its_number(text: str, place: int | None) -> None:
    assert picked(text, ("a", "b", "c")) == place


def test_a_yes_picks_where_there_is_but_one() -> None:
    assert picked("对", ("a",)) == picked("yes", ("a",)) == 0
    assert picked("不是", ("a",)) is None
    assert picked("1", ()) is None


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_the_question_before_is_asked_about_the_choice(locale: str) -> None:
    offered = unsupported(("退货运费", "运费险"), locale)
    assert choices_in(offered) == ("退货运费", "运费险")
    assert choices_in(unsupported((), locale)) == choices_in("1. 退货运费") == ()
    before = (Turn("customer", "你好"), Turn("assistant", "您好！"))
    history = (*before, Turn("customer", "运费谁出"), Turn("assistant", offered))
    found = chosen(Question("第二个", history=history, misses=1))
    assert found is not None
    assert (found.text, found.history, found.misses) == ("运费险 运费谁出", before, 1)
    assert asks_which(history)
    again = chosen(Question("2nd", history=(*history, Turn("customer", "5"), Turn("assistant", which_one(locale)))))
    assert again is not None
    assert again.text == found.text
    assert chosen(Question("第三个", history=history)) is None
    assert chosen(Question("1", history=(*history, Turn("customer", "哦")))) is None
    assert chosen(Question("1")) is None


@pytest.mark.parametrize(
    ("text", "topic"), [("退货", "退货"), ("发票？", "发票"), ("Refund", "refund"), ("gift card", "gift card")]
)
def test_a_topic_alone(text: str, topic: str) -> None:
    assert topic_in(text) == topic


@pytest.mark.parametrize("text", ["退货运费谁出", "好的", "怎么退货呢", "a", "how do I return it", "SQ12345678", ""])
def test_a_question_or_a_yes_is_no_topic(text: str) -> None:
    assert topic_in(text) is None


def test_articles_on_a_topic_can_be_picked_too() -> None:
    for locale in ("zh", "en"):
        assert choices_in(many_on("退货", ("退货规则", "退货寄到哪里"), locale)) == ("退货规则", "退货寄到哪里")


def test_a_yes_to_an_offer_says_the_words_it_asked_for() -> None:
    offers = {
        "zh": ("好的", "如下。\n\n" + say("offer", "zh", title="修改收货地址"), "帮我修改收货地址"),
        "en": (
            "yes please",
            "See below.\n\n" + say("offer", "en", title="cancel the order"),
            "please cancel the order",
        ),
    }
    for yes, offer, words in offers.values():
        history = (Turn("customer", "怎么改"), Turn("assistant", offer))
        found = chosen(Question(yes.removesuffix(" please"), history=history))
        assert found is not None
        assert found.text == words
        assert chosen(Question("不用了", history=history)) is None


@pytest.mark.parametrize("text", ["5", "两个都要", "第四个", "both"])
def test_a_number_that_picks_nothing_is_told_from_a_question(text: str) -> None:
    assert is_numbered(text)
    assert not is_numbered("第二个包裹一直没有收到怎么办呢请帮我查一下")


def test_only_a_bare_no_means_that_there_is_nothing_else() -> None:
    assert is_bare_no("No.")
    assert is_bare_no("没有")
    assert not any(is_bare_no(text) for text in ("不对", "没用", "不行", "wrong"))
