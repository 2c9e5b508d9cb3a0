"""How far a measure agrees with what people said: a metric that people do not bear out is a number, not a measure."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LEAST = 20  # labels below which a correlation is noise
_RESAMPLES = 2_000


@dataclass(frozen=True, slots=True)
class Agreement:
    """Spearman's rank correlation −1–1 with its 95 % interval, over ``labels`` pairs; ``unscored`` had no value.

    ``correlation`` is None from too few labels, or where labels or values are all alike (``why`` says which).
    """

    correlation: float | None
    low: float | None
    high: float | None
    labels: int
    unscored: int
    why: str | None = None


def agreement(
    labels: Sequence[float], values: Sequence[float | None], groups: Sequence[Hashable], *, seed: int = 0
) -> Agreement:
    """Agreement of the values with the labels, higher meaning better in both.

    The interval is a percentile bootstrap over groups (see ``statistics.bootstrap_mean``); resamples in which either
    side is constant have no correlation and are left out, and with fewer than half of them left there is no interval.
    Raises ValueError for sequences of different length.
    """
    pairs = [(label, value, group) for label, value, group in zip(labels, values, groups, strict=True)]
    scored = [(label, value, group) for label, value, group in pairs if value is not None]
    unscored = len(pairs) - len(scored)
    if len(scored) < LEAST:
        return Agreement(None, None, None, len(scored), unscored, f"too few: {len(scored)} of {LEAST} labels")
    said = np.array([label for label, _, _ in scored], dtype=np.float64)
    measured = np.array([value for _, value, _ in scored], dtype=np.float64)
    whole = spearman(said, measured)
    if whole is None:
        which = "labels" if np.ptp(said) == 0 else "values"
        return Agreement(None, None, None, len(scored), unscored, f"all {which} are alike")
    members: dict[Hashable, list[int]] = {}
    for index, (_, _, group) in enumerate(scored):
        members.setdefault(group, []).append(index)
    clusters = [np.array(rows) for rows in members.values()]
    random = np.random.default_rng(seed)
    drawn = []
    for _ in range(_RESAMPLES):
        rows = np.concatenate([clusters[i] for i in random.integers(0, len(clusters), len(clusters))])
        one = spearman(said[rows], measured[rows])
        if one is not None:
            drawn.append(one)
    if len(clusters) < 2 or len(drawn) < _RESAMPLES / 2:
        return Agreement(whole, None, None, len(scored), unscored)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Agreement(whole, float(low), float(high), len(scored), unscored)


def spearman(a: NDArray[np.float64], b: NDArray[np.float64]) -> float | None:
    """Pearson's correlation of the mid-ranks (Spearman 1904); None where either side is constant."""
    ranks_a, ranks_b = _ranks(a), _ranks(b)
    if np.ptp(ranks_a) == 0 or np.ptp(ranks_b) == 0:
        return None
    return float(np.corrcoef(ranks_a, ranks_b)[0, 1])


def agreements(
    labels: Mapping[str, float], measures: Mapping[str, Mapping[str, float | None]], groups: Mapping[str, Hashable]
) -> dict[str, Agreement]:
    """By measure, over the labelled ids that the measure knows; an id that it does not know is unscored."""
    ids = sorted(labels)
    return {
        name: agreement([labels[i] for i in ids], [of.get(i) for i in ids], [groups.get(i, i) for i in ids])
        for name, of in measures.items()
    }


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    middle: NDArray[np.float64] = last - (counts - 1) / 2
    return middle[place]
