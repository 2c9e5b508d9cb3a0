"""Passages read once more: the order is the reranker's, places keep their confidence, and a dead one harms nothing."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
import pytest
from numpy.typing import NDArray

from assistant.domain.knowledge import Article
from assistant.errors import RerankingFailed
from assistant.llm.embedders import HashEmbedder
from assistant.ports import Reranker, Vectors
from assistant.query import Query
from assistant.reranking import DEPTH
from assistant.retrieval import Retriever
from assistant.throwaway import throwaway_retriever
from evals.beir import BeirData, BeirDocument
from evals.retrieval_run import run_retrieval
from ingest.pipeline import article_write
from tests.rerankers import SharedLetters

NOW = datetime(2026, 11, 22, tzinfo=UTC)
ARTICLES = [Article(f"a{n}", f"Towels {n}", f"Wash towel number {n} warm, not hot.", "en") for n in range(30)]


class Planted:
    """Puts the passages of one article first."""

    name = "planted"

    def __init__(self, wanted: str) -> None:
        self.wanted = wanted
        self.asked: list[str] = []

    def scores(self, question: str, passages: Sequence[str]) -> NDArray[np.float32]:
        self.asked.append(question)
        return np.array([float(text.startswith(f"{self.wanted} ")) for text in passages], dtype=np.float32)


class Broken(SharedLetters):
    def scores(self, question: str, passages: Sequence[str]) -> NDArray[np.float32]:
        raise RerankingFailed("out of memory")


def retriever(reranker: Reranker | None, articles: Sequence[Article] = ARTICLES) -> Retriever:
    writes = [article_write(article, "", "") for article in articles]
    chunks, entries = [c for w in writes for c in w.chunks], [e for w in writes for e in w.entries]
    return throwaway_retriever(chunks, entries, HashEmbedder(), reranker=reranker)


def test_a_passage_below_the_first_five_is_brought_up_and_places_keep_their_scores() -> None:
    before = retriever(None).search(Query("wash towels", k=DEPTH), now=NOW).passages
    late = before[11]
    found = retriever(Planted(late.title)).search(Query("wash towels", k=5), now=NOW)
    assert [p.id for p in found.passages] == [late.id, *(p.id for p in before[:4])]
    assert [p.score for p in found.passages] == [p.score for p in before[:5]]
    assert "rerank" in found.timings_ms
    assert found.degraded == ()


class Slow(HashEmbedder):
    """Takes its time over a question."""

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        time.sleep(0.3)
        return super().embed_queries(texts)


def test_an_evaluation_counts_the_time_of_embedding_once() -> None:
    corpus = {f"d{n}": BeirDocument(f"Towels {n}", f"Wash towel number {n} warm, not hot.") for n in range(3)}
    data = BeirData(corpus, {"q": "wash towels"}, {"q": {"d2": 1}})
    result = run_retrieval(data, Slow(), depth=10, reranker=Planted("Towels 2"))
    assert [key for key, _ in result.run["q"]][:1] == ["d2"]
    assert result.latency_ms["embed_p50"] >= 300 > result.latency_ms["retrieve_p50"]


def test_an_evaluation_does_not_give_the_figures_of_retrieval_for_those_of_a_dead_reranker() -> None:
    corpus = {f"d{n}": BeirDocument(f"Towels {n}", f"Wash towel number {n} warm, not hot.") for n in range(3)}
    with pytest.raises(RerankingFailed, match="not be its figures"):
        run_retrieval(BeirData(corpus, {"q": "wash towels"}, {"q": {"d2": 1}}), HashEmbedder(), reranker=Broken())


def test_equal_figures_change_nothing() -> None:
    plain, again = (retriever(r).search(Query("wash towels", k=30), now=NOW) for r in (None, Planted("none of them")))
    assert plain.passages == again.passages


def test_a_dead_reranker_leaves_the_order_and_is_named() -> None:
    plain = retriever(None).search(Query("wash towels"), now=NOW)
    found = retriever(Broken()).search(Query("wash towels"), now=NOW)
    assert found.passages == plain.passages
    assert found.degraded == ("reranker",)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("那羊毛的呢", "毛巾怎么洗 那羊毛的呢"),
        ("怎样申请退款到银行卡上", "怎样申请退款到银行卡上"),
        ("and wool?", "毛巾怎么洗 and wool?"),
    ],
)
def test_a_question_that_leans_on_what_was_said_is_read_with_it(text: str, read: str) -> None:
    planted = Planted("x")
    retriever(planted).search(Query(text, context="毛巾怎么洗"), now=NOW)
    assert planted.asked == [read]


def test_nothing_is_read_where_there_is_nothing_to_choose() -> None:
    planted = Planted("x")
    assert len(retriever(planted, ARTICLES[:1]).search(Query("towels"), now=NOW).passages) == 1
    assert retriever(planted, []).search(Query("towels"), now=NOW).passages == ()
    assert planted.asked == []
