"""A second reading: question and passage side by side, by a cross-encoder of the operator's choice."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from assistant.domain.knowledge import Passage
from assistant.errors import RerankingFailed
from assistant.followup import leans
from assistant.ports import Reranker
from assistant.text import fold

DEPTH = 20
"""Passages that are read again; one further down than this is not brought up."""
_log = logging.getLogger(__name__)


def reread(
    reranker: Reranker, question: str, context: str, passages: Sequence[Passage], degraded: list[str]
) -> tuple[Passage, ...]:
    """The passages in the reranker's order; as they came where it fails, and ``degraded`` then names ``reranker``.

    A place keeps its score, whoever stands there: the score is the calibrated probability that what is put first
    supports an answer, and a reranker's own figures are calibrated to nothing. Of equal figures the earlier stays
    ahead. ``context`` was said before the question; it is read with one that leans on it.
    """
    first, rest = passages[:DEPTH], passages[DEPTH:]
    if len(first) < 2:
        return tuple(passages)
    asked = f"{context} {question}" if context and leans(question) else question
    try:
        worth = reranker.scores(asked, [fold(f"{p.title}\n{p.heading}\n{p.text}") for p in first])
    except RerankingFailed as exc:
        _log.warning("passages stay in the order of retrieval: %s", exc)
        degraded.append("reranker")
        return tuple(passages)
    order = np.argsort(-worth, kind="stable")
    put = (replace(first[best], score=there.score) for best, there in zip(order, first, strict=True))
    return (*put, *rest)
