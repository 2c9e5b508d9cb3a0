"""Finds the passages that support an answer: dense and BM25 candidates, one calibrated score."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from assistant.domain.knowledge import Chunk, DocumentKind, Passage
from assistant.errors import EmbeddingFailed, IndexUnavailable
from assistant.fitted import Fitted
from assistant.fusion import Fusion
from assistant.language_bias import across_languages, pulls
from assistant.ports import Embedder, Reranker, TextSegmenter, VectorIndex
from assistant.query import Meant, Query, against_others, meant_by
from assistant.ranked import Ranked, compared, gather, passage_of
from assistant.refusing import withheld
from assistant.repeats import add_unless_said
from assistant.reranking import DEPTH, reread
from assistant.spelling import read_as
from assistant.store.lexical import Asked
from assistant.store.neighbours import products
from assistant.store.snapshot import Snapshot
from assistant.subjects import NONE
from assistant.text import fold, language_of

CANDIDATES = 80
LOOK_AGAIN_S = 2.0  # how soon a running service sees what another process ingested
CONTEXT_SHARE = 0.45
CONTEXT_CHARS = 300
CASES_EACH = 8  # times the old cases wanted: so many are compared in a workspace too large to compare all
FOLLOW_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Retrieval:
    """Ranked passages, best first. ``degraded`` names what did not work: ``vector_index``, ``embedder``.

    ``withheld`` are documents that ranked as high, but whose own negative questions are nearer than their questions.
    ``read_as`` is the question as it was searched, where slips in it were mended.
    """

    passages: tuple[Passage, ...]
    timings_ms: Mapping[str, float] = field(default_factory=dict)
    degraded: tuple[str, ...] = ()
    withheld: tuple[str, ...] = ()
    read_as: str | None = None

    @property
    def best(self) -> Passage | None:
        """The top passage, or None where nothing was found."""
        return self.passages[0] if self.passages else None


@dataclass(frozen=True, slots=True)
class SimilarCases:
    """Old resolutions, nearest first, with raw similarity (n,) and the vectors of their answers (n, dimensions)."""

    passages: tuple[Passage, ...]
    similarity: NDArray[np.float32]
    answers: NDArray[np.float32]


class Retriever:
    """Searches one workspace. Blocking and thread-safe; ``refresh`` puts a new snapshot in place at once."""

    def __init__(
        self,
        snapshot: Snapshot,
        vectors: VectorIndex,
        embedder: Embedder,
        segmenter: TextSegmenter,
        load_chunks: Callable[[Sequence[str]], Mapping[str, Chunk]],
        fusion: Fusion | None = None,
        newer: Callable[[], Snapshot | None] | None = None,
        fitted: Callable[[], Fitted | None] | None = None,
        reranker: Reranker | None = None,
    ) -> None:
        """``newer`` gives the snapshot of a later generation, where another process made one; asked now and then.

        ``fitted`` gives what was fitted to the workspace, or None; it then goes before ``fusion``. ``reranker`` reads
        what ``search`` found once more.
        """
        self._reranker = reranker
        self._fitted = fitted
        self._newer = newer
        self._asked_at = time.monotonic()
        self._lock = threading.Lock()
        self._snapshot = snapshot
        self._vectors = vectors
        self._embedder = embedder
        self._segmenter = segmenter
        self._load_chunks = load_chunks
        self._fusion = fusion or Fusion()

    def with_embedder(self, embedder: Embedder) -> Retriever:
        """The same over another embedder of the same vectors; it does not look for newer snapshots."""
        return Retriever(self._snapshot, self._vectors, embedder, self._segmenter, self._load_chunks, self._fusion)

    def refresh(self, snapshot: Snapshot) -> None:
        """Answer from this snapshot from now on."""
        with self._lock:
            self._snapshot = snapshot

    def _look_for_newer(self) -> None:
        if self._newer is None or time.monotonic() - self._asked_at < LOOK_AGAIN_S:
            return
        self._asked_at = time.monotonic()
        later = self._newer()
        if later is not None:
            self.refresh(later)

    def search(self, query: Query, *, now: datetime) -> Retrieval:
        """The best passages for a question; empty where the workspace holds nothing that may be shown."""
        if self._reranker is None:
            return self._found(query, now)
        found = self._found(replace(query, k=max(query.k, DEPTH)), now)
        started = time.perf_counter()
        degraded = list(found.degraded)
        passages = reread(self._reranker, found.read_as or query.text, query.context, found.passages, degraded)[
            : query.k
        ]
        timings = {**found.timings_ms, "rerank": _since(started)}
        return replace(found, passages=passages, timings_ms=timings, degraded=tuple(degraded))

    def _found(self, query: Query, now: datetime) -> Retrieval:
        self._look_for_newer()
        with self._lock:
            snapshot = self._snapshot
        timings: dict[str, float] = {}
        degraded: list[str] = []
        meant = meant_by(query, snapshot)
        started = time.perf_counter()
        try:
            meant = self._unless_general(snapshot, query, meant, now)
            vector: NDArray[np.float32] | None = self._vector(meant)
        except EmbeddingFailed:
            vector = None
            degraded.append("embedder")
        timings["embed"] = _since(started)
        started = time.perf_counter()
        found = self._rank(snapshot, query, meant, vector, now, degraded)
        timings["retrieve"] = _since(started)
        started = time.perf_counter()
        ids = [snapshot.table.chunk_ids[number] for number in found.chunk]
        passages: list[Passage] = []
        for first in range(0, len(ids), max(query.k, 1)):
            chunks = self._load_chunks(ids[first : first + query.k])
            for index in range(first, min(first + query.k, len(ids))):
                chunk = chunks.get(ids[index])
                if chunk is not None:  # else gone from the records since the snapshot: it must not answer
                    add_unless_said(passages, passage_of(chunk, found, index))
            if len(passages) >= query.k:
                break
        timings["load"] = _since(started)
        kept_back = tuple(snapshot.table.document_ids[document] for document in found.withheld)
        read = meant.text if meant.text != fold(query.text) else None
        return Retrieval(tuple(passages[: query.k]), timings, tuple(degraded), kept_back, read)

    def reading(self, text: str) -> str:
        """The question as it is searched and embedded: folded, and slips mended."""
        with self._lock:
            lexicon = self._snapshot.lexicon
        return read_as(fold(text), lexicon)

    def rank_documents(
        self, query: Query, *, now: datetime, vector: NDArray[np.float32] | None = None
    ) -> list[tuple[str, float]]:
        """(document id, score) of the ``query.k`` best documents, each by its best chunk; scores are raw, not 0–1.

        ``vector`` is that of the question's ``reading``, where the caller has embedded many at once. Raises
        EmbeddingFailed.
        """
        with self._lock:
            snapshot = self._snapshot
        meant = meant_by(query, snapshot)
        if vector is None:
            meant = self._unless_general(snapshot, query, meant, now)
            vector = self._vector(meant)
        ranked = self._rank(snapshot, query, meant, vector, now, [])
        best: dict[str, float] = {}
        for document, score in zip(ranked.document, ranked.raw, strict=True):
            best.setdefault(snapshot.table.document_ids[document], float(score))
        return list(best.items())[: query.k]

    def similar_cases(
        self, text: str, context: str, *, limit: int, now: datetime, exclude: frozenset[str] = frozenset()
    ) -> SimilarCases:
        """Old resolutions whose question is like this one, nearest first; ``context`` is what was said before it.

        The question's vector is blended with its context's, ``CONTEXT_SHARE`` of it. Raises EmbeddingFailed.
        """
        with self._lock:
            snapshot = self._snapshot
        table = snapshot.table
        allowed = table.allowed("public", now, DocumentKind.RESOLUTION)
        if exclude:
            allowed = table.without(allowed, exclude)
        width = snapshot.vectors.shape[1]
        nothing = SimilarCases((), np.zeros(0, dtype=np.float32), np.zeros((0, width), dtype=np.float32))
        if not allowed.any():  # nothing to embed for
            return nothing
        texts = [fold(text), fold(f"{context[-CONTEXT_CHARS:]} {text}")] if context.strip() else [fold(text)]
        rows = self._embedder.embed_queries(texts)
        vector = rows[0] if len(rows) == 1 else (1 - CONTEXT_SHARE) * rows[0] + CONTEXT_SHARE * rows[1]
        fusion, vector = self._as_fitted(vector / max(float(np.linalg.norm(vector)), 1e-9))
        assert vector is not None
        asked = snapshot.postings.ask(snapshot.terms(texts[0], self._segmenter))
        usable = _cases(snapshot, vector, asked, allowed, CASES_EACH * limit)
        if not len(usable):
            return nothing
        language = language_of(texts[0])
        dense = np.asarray(snapshot.vectors[usable]) @ vector
        dense = across_languages(snapshot, usable, dense, language, self._embedder)
        features = gather(table, usable, dense, snapshot.postings.coverage_of(asked, usable), language)
        scores = fusion.case_raw(features)
        order = np.argsort(-scores, kind="stable")[:limit]
        chunks = self._load_chunks([table.chunk_ids[c] for c in features.chunk[order]])
        kept = [i for i in order if table.chunk_ids[features.chunk[i]] in chunks]
        none = np.zeros(len(kept), dtype=np.float32)
        probability = fusion.probability(features, order, scores)[[list(order).index(i) for i in kept]]
        ranked = Ranked(features.chunk[kept], features.document[kept], scores[kept], probability, none, none)
        passages = tuple(passage_of(chunks[table.chunk_ids[c]], ranked, i) for i, c in enumerate(ranked.chunk))
        answers = np.asarray(snapshot.vectors[table.body_row[ranked.chunk]])
        return SimilarCases(passages, scores[kept].astype(np.float32), answers)

    def _as_fitted(self, vector: NDArray[np.float32] | None) -> tuple[Fusion, NDArray[np.float32] | None]:
        """The weights in force, and the question's vector as it is searched with."""
        fitted = self._fitted() if self._fitted is not None else None
        if fitted is None:
            return self._fusion, vector
        return fitted.fusion, None if vector is None else fitted.adapted(vector)

    def _unless_general(self, snapshot: Snapshot, query: Query, meant: Meant, now: datetime) -> Meant:
        """What is meant, without a name from earlier where the question by itself is about no named thing.

        It is where a document on none is first, though those on the name are preferred.
        "What does delivery cost?" after talk of a kettle is about delivery. Raises EmbeddingFailed.
        """
        if not meant.carried:
            return meant
        alone = replace(meant, context="")
        found = self._rank(snapshot, query, alone, self._vector(alone), now, [])
        if not len(found.document) or snapshot.table.subject_of[found.document[0]] != NONE:
            return meant
        return Meant(meant.text, fold(query.context), frozenset())

    def _vector(self, meant: Meant) -> NDArray[np.float32]:
        """(dimensions,) of the question as it stands and, by ``FOLLOW_SHARE``, as it reads after its context."""
        rows = self._embedder.embed_queries(meant.readings)
        if len(rows) == 1:
            return np.asarray(rows[0])
        blend = (1 - FOLLOW_SHARE) * rows[0] + FOLLOW_SHARE * rows[1]
        return np.asarray(blend / max(float(np.linalg.norm(blend)), 1e-9), dtype=np.float32)

    def _rank(
        self,
        snapshot: Snapshot,
        query: Query,
        meant: Meant,
        vector: NDArray[np.float32] | None,
        now: datetime,
        degraded: list[str],
    ) -> Ranked:
        table = snapshot.table
        fusion, vector = self._as_fitted(vector)
        allowed = table.allowed(query.audience, now, query.only)
        if query.exclude_conversations:
            allowed = table.without(allowed, query.exclude_conversations)
        shares = (1.0,) if len(meant.readings) == 1 else (1 - FOLLOW_SHARE, FOLLOW_SHARE)
        asked = [snapshot.postings.ask(snapshot.terms(reading, self._segmenter)) for reading in meant.readings]
        limit, language = max(CANDIDATES, 3 * query.k), language_of(meant.text)
        rows = [snapshot.postings.best(each, allowed, limit) for each in asked]
        if vector is not None:
            without = pulls(snapshot, language, self._embedder)
            if snapshot.lists is None:
                found = self._by_chroma(snapshot, vector, allowed, limit, degraded)
                if found is not None:
                    rows.append(found)
                    without = without[1:]
            if without:
                rows.append(snapshot.nearest(vector, allowed, limit, without))
        candidates = np.unique(np.concatenate(rows))
        if not len(candidates):
            return Ranked.empty()
        entries = compared(table, candidates)
        entries = entries[allowed[entries]]
        dense = np.zeros(len(entries), dtype=np.float32)
        if vector is not None:
            vectors = snapshot.vectors.take(entries, axis=0)
            dense = products(vectors, vector[None])[0]
            dense = across_languages(snapshot, entries, dense, language, self._embedder, vectors)
        lexical = np.zeros(len(entries), dtype=np.float32)
        for share, each in zip(shares, asked, strict=True):
            lexical += share * snapshot.postings.coverage_of(each, entries)
        features = gather(table, entries, dense, lexical, language)
        if vector is None:  # no cosines: coverage alone ranks, and is all that is known of support
            raw = np.maximum(features.body_lexical, features.question_lexical).astype(np.float64)
        else:
            raw = fusion.raw(features) + against_others(table, meant, features)
        order = np.argsort(-raw, kind="stable")[: max(query.k * 4, 20)]
        readings = list(zip(shares, asked, strict=True))
        refused = withheld(snapshot, features, vector, readings, fusion, language, self._embedder)[order]
        kept_back = tuple(dict.fromkeys(features.document[order[: query.k][refused[: query.k]]].tolist()))
        order = order[~refused]
        scores = raw[order] if vector is None else fusion.probability(features, order, raw)
        return Ranked(
            features.chunk[order],
            features.document[order],
            raw[order],
            scores,
            np.maximum(features.body_dense, features.question_dense)[order],
            np.maximum(features.body_lexical, features.question_lexical)[order],
            kept_back,
        )

    def _by_chroma(
        self,
        snapshot: Snapshot,
        vector: NDArray[np.float32],
        allowed: NDArray[np.bool_],
        limit: int,
        degraded: list[str],
    ) -> NDArray[np.int64] | None:
        """Rows of the neighbours; None where Chroma does not answer, or few of those it finds may be shown."""
        row_of = snapshot.table.row_of
        try:
            found = self._vectors.search(vector, limit)
        except IndexUnavailable:
            degraded.append("vector_index")
            return None
        rows = np.array([row_of[key] for key, _ in found if key in row_of], dtype=np.int64)
        rows = rows[allowed[rows]]
        return rows if len(rows) >= limit // 2 else None


def _cases(
    snapshot: Snapshot, vector: NDArray[np.float32], asked: Asked, allowed: NDArray[np.bool_], limit: int
) -> NDArray[np.int64]:
    """Rows of the old cases to compare with: all, in a large workspace those near by meaning or words."""
    if snapshot.lists is None:
        return np.flatnonzero(allowed)
    near = snapshot.nearest(vector, allowed, limit)
    rows = np.concatenate([near, snapshot.postings.best(asked, allowed, limit)])
    entries = snapshot.table.entries_of(np.unique(snapshot.table.document[rows]))
    return entries[allowed[entries]]


def _since(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 3)
