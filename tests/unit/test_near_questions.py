"""The measurement of near questions counts what it says that it counts."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise

import numpy as np

from assistant.domain.knowledge import Article
from assistant.llm.embedders import HashEmbedder
from evals.halves import half_of
from evals.near_questions import by_label, hand_pairs
from evals.near_rules import RULES_BY_FORM, Hits, Met, in_a_row, meet, rules_by_meaning
from evals.pieces import retriever_of

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
IN_USE = "same asked form and passages (in use)"


def met(text: str, label: str, *vector: float) -> Met:
    row = np.array(vector, dtype=np.float32)
    return Met(text, frozenset({label}), text, row / np.linalg.norm(row), ())


def test_a_hit_is_the_nearest_that_the_rule_allows_and_wrong_is_another_label() -> None:
    asked = [met("怎么退", "a", 1, 0), met("怎么换", "b", 0, 1), met("如何退", "b", 1, 0.01), met("谁付", "c", -1, -1)]
    assert in_a_row(asked, lambda one, other: True, 0.9) == Hits(4, 1, 1)
    assert in_a_row(asked, RULES_BY_FORM["same asked form"], -1.0) == Hits(4, 1, 1)
    assert in_a_row(asked, RULES_BY_FORM["same words (decision 25)"], -1.0) == Hits(4, 0, 0)


def test_each_rule_by_meaning_allows_no_more_than_the_one_before_it() -> None:
    embedder = HashEmbedder()
    shop = retriever_of([Article("refund", "退款", "退款3天到账。换货7天内可以申请。运费由买家出。")], embedder)
    texts = ["退款多久到账", "退款多久能到账", "退款不到账", "换货7天能申请吗", "换货8天能申请吗", "运费谁出"]
    found = meet([(text, frozenset({text})) for text in texts], shop, embedder, NOW)
    rules = list(rules_by_meaning(embedder, NOW).values())
    taken = [{(i, j) for i in range(6) for j in range(i) if rule(found[i], found[j])} for rule in rules]
    assert all(later <= earlier for earlier, later in pairwise(taken))
    assert (1, 0) in taken[2]
    assert {(2, 0), (4, 3)} <= taken[1] - taken[2]
    assert [RULES_BY_FORM[IN_USE](found[1], found[0]), RULES_BY_FORM[IN_USE](found[4], found[3])] == [True, False]


def test_questions_of_one_form_under_two_labels_are_listed_to_be_read() -> None:
    texts = [("How do I pay", "pay"), ("how to pay", "pay"), ("How can I pay?", "other"), ("Who pays", "who")]
    halves = [half for half in by_label(texts).values() if half["hits"]]
    assert sum(half["questions in other words"] for half in by_label(texts).values()) == 4
    assert all(half["of another intent"] == len(half["to be read"]) for half in halves)
    one_half = [(f"How {frame} pay{'?' * n}", frame) for frame in ("do I", "can I") for n in range(40)]
    one_half = [(text, label) for text, label in one_half if half_of(text) == "A"]
    assert by_label(one_half)["half A"]["of another intent"] == 1


def test_the_pairs_by_hand_are_of_both_kinds_and_many() -> None:
    for language, count in (("zh", 62), ("en", 62)):
        pairs = list(hand_pairs(language))
        assert {said for said, _, _ in pairs} == {"different", "same"}
        assert sum(said == "different" for said, _, _ in pairs) == count
        assert all(one != other for _, one, other in pairs)
