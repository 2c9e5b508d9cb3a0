"""A drafted article is for everyone: no number in it leads to one customer."""

from __future__ import annotations

import pytest

from evals.loop.drafts import impersonal


@pytest.mark.parametrize(
    ("said", "language", "kept"),
    [
        ("顺丰单号SF1514700219643停在杭州两天了", "zh", "顺丰单号[单号]停在杭州两天了"),
        ("It was shipped days ago. SF1514700219643.", "en", "It was shipped days ago. [number]."),
        ("订单 CN-20261101-0077 还没发货", "zh", "订单 [单号] 还没发货"),
        ("我的手机是 13800138000", "zh", "我的手机是 [电话]"),
        ("满 1000 减 100，7 天内可退，2609B 批次免费换", "zh", "满 1000 减 100，7 天内可退，2609B 批次免费换"),
        ("Version 3.8.1 of the app; code WARM85, from 11:00 on 2026-11-08", "en",
         "Version 3.8.1 of the app; code WARM85, from 11:00 on 2026-11-08"),
    ],
)  # fmt: skip
def test_numbers_of_orders_and_parcels_are_taken_out_and_rules_stay(said: str, language: str, kept: str) -> None:
    assert impersonal(said, language) == kept
