"""The workspace's knowledge as an evaluation may see it: as of a moment, without some documents, with others added."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import numpy as np

from assistant.answering import Answerer
from assistant.domain.knowledge import Chunk, DocumentKind, IndexEntry
from assistant.fitted import Fitted
from assistant.generation import GeneratedAnswerer
from assistant.indexing import IndexKeeper, embed_entries
from assistant.ports import ChatModel, Clock, Embedder, Reranker, Vectors
from assistant.retrieval import Retriever
from assistant.rewriting import rewriter_for
from assistant.settings import Settings
from assistant.store.lexical import Postings
from assistant.store.memory import MemoryVectorIndex
from assistant.store.records import KnowledgeRecords
from assistant.store.snapshot import Snapshot, build_snapshot
from assistant.text import Segmenter


@dataclass(frozen=True)
class Knowledge:
    """Everything that may be cited in a workspace, with the vectors of its live index by entry id.

    ``postings`` are those of exactly these entries, where they are at hand.
    """

    chunks: tuple[Chunk, ...]
    entries: tuple[IndexEntry, ...]
    vectors: Mapping[str, Vectors] = field(repr=False)
    postings: Postings | None = field(default=None, repr=False)

    def without(self, documents: Iterable[tuple[DocumentKind, str]]) -> Knowledge:
        """The same less these documents."""
        gone = set(documents)
        chunks = tuple(c for c in self.chunks if (c.kind, c.document_id) not in gone)
        return self._of(chunks, self.entries, self.vectors)

    def with_pieces(self, chunks: Sequence[Chunk], entries: Sequence[IndexEntry], embedder: Embedder) -> Knowledge:
        """The same and these; a document already in is replaced as a whole. Raises EmbeddingFailed."""
        new = {(c.kind, c.document_id) for c in chunks}
        rows = embed_entries(embedder, entries)
        vectors = {**self.vectors, **{entry.id: row for entry, row in zip(entries, rows, strict=True)}}
        kept = tuple(c for c in self.chunks if (c.kind, c.document_id) not in new)
        return self._of((*kept, *chunks), (*self.entries, *entries), vectors)

    def with_vectors(self, vectors: Mapping[str, Vectors]) -> Knowledge:
        """The same with these vectors in place of the live ones, by entry id."""
        return replace(self, vectors={**self.vectors, **vectors})

    @staticmethod
    def _of(chunks: tuple[Chunk, ...], entries: Sequence[IndexEntry], vectors: Mapping[str, Vectors]) -> Knowledge:
        held = {chunk.id for chunk in chunks}
        return Knowledge(chunks, tuple(entry for entry in entries if entry.chunk_id in held), vectors)


def knowledge_of(records: KnowledgeRecords, keeper: IndexKeeper) -> Knowledge:
    """The knowledge that answers now, with the vectors it is found by. Raises EmbedderMismatch."""
    snapshot = keeper.snapshot()
    rows = np.asarray(snapshot.vectors, dtype=np.float32)
    vectors = dict(zip(snapshot.table.entry_ids, rows, strict=True))
    entries = tuple(entry for entry in records.all_entries() if entry.id in vectors)
    same = [entry.id for entry in entries] == list(snapshot.table.entry_ids)
    return Knowledge(tuple(records.all_chunks()), entries, vectors, snapshot.postings if same else None)


def source_key(kind: DocumentKind, document_id: str, conversation_id: str | None) -> str:
    """What a view hides a document by: a resolution's conversation, or an article's id behind a NUL (no id has one)."""
    return conversation_id if kind is DocumentKind.RESOLUTION and conversation_id else f"\0{document_id}"


class KnowledgeView:
    """Knowledge in an index of its own that nobody else sees, where every document can be hidden by its source key.

    With ``as_of`` a document is found only from the moment it was known: a resolution from the end of its
    conversation, an article from its last change (else from the start of its validity; one with neither date is always
    visible, and counted in ``undated``). An article changed later is hidden as a whole: its earlier text is not used.
    """

    def __init__(
        self,
        knowledge: Knowledge,
        embedder: Embedder,
        *,
        as_of: bool = False,
        fitted: Fitted | None = None,
        reranker: Reranker | None = None,
    ) -> None:
        """``fitted`` and ``reranker`` are the workspace's, as its live retrieval uses them."""
        self.fitted = fitted
        self.reranker = reranker
        self.knowledge = knowledge
        self.embedder = embedder
        self.as_of = as_of
        self._by_id = {chunk.id: chunk for chunk in knowledge.chunks}
        self._segmenter = Segmenter()
        self._snapshot = self._built()
        self._index = MemoryVectorIndex(embedder.dimensions)
        self._index.upsert(self._snapshot.table.entry_ids, self._snapshot.vectors)
        self.undated = len({(c.kind, c.document_id) for c in knowledge.chunks if known_from(c) is None})

    @property
    def snapshot(self) -> Snapshot:
        """The view's index as one table; what a case may not see is in it."""
        return self._snapshot

    def retriever(self, embedder: Embedder | None = None) -> Retriever:
        """A Retriever over the view; with an embedder given it is not the product's search, and nothing is reranked."""
        return Retriever(
            self._snapshot,
            self._index,
            embedder or self.embedder,
            self._segmenter,
            self._load_chunks,
            fitted=lambda: self.fitted,
            reranker=self.reranker if embedder is None else None,
        )

    def answerer(
        self,
        settings: Settings,
        clock: Clock,
        *,
        chat_model: ChatModel | None = None,
        embedder: Embedder | None = None,
    ) -> Answerer:
        """The product's answerer over this view; states come with the cases, so it has no live source."""
        return Answerer(
            retriever=self.retriever(embedder),
            embedder=embedder or self.embedder,
            state_source=None,
            generator=GeneratedAnswerer(chat_model) if chat_model is not None else None,
            settings=settings,
            clock=clock,
            rewriter=rewriter_for(chat_model, settings),
        )

    def later_than(self, moment: datetime) -> int:
        """How many documents the view hides at this moment because they were not known yet."""
        if not self.as_of:
            return 0
        later = {
            (c.kind, c.document_id)
            for c in self.knowledge.chunks
            if (known := known_from(c)) is not None and known > moment
        }
        return len(later)

    def chunk(self, chunk_id: str) -> Chunk | None:
        """The chunk with this id."""
        return self._by_id.get(chunk_id)

    def _load_chunks(self, ids: Sequence[str]) -> dict[str, Chunk]:
        return {key: self._by_id[key] for key in ids if key in self._by_id}

    def _built(self) -> Snapshot:
        knowledge = self.knowledge
        snapshot = build_snapshot(
            knowledge.chunks,
            knowledge.entries,
            knowledge.vectors,
            self.embedder.dimensions,
            self._segmenter,
            knowledge.postings,
        )
        keys: dict[int, str] = {}
        known = np.full(len(snapshot.table.chunk_ids), -np.inf)
        number_of = {key: number for number, key in enumerate(snapshot.table.chunk_ids)}
        for chunk in knowledge.chunks:
            moment = known_from(chunk)
            known[number_of[chunk.id]] = moment.timestamp() if moment is not None else -np.inf
        for number, document in zip(snapshot.table.chunk, snapshot.table.document, strict=True):
            chunk = self._by_id[snapshot.table.chunk_ids[number]]
            keys[int(document)] = source_key(chunk.kind, chunk.document_id, chunk.conversation_id)
        table = replace(
            snapshot.table,
            conversation_ids=[keys.get(number) for number in range(len(snapshot.table.document_ids))],
            valid_from=np.maximum(snapshot.table.valid_from, known[snapshot.table.chunk])
            if self.as_of
            else snapshot.table.valid_from,
        )
        return replace(snapshot, table=table)


def known_from(chunk: Chunk) -> datetime | None:
    """Since when this text has been known, where a date tells."""
    return chunk.updated_at or chunk.valid_from


class ReplayClock:
    """A Clock that stands at the moment of the case being replayed; each task sees its own."""

    def __init__(self, now: datetime) -> None:
        self._moment: ContextVar[datetime] = ContextVar("moment", default=now)

    def now(self) -> datetime:
        """The moment set in this task, at first the one of the start."""
        return self._moment.get()

    def stand_at(self, moment: datetime) -> None:
        """From here on it is this moment in the present task."""
        self._moment.set(moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC))
