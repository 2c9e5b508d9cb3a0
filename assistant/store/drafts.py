"""Drafts for agents with what was sent in their place, of one workspace."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import cast

from sqlalchemy import Engine, Row, func, insert, select, update

from assistant.domain.draft import AgentDraft, DraftVerdict
from assistant.domain.reply import Reply
from assistant.errors import NotFound
from assistant.reply_record import reply_record
from assistant.store import tables as t


class DraftRecords:
    """Every method is blocking and one transaction."""

    def __init__(self, engine: Engine, workspace: str) -> None:
        self._engine = engine
        self._workspace = workspace

    def add(self, conversation_id: str, turn_seq: int, reply: Reply, *, by: str, at: datetime) -> AgentDraft:
        """A new draft, undecided."""
        made = AgentDraft(
            f"dr_{secrets.token_hex(10)}",
            conversation_id,
            turn_seq,
            reply.text,
            reply_record(reply, passages=True),
            at,
            by,
        )
        with self._engine.begin() as connection:
            connection.execute(
                insert(t.drafts).values(
                    workspace=self._workspace,
                    id=made.id,
                    conversation_id=conversation_id,
                    turn_seq=turn_seq,
                    text=made.text,
                    reply=dict(made.reply),
                    made_at=at,
                    made_by=by,
                )
            )
        return made

    def get(self, conversation_id: str, draft_id: str) -> AgentDraft:
        """The draft of this conversation. Raises NotFound."""
        d = t.drafts
        with self._engine.connect() as connection:
            row = connection.execute(
                select(d).where(
                    d.c.workspace == self._workspace, d.c.id == draft_id, d.c.conversation_id == conversation_id
                )
            ).one_or_none()
        if row is None:
            raise NotFound(f"no draft {draft_id!r} in conversation {conversation_id!r}")
        return _draft(row)

    def settle(
        self,
        draft: AgentDraft,
        verdict: DraftVerdict,
        sent: str | None,
        *,
        by: str,
        at: datetime,
        reason: str | None = None,
    ) -> bool:
        """Keep the verdict and add what was sent as the agent's turn; False where it was decided before."""
        d, tu = t.drafts, t.turns
        with self._engine.begin() as connection:
            # the verdict is the lock: of two agents who decide at once, one changes no row
            done = connection.execute(
                update(d)
                .where(d.c.workspace == self._workspace, d.c.id == draft.id, d.c.verdict.is_(None))
                .values(verdict=verdict, sent=sent, reason=reason, settled_at=at, settled_by=by)
            )
            if done.rowcount == 0:
                return False
            if sent is not None:
                last = connection.execute(
                    select(func.max(tu.c.seq)).where(
                        tu.c.workspace == self._workspace, tu.c.conversation_id == draft.conversation_id
                    )
                ).scalar()
                connection.execute(
                    insert(tu).values(
                        workspace=self._workspace,
                        conversation_id=draft.conversation_id,
                        seq=0 if last is None else int(last) + 1,
                        role="agent",
                        text=sent,
                        at=at,
                        author_id=by,
                        reply=None,
                    )
                )
        return True

    def all(self) -> list[AgentDraft]:
        """Every draft, oldest first."""
        d = t.drafts
        with self._engine.connect() as connection:
            rows = connection.execute(
                select(d).where(d.c.workspace == self._workspace).order_by(d.c.made_at, d.c.id)
            ).all()
        return [_draft(row) for row in rows]


def _draft(row: Row[tuple[object, ...]]) -> AgentDraft:
    return AgentDraft(
        row.id,
        row.conversation_id,
        row.turn_seq,
        row.text,
        row.reply,
        row.made_at,
        row.made_by,
        cast("DraftVerdict | None", row.verdict),
        row.sent,
        row.reason,
        row.settled_at,
        row.settled_by,
    )
