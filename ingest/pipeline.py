"""The ingestion job: files in, records kept, indexes brought up to them; unchanged input embeds nothing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from assistant.domain.conversation import Transcript
from assistant.domain.knowledge import Article, Chunk, DocumentKind, EntryField, IndexEntry, MinedResolution
from assistant.errors import Conflict, InputRejected
from assistant.indexing import IndexKeeper, SyncReport
from assistant.ports import Progress
from assistant.store.record_shapes import DocumentWrite, StoredDocument, TranscriptWrite, chunk_id, entry_id
from assistant.store.records import KnowledgeRecords
from ingest.asking import asks, leading_question
from ingest.chunking import chunk_article
from ingest.sources import DuplicateGuard, SourceItem, canonical, discover, read
from ingest.transcripts import mine

WRITE_BATCH = 64
# Part of every content hash: raise it when chunking, mining or redaction changes what is derived from the same input.
DERIVATION = 3
# Where an article comes from that was not read from a file; no absolute path starts so, hence no file run removes it.
REVIEW_SOURCE = "review:"


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What a run did, or with ``dry_run`` would do; ids by kind of change, and every rejected item."""

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    unchanged: int = 0
    rejected: tuple[InputRejected, ...] = ()
    notes: tuple[str, ...] = ()
    sync: SyncReport = field(default_factory=SyncReport)
    dry_run: bool = False


@dataclass(slots=True)
class _Run:
    """What has been seen so far."""

    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    rejected: list[InputRejected] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    unchanged: int = 0
    seen: set[tuple[str, str]] = field(default_factory=set)
    broken_files: set[str] = field(default_factory=set)


