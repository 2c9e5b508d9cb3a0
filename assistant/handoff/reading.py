"""Reads one turn with a small model over the bundled embeddings: is a person wanted, and in what mood.

A word list hears what it was told of; people find other words. Without the bundled embedder the word lists stand alone.
"""

from __future__ import annotations

import json
import re
import threading
from collections import OrderedDict
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from assistant.errors import EmbeddingFailed
from assistant.handoff.mood import sentiment
from assistant.ports import Embedder, Vectors

Mood = Literal["negative", "neutral", "positive"]
_NEGATIVE, _POSITIVE = -0.2, 0.3  # of the word list's score, as labels
_KEPT = 512
_LONG = 60  # characters from which the first and the last sentences are also read alone


@dataclass(frozen=True, slots=True)
class TurnReading:
    """``wants_person`` is a probability, None where no model can tell; ``mood_score`` runs from -1 to 1."""

    wants_person: float | None
    mood: Mood
    mood_score: float


@dataclass(frozen=True, slots=True)
class TurnModel:
    """Linear models over an embedding ``x``: ``(x - mean) * scale``, and for the mood the word list's score beside it.

    ``fingerprint`` names the embedder it was fitted on; on another one's vectors it means nothing.
    """

    fingerprint: str
    mean: NDArray[np.float64]
    scale: float
    asks: NDArray[np.float64]
    moods: NDArray[np.float64]

    def wants_person(self, vectors: Vectors) -> NDArray[np.float64]:
        """(n,) probabilities that a person is asked for."""
        x = (vectors - self.mean) * self.scale
        logits = x @ self.asks[:-1] + self.asks[-1]
        return np.asarray(1.0 / (1.0 + np.exp(-logits)), dtype=np.float64)

    def mood(self, vector: NDArray[np.float32], lexicon: float) -> NDArray[np.float64]:
        """(3,) probabilities of negative, neutral and positive; ``lexicon`` is the word list's score, -1 to 1."""
        x = np.concatenate([(vector - self.mean) * self.scale, [lexicon * 2.0, 1.0]])
        logits = self.moods @ x
        weights = np.exp(logits - logits.max())
        return np.asarray(weights / weights.sum(), dtype=np.float64)


@cache
def packaged_model() -> TurnModel:
    """The model that comes with the package; ``python -m evals.handoff.train`` makes it anew."""
    data = json.loads((files("assistant.handoff") / "turn_model.json").read_text(encoding="utf-8"))
    return TurnModel(
        data["fingerprint"],
        np.asarray(data["mean"], dtype=np.float64),
        float(data["scale"]),
        np.asarray(data["asks"], dtype=np.float64),
        np.asarray(data["moods"], dtype=np.float64),
    )


class TurnReader:
    """Reads turns, remembering the last 512. Blocking (one embedding, 10–30 ms) and thread-safe."""

    def __init__(self, embedder: Embedder | None, model: TurnModel | None = None) -> None:
        self._embedder = embedder
        self._model = model or packaged_model()
        self._kept: OrderedDict[str, tuple[TurnReading, NDArray[np.float32] | None]] = OrderedDict()
        self._lock = threading.Lock()

    def read(self, text: str) -> TurnReading:
        """What this turn says of person and mood; by the word list alone where the embedder cannot be used."""
        return self._known(text)[0]

    def likeness(self, left: str, right: str) -> float | None:
        """Cosine of two turns' embeddings, about 0.75 (nothing shared) to 1; None without the bundled embedder."""
        a, b = self._known(left)[1], self._known(right)[1]
        return None if a is None or b is None else float(a @ b)

    def _known(self, text: str) -> tuple[TurnReading, NDArray[np.float32] | None]:
        with self._lock:
            if text in self._kept:
                self._kept.move_to_end(text)
                return self._kept[text]
        found = self._read(text)
        with self._lock:
            self._kept[text] = found
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return found

    def _read(self, text: str) -> tuple[TurnReading, NDArray[np.float32] | None]:
        lexicon = sentiment(text)
        by_words: Mood = "negative" if lexicon <= _NEGATIVE else "positive" if lexicon >= _POSITIVE else "neutral"
        plain = TurnReading(None, by_words, lexicon)
        embedder = self._embedder
        if not text.strip() or embedder is None or embedder.fingerprint != self._model.fingerprint:
            return plain, None
        try:
            vectors = embedder.embed_queries(_pieces(text))
        except EmbeddingFailed:
            return plain, None
        negative, neutral, positive = self._model.mood(vectors[0], lexicon)
        best: Mood = "negative" if negative > max(neutral, positive) else "neutral"
        if positive > max(neutral, negative):
            best = "positive"
        asks = float(self._model.wants_person(vectors).max())
        return TurnReading(round(asks, 4), best, round(float(positive - negative), 4)), vectors[0]


def _pieces(text: str) -> list[str]:
    """The whole text; of a long one also the first and the last two sentences, where a request hides."""
    if len(text) <= _LONG:
        return [text]
    parts = [part.strip() for part in re.split(r"[。！？!?\n]+|\.\s+", text) if part.strip()]
    ends = list(dict.fromkeys([*parts[:1], *parts[-2:]]))
    return [text[:2000], *(part[:150] for part in ends)][:4] if len(parts) > 1 else [text[:2000]]
