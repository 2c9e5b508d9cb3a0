"""LangChain's vector store and its ensemble of two retrievers, as its documentation shows them."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from assistant.ports import Embedder, Vectors
from evals.bench.peers import DEPTH, Corpus, Search, jieba_words, texts_of


def langchain_chroma(corpus: Corpus, embedder: Embedder) -> Search:
    """LangChain's Chroma vector store with cosine distance."""
    store = _chroma_store(corpus, embedder)

    def search(question: str, k: int) -> list[tuple[str, float]]:
        found = store.similarity_search_with_score(question, k=min(k, len(corpus)))
        return [(document.metadata["id"], 1.0 - float(distance)) for document, distance in found]

    return search


def langchain_ensemble(corpus: Corpus, embedder: Embedder, *, words: bool) -> Search:
    """EnsembleRetriever, half BM25Retriever, half Chroma; ``words`` cuts with jieba in place of spaces."""
    from langchain_classic.retrievers import EnsembleRetriever
    from langchain_community.retrievers import BM25Retriever

    ids, texts = texts_of(corpus)
    cut: Callable[[str], list[str]] = jieba_words if words else str.split
    lexical = BM25Retriever.from_texts(texts, metadatas=[{"id": key} for key in ids], preprocess_func=cut, k=DEPTH)
    dense = _chroma_store(corpus, embedder).as_retriever(search_kwargs={"k": min(DEPTH, len(ids))})
    both = EnsembleRetriever(retrievers=[lexical, dense], weights=[0.5, 0.5], id_key="id")

    def search(question: str, k: int) -> list[tuple[str, float]]:
        found = both.invoke(question)[:k]
        return [(document.metadata["id"], 1.0 / (rank + 1)) for rank, document in enumerate(found)]

    return search


def _chroma_store(corpus: Corpus, embedder: Embedder) -> Any:
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
