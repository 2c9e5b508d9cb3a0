"""Peers: what LangChain users have in an afternoon, and the two halves of a hybrid alone; no part of the product."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from assistant.ports import Embedder, Vectors
from evals.beir import BeirDocument

Search = Callable[[str, int], list[tuple[str, float]]]
Corpus = Mapping[str, BeirDocument]


def texts_of(corpus: Corpus) -> tuple[list[str], list[str]]:
    """(ids, title and text of each document)."""
    return list(corpus), [f"{d.title}\n{d.text}".strip() for d in corpus.values()]


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
    import jieba

    ids, texts = texts_of(corpus)
    index = bm25s.BM25()
    index.index([jieba.lcut(text.lower()) for text in texts], show_progress=False)

    def search(question: str, k: int) -> list[tuple[str, float]]:
        return _best(ids, np.asarray(index.get_scores(jieba.lcut(question.lower()))), k)

    return search


def langchain_chroma(corpus: Corpus, embedder: Embedder) -> Search:
    """LangChain's Chroma vector store as its documentation shows it, with cosine distance."""
    store = _chroma_store(corpus, embedder)

    def search(question: str, k: int) -> list[tuple[str, float]]:
        found = store.similarity_search_with_score(question, k=min(k, len(corpus)))
        return [(document.metadata["id"], 1.0 - float(distance)) for document, distance in found]

    return search


def langchain_ensemble(corpus: Corpus, embedder: Embedder, *, words: bool) -> Search:
    """LangChain's EnsembleRetriever, half BM25Retriever, half Chroma; ``words`` cuts Chinese with jieba."""
    import jieba
    from langchain_classic.retrievers import EnsembleRetriever
    from langchain_community.retrievers import BM25Retriever

    ids, texts = texts_of(corpus)
    cut: Callable[[str], list[str]] = (lambda text: jieba.lcut(text.lower())) if words else str.split
    depth = 100
    lexical = BM25Retriever.from_texts(texts, metadatas=[{"id": key} for key in ids], preprocess_func=cut, k=depth)
    dense = _chroma_store(corpus, embedder).as_retriever(search_kwargs={"k": min(depth, len(ids))})
    both = EnsembleRetriever(retrievers=[lexical, dense], weights=[0.5, 0.5], id_key="id")

    def search(question: str, k: int) -> list[tuple[str, float]]:
        found = both.invoke(question)[:k]
        return [(document.metadata["id"], 1.0 / (rank + 1)) for rank, document in enumerate(found)]

    return search


def _chroma_store(corpus: Corpus, embedder: Embedder) -> Any:
    import uuid

    from langchain_chroma import Chroma
    from langchain_core.embeddings import Embeddings

    class Same(Embeddings):
        """The bundled embedder, as LangChain calls it."""

        def embed_documents(self, texts: list[str]) -> list[list[float]]:
            rows: Vectors = embedder.embed_passages(texts)
            return [list(map(float, row)) for row in rows]

        def embed_query(self, text: str) -> list[float]:
            return [float(value) for value in embedder.embed_queries([text])[0]]

    ids, texts = texts_of(corpus)
    store = Chroma(
        f"bench-{uuid.uuid4().hex[:12]}", embedding_function=Same(), collection_metadata={"hnsw:space": "cosine"}
    )
    for start in range(0, len(ids), 1000):
        part = slice(start, start + 1000)
        store.add_texts(texts[part], metadatas=[{"id": key} for key in ids[part]], ids=ids[part])
    return store


def _best(ids: Sequence[str], scores: Any, k: int) -> list[tuple[str, float]]:
    order = np.argsort(-np.asarray(scores), kind="stable")[:k]
    return [(ids[i], float(scores[i])) for i in order]
