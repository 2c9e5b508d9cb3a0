"""Knowledge records of one workspace: documents, their versions, transcripts, chunks and index entries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import numpy as np
from sqlalchemy import Connection, Engine, Row, Select, String, and_, bindparam, delete, func, insert, select, update

from assistant.domain.knowledge import Chunk, DocumentKind, EntryField, IndexEntry
from assistant.ports import Vectors
from assistant.store import tables as t
from assistant.store.record_shapes import DocumentWrite, IndexState, StoredDocument, TranscriptWrite

_BATCH = 400
_CHUNK_COLUMNS = tuple(field.name for field in fields(Chunk))
_CHUNKS = select(*(t.chunks.c[name] for name in _CHUNK_COLUMNS)).where(t.chunks.c.workspace == bindparam("workspace"))
_ENTRY_COLUMNS = tuple(field.name for field in fields(IndexEntry))
_TRANSCRIPT_COLUMNS = tuple(field.name for field in fields(TranscriptWrite) if field.name != "resolutions")


class KnowledgeRecords:
    """The truth about one workspace's knowledge. Every method is blocking and one transaction."""

    def __init__(self, engine: Engine, workspace: str) -> None:
        self._engine = engine
        self.workspace = workspace
        with engine.begin() as connection:
            exists = connection.execute(
                select(t.workspaces.c.name).where(t.workspaces.c.name == workspace)
            ).scalar_one_or_none()
            if exists is None:
                connection.execute(insert(t.workspaces).values(name=workspace, created_at=datetime.now(UTC)))
                connection.execute(
                    insert(t.index_state).values(workspace=workspace, fingerprint=None, generation=0, dirty=False)
                )

    # -- reading ------------------------------------------------------------------------------------------------

    def stored(self) -> list[StoredDocument]:
        """Every article and transcript that is in; mined resolutions are not listed, their transcript is."""
        d, tr = t.documents, t.transcripts
        with self._engine.connect() as connection:
            articles = connection.execute(
                select(d.c.kind, d.c.id, d.c.content_hash, d.c.source).where(
                    d.c.workspace == self.workspace, d.c.kind == DocumentKind.ARTICLE
                )
            )
            found = [StoredDocument(*row) for row in articles]
            transcripts = connection.execute(
                select(tr.c.id, tr.c.content_hash, tr.c.source).where(tr.c.workspace == self.workspace)
            )
            return found + [StoredDocument("transcript", *row) for row in transcripts]

    def document(self, kind: DocumentKind, document_id: str) -> Mapping[str, Any] | None:
        """The canonical form of the current version, or None."""
        d = t.documents
        with self._engine.connect() as connection:
            found: Mapping[str, Any] | None = connection.execute(
                select(d.c.canonical).where(d.c.workspace == self.workspace, d.c.kind == kind, d.c.id == document_id)
            ).scalar_one_or_none()
            return found

    def articles(self) -> list[Mapping[str, Any]]:
        """Canonical articles in order of their ids."""
        d = t.documents
        query = select(d.c.canonical).where(d.c.workspace == self.workspace, d.c.kind == DocumentKind.ARTICLE)
        with self._engine.connect() as connection:
            return list(connection.execute(query.order_by(d.c.id)).scalars())

    def transcript(self, conversation_id: str) -> Mapping[str, Any] | None:
        """The canonical form of one transcript, or None."""
        tr = t.transcripts
        with self._engine.connect() as connection:
            found: Mapping[str, Any] | None = connection.execute(
                select(tr.c.canonical).where(tr.c.workspace == self.workspace, tr.c.id == conversation_id)
            ).scalar_one_or_none()
            return found

    def transcripts(self, *, transferred: bool | None = None) -> list[Mapping[str, Any]]:
        """Canonical transcripts in order of opening."""
        tr = t.transcripts
        query = select(tr.c.canonical).where(tr.c.workspace == self.workspace)
        if transferred is not None:
            query = query.where(tr.c.transferred == transferred)
        with self._engine.connect() as connection:
            return list(connection.execute(query.order_by(tr.c.opened_at, tr.c.id)).scalars())

    def chunks(self, ids: Sequence[str]) -> dict[str, Chunk]:
        """The chunks with these ids; those that are gone are absent."""
        found: dict[str, Chunk] = {}
        with self._engine.connect() as connection:
            for batch in _batches(ids):
                named = {f"id{place}": key for place, key in enumerate(batch)}
                rows = connection.execute(_chunks_by_id(len(batch)), named | {"workspace": self.workspace})
                found.update((chunk.id, chunk) for chunk in map(_to_chunk, rows))
        return found

    def all_chunks(self) -> list[Chunk]:
        """Every chunk, in a stable order."""
        with self._engine.connect() as connection:
            ordered = _CHUNKS.order_by("kind", "document_id", "position", "id")
            rows = connection.execute(ordered, {"workspace": self.workspace})
            return [_to_chunk(row) for row in rows]

    def all_entries(self) -> list[IndexEntry]:
        """Every index entry, ordered by id."""
        e = t.entries
        with self._engine.connect() as connection:
            rows = connection.execute(
                select(e.c.id, e.c.chunk_id, e.c.field, e.c.text)
                .where(e.c.workspace == self.workspace)
                .order_by(e.c.id)
            )
            return [IndexEntry(row.id, row.chunk_id, EntryField(row.field), row.text) for row in rows]

    def counts(self) -> dict[str, int]:
        """How many articles, transcripts, resolutions, chunks and entries there are."""
        with self._engine.connect() as connection:

            def count(table: Any, *conditions: Any) -> int:
                query = select(func.count()).select_from(table).where(table.c.workspace == self.workspace, *conditions)
                return int(connection.execute(query).scalar_one())

            return {
                "articles": count(t.documents, t.documents.c.kind == DocumentKind.ARTICLE),
                "transcripts": count(t.transcripts),
                "resolutions": count(t.documents, t.documents.c.kind == DocumentKind.RESOLUTION),
                "chunks": count(t.chunks),
                "entries": count(t.entries),
            }

    # -- writing ------------------------------------------------------------------------------------------------

    def write(
        self, documents: Sequence[DocumentWrite] = (), transcripts: Sequence[TranscriptWrite] = (), *, now: datetime
    ) -> None:
        """Add or replace, and mark the indexes as behind, in one transaction."""
        with self._engine.begin() as connection:
            self._replace(connection, documents, now)
            latest = {transcript.id: transcript for transcript in transcripts}
            self._drop_transcripts(connection, list(latest), now)
            if latest:
                common = {"workspace": self.workspace, "ingested_at": now}
                rows = [
                    common | {name: getattr(transcript, name) for name in _TRANSCRIPT_COLUMNS}
                    for transcript in latest.values()
                ]
                connection.execute(insert(t.transcripts), rows)
            self._replace(connection, [r for transcript in latest.values() for r in transcript.resolutions], now)
            self._mark_dirty(connection)

    def remove(self, *, article_ids: Sequence[str] = (), transcript_ids: Sequence[str] = (), now: datetime) -> None:
        """Remove documents with everything derived from them; from here on they cannot be cited."""
        with self._engine.begin() as connection:
            self._drop_documents(connection, DocumentKind.ARTICLE, article_ids, now)
            self._drop_transcripts(connection, transcript_ids, now)
            self._mark_dirty(connection)

    def move(self, kind: str, document_id: str, source: str) -> None:
        """Note that an unchanged document now comes from another file."""
        table = t.transcripts if kind == "transcript" else t.documents
        condition = [table.c.workspace == self.workspace, table.c.id == document_id]
        if table is t.documents:
            condition.append(t.documents.c.kind == kind)
        with self._engine.begin() as connection:
            connection.execute(update(table).where(*condition).values(source=source))

    def _replace(self, connection: Connection, documents: Sequence[DocumentWrite], now: datetime) -> None:
        """Write these in few statements, whatever their number; of two of one kind and id the later stays."""
        for kind in DocumentKind:
            of_kind = [document for document in documents if document.kind is kind]
            latest = {document.id: document for document in of_kind}
            for batch in _batches(list(latest)):
                self._drop_documents(connection, kind, batch, now)
                self._insert(connection, kind, [latest[key] for key in batch], now)

    def _insert(
        self, connection: Connection, kind: DocumentKind, documents: Sequence[DocumentWrite], now: datetime
    ) -> None:
        v = t.document_versions
        last = {
            row.id: int(row.version)
            for row in connection.execute(
                select(v.c.id, func.max(v.c.version).label("version"))
                .where(v.c.workspace == self.workspace, v.c.kind == kind, v.c.id.in_([d.id for d in documents]))
                .group_by(v.c.id)
            )
        }
        common = [
            {
                "workspace": self.workspace,
                "kind": kind,
                "id": document.id,
                "version": last.get(document.id, 0) + 1,
                "content_hash": document.content_hash,
                "canonical": dict(document.canonical),
                "ingested_at": now,
            }
            for document in documents
        ]
        named = [{"title": document.title, "source": document.source} for document in documents]
        connection.execute(insert(t.documents), [known | own for known, own in zip(common, named, strict=True)])
        connection.execute(insert(v), [known | {"removed_at": None} for known in common])
        chunks = [chunk for document in documents for chunk in document.chunks]
        if chunks:
            rows = [{name: getattr(chunk, name) for name in _CHUNK_COLUMNS} for chunk in chunks]
            connection.execute(insert(t.chunks), [{"workspace": self.workspace} | row for row in rows])
        entries = {entry.id: entry for document in documents for entry in document.entries}
        if entries:
            rows = [{name: getattr(entry, name) for name in _ENTRY_COLUMNS} for entry in entries.values()]
            connection.execute(insert(t.entries), [{"workspace": self.workspace} | row for row in rows])

    def _drop_transcripts(self, connection: Connection, transcript_ids: Sequence[str], now: datetime) -> None:
        """Remove these with what was mined from them."""
        c = t.chunks
        for batch in _batches(transcript_ids):
            mined = connection.execute(
                select(c.c.document_id)
                .where(c.c.workspace == self.workspace, c.c.conversation_id.in_(batch))
                .distinct()
            ).scalars()
            self._drop_documents(connection, DocumentKind.RESOLUTION, list(mined), now)
            self._delete(connection, t.transcripts, t.transcripts.c.id.in_(batch))

    def _drop_documents(self, connection: Connection, kind: DocumentKind, ids: Sequence[str], now: datetime) -> None:
        d, v, c = t.documents, t.document_versions, t.chunks
        for batch in _batches(ids):
            if not self._delete(connection, d, and_(d.c.kind == kind, d.c.id.in_(batch))):
                continue
            of_documents = and_(c.c.workspace == self.workspace, c.c.kind == kind, c.c.document_id.in_(batch))
            chunk_ids = list(connection.execute(select(c.c.id).where(of_documents)).scalars())
            for chunks in _batches(chunk_ids):
                self._delete(connection, t.entries, t.entries.c.chunk_id.in_(chunks))
            connection.execute(delete(c).where(of_documents))
            connection.execute(
                update(v)
                .where(v.c.workspace == self.workspace, v.c.kind == kind, v.c.id.in_(batch), v.c.removed_at.is_(None))
                .values(removed_at=now)
            )

    def _delete(self, connection: Connection, table: Any, condition: Any) -> int:
        return connection.execute(delete(table).where(table.c.workspace == self.workspace, condition)).rowcount

    def _mark_dirty(self, connection: Connection) -> None:
        connection.execute(update(t.index_state).where(t.index_state.c.workspace == self.workspace).values(dirty=True))

    # -- what the derived indexes are built from ------------------------------------------------------------------

    def index_state(self) -> IndexState:
        """How far the derived indexes are."""
        s = t.index_state
        with self._engine.connect() as connection:
            row = connection.execute(
                select(s.c.fingerprint, s.c.generation, s.c.dirty).where(s.c.workspace == self.workspace)
            ).one()
            return IndexState(row.fingerprint, row.generation, row.dirty)

    def set_fingerprint(self, fingerprint: str) -> None:
        """Remember the embedder before its first vector is written; the indexes are behind until ``mark_synced``."""
        with self._engine.begin() as connection:
            connection.execute(
                update(t.index_state)
                .where(t.index_state.c.workspace == self.workspace)
                .values(fingerprint=fingerprint, dirty=True)
            )

    def mark_synced(self, generation: int) -> None:
        """The derived indexes of this generation equal the records."""
        with self._engine.begin() as connection:
            connection.execute(
                update(t.index_state)
                .where(t.index_state.c.workspace == self.workspace)
                .values(generation=generation, dirty=False)
            )

    def vectors(self, fingerprint: str, entry_ids: Sequence[str]) -> dict[str, Vectors]:
        """Vectors already computed by this embedder, by entry id."""
        v = t.vectors
        found: dict[str, Vectors] = {}
        with self._engine.connect() as connection:
            for batch in _batches(entry_ids):
                rows = connection.execute(
                    select(v.c.entry_id, v.c.vector).where(
                        v.c.workspace == self.workspace, v.c.fingerprint == fingerprint, v.c.entry_id.in_(batch)
                    )
                )
                found.update((row.entry_id, np.frombuffer(row.vector, dtype=np.float32)) for row in rows)
        return found

    def save_vectors(self, fingerprint: str, entry_ids: Sequence[str], rows: Vectors) -> None:
        """Keep computed vectors so that a rebuild embeds nothing again."""
        values = [
            {"workspace": self.workspace, "fingerprint": fingerprint, "entry_id": key, "vector": row.tobytes()}
            for key, row in zip(entry_ids, np.ascontiguousarray(rows, dtype=np.float32), strict=True)
        ]
        with self._engine.begin() as connection:
            for batch in _batches(entry_ids):
                self._delete(
                    connection,
                    t.vectors,
                    and_(t.vectors.c.fingerprint == fingerprint, t.vectors.c.entry_id.in_(batch)),
                )
            if values:
                connection.execute(insert(t.vectors), values)

    def forget_orphan_vectors(self) -> int:
        """Drop vectors whose entry is gone; returns how many."""
        live = select(t.entries.c.id).where(t.entries.c.workspace == self.workspace)
        with self._engine.begin() as connection:
            return self._delete(connection, t.vectors, t.vectors.c.entry_id.not_in(live))


@lru_cache(maxsize=64)
def _chunks_by_id(count: int) -> Select[Any]:
    """Made once for each count: putting it together anew took longer than the database."""
    return _CHUNKS.where(t.chunks.c.id.in_([bindparam(f"id{place}", type_=String) for place in range(count)]))


def _batches(ids: Sequence[str]) -> Iterable[list[str]]:
    for start in range(0, len(ids), _BATCH):
        yield list(ids[start : start + _BATCH])


def _to_chunk(row: Row[Any]) -> Chunk:
    id_, document_id, kind, *rest = tuple(row)  # in the order of ``Chunk``'s fields
    return Chunk(id_, document_id, DocumentKind(kind), *rest)
