"""Agreement in meaning, sentence by sentence, above what any two replies of the same shop share.

Cosines of one domain crowd together: with multilingual-e5-small two unrelated replies reach 0.85. What counts is
therefore how far a sentence's match stands above that sentence's own matches with unrelated replies.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from assistant.ports import Embedder, Vectors
from assistant.text import language_of
from evals.answer_metrics.background import SENTENCES

_QUANTILE = 0.97  # of a sentence's cosines with unrelated sentences: what luck reaches
_FULL = 0.75  # of the way from there to 1: a paraphrase does not come nearer
_ENOUGH = 0.6  # F2 above which two replies say the same
_MOST = 2_000  # background sentences of a language
_COMPARED = 256  # sentences compared with the background at once
_LONG = 60  # characters at which a sentence weighs most


class SentenceVectors:
    """Vectors of sentences, each embedded once; ``prepare`` many at once, for a batch costs far less apiece."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._rows: dict[str, NDArray[np.float32]] = {}

    def prepare(self, texts: Iterable[str]) -> None:
        """Embed those not yet known. Raises EmbeddingFailed."""
        new = [text for text in dict.fromkeys(texts) if text not in self._rows]
        for start in range(0, len(new), 256):
            part = new[start : start + 256]
            self._rows.update(zip(part, self._embedder.embed_queries(part), strict=True))

    def of(self, texts: Sequence[str]) -> Vectors:
        """(n, dimensions) rows."""
        self.prepare(texts)
        if not texts:
            return np.zeros((0, self._embedder.dimensions), dtype=np.float32)
        return np.stack([self._rows[text] for text in texts])


class Background:
    """What luck reaches: sentences of the domain by language, each with the conversation it comes from."""

    def __init__(self, sentences: Sequence[tuple[str, str]], vectors: SentenceVectors) -> None:
        """``sentences`` are (sentence, conversation id); a large set is sampled, the same each time."""
        self._sentences = vectors
        self._vectors: dict[str, Vectors] = {}
        self._owner_codes: dict[str, int] = {"": 0}
        self._owners: dict[str, NDArray[np.int32]] = {}
        self._owned: dict[str, NDArray[np.int64]] = {}
        self._depth: dict[str, int] = {}
        self._nearest: dict[tuple[str, str], tuple[NDArray[np.float32], NDArray[np.int32]]] = {}
        for language, general in SENTENCES.items():
            own = sorted({pair for pair in sentences if language_of(pair[0]) == language})
            if len(own) > _MOST:
                own = random.Random(0).sample(own, _MOST)
            pairs = [*own, *((text, "") for text in general)]
            self._vectors[language] = vectors.of([text for text, _ in pairs])
            codes = [self._owner_codes.setdefault(owner, len(self._owner_codes)) for _, owner in pairs]
            self._owners[language] = np.array(codes, dtype=np.int32)
        for language, owners in self._owners.items():
            self._owned[language] = np.bincount(owners, minlength=len(self._owner_codes))
            # whoever asks, the wanted cosine is among this many of the highest: their own sentences are passed over
            self._depth[language] = min(len(owners), _from_top(len(owners)) + int(self._owned[language].max()))

    def floor(self, texts: Sequence[str], language: str, owner: str) -> NDArray[np.float32]:
        """(n,) cosines that luck reaches with sentences of this language from other conversations.

        The highest cosines of a sentence are kept: it is compared for case after case, each time for another owner.
        """
        new = [text for text in dict.fromkeys(texts) if (language, text) not in self._nearest]
        for start in range(0, len(new), _COMPARED):
            part = new[start : start + _COMPARED]
            cosines = self._sentences.of(part) @ self._vectors[language].T
            depth = self._depth[language]
            if depth < cosines.shape[1]:
                highest = np.argpartition(cosines, -depth, axis=1)[:, -depth:]
            else:
                highest = np.broadcast_to(np.arange(depth), cosines.shape)
            held = np.take_along_axis(cosines, highest, axis=1)
            order = np.argsort(-held, axis=1)
            owners = self._owners[language][np.take_along_axis(highest, order, axis=1)]
            for text, values, of in zip(part, np.take_along_axis(held, order, axis=1), owners, strict=True):
                self._nearest[language, text] = (values, of)
        if not texts:
            return np.zeros(0, dtype=np.float32)
        code = self._owner_codes.get(owner, -1)
        count = len(self._owners[language]) - (int(self._owned[language][code]) if code >= 0 else 0)
        values, of = (np.stack(part) for part in zip(*(self._nearest[language, text] for text in texts), strict=True))
        others = np.cumsum(of != code, axis=1)
        place = np.argmax(others >= _from_top(count), axis=1)
        floor: NDArray[np.float32] = values[np.arange(len(texts)), place]
        return floor


def agreements(
    reference: Sequence[str], reply: Sequence[str], vectors: SentenceVectors, background: Background, owner: str
) -> NDArray[np.float32]:
    """(reference, reply) agreement 0–1 of each pair of sentences.

    0 where the cosine is no higher than luck gives either of the two, 1 from three quarters of the way between that
    and identity. Luck is measured in the other sentence's language, so that a translation can agree.
    """
    mine, theirs = vectors.of(reference), vectors.of(reply)
    cosines = mine @ theirs.T
    floors = np.maximum(
        _floors(background, reference, [language_of(text) for text in reply], owner),
        _floors(background, reply, [language_of(text) for text in reference], owner).T,
    )
    scaled: NDArray[np.float32] = np.clip((cosines - floors) / (_FULL * np.maximum(1.0 - floors, 1e-3)), 0.0, 1.0)
    return scaled


def _from_top(count: int) -> int:
    """Which of ``count`` cosines, the highest being 1, is their quantile."""
    return count - int(_QUANTILE * (count - 1))


def _floors(background: Background, texts: Sequence[str], languages: Sequence[str], owner: str) -> NDArray[np.float32]:
    by_language = {language: background.floor(texts, language, owner) for language in set(languages)}
    return np.stack([by_language[language] for language in languages], axis=1)


def semantic(agreed: NDArray[np.float32], reference: Sequence[str], reply: Sequence[str]) -> float:
    """F2 of the best agreements of the reference's sentences (recall) and of the reply's (precision), 0–1.

    Recall counts four times: saying more than the human is a small fault, saying less a large one. The F2 that two
    people reach who say the same (0.6) is taken as 1.
    """
    if not len(reference) or not len(reply):
        return 0.0
    recall = float(np.average(agreed.max(axis=1), weights=_weights(reference)))
    precision = float(np.average(agreed.max(axis=0), weights=_weights(reply)))
    if recall + precision == 0:
        return 0.0
    return min(1.0, 5 * precision * recall / (4 * precision + recall) / _ENOUGH)


def _weights(sentences: Sequence[str]) -> list[float]:
    return [float(min(len(sentence), _LONG)) for sentence in sentences]
