"""Keeps both derived indexes equal to the records; safe to kill at any point and run again."""

from __future__ import annotations

import shutil
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from assistant.domain.knowledge import EntryField, IndexEntry
from assistant.errors import EmbedderMismatch
from assistant.ports import Embedder, Progress, VectorIndex, Vectors
from assistant.store.chroma import ChromaStore
from assistant.store.records import KnowledgeRecords
from assistant.store.snapshot import Snapshot, build_snapshot, load_snapshot, save_snapshot
from assistant.text import Segmenter, fold

EMBED_BATCH = 128
BATCH_ENTRIES, BATCH_CHARS = 512, 32_000


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What a synchronisation did: entries embedded, taken from kept vectors, and removed from the vector index."""

    embedded: int = 0
    reused: int = 0
    removed: int = 0


class IndexKeeper:
    """Builds, updates and opens the derived indexes of one workspace; ``chroma`` is opened when first needed."""

    def __init__(
        self, records: KnowledgeRecords, chroma: Callable[[], ChromaStore], embedder: Embedder, folder: Path
    ) -> None:
        self._records = records
        self._chroma = chroma
        self._embedder = embedder
        self._folder = folder

    def own(self) -> None:
        """Open the vector index before anything is written. Raises WorkspaceLocked or IndexUnavailable."""
        self._chroma()

    def check_embedder(self) -> None:
        """Raises EmbedderMismatch when another embedder built the index."""
        built_by = self._records.index_state().fingerprint
        if built_by is not None and built_by != self._embedder.fingerprint:
            raise EmbedderMismatch(
                f"the index of workspace {self._records.workspace!r} was built by embedder {built_by!r}, "
                f"but the settings name {self._embedder.fingerprint!r}; run "
                f"`teachback reindex --workspace {self._records.workspace}` to rebuild it, or set the old one again"
            )

    def vector_index(self) -> VectorIndex:
        """The live collection."""
        return self._chroma().index(self._records.workspace, self._embedder.fingerprint)

    def synchronise(self, progress: Progress | None = None) -> SyncReport:
        """Bring Chroma and the snapshot up to the records. Does nothing when they already are."""
        self.check_embedder()
        state = self._records.index_state()
        if state.fingerprint is not None and not state.dirty:
            return SyncReport()
        return self._build(state.generation, progress)

    def rebuild(self, progress: Progress | None = None) -> SyncReport:
        """Build with the present embedder beside the live index, then switch at once."""
        generation = self._records.index_state().generation
        report = self._fill(self.vector_index(), progress)
        self._records.set_fingerprint(self._embedder.fingerprint)
        self._write_snapshot(generation + 1)
        self._records.mark_synced(generation + 1)
        self._chroma().drop_others(self._records.workspace, self._embedder.fingerprint)
        self._records.forget_orphan_vectors()
        return report

    def snapshot(self) -> Snapshot:
        """The snapshot of the present generation; rebuilt from the records when its files are gone."""
        self.check_embedder()
        state = self._records.index_state()
        if state.dirty or state.fingerprint is None:
            self.synchronise()
            state = self._records.index_state()
        loaded = load_snapshot(self._generation_folder(state.generation))
        snapshot = loaded if loaded is not None else self._write_snapshot(state.generation)
        index = self.vector_index()
        if index.count() != len(snapshot.table.entry_ids):  # the folder was lost or put back from an old copy
            self._fill(index, None)
        return snapshot

    def newer_than(self, generation: int) -> tuple[int, Snapshot] | None:
        """The snapshot of a later generation with its number, once it is complete; None where there is none."""
        state = self._records.index_state()
        if state.dirty or state.generation <= generation or state.fingerprint != self._embedder.fingerprint:
            return None
        loaded = load_snapshot(self._generation_folder(state.generation))
        return None if loaded is None else (state.generation, loaded)

    def generation(self) -> int:
        """The number of the present generation."""
        return self._records.index_state().generation

    def _build(self, generation: int, progress: Progress | None) -> SyncReport:
        self._records.set_fingerprint(self._embedder.fingerprint)
        report = self._fill(self.vector_index(), progress)
        self._write_snapshot(generation + 1)
        self._records.forget_orphan_vectors()  # before the mark: a kill between them would leave them for good
        self._records.mark_synced(generation + 1)
        return report

    def _fill(self, index: VectorIndex, progress: Progress | None) -> SyncReport:
        entries = self._records.all_entries()
        held = index.ids()
        wanted = {entry.id for entry in entries}
        gone = sorted(held - wanted)
        index.delete(gone)
        fingerprint = self._embedder.fingerprint
        kept = self._records.vectors(fingerprint, [entry.id for entry in entries])
        to_embed = [entry for entry in entries if entry.id not in kept]
        reused = [entry.id for entry in entries if entry.id in kept and entry.id not in held]
        if reused:
            index.upsert(reused, np.stack([kept[key] for key in reused]))
        to_embed.sort(key=lambda entry: (entry.field is EntryField.BODY, len(entry.text), entry.id))

        def keep(batch: Sequence[IndexEntry], rows: Vectors) -> int:
            ids = [entry.id for entry in batch]
            index.upsert(ids, rows)
            self._records.save_vectors(fingerprint, ids, rows)
            return len(batch)

        done = 0
        with ThreadPoolExecutor(1, "vectors") as writer:  # one batch is written while the next is embedded
            writing: deque[Future[int]] = deque()
            for batch in [*embedding_batches(to_embed), None]:
                if batch is not None:
                    rows = embed_entries(self._embedder, batch)
                    writing.append(writer.submit(keep, batch, rows))
                while len(writing) > (batch is not None):
                    done += writing.popleft().result()
                    if progress is not None:
                        progress.advance("embedding", done, len(to_embed))
        return SyncReport(len(to_embed), len(reused), len(gone))

    def _write_snapshot(self, generation: int) -> Snapshot:
        entries = self._records.all_entries()
        vectors = self._records.vectors(self._embedder.fingerprint, [entry.id for entry in entries])
        missing = [entry for entry in entries if entry.id not in vectors]
        if missing:
            rows = embed_entries(self._embedder, missing)
            self._records.save_vectors(self._embedder.fingerprint, [entry.id for entry in missing], rows)
            vectors.update((entry.id, row) for entry, row in zip(missing, rows, strict=True))
        snapshot = build_snapshot(self._records.all_chunks(), entries, vectors, self._embedder.dimensions, Segmenter())
        folder = self._generation_folder(generation)
        save_snapshot(snapshot, folder)
        for old in folder.parent.iterdir():
            if old != folder:
                shutil.rmtree(old, ignore_errors=True)
        return snapshot

    def _generation_folder(self, generation: int) -> Path:
        return self._folder / self._records.workspace / f"generation-{generation}"


def embedding_batches(entries: Sequence[IndexEntry]) -> list[Sequence[IndexEntry]]:
    """Consecutive entries, as many as keep all cores busy to the end of a batch, few enough to report progress."""
    batches: list[Sequence[IndexEntry]] = []
    start = room = 0
    for place, entry in enumerate(entries):
        room += len(entry.text)
        if place + 1 == len(entries) or place + 1 - start >= BATCH_ENTRIES or room >= BATCH_CHARS:
            batches.append(entries[start : place + 1])
            start, room = place + 1, 0
    return batches


def embed_entries(embedder: Embedder, entries: Sequence[IndexEntry]) -> Vectors:
    """(n, dimensions) vectors; questions and titles as questions, bodies as passages, all folded."""
    rows = np.zeros((len(entries), embedder.dimensions), dtype=np.float32)
    bodies = [i for i, entry in enumerate(entries) if entry.field is EntryField.BODY]
    questions = [i for i, entry in enumerate(entries) if entry.field is not EntryField.BODY]
    if bodies:
        rows[bodies] = embedder.embed_passages([fold(entries[i].text) for i in bodies])
    if questions:
        rows[questions] = embedder.embed_queries([fold(entries[i].text) for i in questions])
    return rows
