"""Articles that are not in the records, as ingestion would cut them: evaluations index them on the side."""

from __future__ import annotations

from collections.abc import Iterable

from assistant.domain.knowledge import Article, Chunk, IndexEntry
from assistant.ports import Embedder
from assistant.retrieval import Retriever
from assistant.throwaway import throwaway_retriever
from ingest.pipeline import article_write


def pieces_of(articles: Iterable[Article]) -> tuple[list[Chunk], list[IndexEntry]]:
    """Chunks of the articles, and their index entries but for empty ones."""
    writes = [article_write(article, "", "") for article in articles]
    chunks = [chunk for write in writes for chunk in write.chunks]
    return chunks, [entry for write in writes for entry in write.entries if entry.text.strip()]


def retriever_of(articles: Iterable[Article], embedder: Embedder) -> Retriever:
    """The product's retriever over these articles alone. Raises EmbeddingFailed."""
    return throwaway_retriever(*pieces_of(articles), embedder)
