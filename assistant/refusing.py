"""Keeps an article from answering what its author says it does not answer: its ``negative_questions``."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from assistant.fusion import Features, Fusion
from assistant.language_bias import across_languages
from assistant.ports import Embedder
from assistant.store.lexical import Asked
from assistant.store.neighbours import products
from assistant.store.snapshot import Snapshot

BODY_OFFSET = 0.38
"""What a body gains where there are no questions to compare with: a question is further from a body than from another
question. Chosen on a quarter of banking77's test questions, each article with one train question that it wrongly drew;
decision 30 has the figures of another quarter."""

Flags = NDArray[np.bool_]


def withheld(
    snapshot: Snapshot,
    features: Features,
    vector: NDArray[np.float32] | None,
    asked: Sequence[tuple[float, Asked]],
    fusion: Fusion,
    language: str,
    embedder: Embedder,
) -> Flags:
    """(chunks,) whether the chunk's document must not answer: a negative question of it is nearer than its own.

    Near is what ranks, ``dense_weight * cosine + coverage``. Own are the document's questions and its best body, which
    is rarely the nearer one; where nobody wrote questions the body counts ``BODY_OFFSET`` more. ``asked`` are the
    question's readings with their shares, ``vector`` is None where nothing could be embedded.
    """
    out = np.zeros(len(features.chunk), dtype=np.bool_)
    table = snapshot.table
    if not table.has_negatives or not len(out):
        return out
    documents = np.unique(features.document)
    rows = table.entries_of(documents)
    rows = rows[table.is_negative[rows]]
    if not len(rows):
        return out
    near = np.zeros(len(rows))
    for share, each in asked:
        near += share * snapshot.postings.coverage_of(each, rows)
    weight = 0.0
    if vector is not None:
        weight = fusion.dense_weight
        dense = products(snapshot.vectors[rows], vector[None])[0]
        near += weight * across_languages(snapshot, rows, dense, language, embedder)
    negative = np.full(len(documents), -np.inf)
    np.maximum.at(negative, np.searchsorted(documents, table.document[rows]), near)
    of = np.searchsorted(documents, features.document)
    body = np.full(len(documents), -np.inf)
    np.maximum.at(body, of, weight * features.body_dense + features.body_lexical)
    question = weight * features.question_dense + features.question_lexical
    own = np.maximum(question, body[of] + np.where(features.questions > 1, 0.0, BODY_OFFSET))  # one is its title
    return np.asarray(negative[of] > own, dtype=np.bool_)
