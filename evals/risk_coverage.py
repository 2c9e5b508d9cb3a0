"""What confidence is worth: of the answers given first to the surest questions, how many are right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evals.statistics import Estimate, wilson

Numbers = NDArray[np.float64]
BINS = 10


@dataclass(frozen=True, slots=True)
class RiskCurve:
    """Share right among the surest questions, by how many of all are answered; (n,) both, from one question to all.

    Risk is 1 - accuracy (El-Yaniv & Wiener 2010). Questions of equal confidence cannot be told apart: each counts as
    their mean.
    """

    coverage: Numbers
    accuracy: Numbers

    @property
    def area(self) -> float:
        """Mean risk over all coverages, the area under the curve (AURC, Geifman & El-Yaniv 2017); less is better."""
        return float((1.0 - self.accuracy).mean())

    def accuracy_at(self, coverage: float) -> float:
        """Share right where this share of the questions, at least one, is answered."""
        rank = max(1, min(len(self.accuracy), round(coverage * len(self.accuracy))))
        return float(self.accuracy[rank - 1])

    def coverage_at(self, accuracy: float) -> float:
        """The largest share of the questions that can be answered with this share right; 0 where none can."""
        enough = np.flatnonzero(self.accuracy >= accuracy)
        return float(self.coverage[enough[-1]]) if len(enough) else 0.0


def risk_curve(confidence: Sequence[float] | Numbers, right: Sequence[bool] | NDArray[np.bool_]) -> RiskCurve:
    """The curve over these questions. Raises ValueError for none, or where the two differ in length."""
    sure, hit = np.asarray(confidence, dtype=np.float64), np.asarray(right, dtype=np.float64)
    if len(sure) != len(hit) or not len(sure):
        raise ValueError(f"{len(sure)} confidences, {len(hit)} answers: as many of both are needed, and at least one")
    _, group = np.unique(-sure, return_inverse=True)
    count = np.bincount(group)
    share = np.bincount(group, weights=hit) / count
    ranks = np.arange(1, len(sure) + 1, dtype=np.float64)
    return RiskCurve(ranks / len(sure), np.cumsum(np.repeat(share, count)) / ranks)


def separation(confidence: Sequence[float] | Numbers, right: Sequence[bool] | NDArray[np.bool_]) -> float | None:
    """Chance that a right answer is surer than a wrong one (ROC AUC, Hanley & McNeil 1982); None without both."""
    sure, hit = np.asarray(confidence, dtype=np.float64), np.asarray(right, dtype=np.bool_)
    good, bad = int(hit.sum()), int((~hit).sum())
    if not good or not bad:
        return None
    _, place, counts = np.unique(sure, return_inverse=True, return_counts=True)
    middle = np.cumsum(counts) - (counts - 1) / 2
    return float((middle[place][hit].sum() - good * (good + 1) / 2) / (good * bad))


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """Questions of like confidence: their mean confidence, and the share right with Wilson's interval."""

    confidence: float
    right: Estimate


def reliability_bins(
    confidence: Sequence[float] | Numbers, right: Sequence[bool] | NDArray[np.bool_], count: int = BINS
) -> list[ReliabilityBin]:
    """At most ``count`` bins of about equal size, the least sure first; equal width hides crowds (Nixon 2019)."""
    order = np.argsort(np.asarray(confidence, dtype=np.float64), kind="stable")
    sure, hit = np.asarray(confidence, dtype=np.float64)[order], np.asarray(right, dtype=np.bool_)[order]
    parts = [rows for rows in np.array_split(np.arange(len(sure)), count) if len(rows)]
    return [ReliabilityBin(float(sure[p].mean()), wilson(int(hit[p].sum()), len(p))) for p in parts]


def calibration_error(confidence: Sequence[float] | Numbers, right: Sequence[bool] | NDArray[np.bool_]) -> float:
    """Mean distance of stated confidence from the share right, over bins of equal size (ECE, Guo et al. 2017)."""
    bins = reliability_bins(confidence, right)
    total = sum(each.right.scored for each in bins)
    return sum(each.right.scored * abs(each.confidence - (each.right.mean or 0.0)) for each in bins) / total
