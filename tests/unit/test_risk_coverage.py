"""The measures of what confidence is worth, against values worked out by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from evals.bench.risk_sets import banking77, demo_faq, out_of_scope_zh
from evals.report.charts import Curve, risk_coverage
from evals.risk_coverage import calibration_error, reliability_bins, risk_curve, separation


def test_the_curve_answers_the_surest_first() -> None:
    curve = risk_curve([0.2, 0.9, 0.5, 0.7], [False, True, False, True])
    assert curve.accuracy.tolist() == pytest.approx([1, 1, 2 / 3, 1 / 2])
    assert curve.area == pytest.approx((0 + 0 + 1 / 3 + 1 / 2) / 4)
    assert curve.accuracy_at(0.5) == 1
    assert curve.coverage_at(0.6) == 0.75
    assert curve.coverage_at(0.99) == 0.5
    assert risk_curve([0.9, 0.1], [False, True]).coverage_at(0.95) == 0


def test_equal_confidence_cannot_be_told_apart() -> None:
    both_ways = [risk_curve([0.5] * 4, right).accuracy.tolist() for right in ([1, 1, 0, 0], [0, 0, 1, 1])]
    assert both_ways[0] == both_ways[1] == [0.5] * 4


def test_nothing_to_measure_is_an_error_and_not_a_zero() -> None:
    with pytest.raises(ValueError, match="at least one"):
        risk_curve([], [])
    with pytest.raises(ValueError, match="2 confidences, 1 answers"):
        risk_curve([0.1, 0.2], [True])
    assert separation([0.1, 0.2], [True, True]) is None


def test_separation_is_the_chance_that_a_right_answer_is_surer() -> None:
    assert separation([0.9, 0.8, 0.2, 0.1], [True, True, False, False]) == 1
    assert separation([0.9, 0.1, 0.5, 0.5], [True, False, True, False]) == pytest.approx(3.5 / 4)


def test_calibration_error_is_zero_where_confidence_is_the_share_right() -> None:
    confidence = [0.0] * 20 + [1.0] * 20
    assert calibration_error(confidence, [False] * 20 + [True] * 20) == 0
    assert calibration_error(confidence, [True] * 20 + [False] * 20) == 1
    assert [b.right.scored for b in reliability_bins(confidence, [True] * 40)] == [4] * 10


def test_the_plot_names_its_curves_and_stays_in_its_frame() -> None:
    drawn = risk_coverage("a & b", [Curve("<ours>", [(0.5, 1.0), (1.0, 0.2)], mine=True)], floor=0.4)
    assert "<title>a &amp; b</title>" in drawn
    assert "&lt;ours&gt;" in drawn
    assert "232.0" in drawn  # 0.2 lies below the floor and is drawn on it


def test_out_of_scope_questions_are_answered_by_nothing(shared_data: Path) -> None:
    part = banking77(shared_data, 20)
    beyond = [one for one in part.asked if not one.answered_by]
    assert len(part.articles) == 77
    assert {len(article.questions) for article in part.articles} == {20}
    assert len(part.asked) - len(beyond) == 3080
    assert len(beyond) == len({one.text for one in beyond}) == 620
    assert len(out_of_scope_zh(shared_data)) == 262


@pytest.mark.parametrize("traditional", [False, True])
def test_no_held_out_question_is_in_the_index(shared_data: Path, traditional: bool) -> None:
    parts = demo_faq(shared_data, traditional=traditional)
    for part in parts:
        known = {text for article in part.articles for text in article.questions}
        inside = [one for one in part.asked if one.answered_by]
        assert inside
        assert not known & {one.text for one in inside}
        assert all(one.answered_by & {article.id for article in part.articles} for one in inside)
    assert sum(not one.answered_by for part in parts for one in part.asked) == 262
    assert any("運費" in article.title for article in parts[0].articles) is traditional
