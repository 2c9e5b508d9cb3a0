"""What the core needs from the world outside, one Protocol a need. Adapters are built by ``bootstrap`` only."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from assistant.domain.review import ArticleFlag, ReviewEvent, ReviewItem, ReviewStatus
from assistant.domain.state import UserState

Vectors = NDArray[np.float32]


class Embedder(Protocol):
    """Turns texts into L2-normalised vectors. Blocking and thread-safe. Raises EmbeddingFailed."""

    @property
    def fingerprint(self) -> str:
        """Names the model and all that changes its vectors; the index remembers it."""
        ...

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        ...

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """(n, dimensions) rows for questions."""
        ...

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """(n, dimensions) rows for stored texts."""
        ...


class Reranker(Protocol):
    """Reads a question and passages side by side. Blocking and thread-safe. Raises RerankingFailed."""

    @property
    def name(self) -> str:
        """Names the model, for records and people."""
        ...

    def scores(self, question: str, passages: Sequence[str]) -> NDArray[np.float32]:
        """(n,) finite figures, higher for a passage that answers better; only their order means anything."""
        ...


class VectorIndex(Protocol):
    """Nearest neighbours of one workspace by cosine similarity. Blocking. Raises IndexUnavailable."""

    def upsert(self, ids: Sequence[str], vectors: Vectors) -> None:
        """Add or replace; after it returns the vectors survive a kill."""
        ...

    def delete(self, ids: Sequence[str]) -> None:
        """Remove these; unknown ids are ignored."""
        ...

    def ids(self) -> set[str]:
        """All ids held."""
        ...

    def count(self) -> int:
        """How many are held, without listing them."""
        ...

    def search(self, vector: NDArray[np.float32], limit: int) -> list[tuple[str, float]]:
        """(id, cosine) pairs, nearest first, at most ``limit``."""
        ...


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One message to a chat model."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class ChatDelta:
    """A piece of a streamed completion; ``usage`` only on the last one, where the server tells."""

    text: str = ""
    usage: Mapping[str, int] = field(default_factory=dict)


class ChatModel(Protocol):
    """A chat model that streams. Raises ModelUnavailable, also in the middle of a stream."""

    @property
    def name(self) -> str:
        """The model's name as recorded on replies."""
        ...

    def stream(self, messages: Sequence[ChatMessage]) -> AsyncIterator[ChatDelta]:
        """Pieces of one completion, in order."""
        ...


@dataclass(frozen=True, slots=True)
class JudgeAnswer:
    """What a judge wrote, unread, and the tokens that it took as the server counts them."""

    text: str
    usage: Mapping[str, int] = field(default_factory=dict)


class JudgeModel(Protocol):
    """A model that judges; asked for one JSON object at a time. Raises ModelUnavailable with its ``reason``."""

    @property
    def name(self) -> str:
        """The model's name as recorded in runs."""
        ...

    @property
    def endpoint(self) -> str:
        """Where it is, without secrets."""
        ...

    async def answer(self, prompt: str, schema: Mapping[str, object]) -> JudgeAnswer:
        """Its answer, wanted as JSON of this schema; whether it is must be checked."""
        ...

    async def aclose(self) -> None:
        """Close the connections."""
        ...


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A function that a model may propose to call; ``parameters`` is a JSON schema."""

    name: str
    description: str
    parameters: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class ToolCall:
    """What a model proposes to call. ``arguments`` is its raw text, which may be no JSON at all."""

    name: str
    arguments: str


@runtime_checkable
class ToolModel(Protocol):
    """A chat model that can propose tool calls. Raises ModelUnavailable. Proposing does nothing by itself."""

    async def call_tool(
        self,
        messages: Sequence[ChatMessage],
        tools: Sequence[ToolSpec],
        *,
        told: Callable[[Mapping[str, int]], None] | None = None,
    ) -> ToolCall | None:
        """The first call that the model proposes, or None when it proposes none; ``told`` is given the tokens used."""
        ...


class StateSource(Protocol):
    """Live state of one user. Raises StateUnavailable; an unknown user has an empty state, not ``known``."""

    async def fetch(self, user_id: str, as_of: datetime | None = None) -> UserState:
        """State of this user, now or as of a past moment where the source can tell it."""
        ...


class Clock(Protocol):
    """The time, so that tests and replays can set it."""

    def now(self) -> datetime:
        """An aware datetime."""
        ...


class Progress(Protocol):
    """Where long work says how far it is."""

    def advance(self, stage: str, done: int, total: int) -> None:
        """``done`` of ``total`` units of ``stage``."""
        ...


class TextSegmenter(Protocol):
    """Splits normalised text into index terms."""

    def terms(self, text: str) -> list[str]:
        """Terms in order, with repeats."""
        ...


class ReviewStore(Protocol):
    """Drafted articles under review and flags on articles, of one workspace. Blocking, each call one transaction."""

    def add(self, item: ReviewItem) -> None:
        """A new item with its events. Raises Conflict where its id is taken, or its gap by an item not given up."""
        ...

    def get(self, item_id: str) -> ReviewItem:
        """The item with its history. Raises NotFound."""
        ...

    def items(self, statuses: Sequence[ReviewStatus] = ()) -> list[ReviewItem]:
        """Items in these states, all where none is named, the oldest first; without their histories."""
        ...

    def change(self, before: ReviewItem, after: ReviewItem, event: ReviewEvent) -> ReviewItem:
        """Keep ``after`` and its event, if the item is still as ``before``. Raises Conflict, NotFound."""
        ...

    def flag(self, flag: ArticleFlag) -> None:
        """Keep a flag."""
        ...

    def flags(self, article_id: str | None = None, *, settled: bool = False) -> list[ArticleFlag]:
        """Open flags, of one article or of all, the oldest first; with ``settled`` those dealt with too."""
        ...

    def settle_flag(self, flag_id: str, *, who: str, at: datetime) -> None:
        """Mark a flag as dealt with; twice keeps the first. Raises NotFound."""
        ...
