"""One score from dense and BM25 evidence, on a scale that means the same for every question."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Column = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Features:
    """Evidence by candidate chunk: cosines, coverages (see ``Postings.coverage``), of its body and its questions.

    ``question_*`` are 0 where the document has no question entries.
    """

    chunk: NDArray[np.int64]
    document: NDArray[np.int64]
    body_dense: Column
    body_lexical: Column
    question_dense: Column
    question_lexical: Column
    is_article: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Fusion:
    """Weights of the fused score.

    The raw score of a text is ``dense_weight * cosine + gate * coverage``. Both are absolute, so no score depends on
    what else was found; ``gate`` goes to 0 where even the best coverage is so small that BM25 is blind (another
    language), which rank and min-max fusion cannot know. A document's question counts beside its body by
    ``question_weight``. ``article_bonus`` puts reviewed articles above mined resolutions at equal support. ``slope``
    and ``midpoint`` turn the raw score into 0–1.
    """

    dense_weight: float = 4.0
    blind_below: float = 0.06
    seeing_above: float = 0.14
    question_weight: float = 0.5
    question_offset: float = 0.1
    article_bonus: float = 0.03
    midpoint: float = 3.75
    slope: float = 6.0

    def raw(self, features: Features) -> NDArray[np.float64]:
        """(chunks,) uncalibrated scores."""
        best = max(float(features.body_lexical.max(initial=0.0)), float(features.question_lexical.max(initial=0.0)))
        gate = float(np.clip((best - self.blind_below) / (self.seeing_above - self.blind_below), 0.0, 1.0))
        body = self.dense_weight * features.body_dense + gate * features.body_lexical
        question = self.dense_weight * features.question_dense + gate * features.question_lexical
        gain = np.where(features.question_dense > 0, question - self.question_offset * self.dense_weight, -np.inf)
        mixed = (
            np.where(gain > body, body + self.question_weight * (gain - body), body)
            + self.article_bonus * features.is_article
        )
        return np.asarray(mixed, dtype=np.float64)

    def score(self, features: Features, *, blind: bool = False) -> NDArray[np.float64]:
        """(chunks,) scores 0–1; ``blind`` says that there are no cosines, and coverage alone decides."""
        if blind:
            return np.maximum(features.body_lexical, features.question_lexical).astype(np.float64)
        return self.probability(self.raw(features))

    def probability(self, raw: NDArray[np.float64]) -> NDArray[np.float64]:
        """Raw scores as 0–1."""
        return np.asarray(1.0 / (1.0 + np.exp(-self.slope * (raw - self.midpoint))), dtype=np.float64)

    def case_raw(self, features: Features) -> NDArray[np.float64]:
        """(chunks,) raw scores of old cases: question against question, and a little the answer."""
        question = self.dense_weight * features.question_dense + features.question_lexical
        answer = self.dense_weight * features.body_dense + features.body_lexical
        return (0.8 * question + 0.2 * answer).astype(np.float64)
