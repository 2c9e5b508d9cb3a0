"""Are passages found by the vectors that their texts really have? An index can be poisoned, stale or mixed up."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from assistant.indexing import embed_entries
from evals.caching_embedder import CachingEmbedder
from evals.knowledge_view import Knowledge


def vector_drift(knowledge: Knowledge, chunk_ids: Collection[str], embedder: CachingEmbedder) -> dict[str, float]:
    """1 less the cosine of stored and fresh vector by chunk, 0–2, that of its worst entry. Raises EmbeddingFailed."""
    entries = [entry for entry in knowledge.entries if entry.chunk_id in chunk_ids]
    if not entries:
        return {}
    fresh = embed_entries(embedder, entries)
    stored = np.stack([knowledge.vectors[entry.id] for entry in entries])
    lengths = np.maximum(np.linalg.norm(fresh, axis=1) * np.linalg.norm(stored, axis=1), 1e-9)
    found: dict[str, float] = {}
    for entry, cosine in zip(entries, (fresh * stored).sum(axis=1) / lengths, strict=True):
        found[entry.chunk_id] = max(found.get(entry.chunk_id, 0.0), float(1.0 - cosine))
    return found
