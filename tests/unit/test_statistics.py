"""Intervals: known values, coverage, dependence, and what is unscored."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.statistics import bootstrap_mean, paired_difference, wilson


def test_unscored_is_counted_and_never_zero() -> None:
    estimate = bootstrap_mean([1.0, None, 1.0, None])
    assert (estimate.mean, estimate.scored, estimate.unscored) == (1.0, 2, 2)


def test_nothing_scored_and_a_single_value() -> None:
    assert bootstrap_mean([None, None]).mean is None
    assert bootstrap_mean([]).scored == 0
    one = bootstrap_mean([0.4, None])
    assert (one.mean, one.low, one.high) == (0.4, None, None)


def test_a_number_that_is_not_finite_is_refused() -> None:
    with pytest.raises(ValueError, match="not finite"):
        bootstrap_mean([1.0, float("nan")])


def test_the_seed_decides_the_interval() -> None:
    values = list(np.random.default_rng(1).random(50))
    assert bootstrap_mean(values, seed=3) == bootstrap_mean(values, seed=3)
    assert bootstrap_mean(values, seed=3) != bootstrap_mean(values, seed=4)


def test_the_interval_agrees_with_theory_on_a_large_sample() -> None:
    values = np.random.default_rng(2).normal(0.5, 0.2, 2_000)
    estimate = bootstrap_mean(list(values))
    error = values.std(ddof=1) / np.sqrt(len(values))
    assert estimate.low == pytest.approx(values.mean() - 1.96 * error, abs=0.1 * error)
    assert estimate.high == pytest.approx(values.mean() + 1.96 * error, abs=0.1 * error)


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    random = np.random.default_rng(3)
    covered = 0
    for trial in range(300):
        estimate = bootstrap_mean(list(random.random(60)), resamples=500, seed=trial)
        covered += estimate.low is not None and estimate.high is not None and estimate.low <= 0.5 <= estimate.high
    assert 0.90 <= covered / 300 <= 0.98


def test_cases_of_one_conversation_do_not_count_as_independent() -> None:
    base = list(np.random.default_rng(4).random(30))
    values = [value for value in base for _ in range(5)]
    groups = [group for group in range(30) for _ in range(5)]
    alone, clustered = bootstrap_mean(values), bootstrap_mean(values, groups=groups)
    assert alone.mean == pytest.approx(clustered.mean)
    assert _width(clustered) > 1.8 * _width(alone)
    assert _width(clustered) == pytest.approx(_width(bootstrap_mean(base)), rel=0.05)


def test_a_paired_difference_is_far_sharper_than_two_means() -> None:
    random = np.random.default_rng(5)
    before = random.random(80)
    after = before + 0.05 + random.normal(0, 0.02, 80)
    difference = paired_difference(list(before), list(after))
    assert difference.low is not None
    assert 0 < difference.low < 0.05 < (difference.high or 0)
    assert difference.detectable == pytest.approx(2.80 * np.std(after - before, ddof=1) / np.sqrt(80), rel=0.05)


def test_the_detectable_difference_is_found_with_the_power_it_names() -> None:
    random = np.random.default_rng(6)
    detectable = 2.8016 * 0.1 / np.sqrt(50)
    found = 0
    for trial in range(300):
        after = list(random.normal(detectable, 0.1, 50))
        low = paired_difference([0.0] * 50, after, resamples=400, seed=trial).low
        found += low is not None and low > 0
    assert 0.72 <= found / 300 <= 0.88


def test_a_pair_with_one_side_unscored_is_counted_apart() -> None:
    difference = paired_difference([0.1, None, 0.3], [0.2, 0.9, None])
    assert (difference.pairs, difference.unpaired) == (1, 2)
    assert difference.mean == pytest.approx(0.1)
    assert difference.low is None
    assert difference.detectable is None


def test_pairs_and_groups_must_match() -> None:
    with pytest.raises(ValueError, match="pairs are needed"):
        paired_difference([0.1], [])
    with pytest.raises(ValueError, match="1 values, 2 groups"):
        bootstrap_mean([0.1], groups=["a", "b"])


def test_wilson_against_published_values() -> None:
    # Newcombe 1998, table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29
    for successes, total, low, high in ((81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (1, 29, 0.0061, 0.1718)):
        estimate = wilson(successes, total)
        assert estimate.low == pytest.approx(low, abs=5e-5)
        assert estimate.high == pytest.approx(high, abs=5e-5)
    none = wilson(0, 20)
    assert none.low == 0.0
    assert none.high == pytest.approx(0.1611, abs=5e-5)


def test_wilson_at_the_edges() -> None:
    assert wilson(20, 20).high == 1.0
    assert wilson(0, 0, unscored=3).mean is None
    assert wilson(0, 0, unscored=3).unscored == 3
    with pytest.raises(ValueError, match="3 successes of 2"):
        wilson(3, 2)


@given(st.lists(st.one_of(st.none(), st.floats(0, 1)), max_size=30))
def test_the_interval_stays_within_the_values(values: list[float | None]) -> None:
    estimate = bootstrap_mean(values, resamples=50)
    scored = [value for value in values if value is not None]
    assert estimate.scored + estimate.unscored == len(values)
    if estimate.low is not None and estimate.high is not None:
        assert min(scored) - 1e-9 <= estimate.low <= estimate.high <= max(scored) + 1e-9


def _width(estimate: object) -> float:
    low, high = getattr(estimate, "low", None), getattr(estimate, "high", None)
    assert low is not None
    assert high is not None
    return float(high - low)
