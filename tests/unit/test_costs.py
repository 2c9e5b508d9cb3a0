"""Thresholds follow from costs, and what is set by hand stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from assistant.bootstrap import build
from assistant.costs import Costs, Nearness, expected, load_costs, thresholds
from assistant.errors import ConfigurationError
from assistant.settings import Settings

STATED = "wrong_answer: 5\nclarify: 1\nhandoff: 2\n"


def test_each_side_of_a_threshold_has_the_lower_cost() -> None:
    costs = Costs(5, 1, 2)
    found = thresholds(costs)
    for p, cheapest in (
        (found.answer + 0.01, "answer"),
        (found.answer - 0.01, "clarify"),
        (found.clarify - 0.01, "handoff"),
    ):
        cost = expected(costs, p)
        assert min(cost, key=lambda name: cost[name]) == cheapest


def test_a_dearer_mistake_is_risked_less_often() -> None:
    answers = [thresholds(Costs(wrong, 1, 2)).answer for wrong in (1, 2, 5, 20, 100)]
    assert answers == sorted(answers)
    assert answers[0] < 0.3 < answers[2] < answers[-1] < 1


def test_asking_back_is_not_worth_more_than_a_handoff() -> None:
    found = thresholds(Costs(5, 3, 2))
    assert found.clarify == found.answer == pytest.approx(0.6)  # 1 - handoff / wrong answer (Chow 1970)


@pytest.mark.parametrize("p", [0.0, 1.0])
def test_certainty_is_no_error(p: float) -> None:
    assert 0 <= Nearness().of(p) <= 1


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("wrong_answer: 5\nclarify: 1\n", "handoff: Field required"),
        (STATED + "refund: 3\n", "costs.yaml:4: refund"),
        ("wrong_answer: 0\nclarify: 1\nhandoff: 2\n", "costs.yaml:1: wrong_answer"),
        ("wrong_answer: .inf\nclarify: 1\nhandoff: 2\n", "wrong_answer"),
        ("- 5\n", "a mapping of wrong_answer"),
        ("", "a mapping of wrong_answer"),
        ("a: [", "is not YAML"),
    ],
)
def test_what_is_wrong_with_a_file_is_named(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "costs.yaml"
    path.write_text(text, "utf-8")
    with pytest.raises(ConfigurationError, match=told):
        load_costs(path)


def test_a_workspace_has_its_own_costs_and_a_set_threshold_stays(tmp_path: Path) -> None:
    (tmp_path / "shop.yaml").write_text(STATED, "utf-8")
    service = build(Settings(data_dir=tmp_path, costs=tmp_path / "{workspace}.yaml"))
    assert service.thresholds("shop").chosen_by == "costs"
    assert service.settings_for("shop").answer_threshold == thresholds(Costs(5, 1, 2)).answer
    assert service.settings_for("other").answer_threshold == 0.3
    given = build(Settings(data_dir=tmp_path, costs=tmp_path / "{workspace}.yaml", answer_threshold=0.5)).thresholds(
        "shop"
    )
    assert (given.answer, given.clarify) == (0.5, thresholds(Costs(5, 1, 2)).clarify)
    assert given.chosen_by == "settings (answer), costs"
    with pytest.raises(ConfigurationError, match="cannot be read"):
        build(Settings(data_dir=tmp_path, costs=tmp_path / "none.yaml")).thresholds("shop")
