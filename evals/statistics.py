"""Intervals for every figure: a mean without one cannot be told from luck.

A value of None is unscored: it is counted, never taken as 0 and never silently dropped.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 4_000
_CELLS = 4_000_000  # resampled values held at once


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean with its interval; all three None where nothing could be scored, no interval from fewer than two units."""

    mean: float | None
    low: float | None
    high: float | None
    scored: int
    unscored: int


@dataclass(frozen=True, slots=True)
class Difference:
    """Mean of B − A over the pairs scored in both, with its interval.

    ``unpaired`` counts pairs where either side is unscored. ``detectable`` is the smallest true difference that this
    many pairs would show with the given power.
    """

    mean: float | None
    low: float | None
    high: float | None
    pairs: int
    unpaired: int
    detectable: float | None


def bootstrap_mean(
    values: Sequence[float | None],
    *,
    groups: Sequence[Hashable] | None = None,
    level: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Estimate:
    """Mean and percentile bootstrap interval (Efron & Tibshirani 1993, chapter 13); the same seed, the same interval.

    ``groups`` names what each value belongs to, for instance its conversation: groups are then drawn whole (cluster
    bootstrap, Davison & Hinkley 1997, 3.8), because cases of one conversation are not independent.
    """
    sums, counts = _clusters(values, groups)
    scored = int(counts.sum())
    unscored = len(values) - scored
    if not scored:
        return Estimate(None, None, None, 0, unscored)
    mean = float(sums.sum() / scored)
    if len(sums) < 2:
        return Estimate(mean, None, None, scored, unscored)
    low, high = _percentiles(_resampled_means(sums, counts, resamples, seed), level)
    return Estimate(mean, low, high, scored, unscored)


def paired_difference(
    before: Sequence[float | None],
    after: Sequence[float | None],
    *,
    groups: Sequence[Hashable] | None = None,
    level: float = 0.95,
    power: float = 0.8,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Difference:
    """Mean of after − before case by case, with a paired (cluster) bootstrap interval.

    The smallest detectable difference is (z(1 − α/2) + z(power)) · SE, with the bootstrap's standard error: 2.80 SE at
    95 % and 80 % (Bloom 1995, "Minimum detectable effects"). Raises ValueError for sequences of different length.
    """
    if len(before) != len(after):
        raise ValueError(f"{len(before)} values before, {len(after)} after: pairs are needed")
    differences = [None if a is None or b is None else b - a for a, b in zip(before, after, strict=True)]
    estimate = bootstrap_mean(differences, groups=groups, level=level, resamples=resamples, seed=seed)
    detectable = None
    if estimate.low is not None:
        sums, counts = _clusters(differences, groups)
        error = float(_resampled_means(sums, counts, resamples, seed).std(ddof=1))
        normal = NormalDist()
        detectable = (normal.inv_cdf(0.5 + level / 2) + normal.inv_cdf(power)) * error
    return Difference(estimate.mean, estimate.low, estimate.high, estimate.scored, estimate.unscored, detectable)


def wilson(successes: int, total: int, *, unscored: int = 0, level: float = 0.95) -> Estimate:
    """A share with Wilson's score interval (Wilson 1927), which holds near 0 and 1 and for few cases.

    Raises ValueError where successes are not between 0 and total.
    """
    if not 0 <= successes <= total:
        raise ValueError(f"{successes} successes of {total}")
    if total == 0:
        return Estimate(None, None, None, 0, unscored)
    z = NormalDist().inv_cdf(0.5 + level / 2)
    share = successes / total
    spread = z * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    scale = 1 + z * z / total
    middle = share + z * z / (2 * total)
    low = 0.0 if successes == 0 else (middle - spread) / scale
    high = 1.0 if successes == total else (middle + spread) / scale
    return Estimate(share, low, high, total, unscored)


def _clusters(
    values: Sequence[float | None], groups: Sequence[Hashable] | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Sum and count of the scored values of each group that has any."""
    if groups is not None and len(groups) != len(values):
        raise ValueError(f"{len(values)} values, {len(groups)} groups")
    named: Sequence[Hashable] = range(len(values)) if groups is None else groups
    number: dict[Hashable, int] = {}
    pairs = [(number.setdefault(g, len(number)), v) for g, v in zip(named, values, strict=True) if v is not None]
    where = np.array([place for place, _ in pairs], dtype=np.int64)
    scored = np.array([value for _, value in pairs], dtype=np.float64)
    if not np.isfinite(scored).all():
        raise ValueError("a value is not finite: what could not be scored is None")
    sums = np.bincount(where, weights=scored, minlength=len(number)).astype(np.float64)
    return sums, np.bincount(where, minlength=len(number)).astype(np.float64)


def _resampled_means(
    sums: NDArray[np.float64], counts: NDArray[np.float64], resamples: int, seed: int
) -> NDArray[np.float64]:
    random = np.random.default_rng(seed)
    means = np.empty(resamples)
    step = max(1, _CELLS // len(sums))
    for start in range(0, resamples, step):
        drawn = random.integers(0, len(sums), size=(min(step, resamples - start), len(sums)))
        means[start : start + len(drawn)] = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    return means


def _percentiles(means: NDArray[np.float64], level: float) -> tuple[float, float]:
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
