"""Exact nearest neighbours in memory: throw-away indexes of evaluations, and the fake of the Chroma adapter."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from assistant.ports import Vectors


class MemoryVectorIndex:
    """A VectorIndex that scans all rows."""

    def __init__(self, dimensions: int) -> None:
        self._ids: list[str] = []
        self._place: dict[str, int] = {}
        self._rows: Vectors = np.zeros((0, dimensions), dtype=np.float32)

    def upsert(self, ids: Sequence[str], vectors: Vectors) -> None:
        """Add or replace."""
        new = [(key, row) for key, row in dict(zip(ids, vectors, strict=True)).items() if key not in self._place]
        for key, row in zip(ids, vectors, strict=True):
            if key in self._place:
                self._rows[self._place[key]] = row
        for key, _ in new:
            self._place[key] = len(self._ids)
            self._ids.append(key)
        if new:
            self._rows = np.vstack([self._rows, np.stack([row for _, row in new])]).astype(np.float32)

    def delete(self, ids: Sequence[str]) -> None:
        """Remove these; unknown ids are ignored."""
        gone = {key for key in ids if key in self._place}
        if not gone:
            return
        keep = [index for index, key in enumerate(self._ids) if key not in gone]
        self._rows = self._rows[keep]
        self._ids = [self._ids[index] for index in keep]
        self._place = {key: index for index, key in enumerate(self._ids)}

    def ids(self) -> set[str]:
        """All ids held."""
        return set(self._ids)

    def count(self) -> int:
        """How many are held."""
        return len(self._ids)

    def search(self, vector: NDArray[np.float32], limit: int) -> list[tuple[str, float]]:
        """(id, cosine), nearest first; equal cosines in order of insertion."""
        if not self._ids or limit < 1:
            return []
        scores = self._rows @ vector
        limit = min(limit, len(scores))
        best = np.argpartition(-scores, limit - 1)[:limit]
        best = best[np.lexsort((best, -scores[best]))]
        return [(self._ids[index], float(scores[index])) for index in best]
