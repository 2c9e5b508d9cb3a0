"""Reads back what the desk recorded: whole conversations with replies, handoffs and ratings, of one workspace."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, select

from assistant.domain.conversation import Turn
from assistant.domain.feedback import Rating
from assistant.store import tables as t


@dataclass(frozen=True, slots=True)
class RecordedConversation:
    """A conversation as it went. ``replies`` are the reply records of the assistant's turns, by turn number."""

    id: str
    user_id: str | None
    channel: str
    opened_at: datetime
    turns: tuple[Turn, ...]
    replies: Mapping[int, Mapping[str, Any]]
    handoffs: tuple[tuple[str, datetime], ...]
    ratings: tuple[Rating, ...]


class LiveHistory:
    """Every method is blocking."""

    def __init__(self, engine: Engine, workspace: str) -> None:
        self._engine = engine
        self._workspace = workspace

    def conversations(self) -> Iterator[RecordedConversation]:
        """Every conversation with turns, oldest first."""
        c, tu, h, r = t.conversations, t.turns, t.handoffs, t.ratings
        turns: dict[str, list[Any]] = defaultdict(list)
        handoffs: dict[str, list[tuple[str, datetime]]] = defaultdict(list)
        ratings: dict[str, list[Rating]] = defaultdict(list)
        with self._engine.connect() as connection:
            for row in connection.execute(
                select(tu).where(tu.c.workspace == self._workspace).order_by(tu.c.conversation_id, tu.c.seq)
            ):
                turns[row.conversation_id].append(row)
            for row in connection.execute(select(h).where(h.c.workspace == self._workspace).order_by(h.c.at)):
                handoffs[row.conversation_id].append((row.reason, row.at))
            for row in connection.execute(select(r).where(r.c.workspace == self._workspace).order_by(r.c.at)):
                ratings[row.conversation_id].append(
                    Rating(row.conversation_id, row.kind, int(row.value), row.at, row.turn_seq, row.reason)
                )
            rows = connection.execute(
                select(c).where(c.c.workspace == self._workspace).order_by(c.c.opened_at, c.c.id)
            ).all()
        for row in rows:
            said = turns.get(row.id, [])
            if said:
                yield RecordedConversation(
                    row.id,
                    row.user_id,
                    row.channel,
                    row.opened_at,
                    tuple(Turn(s.role, s.text, s.at, s.author_id) for s in said),
                    {s.seq: s.reply for s in said if s.reply},
                    tuple(handoffs.get(row.id, ())),
                    tuple(ratings.get(row.id, ())),
                )
