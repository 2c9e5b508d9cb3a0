"""What an agent told one customer is not told to the next: only rules and steps are."""

from __future__ import annotations

import pytest

from assistant.extractive.resolutions import is_general

OF_ONE = [
    "查到了，您那单是银行退回来的。",
    "核实过了，确实是我们仓库漏发。",
    "核實過了，確實是我們倉庫漏發。",
    "88 元已退到您的余额。",
    "系统显示昨天签收。",
    "钱没有扣，您放心。",
    "已经改成新地址了。",
    "包裹到杭州了，估计后天送。",
    "刚给快递打了电话。",
    "感谢钱女士理解。",
    "您 129 的可以用这张券。",
    "周五之前应该能到。",
    "15.00 has been returned to your wallet.",
    "Your payment was declined by the bank.",
    "It was shipped an hour ago.",
    "Hello Tom, Lucy here.",
    "You paid eight days ago, so you get the difference.",
]
FOR_ANYONE = [
    "签收后 7 天内可以无理由退货。",
    "已经发出的订单改不了地址。",
    "已经使用过的滤芯不退。",
    "如果是仓库发错，运费我们出。",
    "客服周一至周五在线。",
    "快递显示签收但没收到，请在 48 小时内联系我们。",
    "银行卡 3–7 个工作日到账，遇周末顺延。",
    "在订单详情点“申请售后”，上传照片。",
    "优惠券和会员价只能二选一。",
    "Refunds reach the card within 3–7 working days.",
    "Returned items are inspected within two days.",
    "From here on the courier is responsible.",
    "The money goes back to the card you paid with.",
    "Parcels to the islands take two days more.",
]


@pytest.mark.parametrize("sentence", OF_ONE)
def test_what_was_found_or_done_for_one_customer_is_kept_from_others(sentence: str) -> None:
    assert not is_general(sentence)


@pytest.mark.parametrize("sentence", FOR_ANYONE)
def test_rules_and_steps_are_for_anyone(sentence: str) -> None:
    assert is_general(sentence)
