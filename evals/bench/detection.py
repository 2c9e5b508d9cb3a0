"""Which turns need knowledge: thresholds fitted on one half, F1 with its interval on the other."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 1_000


def f1_of(said: NDArray[np.bool_], needed: NDArray[np.bool_]) -> tuple[float, float, float]:
    """(F1, precision, recall) of the turns said to need knowledge; 0 where nothing was said or needed."""
    hit = float((said & needed).sum())
    precision, recall = hit / max(1, int(said.sum())), hit / max(1, int(needed.sum()))
    return (2 * precision * recall / (precision + recall) if hit else 0.0), precision, recall


def best_threshold(scores: NDArray[np.float64], needed: NDArray[np.bool_]) -> float:
    """The score from which on turns are best said to need knowledge, by F1 on these turns."""
    candidates = np.unique(np.quantile(scores, np.linspace(0, 1, 200)))
    return float(max(candidates, key=lambda t: f1_of(scores >= t, needed)[0]))


def two_thresholds(
    scores: NDArray[np.float64], asks: NDArray[np.bool_], needed: NDArray[np.bool_]
) -> tuple[float, float]:
    """(for turns that ask, for the others), the pair that is best by F1 on these turns."""
    candidates = np.unique(np.quantile(scores, np.linspace(0, 1, 40)))
    pairs = [(a, b) for a in candidates for b in [*candidates[candidates >= a], np.inf]]
    asking, telling = max(pairs, key=lambda p: f1_of(np.where(asks, scores >= p[0], scores >= p[1]), needed)[0])
    return float(asking), float(telling)


def judged(
    system: str, said: NDArray[np.bool_], needed: NDArray[np.bool_], groups: Sequence[Hashable]
) -> dict[str, Any]:
    """F1, precision and recall, and F1's 95 % interval by drawing whole conversations (percentile bootstrap)."""
    f1, precision, recall = f1_of(said, needed)
    low, high = np.percentile(_drawn(said, needed, groups), [2.5, 97.5])
    return {
        "system": system,
        "turns": len(needed),
        "f1": f1,
        "f1_interval": [float(low), float(high)],
        "precision": precision,
        "recall": recall,
    }


def lead(
    said: NDArray[np.bool_], other: NDArray[np.bool_], needed: NDArray[np.bool_], groups: Sequence[Hashable]
) -> list[float]:
    """F1 less the other's F1, and the difference's 95 % interval: both are judged on the same drawn conversations."""
    low, high = np.percentile(_drawn(said, needed, groups) - _drawn(other, needed, groups), [2.5, 97.5])
    return [f1_of(said, needed)[0] - f1_of(other, needed)[0], float(low), float(high)]


def _drawn(said: NDArray[np.bool_], needed: NDArray[np.bool_], groups: Sequence[Hashable]) -> NDArray[np.float64]:
    """(RESAMPLES,) F1 of drawn conversations; the draws depend on nothing but how many there are."""
    _, member = np.unique(np.array([str(group) for group in groups]), return_inverse=True)
    counts = np.zeros((int(member.max()) + 1, 3))
    for column, kind in enumerate((said & needed, said, needed)):
        np.add.at(counts[:, column], member, kind.astype(np.float64))
    drawn = np.random.default_rng(0).integers(0, len(counts), size=(RESAMPLES, len(counts)))
    sums = counts[drawn].sum(axis=1)
    return np.asarray(2 * sums[:, 0] / np.maximum(1.0, sums[:, 1] + sums[:, 2]), dtype=np.float64)


def detection_table(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Markdown of ``judged`` rows."""
    out = ["| what decides | F1 (95 %) | precision | recall |", "|---|---|---|---|"]
    for r in rows:
        low, high = r["f1_interval"]
        out.append(
            f"| {r['system']} | {r['f1']:.3f} ({low:.3f}–{high:.3f}) | {r['precision']:.3f} | {r['recall']:.3f} |"
        )
    return out
