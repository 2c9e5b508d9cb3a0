"""Whether a turn needs knowledge, by its words."""

from __future__ import annotations

from pathlib import Path

import pytest

from assistant.needs import FEATURES, INTERCEPT, WEIGHTS, knowledge_needed, need_features
from evals.bench.dstc11 import FOLDER, load_dstc11
from evals.bench.needs_fit import fit_needs


@pytest.mark.parametrize(
    "text",
    [
        "Does it have a nice view?",
        "Are pets allowed there?",
        "这家可以带宠物吗",
        "早餐几点开始供应？",
        "Do thay serve food?",
    ],
)
def test_what_an_article_answers(text: str) -> None:
    assert knowledge_needed(text) >= 0.5


@pytest.mark.parametrize(
    "text",
    [
        "Can I get the phone number please?",
        "What's the reference number?",
        "Book it for two people and three nights",
        "I'm looking for a cheap hotel in the centre",
        "No, that's all. Thank you",
        "请把预订号发给我",
        "订个房间，2人3晚",
        "谢谢",
        "",
        "   ",
        "????",
        "🙂",
    ],
)
def test_what_no_article_answers(text: str) -> None:
    assert knowledge_needed(text) < 0.5


def test_a_text_without_end_is_read_in_no_time() -> None:
    for text in ("a, " * 20_000, "？" * 20_000, "is it " * 10_000):
        assert 0.0 <= knowledge_needed(text) <= 1.0


def test_every_feature_has_its_weight() -> None:
    assert set(FEATURES) == set(WEIGHTS) == set(need_features("hello"))


def test_the_weights_are_those_that_half_a_gives(shared_data: Path) -> None:
    folder = shared_data / FOLDER
    if not folder.is_dir():
        pytest.skip(f"no {FOLDER} in the public data")
    fitted, intercept = fit_needs(load_dstc11(folder).half("A"))
    assert fitted == pytest.approx(dict(WEIGHTS), abs=0.006)
    assert intercept == pytest.approx(INTERCEPT, abs=0.006)
