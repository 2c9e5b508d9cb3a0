"""The hit rate on the live store: what was shown before a question, and whether that was then asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

from assistant.bootstrap import Service
from assistant.domain.conversation import Turn
from assistant.domain.knowledge import DocumentKind
from assistant.query import Query
from assistant.store.conversations import ConversationRecords, RecordedTurn
from assistant.text import fold
from evals.statistics import Estimate, bootstrap_mean
from ingest.transcripts import carries_information


@dataclass(frozen=True, slots=True)
class Shown:
    """What was on the screen when this was asked."""

    conversation_id: str
    suggestions: tuple[str, ...]
    asked: str


@dataclass(frozen=True, slots=True)
class LiveHits:
    """``moments`` questions that followed suggestions; ``clicked`` asked one of them word for word."""

    moments: int
    clicked: int
    hit1: Estimate
    hit3: Estimate
    shuffled3: Estimate

    def record(self) -> dict[str, Any]:
        """As JSON data."""
        return asdict(self)


def live_hits(service: Service, workspace: str) -> LiveHits:
    """Counts the workspace's own conversations. The same matter is: the same words, or the same supported article."""
    records = ConversationRecords(service.engine, workspace)
    shown = [s for conversation in records.recorded() for s in moments_of(*conversation)]
    if not shown:
        nothing = Estimate(None, None, None, 0, 0)
        return LiveHits(0, 0, nothing, nothing, nothing)
    retriever, threshold = service.retriever(workspace), service.thresholds(workspace).answer

    @cache
    def article(text: str) -> str | None:
        found = retriever.search(Query(text, k=1, only=DocumentKind.ARTICLE), now=service.clock.now()).best
        return found.document_id if found is not None and found.score >= threshold else None

    return count_hits(shown, article)


def moments_of(conversation_id: str, turns: Sequence[RecordedTurn]) -> list[Shown]:
    """Each question that carries information, with what was shown right before it."""
    found: list[Shown] = []
    on_screen: tuple[str, ...] = ()
    for number, turn in enumerate(turns):
        if turn.role == "assistant":
            on_screen = _texts(turn.reply.get("suggested_questions"))
        elif turn.role == "customer" and carries_information(Turn("customer", turn.text)):
            later = turns[number + 1].reply if number + 1 < len(turns) else {}
            before = _texts(later.get("shown_suggestions")) or on_screen
            if before:
                found.append(Shown(conversation_id, before, turn.text))
            on_screen = ()
    return found


def count_hits(shown: Sequence[Shown], article: Callable[[str], str | None]) -> LiveHits:
    """The rates, with intervals over conversations, and the control: suggestions of another conversation."""

    def hit(offered: Sequence[str], asked: str) -> float:
        own = article(asked)
        return float(any(_same(text, asked) or (own is not None and article(text) == own) for text in offered))

    groups = [s.conversation_id for s in shown]
    control: list[float | None] = []
    for number, moment in enumerate(shown):
        others = [*shown[number + 1 :], *shown[:number]]
        other = next((o for o in others if o.conversation_id != moment.conversation_id), None)
        control.append(None if other is None else hit(other.suggestions[:3], moment.asked))
    return LiveHits(
        len(shown),
        sum(any(_same(text, s.asked) for text in s.suggestions) for s in shown),
        bootstrap_mean([hit(s.suggestions[:1], s.asked) for s in shown], groups=groups),
        bootstrap_mean([hit(s.suggestions[:3], s.asked) for s in shown], groups=groups),
        bootstrap_mean(control, groups=groups),
    )


def _same(text: str, other: str) -> bool:
    return fold(text).strip().casefold() == fold(other).strip().casefold()


def _texts(value: object) -> tuple[str, ...]:
    return tuple(text for text in value if isinstance(text, str)) if isinstance(value, list) else ()
