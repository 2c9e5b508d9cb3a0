"""What an agent must check before a draft goes out: what an old reply says was done, or was so on that day."""

from __future__ import annotations

import pytest

from assistant.answering.to_check import to_check

DONE = [
    "好的，已经帮您提交换开申请了。",
    "补发单建好了，收到旧的拒收就行。",
    "我现在给顺丰发催件单。",
    "60 元已到余额，您看下。",
    "地址改成家里了",
    "快递明天上门取件。",
    "11月4日 付的款，还在期限内。",
    "差价（金额）退到您的余额。",
    "Done, I've filed the redirect with SF.",
    "Your refund has been issued.",
    "I'll open a trace with the courier.",
    "The refund was released this morning.",
    "Your parcel left on 8 November.",
]
RULES = [
    "退款 1–3 个工作日到账。",
    "满 99 包邮，新疆、西藏除外。",
    "如果 5 天都没有更新，我们会帮您按丢件登记。",
    "我可以帮您向快递申请拦截，不保证成功，您看可以吗？",
    "在订单详情点“申请换开”，填公司全称和税号。",
    "要是大了就只能退了。",
    "抱歉，这个退不了哦。",
    "You can exchange it once within 15 days.",
    "If it still refuses, I'll open a service ticket.",
    "Once approved, the page shows the return address.",
    "Banks take 3–7 working days to post it.",
    "I have to be honest: it isn't guaranteed.",
]


@pytest.mark.parametrize("sentence", DONE)
def test_what_was_done_or_held_that_day_is_to_be_checked(sentence: str) -> None:
    assert to_check(sentence) == (sentence,)


@pytest.mark.parametrize("sentence", RULES)
def test_what_holds_for_anyone_is_not(sentence: str) -> None:
    assert to_check(sentence) == ()


def test_each_sentence_is_named_once_and_in_order() -> None:
    text = "您好。已经给您登记了。7 天内可退。明天联系您。\n已经给您登记了。"
    assert to_check(text) == ("已经给您登记了。", "明天联系您。")
    assert to_check("") == ()
