"""A half is decided by the name alone, so that no run can move what was reported into what was fitted on."""

from __future__ import annotations

from evals.halves import half_of


def test_the_halves_are_the_ones_that_figures_were_reported_on() -> None:
    assert [half_of(name) for name in ("t0", "t1", "t2", "退款多久到账", "")] == ["B", "A", "A", "B", "B"]


def test_halves_are_of_like_size() -> None:
    drawn = [half_of(f"conversation {n}") for n in range(2000)]
    assert 900 < drawn.count("A") < 1100
