"""For live requests: what is asked for at the same time shares one batch, and texts met lately are not embedded again.

A batch uses all cores and asks for the interpreter's lock once; one reply asks for the same text more than once.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from assistant.errors import EmbeddingFailed
from assistant.llm.wrapped import WrappedEmbedder
from assistant.ports import Embedder, Vectors

_MOST_TEXTS = 64
_REMEMBERED = 8_192  # texts: 12 MB at 384 dimensions


class _Request:
    __slots__ = ("alone", "query", "rows", "texts")

    def __init__(self, texts: Sequence[str], *, query: bool) -> None:
        self.texts = texts
        self.query = query
        self.rows: list[NDArray[np.float32]] | None = None
        self.alone = False


class MicroBatchingEmbedder(WrappedEmbedder):
    """An Embedder over another. Nobody waits for a batch to fill: it forms from what came while the last one ran.

    One thread of those that ask embeds for all that wait. Where that fails each asks again for its own texts alone, so
    that one caller's text cannot fail another's. More than 64 texts at once (an ingestion) go straight through.
    ``remembered`` bounds how many texts' vectors are kept in memory, the least recently used leave first.
    """

    def __init__(self, embedder: Embedder, *, remembered: int = _REMEMBERED) -> None:
        super().__init__(embedder)
        self._remembered = remembered
        self._memory: OrderedDict[tuple[bool, str], NDArray[np.float32]] = OrderedDict()
        self._waiting: list[_Request] = []
        self._busy = False
        self._changed = threading.Condition()

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """(n, dimensions) rows for questions. Raises EmbeddingFailed."""
        return self._embed(texts, query=True)

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """(n, dimensions) rows for stored texts. Raises EmbeddingFailed."""
        return self._embed(texts, query=False)

    def _embed(self, texts: Sequence[str], *, query: bool) -> Vectors:
        if not texts or len(texts) > _MOST_TEXTS:
            return self._below(texts, query=query)
        with self._changed:
            known = self._recall(texts, query=query)
        missing = [text for text in dict.fromkeys(texts) if text not in known]
        if missing:
            known.update(zip(missing, self._together(missing, query=query), strict=True))
        return np.stack([known[text] for text in texts])

    def _together(self, texts: list[str], *, query: bool) -> list[NDArray[np.float32]]:
        own = _Request(texts, query=query)
        with self._changed:
            self._waiting.append(own)
            while self._busy and own.rows is None and not own.alone:
                self._changed.wait()
            if own.rows is not None:
                return own.rows
            batch = [] if own.alone else self._take(own)
            self._busy = self._busy or bool(batch)
        if batch:
            self._serve(batch)
        if own.rows is None:  # the batch failed, perhaps for another's text
            rows = list(self._below(texts, query=query))
            with self._changed:
                own.rows = self._remember(texts, rows, query=query)
        return own.rows

    def _take(self, own: _Request) -> list[_Request]:
        """The caller's own request with the others of its kind that fit into one batch, taken out of the queue."""
        batch = [own]
        room = _MOST_TEXTS - len(own.texts)
        for each in self._waiting:
            if each is not own and each.query == own.query and len(each.texts) <= room:
                batch.append(each)
                room -= len(each.texts)
        self._waiting = [each for each in self._waiting if each not in batch]
        return batch

    def _serve(self, batch: Sequence[_Request]) -> None:
        query = batch[0].query
        texts = list(dict.fromkeys(text for each in batch for text in each.texts))
        rows: list[NDArray[np.float32]] | None = None
        try:
            rows = list(self._below(texts, query=query))
        except EmbeddingFailed:
            if len(batch) == 1:
                raise
        finally:
            with self._changed:
                self._busy = False
                if rows is None:
                    for each in batch:
                        each.alone = True
                else:
                    of = dict(zip(texts, self._remember(texts, rows, query=query), strict=True))
                    for each in batch:
                        each.rows = [of[text] for text in each.texts]
                self._changed.notify_all()

    def _below(self, texts: Sequence[str], *, query: bool) -> Vectors:
        return self._embedder.embed_queries(texts) if query else self._embedder.embed_passages(texts)

    def _recall(self, texts: Sequence[str], *, query: bool) -> dict[str, NDArray[np.float32]]:
        known = {}
        for text in texts:
            row = self._memory.get((query, text))
            if row is not None:
                self._memory.move_to_end((query, text))
                known[text] = row
        return known

    def _remember(
        self, texts: Sequence[str], rows: list[NDArray[np.float32]], *, query: bool
    ) -> list[NDArray[np.float32]]:
        for text, row in zip(texts, rows, strict=True):
            self._memory[query, text] = row
        while len(self._memory) > self._remembered:
            self._memory.popitem(last=False)
        return rows
