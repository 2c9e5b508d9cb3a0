"""An embedder that remembers: an evaluation meets the same sentences hundreds of times and pays for each once."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from assistant.ports import Embedder, Progress, Vectors

_BATCH = 256


class CachingEmbedder:
    """An Embedder over another; equal text gives the identical vector, wherever in the run it is asked for.

    It holds one row for each distinct text (1.5 kB at 384 dimensions), so it lives as long as one run and no longer.
    """

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._lock = threading.Lock()
        self._queries: dict[str, NDArray[np.float32]] = {}
        self._passages: dict[str, NDArray[np.float32]] = {}

    @property
    def fingerprint(self) -> str:
        """That of the embedder below."""
        return self._embedder.fingerprint

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        return self._embedder.dimensions

    @property
    def held(self) -> int:
        """How many texts are remembered."""
        return len(self._queries) + len(self._passages)

    def tables(self) -> dict[str, dict[str, NDArray[np.float32]]]:
        """What is remembered, ``queries`` and ``passages`` by text: to be kept elsewhere, or brought back."""
        return {"queries": self._queries, "passages": self._passages}

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """(n, dimensions) rows for questions. Raises EmbeddingFailed."""
        return self._rows(texts, query=True)

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """(n, dimensions) rows for stored texts. Raises EmbeddingFailed."""
        return self._rows(texts, query=False)

    def prepare_queries(self, texts: Iterable[str], progress: Progress | None = None) -> None:
        """Embed those not yet known in large batches, which costs far less apiece. Raises EmbeddingFailed."""
        self._prepare(texts, query=True, progress=progress)

    def prepare_passages(self, texts: Iterable[str], progress: Progress | None = None) -> None:
        """As ``prepare_queries``, for stored texts."""
        self._prepare(texts, query=False, progress=progress)

    def _rows(self, texts: Sequence[str], *, query: bool) -> Vectors:
        self._prepare(texts, query=query, progress=None)
        if not texts:
            return np.zeros((0, self.dimensions), dtype=np.float32)
        known = self._queries if query else self._passages
        return np.stack([known[text] for text in texts])

    def _prepare(self, texts: Iterable[str], *, query: bool, progress: Progress | None) -> None:
        known = self._queries if query else self._passages
        embed = self._embedder.embed_queries if query else self._embedder.embed_passages
        with self._lock:  # two callers who miss the same text would both pay for it
            new = sorted((text for text in dict.fromkeys(texts) if text not in known), key=lambda t: (len(t), t))
            for start in range(0, len(new), _BATCH):
                part = new[start : start + _BATCH]
                known.update(zip(part, embed(part), strict=True))
                if progress is not None:
                    progress.advance("embedding", start + len(part), len(new))
