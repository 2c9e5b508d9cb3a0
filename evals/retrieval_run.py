"""Runs the product's own retrieval on a BEIR folder, in an index that is thrown away."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from assistant.domain.knowledge import Article
from assistant.errors import RerankingFailed
from assistant.ports import Embedder, Progress, Reranker
from assistant.query import Query
from assistant.reranking import DEPTH
from assistant.retrieval import Retriever
from assistant.text import language_of
from assistant.throwaway import throwaway_retriever
from evals.beir import BeirData
from evals.pieces import pieces_of
from evals.ranking import MEASURES, RankingScores, Run, score_run
from evals.statistics import Estimate, bootstrap_mean

LATENCY_SAMPLE = 200
_BATCH = 256


@dataclass(frozen=True, slots=True)
class RetrievalRun:
    """The ranked lists, their scores with intervals, and latency in ms (embedding apart from retrieval)."""

    run: Run
    scores: RankingScores
    estimates: Mapping[str, Estimate]
    latency_ms: Mapping[str, float]
    documents: int
    passages: int
    index_seconds: float


def run_retrieval(
    data: BeirData,
    embedder: Embedder,
    *,
    depth: int = 100,
    reranker: Reranker | None = None,
    progress: Progress | None = None,
) -> RetrievalRun:
    """Index the corpus as articles, as ingestion would, and rank ``depth`` documents for each judged query.

    A ``reranker`` reads the passages that come first once more; the time it takes counts as retrieval, that of finding
    them for it a second time does not. Raises EmbeddingFailed and RerankingFailed.
    """
    now = datetime.now(UTC)
    started = time.perf_counter()
    chunks, entries = pieces_of(
        Article(id=key, title=document.title, body=document.text, locale=language_of(document.text))
        for key, document in data.corpus.items()
    )
    retriever = throwaway_retriever(chunks, entries, embedder, reranker=reranker, progress=progress)
    index_seconds = time.perf_counter() - started
    queries = list(data.judged_queries.items())
    texts = [retriever.reading(text) for _, text in queries]
    vectors = np.vstack(
        [embedder.embed_queries(texts[i : i + _BATCH]) for i in range(0, len(texts), _BATCH)]
        or [np.zeros((0, embedder.dimensions), dtype=np.float32)]
    )
    run: dict[str, list[tuple[str, float]]] = {}
    retrieve_ms: list[float] = []
    for number, ((key, text), vector) in enumerate(zip(queries, vectors, strict=True), 1):
        begun = time.perf_counter()
        ranked = retriever.rank_documents(Query(text, k=depth), now=now, vector=vector)
        retrieve_ms.append((time.perf_counter() - begun) * 1000)
        if reranker is not None:
            ranked, rerank_ms = _reread(retriever, text, now, ranked)
            retrieve_ms[-1] += rerank_ms
        run[key] = ranked
        if progress is not None and (number % 50 == 0 or number == len(queries)):
            progress.advance("searching", number, len(queries))
    scores = score_run(run, data.qrels)
    latency = {
        **_percentiles("retrieve", retrieve_ms),
        **_percentiles("embed", _timed(texts[:LATENCY_SAMPLE], lambda t: embedder.embed_queries([t]))),
    }
    return RetrievalRun(
        run,
        scores,
        {measure: bootstrap_mean(scores.values(measure)) for measure in MEASURES},
        latency,
        len(data.corpus),
        len(chunks),
        round(index_seconds, 2),
    )


def _reread(
    retriever: Retriever, text: str, now: datetime, ranked: list[tuple[str, float]]
) -> tuple[list[tuple[str, float]], float]:
    """The documents of the reranked passages first, then the others as they were; the scores only tell the order.

    And the ms that the reranker took. Raises RerankingFailed: search goes on without it, a measurement must not.
    """
    found = retriever.search(Query(text, k=DEPTH), now=now)
    if "reranker" in found.degraded:
        raise RerankingFailed("the reranker failed on a question (see the log): these would not be its figures")
    first = (passage.document_id for passage in found.passages)
    order = list(dict.fromkeys((*first, *(key for key, _ in ranked))))[: len(ranked)]
    return [(key, float(len(order) - place)) for place, key in enumerate(order)], found.timings_ms["rerank"]


def _timed(texts: list[str], call: Callable[[str], object]) -> list[float]:
    times = []
    for text in texts:
        begun = time.perf_counter()
        call(text)
        times.append((time.perf_counter() - begun) * 1000)
    return times


def _percentiles(name: str, times: list[float]) -> dict[str, float]:
    if not times:
        return {}
    return {f"{name}_p{p}": round(float(np.percentile(times, p)), 3) for p in (50, 95)}
