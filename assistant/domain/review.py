"""Knowledge under review: drafted articles on their way to publication, and what staff say of those already there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from assistant.domain.knowledge import Article

ReviewStatus = Literal["proposed", "accepted", "edited", "rejected", "expired", "published"]
ReviewAction = Literal["drafted", "accepted", "edited", "rejected", "expired", "replayed", "published"]
FlagReason = Literal["outdated", "wrong", "duplicate", "contradicts", "unclear", "other"]

OPEN: frozenset[ReviewStatus] = frozenset({"proposed", "accepted", "edited"})
"""States that still wait for somebody; the other three are final."""
GIVEN_UP: frozenset[ReviewStatus] = frozenset({"rejected", "expired"})
"""States after which a gap may be drafted for again."""
REVIEWED: frozenset[ReviewStatus] = frozenset({"accepted", "edited"})
"""States in which a person has said that the text may be published."""


@dataclass(frozen=True, slots=True)
class WrittenFrom:
    """A case that a draft was written from, and the conversation it belongs to."""

    conversation_id: str
    case_id: str


@dataclass(frozen=True, slots=True)
class ReplayPrediction:
    """What a replay of old cases said would come of publishing the article; case ids by what happens to them.

    ``before`` and ``after`` are mean accuracies 0–1 over ``cases`` cases, None where nothing could be scored; ``low``
    and ``high`` bound the paired difference (95 %). ``marked`` cases were written from, and are no gain whatever they
    score. ``duplicates`` are ids of articles that say the same, ``contradictions`` (article, our figure, its figure).
    ``sha256`` is the text that was replayed: a prediction for another text is none.
    """

    at: datetime
    sha256: str
    cases: int
    before: float | None
    after: float | None
    low: float | None
    high: float | None
    gains: tuple[str, ...] = ()
    regressions: tuple[str, ...] = ()
    marked: tuple[str, ...] = ()
    duplicates: tuple[str, ...] = ()
    contradictions: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ReviewEvent:
    """One step of an item's history, which is only ever added to. ``article`` is the text after it where it changed."""

    action: ReviewAction
    who: str
    at: datetime
    note: str = ""
    article: Article | None = None


@dataclass(frozen=True, slots=True)
class ReviewItem:
    """A drafted article under review. ``drafted_by`` is ``resolution`` (assembled) or the model's name."""

    id: str
    gap_id: str
    gap_name: str
    article: Article
    written_from: tuple[WrittenFrom, ...]
    drafted_by: str
    status: ReviewStatus
    created_at: datetime
    touched_at: datetime
    prediction: ReplayPrediction | None = None
    history: tuple[ReviewEvent, ...] = ()

    @property
    def conversation_ids(self) -> tuple[str, ...]:
        """The conversations it was written from, each once."""
        return tuple(dict.fromkeys(source.conversation_id for source in self.written_from))


@dataclass(frozen=True, slots=True)
class ArticleFlag:
    """What a member of staff found wrong with an article; ``settled_at`` is None while nobody has dealt with it."""

    id: str
    article_id: str
    reason: FlagReason
    note: str
    who: str
    at: datetime
    settled_at: datetime | None = None
    settled_by: str | None = None
