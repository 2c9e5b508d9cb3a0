"""Haystack's in-memory hybrid: its embedding and BM25 retrievers, joined by its DocumentJoiner."""

from __future__ import annotations

import os
from typing import Any

from assistant.ports import Embedder
from evals.bench.peers import DEPTH, Corpus, Search, jieba_words, texts_of

os.environ.setdefault("HAYSTACK_TELEMETRY_ENABLED", "False")  # it is read when haystack is imported
BY_SPACES = r"\S+"


def haystack_hybrid(
    corpus: Corpus, embedder: Embedder, *, words: bool = False, mode: str = "reciprocal_rank_fusion"
) -> Search:
    """Both retrievers at the joiner's depth; ``words`` has BM25 read jieba's words in place of its own tokens.

    Its own tokens are runs of letters, and each Chinese character. Its BM25 is BM25L with Haystack's parameters. The
    two retrievers have a store each, since with ``words`` their texts differ; the joiner joins by document id.
    """
    from haystack import Document
    from haystack.components.joiners import DocumentJoiner
    from haystack.components.retrievers.in_memory import InMemoryBM25Retriever, InMemoryEmbeddingRetriever
    from haystack.document_stores.in_memory import InMemoryDocumentStore

    ids, texts = texts_of(corpus)
    rows = embedder.embed_passages(texts)
    store: Any = InMemoryDocumentStore
    by_meaning = store(shared=False, return_embedding=False)
    tokens = {"bm25_tokenization_regex": BY_SPACES} if words else {}
    by_words = store(shared=False, return_embedding=False, **tokens)
    documents = [Document(id=key, content="") for key in ids]
    for document, row in zip(documents, rows, strict=True):
        # A numpy row where its documents have a list: the same numbers, but its search copies each hit's vector number
        # by number, which would cost it ten times the time.
        object.__setattr__(document, "embedding", row)
    by_meaning.write_documents(documents)
    cut = [" ".join(jieba_words(text)) for text in texts] if words else texts
    by_words.write_documents([Document(id=key, content=text) for key, text in zip(ids, cut, strict=True)])
    dense = InMemoryEmbeddingRetriever(by_meaning, top_k=DEPTH)
    lexical = InMemoryBM25Retriever(by_words, top_k=DEPTH)
    joiner = DocumentJoiner(join_mode=mode)

    def search(question: str, k: int) -> list[tuple[str, float]]:
        vector = [float(value) for value in embedder.embed_queries([question])[0]]
        asked = " ".join(jieba_words(question)) if words else question
        lists = [dense.run(query_embedding=vector)["documents"]]
        if asked.strip():
            lists.append(lexical.run(query=asked)["documents"])
        found = joiner.run(documents=lists)["documents"]
        return [(document.id, float(document.score)) for document in found[:k]]

    return search
