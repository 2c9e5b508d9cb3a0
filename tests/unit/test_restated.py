"""Articles that contradict each other: the same statement with another figure, not two things alike."""

from __future__ import annotations

import pytest

from assistant.domain.knowledge import Chunk, DocumentKind
from evals.loop.stocktake import _restated


def chunk(name: str, title: str, text: str) -> Chunk:
    return Chunk(name, name, DocumentKind.ARTICLE, 0, title, "", text, "zh", "public")


@pytest.mark.parametrize(
    ("left", "right", "clash"),
    [
        (("价格保护", "7 天内降价，可以退差价。"), ("价格保护规则", "15 天内降价，可以退差价。"), True),
        (("Price protection", "Within 7 days of delivery you get the difference."),
         ("Price protection", "Within 15 days of delivery you get the difference."), True),
        (("价格保护", "7 天内降价，可以退差价。"), ("价格保护规则", "7 天内降价，可以退差价。"), False),
        (("浓时半自动咖啡机", "保修：整机 1 年"), ("听雨 2 加湿器", "保修：整机 2 年"), False),
        (("收到少件", "请在签收后 48 小时内告诉我们。"), ("显示签收没收到", "三天内都可以报告，请先问邻居。"), False),
    ],
)  # fmt: skip
def test_only_a_statement_said_again_with_another_figure_is_a_contradiction(
    left: tuple[str, str], right: tuple[str, str], clash: bool
) -> None:
    assert (_restated(chunk("a", *left), chunk("b", *right)) is not None) == clash
