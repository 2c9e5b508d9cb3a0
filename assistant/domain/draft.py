"""Drafts that agents asked for, and what became of them: the labels by which every answer metric is itself judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

DraftVerdict = Literal["accepted", "edited", "rejected"]


@dataclass(frozen=True, slots=True)
class AgentDraft:
    """A draft to the conversation's turns up to ``turn_seq``; ``reply`` is its whole record with passages.

    ``verdict`` is None until the agent has decided. ``sent`` is what went to the customer instead or as it was; None
    where a draft was rejected and nothing was sent.
    """

    id: str
    conversation_id: str
    turn_seq: int
    text: str
    reply: Mapping[str, Any]
    made_at: datetime
    made_by: str
    verdict: DraftVerdict | None = None
    sent: str | None = None
    reason: str | None = None
    settled_at: datetime | None = None
    settled_by: str | None = None


def verdict_on(draft: str, sent: str | None, *, rejected: bool) -> DraftVerdict:
    """Accepted where the words went out as they were, but for space around them."""
    if rejected or sent is None:
        return "rejected"
    return "accepted" if sent.strip() == draft.strip() else "edited"
