"""An index in memory that nobody else sees: evaluations and replays search it instead of the live one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from assistant.domain.knowledge import Chunk, IndexEntry
from assistant.fitted import Fitted
from assistant.fusion import Fusion
from assistant.indexing import EMBED_BATCH, embed_entries
from assistant.ports import Embedder, Progress, Reranker, Vectors
from assistant.retrieval import Retriever
from assistant.store.memory import MemoryVectorIndex
from assistant.store.snapshot import build_snapshot
from assistant.text import Segmenter


def throwaway_retriever(
    chunks: Sequence[Chunk],
    entries: Sequence[IndexEntry],
    embedder: Embedder,
    *,
    kept: Mapping[str, Vectors] | None = None,
    fusion: Fusion | None = None,
    fitted: Fitted | None = None,
    reranker: Reranker | None = None,
    progress: Progress | None = None,
) -> Retriever:
    """A Retriever over just these; ``kept`` holds vectors that need not be computed again, by entry id."""
    vectors = dict(kept or {})
    missing = sorted((e for e in entries if e.id not in vectors), key=lambda entry: (len(entry.text), entry.id))
    for start in range(0, len(missing), EMBED_BATCH):
        batch = missing[start : start + EMBED_BATCH]
        rows = embed_entries(embedder, batch)
        vectors.update((entry.id, row) for entry, row in zip(batch, rows, strict=True))
        if progress is not None:
            progress.advance("embedding", start + len(batch), len(missing))
    segmenter = Segmenter()
    snapshot = build_snapshot(chunks, entries, vectors, embedder.dimensions, segmenter)
    index = MemoryVectorIndex(embedder.dimensions)
    index.upsert(snapshot.table.entry_ids, snapshot.vectors)
    by_id = {chunk.id: chunk for chunk in chunks}
    return Retriever(
        snapshot,
        index,
        embedder,
        segmenter,
        lambda ids: {key: by_id[key] for key in ids if key in by_id},
        fusion,
        fitted=lambda: fitted,
        reranker=reranker,
    )