class Ingestion:
    """Ingests into one workspace."""

    def __init__(self, records: KnowledgeRecords, keeper: IndexKeeper | None, now: Callable[[], datetime]) -> None:
        self._records = records
        self._keeper = keeper
        self._now = now

    def run(self, paths: Sequence[Path], *, dry_run: bool = False, progress: Progress | None = None) -> IngestReport:
        """Read, compare, write and index.

        What an earlier run took from these paths and is no longer there is removed, unless its file has rejected
        items now: then it is kept and listed, since the broken item may be it. Raises ConfigurationError before
        anything is written when the index belongs to another embedder.
        """
        if self._keeper is not None:
            self._keeper.check_embedder()
        known = {(stored.kind, stored.id): stored for stored in self._records.stored()}
        paths = [path.expanduser().absolute() for path in paths]
        run = _Run()
        batch: list[DocumentWrite | TranscriptWrite] = []
        for item, source in self._items(paths, known, run, progress):
            kind, key = _identity(item)
            run.seen.add((kind, key))
            digest = content_hash(item.record)
            stored = known.get((kind, key))
            if stored is not None and stored.source.startswith(REVIEW_SOURCE):
                reason = f'id "{key}" belongs to an article published from {stored.source}; choose another id'
                run.rejected.append(InputRejected(item.source, reason, item.line))
                continue
            if stored is not None and stored.content_hash == digest:
                run.unchanged += 1
                if stored.source != source and not dry_run:
                    self._records.move(kind, key, source)
                continue
            (run.added if stored is None else run.changed).append(key)
            if dry_run:
                continue
            batch.append(_write_of(item.record, digest, source))
            if len(batch) >= WRITE_BATCH:
                self._write(batch)
        self._write(batch)
        removed, kept = _vanished(known.values(), paths, run)
        if removed and not dry_run:
            self._own()
            self._records.remove(
                article_ids=[s.id for s in removed if s.kind == DocumentKind.ARTICLE],
                transcript_ids=[s.id for s in removed if s.kind == "transcript"],
                now=self._now(),
            )
        sync = SyncReport()
        if not dry_run and self._keeper is not None:
            sync = self._keeper.synchronise(progress)
        return IngestReport(
            tuple(run.added),
            tuple(run.changed),
            tuple(stored.id for stored in removed),
            tuple(stored.id for stored in kept),
            run.unchanged,
            tuple(run.rejected),
            tuple(run.notes),
            sync,
            dry_run,
        )

    def publish(self, article: Article, item_id: str, *, progress: Progress | None = None) -> SyncReport:
        """Make a reviewed article knowledge: a version of its own, from the review item, indexed before this returns.

        Again with the same text changes nothing. Raises as ``check_publishable`` does.
        """
        stored = self.check_publishable(article, item_id)
        digest = content_hash(article)
        if stored is None or stored.content_hash != digest:
            self._write([article_write(article, digest, f"{REVIEW_SOURCE}{item_id}")])
        return SyncReport() if self._keeper is None else self._keeper.synchronise(progress)

    def check_publishable(self, article: Article, item_id: str) -> StoredDocument | None:
        """What the item has published under this id before, if anything; nothing is written.

        Raises Conflict where a file or another item holds the id, EmbedderMismatch and WorkspaceLocked where the index
        could not be brought up to date.
        """
        if self._keeper is not None:
            self._keeper.check_embedder()
        self._own()
        held = (s for s in self._records.stored() if s.kind == DocumentKind.ARTICLE and s.id == article.id)
        stored = next(held, None)
        if stored is not None and stored.source != f"{REVIEW_SOURCE}{item_id}":
            raise Conflict(f"the article id {article.id!r} is taken by {stored.source}; publish under another id")
        return stored

    def _items(
        self,
        paths: Sequence[Path],
        known: dict[tuple[str, str], StoredDocument],
        run: _Run,
        progress: Progress | None,
    ) -> Iterator[tuple[SourceItem, str]]:
        """Valid items with the absolute path of their file; the rest goes to ``run.rejected``."""
        sources = {stored.source for stored in known.values()}
        gone = [p for p in paths if not p.exists() and any(_is_under(Path(source), p) for source in sources)]
        found = discover([path for path in paths if path not in gone])
        run.rejected.extend(found.rejected)
        guard = DuplicateGuard()
        for number, file in enumerate(found.files):
            source = str(file.path.absolute())
            encodings: set[str] = set()
            for item in read(file):
                rejection = item if isinstance(item, InputRejected) else guard.admit(item)
                if rejection is not None:
                    run.rejected.append(rejection)
                    run.broken_files.add(source)
                elif isinstance(item, SourceItem):
                    encodings.add(item.encoding)
                    yield item, source
            run.notes.extend(f"{file.name}: read as {name}" for name in sorted(encodings - {"utf-8"}))
            if progress is not None:
                progress.advance("reading", number + 1, len(found.files))

    def _own(self) -> None:
        """A folder that another process holds must be said before records change, not after."""
        if self._keeper is not None:
            self._keeper.own()

    def _write(self, batch: list[DocumentWrite | TranscriptWrite]) -> None:
        if batch:
            self._own()
            self._records.write(
                [w for w in batch if isinstance(w, DocumentWrite)],
                [w for w in batch if isinstance(w, TranscriptWrite)],
                now=self._now(),
            )
            batch.clear()


def content_hash(record: Article | Transcript) -> str:
    """SHA-256 of the canonical record and of the version of what is derived from it, in hex.

    Articles with negative questions have a version of their own: only theirs is derived anew since these count.
    """
    version = f"{DERIVATION}+negative" if isinstance(record, Article) and record.negative_questions else f"{DERIVATION}"
    return hashlib.sha256(f"{version}\0{canonical(record)}".encode()).hexdigest()


