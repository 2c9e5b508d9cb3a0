"""What the knowledge records take and give beside the domain's own types, and ids that come from content."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from assistant.domain.knowledge import Chunk, DocumentKind, EntryField, IndexEntry


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """What change detection needs to know of a document or transcript that is already in."""

    kind: str
    id: str
    content_hash: str
    source: str


@dataclass(frozen=True, slots=True)
class DocumentWrite:
    """A new or changed document with everything derived from it, written in one transaction."""

    kind: DocumentKind
    id: str
    title: str
    content_hash: str
    canonical: Mapping[str, Any]
    source: str
    chunks: Sequence[Chunk]
    entries: Sequence[IndexEntry]


@dataclass(frozen=True, slots=True)
class TranscriptWrite:
    """A new or changed transcript; ``resolutions`` replace whatever was mined from it before."""

    id: str
    content_hash: str
    canonical: Mapping[str, Any]
    source: str
    transferred: bool
    opened_at: datetime | None
    resolutions: Sequence[DocumentWrite]


@dataclass(frozen=True, slots=True)
class IndexState:
    """Which embedder built the derived indexes, their generation, and whether records changed since."""

    fingerprint: str | None
    generation: int
    dirty: bool


def entry_id(chunk_id: str, field: EntryField, text: str) -> str:
    """A stable id from the entry's content: 32 hex digits."""
    return hashlib.sha256(f"{chunk_id}\0{field}\0{text}".encode()).hexdigest()[:32]


def chunk_id(kind: DocumentKind, document_id: str, position: int, text: str) -> str:
    """A stable id from the chunk's place and content: 24 hex digits."""
    return hashlib.sha256(f"{kind}\0{document_id}\0{position}\0{text}".encode()).hexdigest()[:24]
