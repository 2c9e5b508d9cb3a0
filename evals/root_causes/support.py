"""Is what the human said in the knowledge? Searched with the human's own words, by meaning and by words alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from assistant.domain.knowledge import Chunk, DocumentKind
from assistant.errors import EmbeddingFailed
from assistant.ports import Embedder, Vectors
from assistant.retrieval import Query, Retriever
from evals.answer_metrics.contradiction import contradiction
from evals.answer_metrics.facts import Weights, facts_recall, weights_of
from evals.answer_metrics.semantic import Background, SentenceVectors, agreements
from evals.answer_metrics.sentences import content_sentences
from evals.cases import ReplyCase, asked_by
from evals.knowledge_view import KnowledgeView

DEPTH = 8  # passages looked into from each search
_FACTS, _MEANING = 0.6, 0.4


@dataclass(frozen=True, slots=True)
class Support:
    """How far one passage holds what the human said: ``score`` 0–1, with its parts.

    ``clashes`` are (human's, passage's) figures or statements that exclude each other, ``subject`` 0–1 is how surely
    the clashing sentences speak of one thing.
    """

    chunk: Chunk
    score: float
    facts: float
    meaning: float
    subject: float
    clashes: tuple[tuple[str, str], ...]


class KnowledgeSearch:
    """Searches one view with what humans replied."""

    def __init__(self, view: KnowledgeView, cases: Sequence[ReplyCase], embedder: Embedder) -> None:
        """Embeds the references, which luck is measured by. Raises EmbeddingFailed."""
        self._view = view
        self._by_meaning = view.retriever(embedder)
        self._by_words = view.retriever(_Blind(embedder))
        self._vectors = SentenceVectors(embedder)
        self._weights: Weights = weights_of(reference for case in cases for reference in case.references)
        pool = [(s, case.conversation_id) for case in cases for r in case.references for s in content_sentences(r)]
        self._vectors.prepare(sentence for sentence, _ in pool)
        self._background = Background(pool, self._vectors)
        self._sentences: dict[str, tuple[str, ...]] = {}

    def find(
        self, case: ReplyCase, wanted: Sequence[str], *, now: datetime, exclude: frozenset[str]
    ) -> list[Support]:
        """Passages by how far they hold ``wanted`` (sentences of the human's reply), best first.

        Raises EmbeddingFailed. Internal passages are among them: an agent may know what a customer may not be told.
        """
        if not wanted:
            return []
        chunks = self._candidates(case, " ".join(wanted), now, exclude)
        self._vectors.prepare(s for chunk in chunks for s in self._sentences_of(chunk))
        found = [self._support(case, wanted, chunk) for chunk in chunks]
        return sorted(found, key=lambda s: (-s.score, s.chunk.kind is DocumentKind.RESOLUTION, s.chunk.id))

    def _candidates(self, case: ReplyCase, text: str, now: datetime, exclude: frozenset[str]) -> list[Chunk]:
        queries: list[tuple[Retriever, str]] = [
            (self._by_meaning, text),
            (self._by_words, text),
            (self._by_meaning, asked_by(case)),
        ]
        ids: dict[str, None] = {}
        for retriever, words in queries:
            query = Query(words, k=DEPTH, audience="internal", exclude_conversations=exclude)
            ids.update(dict.fromkeys(p.id for p in retriever.search(query, now=now).passages))
        return [chunk for key in ids if (chunk := self._view.chunk(key)) is not None]

    def _support(self, case: ReplyCase, wanted: Sequence[str], chunk: Chunk) -> Support:
        question = asked_by(case)
        held = self._sentences_of(chunk)
        text = f"{chunk.title}\n{chunk.heading}\n{chunk.text}"
        facts = facts_recall(text, "\n".join(wanted), question, self._weights)
        if not held:
            return Support(chunk, _FACTS * facts, facts, 0.0, 0.0, ())
        agreed = agreements(wanted, held, self._vectors, self._background, case.conversation_id)
        nearest = agreed.max(axis=1)
        meaning = float(np.average(nearest, weights=[min(len(s), 60) for s in wanted]))
        clash = contradiction(held, wanted, agreed, question)
        pairs = (*clash.figures, *clash.verdicts)
        return Support(
            chunk, _FACTS * facts + _MEANING * meaning, facts, meaning, float(nearest.max()) if pairs else 0.0, pairs
        )

    def _sentences_of(self, chunk: Chunk) -> tuple[str, ...]:
        if chunk.id not in self._sentences:
            self._sentences[chunk.id] = tuple(dict.fromkeys(content_sentences(chunk.text)))
        return self._sentences[chunk.id]


class _Blind:
    """An embedder that never embeds: search falls back to words, so a broken vector cannot hide a passage."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder

    @property
    def fingerprint(self) -> str:
        return self._embedder.fingerprint

    @property
    def dimensions(self) -> int:
        return self._embedder.dimensions

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        raise EmbeddingFailed("this search goes by words alone")

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        raise EmbeddingFailed("this search goes by words alone")


def supporting(found: Iterable[Support], least: float) -> list[Support]:
    """Those that hold enough of it."""
    return [support for support in found if support.score >= least]

