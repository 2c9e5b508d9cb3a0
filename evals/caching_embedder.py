"""An embedder that remembers: an evaluation meets the same sentences hundreds of times and pays for each once."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

from assistant.llm.wrapped import WrappedEmbedder
from assistant.ports import Embedder, Progress, Vectors

_BATCH = 256
_AHEAD_TEXTS, _AHEAD_CHARS = 96, 2_000  # of one batch ahead: who needs a text at once waits for no more than that


class CachingEmbedder(WrappedEmbedder):
    """An Embedder over another; equal text gives the identical vector, wherever in the run it is asked for.

    It holds one row for each distinct text (1.5 kB at 384 dimensions), so it lives as long as one run and no longer.
    With ``ahead`` (the embedder below works outside this process) texts that are expected are embedded by a thread in
    the background, in their order, until somebody asks for others.
    """

    def __init__(self, embedder: Embedder, *, ahead: bool = False) -> None:
        super().__init__(embedder)
        self.ahead = ahead
        self._asking = threading.Lock()
        self._changed = threading.Condition()
        self._known: dict[bool, dict[str, NDArray[np.float32]]] = {True: {}, False: {}}
        self._expected: dict[tuple[bool, str], None] = {}
        self._begun: set[tuple[bool, str]] = set()
        self._working = False
        self._urgent = 0  # callers who wait for texts

    @property
    def held(self) -> int:
        """How many texts are remembered."""
        return len(self._known[True]) + len(self._known[False])

    def tables(self) -> dict[str, dict[str, NDArray[np.float32]]]:
        """What is remembered, ``queries`` and ``passages`` by text: to be kept elsewhere, or brought back."""
        return {"queries": self._known[True], "passages": self._known[False]}

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

    def expect_queries(self, texts: Iterable[str]) -> None:
        """Have these embedded in the background; nothing happens without ``ahead``, or where it fails."""
        self._expect(texts, query=True)

    def expect_passages(self, texts: Iterable[str]) -> None:
        """As ``expect_queries``, for stored texts."""
        self._expect(texts, query=False)

    def _rows(self, texts: Sequence[str], *, query: bool) -> Vectors:
        self._prepare(texts, query=query, progress=None)
        if not texts:
            return np.zeros((0, self.dimensions), dtype=np.float32)
        known = self._known[query]
        return np.stack([known[text] for text in texts])

    def _prepare(self, texts: Iterable[str], *, query: bool, progress: Progress | None) -> None:
        known = self._known[query]
        missing = [text for text in dict.fromkeys(texts) if text not in known]
        if not missing:
            return
        with self._changed:
            self._urgent += 1
        try:
            with self._asking:  # two callers who miss the same text would both pay for it
                self._embed_missing(missing, query=query, progress=progress)
        finally:
            with self._changed:
                self._urgent -= 1
                self._changed.notify_all()

    def _embed_missing(self, missing: Sequence[str], *, query: bool, progress: Progress | None) -> None:
        known = self._known[query]
        with self._changed:
            for text in missing:
                self._expected.pop((query, text), None)
            while any((query, text) in self._begun for text in missing):
                self._changed.wait()
            new = sorted((text for text in missing if text not in known), key=lambda t: (len(t), t))
            begun = [(query, text) for text in new]
            self._begun.update(begun)
        try:
            for start in range(0, len(new), _BATCH):
                part = new[start : start + _BATCH]
                known.update(zip(part, self._below(part, query=query), strict=True))
                if progress is not None:
                    progress.advance("embedding", start + len(part), len(new))
        finally:
            with self._changed:
                self._begun.difference_update(begun)

    def _below(self, texts: Sequence[str], *, query: bool) -> Vectors:
        return self._embedder.embed_queries(texts) if query else self._embedder.embed_passages(texts)

    def _expect(self, texts: Iterable[str], *, query: bool) -> None:
        if not self.ahead:
            return
        known = self._known[query]
        with self._changed:
            for text in texts:
                if text not in known and (query, text) not in self._begun:
                    self._expected[query, text] = None
            if self._expected and not self._working:
                self._working = True
                threading.Thread(target=self._work_ahead, name="expected-texts", daemon=True).start()

    def _work_ahead(self) -> None:
        while True:
            with self._changed:
                while self._urgent:
                    self._changed.wait()
                batch = self._next_batch()
                if not batch:
                    self._working = False
                    return
            query = batch[0][0]
            texts = [text for _, text in batch]
            rows: Vectors | None = None
            with suppress(Exception):  # whoever asks for them meets the failure, and can be told
                rows = self._below(texts, query=query)
            with self._changed:
                if rows is None:
                    self._expected.clear()
                else:
                    self._known[query].update(zip(texts, rows, strict=True))
                self._begun.difference_update(batch)
                self._changed.notify_all()

    def _next_batch(self) -> list[tuple[bool, str]]:
        """The first of what is expected, all of one kind; empty where nothing is."""
        batch: list[tuple[bool, str]] = []
        room = _AHEAD_CHARS
        for key in self._expected:
            if batch and (key[0] != batch[0][0] or len(key[1]) > room or len(batch) == _AHEAD_TEXTS):
                break
            batch.append(key)
            room -= len(key[1])
        for key in batch:
            del self._expected[key]
        self._begun.update(batch)
        return batch
