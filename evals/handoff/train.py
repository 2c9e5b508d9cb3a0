"""Fits the packaged turn model: ``python -m evals.handoff.train`` writes ``assistant/handoff/turn_model.json``.

Fitted on the packaged training and development turns and on groups a and b of the demo; the test turns and groups c
and d are never read here. Ridge, scale and weights were chosen by cross-validation over conversations of a and b (mood)
and on the development turns (requests).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression

import assistant.handoff
from assistant.bootstrap import build
from assistant.handoff.mood import sentiment
from assistant.ports import Embedder
from assistant.settings import Settings
from evals.handoff.turns import ask_turns, mood_turns

SCALE, ASKS_C, MOODS_C, LEXICON = 3.0, 10.0, 3.0, 2.0
MOODS = ("negative", "neutral", "positive")


def fit(embedder: Embedder, *, with_dev: bool = True) -> dict[str, object]:
    """The model's file as data. ``with_dev=False`` leaves the development turns out, for choosing on them."""
    labelled = mood_turns(("a", "b"))
    asks = ask_turns("train") + (ask_turns("dev") if with_dev else [])
    texts = [turn.text for turn in asks] + [turn.text for turn in labelled]
    wanted = np.array([turn.asks for turn in asks] + [turn.asks for turn in labelled])
    vectors = np.asarray(embedder.embed_queries(texts), dtype=np.float64)
    mean = vectors.mean(axis=0)
    x = (vectors - mean) * SCALE
    ask_model = LogisticRegression(C=ASKS_C, class_weight="balanced", max_iter=2000).fit(x, wanted)
    words = np.array([[sentiment(turn.text) * LEXICON] for turn in labelled])
    features = np.hstack([x[len(asks) :], words])
    mood_model = LogisticRegression(C=MOODS_C, max_iter=2000).fit(features, [turn.mood for turn in labelled])
    assert tuple(mood_model.classes_) == MOODS
    return {
        "fingerprint": embedder.fingerprint,
        "fitted_on": {
            "asks": len(wanted),
            "asks_positive": int(wanted.sum()),
            "moods": len(labelled),
            "sources": "own labelled turns (evals/handoff/data: train, dev) and groups a, b of the made-up demo",
            "command": "python -m evals.handoff.train",
        },
        "scale": SCALE,
        "mean": _short(mean),
        "asks": _short(np.append(ask_model.coef_[0], ask_model.intercept_[0])),
        "moods": [_short(np.append(c, i)) for c, i in zip(mood_model.coef_, mood_model.intercept_, strict=True)],
    }


def _short(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> list[float]:
    return [round(float(value), 5) for value in values]


if __name__ == "__main__":
    made = fit(build(Settings()).embedder)
    target = Path(assistant.handoff.__file__).parent / "turn_model.json"
    target.write_text(json.dumps(made, separators=(",", ":")) + "\n", encoding="utf-8")
    sys.stderr.write(f"{target}: {made['fitted_on']}\n")
