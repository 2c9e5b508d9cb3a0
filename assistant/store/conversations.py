"""Live conversations, their turns, handoffs and ratings, of one workspace."""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from assistant.domain.conversation import Turn
from assistant.domain.feedback import Rating
from assistant.domain.live import Conversation
from assistant.domain.reply import Handoff
from assistant.errors import NotFound, TeachbackError
from assistant.reply_record import handoff_details, handoff_from
from assistant.store import tables as t

_APPEND_TRIES = 50


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
                select(h.c.reason, h.c.summary, h.c.skill, h.c.details)
                .where(
                    h.c.workspace == self._workspace,
                    h.c.conversation_id == conversation_id,
                    h.c.withdrawn_at.is_(None),
                )
                .order_by(h.c.at)
            )
            return Conversation(
                row.id,
                row.user_id,
                row.channel,
                row.status,
                row.opened_at,
                tuple(Turn(r.role, r.text, r.at, r.author_id) for r in turns),
                tuple(handoff_from(r.reason, r.summary, r.skill, r.details) for r in handoffs),
                _misses([(r.role, r.reply["decision"] if r.reply else "") for r in turns]),
            )

    def task_shown(self, conversation_id: str, confirmation: str) -> Mapping[str, Any] | None:
        """The ``task`` of the reply that showed the summary with this confirmation."""
        tu = t.turns
        query = select(tu.c.reply).where(tu.c.workspace == self._workspace, tu.c.conversation_id == conversation_id)
        with self._engine.connect() as connection:
            for (reply,) in connection.execute(query.order_by(tu.c.seq.desc())):
                task: Mapping[str, Any] | None = (reply or {}).get("task")
                if task is not None and task.get("confirmation") == confirmation:
                    return task
        return None

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
        for attempt in range(_APPEND_TRIES):
            with contextlib.suppress(IntegrityError), self._engine.begin() as connection:
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
            time.sleep(0.002 * attempt)  # two messages of one conversation at once: the other one took this number
        raise TeachbackError(f"conversation {conversation_id!r} is written to by too many at once; try again")

    def hand_off(self, conversation_id: str, handoff: Handoff, *, at: datetime) -> None:
        """Record the handoff and mark the conversation, in one transaction: a promise of a transfer makes one.

        A customer who asks again while waiting does not queue twice: the open record is brought up to date. It
        keeps its reason and time, unless a safety matter comes up.
        """
        c, h = t.conversations, t.handoffs
        mine = (h.c.workspace == self._workspace, h.c.conversation_id == conversation_id)
        kept: dict[str, Any] = {"summary": handoff.summary, "details": handoff_details(handoff)}
        new = {"reason": handoff.reason, "skill": handoff.skill, "at": at}
        with self._engine.begin() as connection:
            # the update comes first: it takes the lock, so that of two replies at once one sees the other's record
            waiting = connection.execute(
                update(c)
                .where(c.c.workspace == self._workspace, c.c.id == conversation_id, c.c.status == "handed_off")
                .values(status="handed_off")
            ).rowcount
            newest = connection.execute(
                select(h.c.id).where(*mine, h.c.withdrawn_at.is_(None)).order_by(h.c.at.desc()).limit(1)
            ).scalar()
            if waiting and newest is not None:
                if handoff.reason == "forbidden_topic":
                    kept |= {"reason": handoff.reason, "skill": handoff.skill}
                connection.execute(update(h).where(*mine, h.c.id == newest).values(**kept))
                return
            connection.execute(
                insert(h).values(
                    workspace=self._workspace,
                    id=secrets.token_hex(12),
                    conversation_id=conversation_id,
                    **new,
                    **kept,
                )
            )
            connection.execute(
                update(c).where(c.c.workspace == self._workspace, c.c.id == conversation_id).values(status="handed_off")
            )

    def withdraw_handoff(self, conversation_id: str, *, at: datetime) -> None:
        """The customer turned the transfer down: its record is kept as withdrawn, the conversation is open again."""
        c, h = t.conversations, t.handoffs
        with self._engine.begin() as connection:
            opened = connection.execute(
                update(c)
                .where(c.c.workspace == self._workspace, c.c.id == conversation_id, c.c.status == "handed_off")
                .values(status="open")
            ).rowcount
            if not opened:
                return
            newest = connection.execute(
                select(h.c.id)
                .where(
                    h.c.workspace == self._workspace,
                    h.c.conversation_id == conversation_id,
                    h.c.withdrawn_at.is_(None),
                )
                .order_by(h.c.at.desc())
                .limit(1)
            ).scalar()
            connection.execute(
                update(h).where(h.c.workspace == self._workspace, h.c.id == newest).values(withdrawn_at=at)
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


def _misses(turns: list[tuple[str, str]]) -> int:
    """Clarifying replies at the end; what was before an agent spoke is settled."""
    count = 0
    for role, decision in reversed(turns):
        if role == "agent" or (role == "assistant" and decision != "clarify"):
            break
        count += role == "assistant"
    return count
