"""Live conversations as the desk keeps them, and the events of a streamed reply."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from assistant.domain.conversation import Turn
from assistant.domain.reply import Handoff, Reply

ConversationStatus = Literal["open", "handed_off", "closed"]


@dataclass(frozen=True, slots=True)
class Conversation:
    """A live conversation. ``user_id`` comes from the session's token, never from text; None is a visitor.

    ``misses`` counts the assistant's replies at the end of it that did not help (decision ``clarify``).
    """

    id: str
    user_id: str | None
    channel: str
    status: ConversationStatus
    opened_at: datetime
    turns: tuple[Turn, ...] = ()
    handoffs: tuple[Handoff, ...] = ()
    misses: int = 0


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked. ``history`` are the turns before it; ``user_id`` is whose live state may be used.

    ``misses`` counts the assistant's unhelpful replies (clarify) right before this question; ``shown_suggestions`` are
    the questions that were offered before it; ``handed_off``: a person has been called and has not come yet.
    ``confirmation`` names the task summary whose button was pressed; it only ever narrows what a yes may confirm.
    """

    text: str
    user_id: str | None = None
    conversation_id: str = ""
    history: tuple[Turn, ...] = ()
    locale: str | None = None
    page: str | None = None
    misses: int = 0
    shown_suggestions: tuple[str, ...] = ()
    handed_off: bool = False
    confirmation: str | None = None


@dataclass(frozen=True, slots=True)
class ReplyStarted:
    """First event of a reply: it is being worked on."""

    conversation_id: str
    trace_id: str


@dataclass(frozen=True, slots=True)
class ReplyDelta:
    """A piece of text to show at once."""

    text: str


@dataclass(frozen=True, slots=True)
class ReplyReset:
    """Take back the pieces shown so far: the model failed or was not grounded. ``reason`` names the step down."""

    reason: str


@dataclass(frozen=True, slots=True)
class ReplyDone:
    """Last event: the whole reply, which alone counts."""

    reply: Reply


ReplyEvent = ReplyStarted | ReplyDelta | ReplyReset | ReplyDone
