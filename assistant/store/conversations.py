"""Live conversations, their turns, handoffs and ratings, of one workspace."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, func, insert, select, update

from assistant.domain.conversation import Turn
from assistant.domain.feedback import Rating
from assistant.domain.live import Conversation
from assistant.domain.reply import Handoff
from assistant.errors import NotFound
from assistant.store import tables as t


@dataclass(frozen=True, slots=True)
class RecordedTurn:
    """A turn with the whole reply record that is kept with it, empty without one."""

    role: str
    text: str
    reply: Mapping[str, Any]


class ConversationRecords:
    """Every method is blocking and one transaction."""

    def __init__(self, engine: Engine, workspace: str) -> None:
        self._engine = engine
        self._workspace = workspace

    def open(self, *, user_id: str | None, channel: str, now: datetime) -> Conversation:
        """A new conversation with an id that cannot be guessed."""
        conversation = Conversation(f"cv_{secrets.token_urlsafe(12)}", user_id, channel, "open", now)
        with self._engine.begin() as connection:
            connection.execute(
                insert(t.conversations).values(
                    workspace=self._workspace,
                    id=conversation.id,
                    user_id=user_id,
                    channel=channel,
                    status="open",
                    opened_at=now,
                )
            )
        return conversation

    def get(self, conversation_id: str) -> Conversation:
        """The conversation with its turns in order. Raises NotFound."""
        c, tu, h = t.conversations, t.turns, t.handoffs
        with self._engine.connect() as connection:
            row = connection.execute(
                select(c).where(c.c.workspace == self._workspace, c.c.id == conversation_id)
            ).one_or_none()
            if row is None:
                raise NotFound(f"no conversation {conversation_id!r} in workspace {self._workspace!r}")
            turns = connection.execute(
                select(tu.c.role, tu.c.text, tu.c.at, tu.c.author_id, tu.c.reply)
                .where(tu.c.workspace == self._workspace, tu.c.conversation_id == conversation_id)
                .order_by(tu.c.seq)
            ).all()
            handoffs = connection.execute(
                select(h.c.reason, h.c.summary, h.c.skill)
                .where(h.c.workspace == self._workspace, h.c.conversation_id == conversation_id)
                .order_by(h.c.at)
            )
            return Conversation(
                row.id,
                row.user_id,
                row.channel,
                row.status,
                row.opened_at,
                tuple(Turn(r.role, r.text, r.at, r.author_id) for r in turns),
                tuple(Handoff(r.reason, r.summary, r.skill) for r in handoffs),
                _misses([r.reply["decision"] for r in turns if r.role == "assistant" and r.reply]),
            )

    def recorded(self) -> list[tuple[str, list[RecordedTurn]]]:
        """Every conversation that has turns, with its id, in order of its id."""
        tu = t.turns
        query = select(tu.c.conversation_id, tu.c.role, tu.c.text, tu.c.reply).where(tu.c.workspace == self._workspace)
        found: dict[str, list[RecordedTurn]] = {}
        with self._engine.connect() as connection:
            for row in connection.execute(query.order_by(tu.c.conversation_id, tu.c.seq)):
                turn = RecordedTurn(row.role, row.text, row.reply or {})
                found.setdefault(row.conversation_id, []).append(turn)
        return list(found.items())

    def append(self, conversation_id: str, turn: Turn, *, at: datetime, reply: Mapping[str, Any] | None = None) -> int:
        """Add a turn; returns its number, from 0. ``reply`` is the whole reply record of an assistant's turn."""
        tu = t.turns
        with self._engine.begin() as connection:
            last = connection.execute(
                select(func.max(tu.c.seq)).where(
                    tu.c.workspace == self._workspace, tu.c.conversation_id == conversation_id
                )
            ).scalar()
            seq = 0 if last is None else int(last) + 1
            connection.execute(
                insert(tu).values(
                    workspace=self._workspace,
                    conversation_id=conversation_id,
                    seq=seq,
                    role=turn.role,
                    text=turn.text,
                    at=at,
                    author_id=turn.author_id,
                    reply=dict(reply) if reply is not None else None,
                )
            )
            return seq

    def hand_off(self, conversation_id: str, handoff: Handoff, *, at: datetime) -> None:
        """Record the handoff and mark the conversation, in one transaction: a promise of a transfer makes one."""
        c = t.conversations
        with self._engine.begin() as connection:
            connection.execute(
                insert(t.handoffs).values(
                    workspace=self._workspace,
                    id=secrets.token_hex(12),
                    conversation_id=conversation_id,
                    reason=handoff.reason,
                    summary=handoff.summary,
                    skill=handoff.skill,
                    at=at,
                )
            )
            connection.execute(
                update(c).where(c.c.workspace == self._workspace, c.c.id == conversation_id).values(status="handed_off")
            )

    def rate(self, rating: Rating) -> None:
        """Keep a rating. Raises NotFound for an unknown conversation."""
        self.get(rating.conversation_id)
        with self._engine.begin() as connection:
            connection.execute(
                insert(t.ratings).values(
                    workspace=self._workspace,
                    id=secrets.token_hex(12),
                    conversation_id=rating.conversation_id,
                    turn_seq=rating.turn_seq,
                    kind=rating.kind,
                    value=rating.value,
                    reason=rating.reason,
                    at=rating.at,
                )
            )


def _misses(decisions: list[str]) -> int:
    count = 0
    while count < len(decisions) and decisions[-1 - count] == "clarify":
        count += 1
    return count
