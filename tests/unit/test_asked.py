"""Whose words may be shown to others."""

from __future__ import annotations

import pytest

from ingest.asked.learning import _presentable


@pytest.mark.parametrize(
    ("text", "locale", "shown"),
    [
        ("有没有学生优惠？", "zh", True),
        ("好 那个 有没有学生价啊 我大二？", "zh", False),
        ("那我的券还能用吗？", "zh", False),
        ("Is there a student discount?", "en", True),
        ("Is there a discount for my nephew?", "en", False),
    ],
)
def test_what_one_customer_says_of_themselves_is_not_shown_to_others(text: str, locale: str, shown: bool) -> None:
    assert _presentable(text, locale) is shown
