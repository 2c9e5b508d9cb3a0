"""Conversations (live) and transcripts (their frozen record)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from assistant.domain.state import UserState

Role = Literal["customer", "assistant", "agent", "system"]
Outcome = Literal["resolved", "unresolved", "unknown"]


@dataclass(frozen=True, slots=True)
class Turn:
    """One message."""

    role: Role
    text: str
    at: datetime | None = None
    author_id: str | None = None


@dataclass(frozen=True, slots=True)
class HandoffEvent:
    """That, why and when a transcript was moved to a person."""

    reason: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Resolution:
    """What the agent recorded at the end."""

    summary: str
    article_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Transcript:
    """One human conversation, frozen. ``csat`` is 1–5, ``ces`` 1–7 (7 easiest)."""

    conversation_id: str
    turns: tuple[Turn, ...]
    locale: str = "zh"
    channel: str | None = None
    opened_at: datetime | None = None
    closed_at: datetime | None = None
    customer_id: str | None = None
    handoff: HandoffEvent | None = None
    outcome: Outcome = "unknown"
    resolution: Resolution | None = None
    csat: int | None = None
    ces: int | None = None
    user_state: UserState | None = None
