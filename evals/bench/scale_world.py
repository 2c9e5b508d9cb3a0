"""The product over a corpus of any size, for the speed bench: records in SQLite, a snapshot read back, an index."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import insert

from assistant.domain.knowledge import Chunk, DocumentKind, EntryField, IndexEntry
from assistant.ports import Embedder, VectorIndex, Vectors
from assistant.retrieval import Retriever
from assistant.store import tables
from assistant.store.chroma import ChromaStore
from assistant.store.codes import encode
from assistant.store.database import open_database
from assistant.store.lexical import K1, B, weigh_postings
from assistant.store.memory import MemoryVectorIndex
from assistant.store.neighbours import arrange
from assistant.store.record_shapes import chunk_id, entry_id
from assistant.store.records import KnowledgeRecords
from assistant.store.snapshot import EntryTable, Snapshot, build_snapshot, load_snapshot, save_snapshot
from assistant.text import Segmenter, language_of

WORKSPACE = "scale"
INTERNAL, EXPIRED = 10, 20  # every tenth document is internal, every twentieth has expired: the filter has work
KEPT, TOWARDS = 0.75, 0.4  # of a real passage's words in its variant, and of another passage's vector added to its own
SEED = 11


@dataclass(frozen=True, slots=True)
class World:
    """A retriever over ``size`` passages; what building took, in seconds of processor time."""

    retriever: Retriever
    snapshot: Snapshot
    index: VectorIndex
    load: Callable[[Sequence[str]], Mapping[str, Chunk]]
    size: int
    snapshot_cpu_s: float
    index_cpu_s: float
    folder: Path


def build_world(
    texts: Sequence[str], documents: Sequence[int], vectors: Vectors, folder: Path, embedder: Embedder
) -> World:
    """Everything as ``ingest`` leaves it, except that the vectors are given.

    Chroma is filled only where the product searches it; a larger workspace has it too, as the store of its vectors.
    """
    now = datetime.now(UTC)
    chunks, entries = _knowledge(texts, documents, now)
    by_id = dict(zip((entry.id for entry in entries), vectors, strict=True))
    began = time.process_time()
    built = build_snapshot(chunks, entries, by_id, embedder.dimensions, Segmenter())
    save_snapshot(built, folder / "snapshot")
    snapshot_s = time.process_time() - began
    snapshot = read(folder / "snapshot")
    engine = open_database(f"sqlite:///{folder / 'records.db'}")
    records = KnowledgeRecords(engine, WORKSPACE)
    with engine.begin() as connection:
        for start in range(0, len(chunks), 5_000):
            rows = [{"workspace": WORKSPACE, **asdict(chunk)} for chunk in chunks[start : start + 5_000]]
            connection.execute(insert(tables.chunks), rows)
    began = time.process_time()
    index: VectorIndex = MemoryVectorIndex(embedder.dimensions)
    if snapshot.lists is None:
        index = ChromaStore(folder=folder / "chroma").index(WORKSPACE, embedder.fingerprint)
        index.upsert(snapshot.table.entry_ids, np.asarray(snapshot.vectors))
    index_s = time.process_time() - began
    retriever = Retriever(snapshot, index, embedder, Segmenter(), records.chunks)
    return World(retriever, snapshot, index, records.chunks, len(texts), snapshot_s, index_s, folder)


def read(folder: Path) -> Snapshot:
    """The snapshot in this folder. Raises FileNotFoundError where there is none that is whole."""
    snapshot = load_snapshot(folder)
    if snapshot is None:
        raise FileNotFoundError(f"{folder} holds no whole snapshot; delete it and run the bench again")
    return snapshot


def variants(snapshot: Snapshot, size: int, folder: Path) -> float:
    """Writes a snapshot of ``size`` passages made from one of fewer; returns the seconds of processor time.

    The first are the real ones. Each further one is a variant: 75 % of a real passage's words, and its vector moved
    towards that of another passage, 0.4 of it. Nobody wrote these; they say what so many passages cost, no more.
    """
    began = time.process_time()
    rng = np.random.default_rng(SEED)
    real, count = snapshot.table, len(snapshot.vectors)
    own, other = np.arange(size) % count, rng.integers(count, size=size)
    vectors = np.empty((size, snapshot.vectors.shape[1]), dtype=np.float32)
    for start in range(0, size, count):
        part = slice(start, min(start + count, size))
        rows = snapshot.vectors[own[part]]
        if start:
            rows = rows + np.float32(TOWARDS) * snapshot.vectors[other[part]]
        vectors[part] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    order, lists = arrange(vectors)
    place = np.empty(size, dtype=np.int32)
    place[order] = np.arange(size, dtype=np.int32)
    vectors = vectors[order]
    postings = snapshot.postings
    terms = np.repeat(np.arange(len(postings.indptr) - 1, dtype=np.int32), np.diff(postings.indptr))
    kept = [(terms, place[postings.rows])]
    for start in range(count, size, count):
        chosen = rng.random(len(terms)) < KEPT
        chosen &= postings.rows + start < size
        kept.append((terms[chosen], place[postings.rows[chosen] + start]))
    held, rows_of = (np.concatenate(column) for column in zip(*kept, strict=True))
    by_row = np.argsort(rows_of, kind="stable")
    held, rows_of = held[by_row], rows_of[by_row]
    lengths = np.bincount(rows_of, minlength=size).astype(np.float64)
    norm = K1 * (1 - B + B * lengths / lengths.mean())
    table = _table(real, own[order], size)
    made = Snapshot(
        table,
        weigh_postings(postings.vocabulary, held, rows_of, np.ones(len(held), dtype=np.int32), norm),
        vectors,
        encode(vectors),
        lists,
    )
    save_snapshot(made, folder)
    return time.process_time() - began


def made_up(ids: Sequence[str]) -> dict[str, Chunk]:
    """Chunks for a retriever that no records stand behind."""
    return {key: Chunk(key, key, DocumentKind.ARTICLE, 0, key, "", key, "en", "public") for key in ids}


def without_records(snapshot: Snapshot, embedder: Embedder) -> Retriever:
    """A retriever over a snapshot alone; where it has no lists, over an index in memory, which copies its vectors."""
    index = MemoryVectorIndex(embedder.dimensions)
    if snapshot.lists is None:
        index.upsert(snapshot.table.entry_ids, np.asarray(snapshot.vectors))
    return Retriever(snapshot, index, embedder, Segmenter(), made_up)


def _knowledge(texts: Sequence[str], documents: Sequence[int], now: datetime) -> tuple[list[Chunk], list[IndexEntry]]:
    chunks, entries = [], []
    for place, (text, document) in enumerate(zip(texts, documents, strict=True)):
        chunk = Chunk(
            id=chunk_id(DocumentKind.ARTICLE, f"d{document}", place, text),
            document_id=f"d{document}",
            kind=DocumentKind.ARTICLE,
            position=place,
            title=f"d{document}",
            heading="",
            text=text,
            locale=language_of(text),
            audience="internal" if document % INTERNAL == 3 else "public",
            valid_until=now - timedelta(days=1) if document % EXPIRED == 7 else None,
        )
        chunks.append(chunk)
        entries.append(IndexEntry(entry_id(chunk.id, EntryField.BODY, text), chunk.id, EntryField.BODY, text))
    return chunks, entries


def _table(real: EntryTable, own: NDArray[np.int64], size: int) -> EntryTable:
    document = np.arange(size, dtype=np.int32) // 5
    names = [f"{number:032x}" for number in range(size)]
    return EntryTable(
        entry_ids=names,
        chunk_ids=[name[8:] for name in names],
        document_ids=[f"d{number}" for number in range(int(document[-1]) + 1)],
        conversation_ids=[None] * (int(document[-1]) + 1),
        subjects=[],
        subject_of=np.full(int(document[-1]) + 1, -1, dtype=np.int32),
        chunk=np.arange(size, dtype=np.int32),
        document=document,
        is_question=np.zeros(size, dtype=np.bool_),
        is_negative=np.zeros(size, dtype=np.bool_),
        is_article=np.ones(size, dtype=np.bool_),
        internal=real.internal[own],
        chinese=real.chinese[own],
        valid_from=real.valid_from[own],
        valid_until=real.valid_until[own],
    )
