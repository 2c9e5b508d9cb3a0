"""`python -m evals.bench.needs_fit`: fits the weights of assistant/needs.py on half A of dstc11-track5, prints them."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assistant.needs import FEATURES, need_features
from evals.bench.dstc11 import FOLDER, DialogueTurn, load_dstc11

RIDGE = 1.0
STEPS = 40


def fit_needs(turns: Sequence[DialogueTurn]) -> tuple[dict[str, float], float]:
    """(weight by feature, intercept) of a logistic regression with L2 penalty, by Newton's steps."""
    wanted = np.array([bool(turn.gold) for turn in turns], dtype=np.float64)
    rows = columns(turns)
    penalty = np.append(np.full(len(FEATURES), RIDGE), 1e-6)
    weights = np.zeros(len(FEATURES) + 1)
    for _ in range(STEPS):
        said = 1.0 / (1.0 + np.exp(-rows @ weights))
        slope = rows.T @ (said - wanted) + penalty * weights
        weights -= np.linalg.solve((rows * (said * (1 - said))[:, None]).T @ rows + np.diag(penalty), slope)
    return {name: float(value) for name, value in zip(FEATURES, weights, strict=False)}, float(weights[-1])


def columns(turns: Sequence[DialogueTurn]) -> NDArray[np.float64]:
    """(turns, features + 1): the features in their order, and a column of ones."""
    found = [need_features(turn.text) for turn in turns]
    return np.array([[one[name] for name in FEATURES] + [1.0] for one in found])


if __name__ == "__main__":
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "../shared/data") / FOLDER
    fitted, intercept = fit_needs(load_dstc11(folder).half("A"))
    sys.stdout.writelines(f'    "{name}": {value:.2f},\n' for name, value in fitted.items())
    sys.stdout.write(f"INTERCEPT = {intercept:.2f}\n")
