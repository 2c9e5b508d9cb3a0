"""Order numbers as people write them: the user's own is found, another's is said to be invisible."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from assistant.domain.state import Entity, UserState
from assistant.state.answers.identifiers import find_ids

STATE = UserState("u", datetime(2026, 3, 1, tzinfo=UTC), entities=(Entity("order", "SQ21030418", "shipped"),))


@pytest.mark.parametrize(
    "text",
    [
        "SQ 2103 0418 到哪了",
        "where is SQ-2103-0418",
        "订单号2103 0418",
        "sq：21030418",
        "SQ\u200b21030418到哪了",
        "SQ.21030418",
    ],
)
def test_the_own_order_is_found_however_it_is_spaced(text: str) -> None:
    mentions = find_ids(text, STATE)
    assert [e.id for e in mentions.own] == ["SQ21030418"]
    assert mentions.foreign == ()


@pytest.mark.parametrize(
    "text",
    [
        "SQ 2103 6114 到哪了",
        "21036114 发货了吗",
        "尾号6114的订单到哪了",
        "sq：21036114到哪了",
        "S Q 2 1 0 3 6 1 1 4 的物流",
    ],
)
def test_anothers_order_is_foreign_however_it_is_spaced(text: str) -> None:
    mentions = find_ids(text, STATE)
    assert mentions.own == ()
    assert mentions.foreign != ()


def test_a_year_a_price_and_a_size_are_no_orders() -> None:
    assert find_ids("2025 2026 年的发票，尺码 42 要 349 元", STATE).foreign == ()
