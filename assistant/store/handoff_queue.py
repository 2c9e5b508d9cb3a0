"""The queue of conversations handed to people, and what agents said solved them, of one workspace."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine, insert, select, update

from assistant.domain.conversation import Resolution
from assistant.domain.reply import Handoff
from assistant.errors import Conflict, NotFound
from assistant.reply_record import handoff_from
from assistant.store import tables as t


@dataclass(frozen=True, slots=True)
class Waiting:
    """A conversation handed over at ``at``. ``since`` is when the customer's oldest unanswered word came.

    ``since`` is None where an agent spoke last. ``last`` is what the customer said last.
    """

    conversation_id: str
    user_id: str | None
    channel: str
    handoff: Handoff
    at: datetime
    since: datetime | None
    last: str


class HandoffQueue:
    """Every method is blocking and one transaction."""

    def __init__(self, engine: Engine, workspace: str) -> None:
        self._engine = engine
        self._workspace = workspace

    def waiting(self, limit: int) -> list[Waiting]:
        """The conversations that are with people now, handed over first comes first; at most ``limit`` of them."""
        c, h = t.conversations, t.handoffs
        query = (
            select(c.c.id, c.c.user_id, c.c.channel, h.c.reason, h.c.summary, h.c.skill, h.c.details, h.c.at)
            .join(h, (h.c.workspace == c.c.workspace) & (h.c.conversation_id == c.c.id))
            .where(c.c.workspace == self._workspace, c.c.status == "handed_off", h.c.withdrawn_at.is_(None))
            .order_by(h.c.at)
        )
        with self._engine.connect() as connection:
            newest = {row.id: row for row in connection.execute(query)}  # a later handoff replaces an earlier one
            rows = sorted(newest.values(), key=lambda row: (row.at, row.id))[:limit]
            said = self._said(connection, [row.id for row in rows])
        found = []
        for row in rows:
            turns = said.get(row.id, [])
            spoke = max((i for i, (role, _, _) in enumerate(turns) if role == "agent"), default=None)
            unanswered = [at for role, _, at in turns[0 if spoke is None else spoke + 1 :] if role == "customer"]
            # before an agent has spoken the wait is counted from the handoff, not from the first question
            since = row.at if spoke is None else min(unanswered, default=None)
            last = next((text for role, text, _ in reversed(turns) if role == "customer"), "")
            handoff = handoff_from(row.reason, row.summary, row.skill, row.details)
            found.append(Waiting(row.id, row.user_id, row.channel, handoff, row.at, since, last))
        return found

    def resolve(self, conversation_id: str, resolution: Resolution, *, by: str, at: datetime) -> None:
        """Close the conversation and keep what solved it. Raises NotFound, or Conflict where it is closed already."""
        c, r = t.conversations, t.resolutions
        mine = (c.c.workspace == self._workspace) & (c.c.id == conversation_id)
        with self._engine.begin() as connection:
            # the update is the lock: of two agents who resolve at once, one changes no row
            closed = connection.execute(update(c).where(mine, c.c.status != "closed").values(status="closed")).rowcount
            if not closed:
                if connection.execute(select(c.c.id).where(mine)).one_or_none() is None:
                    raise NotFound(f"no conversation {conversation_id!r} in workspace {self._workspace!r}")
                raise Conflict(f"conversation {conversation_id!r} is resolved already")
            connection.execute(
                insert(r).values(
                    workspace=self._workspace,
                    conversation_id=conversation_id,
                    summary=resolution.summary,
                    article_ids=list(resolution.article_ids),
                    by=by,
                    at=at,
                )
            )

    def resolution(self, conversation_id: str) -> Resolution | None:
        """What was recorded when it was resolved; None where it was not."""
        r = t.resolutions
        query = select(r.c.summary, r.c.article_ids)
        with self._engine.connect() as connection:
            row = connection.execute(
                query.where(r.c.workspace == self._workspace, r.c.conversation_id == conversation_id)
            ).one_or_none()
        return None if row is None else Resolution(row.summary, tuple(row.article_ids))

    def _said(self, connection: Connection, ids: list[str]) -> dict[str, list[tuple[str, str, datetime]]]:
        tu = t.turns
        query = select(tu.c.conversation_id, tu.c.role, tu.c.text, tu.c.at).where(
            tu.c.workspace == self._workspace, tu.c.conversation_id.in_(ids)
        )
        found: dict[str, list[tuple[str, str, datetime]]] = {}
        for row in connection.execute(query.order_by(tu.c.conversation_id, tu.c.seq)):
            found.setdefault(row.conversation_id, []).append((row.role, row.text, row.at))
        return found