def article_write(article: Article, digest: str, source: str) -> DocumentWrite:
    """An article with its chunks and entries: each body slice, each question that it answers, each that it must not.

    The title is such a question only where it asks, or where people wrote questions beside it: the name of a thing
    ("Gold Card") matched against questions draws all of them that mention it (0.5–5 points of recall@1 lost on the
    five public sets, whose titles are names).
    """
    chunks = [
        Chunk(
            id=chunk_id(DocumentKind.ARTICLE, article.id, piece.position, f"{piece.heading}\0{piece.text}"),
            document_id=article.id,
            kind=DocumentKind.ARTICLE,
            position=piece.position,
            title=article.title,
            heading=piece.heading,
            text=piece.text,
            locale=article.locale,
            audience=article.audience,
            valid_from=article.valid_from,
            valid_until=article.valid_until,
            updated_at=article.updated_at,
            url=article.url,
        )
        for piece in chunk_article(article)
    ]
    entries = [_entry(c, EntryField.BODY, "\n".join(p for p in (c.title, c.heading, c.text) if p)) for c in chunks]
    if chunks:
        if article.questions or asks(article.title):
            entries.append(_entry(chunks[0], EntryField.TITLE, article.title))
        questions = (*article.questions, *filter(None, [leading_question(article.body)]))
        entries.extend(_entry(chunks[0], EntryField.QUESTION, question) for question in questions)
        negatives = (question for question in article.negative_questions if question.strip())
        entries.extend(_entry(chunks[0], EntryField.NEGATIVE, question) for question in negatives)
    plain = json.loads(canonical(article))
    return DocumentWrite(DocumentKind.ARTICLE, article.id, article.title, digest, plain, source, chunks, entries)


def resolution_write(resolution: MinedResolution, source: str) -> DocumentWrite:
    """A mined resolution: one chunk, matched by its question apart from what the agent answered."""
    text = resolution.answer
    chunk = Chunk(
        id=chunk_id(DocumentKind.RESOLUTION, resolution.id, 0, f"{resolution.question}\0{text}"),
        document_id=resolution.id,
        kind=DocumentKind.RESOLUTION,
        position=0,
        title=_one_line(resolution.question),
        heading="",
        text=text,
        locale=resolution.locale,
        audience="public",
        updated_at=resolution.closed_at,
        conversation_id=resolution.conversation_id,
    )
    entries = [
        _entry(chunk, EntryField.BODY, text),
        _entry(chunk, EntryField.QUESTION, resolution.question),
    ]
    plain = {
        "question": resolution.question,
        "answer": text,
        "context": resolution.context,
        "conversation_id": resolution.conversation_id,
        "article_ids": list(resolution.article_ids),
    }
    digest = hashlib.sha256(json.dumps(plain, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
    return DocumentWrite(
        DocumentKind.RESOLUTION, resolution.id, resolution.question, digest, plain, source, [chunk], entries
    )


def _write_of(record: Article | Transcript, digest: str, source: str) -> DocumentWrite | TranscriptWrite:
    if isinstance(record, Article):
        return article_write(record, digest, source)
    return TranscriptWrite(
        id=record.conversation_id,
        content_hash=digest,
        canonical=json.loads(canonical(record)),
        source=source,
        transferred=record.handoff is not None,
        opened_at=record.opened_at,
        resolutions=[resolution_write(resolution, source) for resolution in mine(record)],
    )


def _one_line(text: str, longest: int = 60) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= longest else flat[: longest - 1] + "…"


def _entry(chunk: Chunk, entry_field: EntryField, text: str) -> IndexEntry:
    return IndexEntry(entry_id(chunk.id, entry_field, text), chunk.id, entry_field, text)


def _identity(item: SourceItem) -> tuple[str, str]:
    if isinstance(item.record, Article):
        return DocumentKind.ARTICLE, item.record.id
    return "transcript", item.record.conversation_id


def _vanished(
    known: Iterable[StoredDocument], paths: Sequence[Path], run: _Run
) -> tuple[list[StoredDocument], list[StoredDocument]]:
    removed: list[StoredDocument] = []
    kept: list[StoredDocument] = []
    for stored in known:
        if (stored.kind, stored.id) in run.seen or not any(_is_under(Path(stored.source), path) for path in paths):
            continue
        (kept if stored.source in run.broken_files else removed).append(stored)
    return removed, kept


def _is_under(source: Path, path: Path) -> bool:
    return source == path or path in source.parents
