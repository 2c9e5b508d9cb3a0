"""Peers: what people have in an afternoon, each set up as its documentation shows; no part of the product."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from assistant.ports import Embedder
from evals.beir import BeirDocument

Search = Callable[[str, int], list[tuple[str, float]]]
Corpus = Mapping[str, BeirDocument]

DEPTH = 100  # what each half of a hybrid hands to the joining
RRF_K = 60  # Cormack, Clarke & Büttcher 2009


def peers(corpus: Corpus, embedder: Embedder) -> dict[str, Callable[[], Search]]:
    """By name, what builds each peer over these documents; every one uses the vectors of the same embedder."""
    from evals.bench.peers_haystack import haystack_hybrid
    from evals.bench.peers_langchain import langchain_chroma, langchain_ensemble

    return {
        "LangChain + Chroma": lambda: langchain_chroma(corpus, embedder),
        "LangChain ensemble, BM25 by spaces": lambda: langchain_ensemble(corpus, embedder, words=False),
        "LangChain ensemble, BM25 by jieba": lambda: langchain_ensemble(corpus, embedder, words=True),
        "Haystack hybrid, its tokens, rank fusion": lambda: haystack_hybrid(corpus, embedder),
        "Haystack hybrid, jieba, rank fusion": lambda: haystack_hybrid(corpus, embedder, words=True),
        "Haystack hybrid, jieba, distribution-based": lambda: haystack_hybrid(
            corpus, embedder, words=True, mode="distribution_based_rank_fusion"
        ),
        **halves(corpus, embedder),
    }


def halves(corpus: Corpus, embedder: Embedder) -> dict[str, Callable[[], Search]]:
    """The two halves of a hybrid, alone and joined in the two usual ways; these are quick at any size."""
    return {
        "bm25s + jieba": lambda: bm25_jieba(corpus),
        "exact dense (numpy)": lambda: exact_dense(corpus, embedder),
        "both, rank fusion (RRF)": lambda: joined(corpus, embedder, rank_fusion),
        "both, min-max fusion, half each": lambda: joined(corpus, embedder, min_max_fusion),
    }


def texts_of(corpus: Corpus) -> tuple[list[str], list[str]]:
    """(ids, title and text of each document)."""
    return list(corpus), [f"{d.title} {d.text}".strip() for d in corpus.values()]


def jieba_words(text: str) -> list[str]:
    """jieba's words in lower case, without the white space and punctuation that it cuts out as words too."""
    import jieba

    return [word for word in jieba.lcut(text.lower()) if any(letter.isalnum() for letter in word)]


def exact_dense(corpus: Corpus, embedder: Embedder) -> Search:
    """All cosines by numpy."""
    ids, texts = texts_of(corpus)
    rows = embedder.embed_passages(texts)

    def search(question: str, k: int) -> list[tuple[str, float]]:
        return _best(ids, rows @ embedder.embed_queries([question])[0], k)

    return search


def bm25_jieba(corpus: Corpus) -> Search:
    """bm25s over jieba's words."""
    import bm25s

    ids, texts = texts_of(corpus)
    index = bm25s.BM25()
    index.index([jieba_words(text) for text in texts], show_progress=False)

    def search(question: str, k: int) -> list[tuple[str, float]]:
        words = jieba_words(question)
        return [(key, score) for key, score in _best(ids, np.asarray(index.get_scores(words)), k) if score > 0]

    return search


Join = Callable[[Sequence[list[tuple[str, float]]]], dict[str, float]]


def joined(corpus: Corpus, embedder: Embedder, join: Join) -> Search:
    """The best hundred of ``bm25_jieba`` and of ``exact_dense``, joined."""
    both = (bm25_jieba(corpus), exact_dense(corpus, embedder))

    def search(question: str, k: int) -> list[tuple[str, float]]:
        scores = join([half(question, DEPTH) for half in both])
        return sorted(scores.items(), key=lambda item: -item[1])[:k]

    return search


def rank_fusion(lists: Sequence[list[tuple[str, float]]]) -> dict[str, float]:
    """Reciprocal rank fusion with k = 60."""
    scores: dict[str, float] = {}
    for ranking in lists:
        for rank, (key, _) in enumerate(ranking, 1):
            scores[key] = scores.get(key, 0.0) + 1.0 / (RRF_K + rank)
    return scores


def min_max_fusion(lists: Sequence[list[tuple[str, float]]]) -> dict[str, float]:
    """The mean of the lists' scores, each list's stretched to 0–1; what a list does not name has 0 in it."""
    scores: dict[str, float] = {}
    for ranking in lists:
        if not ranking:
            continue
        high, low = ranking[0][1], ranking[-1][1]
        for key, score in ranking:
            scores[key] = scores.get(key, 0.0) + (score - low) / (high - low or 1.0) / len(lists)
    return scores


def _best(ids: Sequence[str], scores: Any, k: int) -> list[tuple[str, float]]:
    order = np.argsort(-np.asarray(scores), kind="stable")[:k]
    return [(ids[i], float(scores[i])) for i in order]
