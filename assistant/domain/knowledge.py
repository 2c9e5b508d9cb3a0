"""Knowledge: what may be cited. Articles are written by people; resolutions are mined from transcripts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal

Audience = Literal["public", "internal"]


class DocumentKind(StrEnum):
    """Where a piece of knowledge comes from; a reviewed article ranks above a resolution at equal support."""

    ARTICLE = "article"
    RESOLUTION = "resolution"


class EntryField(StrEnum):
    """Which text of a chunk an index entry holds; questions are matched apart from the answer.

    A ``NEGATIVE`` is a question that the document must not answer: it is never found, only compared with.
    """

    BODY = "body"
    TITLE = "title"
    QUESTION = "question"
    NEGATIVE = "negative"


@dataclass(frozen=True, slots=True)
class Article:
    """A versioned knowledge document, as in the article format of the docs."""

    id: str
    title: str
    body: str
    locale: str = "zh"
    audience: Audience = "public"
    questions: tuple[str, ...] = ()
    negative_questions: tuple[str, ...] = ()
    url: str | None = None
    tags: tuple[str, ...] = ()
    updated_at: datetime | None = None
    valid_from: datetime | None = None
    valid_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class MinedResolution:
    """One issue of one resolved human conversation: the customer's question and what the agent said and did.

    ``id`` is ``<conversation_id>/<n>``. Personal data is already redacted. ``context`` is the redacted text of the
    customer's earlier turns, which the question alone may lean on.
    """

    id: str
    conversation_id: str
    question: str
    answer: str
    context: str = ""
    locale: str = "zh"
    closed_at: datetime | None = None
    article_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Chunk:
    """A stored slice of a document, kept whole where its structure asks for it.

    ``heading`` is the path of headings above the slice, joined by `` > ``; ``position`` counts from 0 in the document.
    """

    id: str
    document_id: str
    kind: DocumentKind
    position: int
    title: str
    heading: str
    text: str
    locale: str
    audience: Audience
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    updated_at: datetime | None = None
    url: str | None = None
    conversation_id: str | None = None


@dataclass(frozen=True, slots=True)
class IndexEntry:
    """One searchable text that leads to a chunk; its ``id`` comes from its content, so writing it twice is harmless."""

    id: str
    chunk_id: str
    field: EntryField
    text: str


@dataclass(frozen=True, slots=True)
class Passage:
    """A chunk returned for a query. ``score`` is 0–1, higher is better."""

    id: str
    document_id: str
    kind: DocumentKind
    title: str
    heading: str
    text: str
    score: float
    locale: str
    audience: Audience = "public"
    matched: str = ""
    dense: float = 0.0
    lexical: float = 0.0
    url: str | None = None
    conversation_id: str | None = None
    updated_at: datetime | None = None
    valid_until: datetime | None = None

    @staticmethod
    def of(chunk: Chunk, score: float, dense: float = 0.0, lexical: float = 0.0) -> Passage:
        """The chunk as it is returned for a query."""
        return Passage(
            id=chunk.id,
            document_id=chunk.document_id,
            kind=chunk.kind,
            title=chunk.title,
            heading=chunk.heading,
            text=chunk.text,
            score=score,
            locale=chunk.locale,
            audience=chunk.audience,
            dense=dense,
            lexical=lexical,
            url=chunk.url,
            conversation_id=chunk.conversation_id,
            updated_at=chunk.updated_at,
            valid_until=chunk.valid_until,
        )

    @property
    def article_id(self) -> str | None:
        """The article's id, or None for a mined resolution."""
        return self.document_id if self.kind is DocumentKind.ARTICLE else None
