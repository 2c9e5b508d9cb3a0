"""What the HTTP API takes from agents and gives them: drafts, what went out in their place, messages of their own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, Self

from pydantic import ConfigDict, Field

from api.schemas import CitationOut, Incoming, Outgoing, QuestionText
from assistant.domain.draft import AgentDraft
from assistant.domain.reply import Decision


class AgentMessageIn(Incoming):
    """What an agent wrote to the customer."""

    text: QuestionText = Field(examples=["您这笔退款明天到账。"])


class AgentMessageOut(Outgoing):
    """Its turn's number in the conversation, from 0."""

    seq: int


class DraftDecisionIn(Incoming):
    """What went to the customer; null where nothing did. ``rejected`` says that it owes the draft nothing."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"sent": "您这笔退款明天到账。"}, {"rejected": True}]})

    sent: QuestionText | None = None
    rejected: bool = False
    reason: str | None = Field(default=None, max_length=1000)


class DraftOut(Outgoing):
    """A draft for an agent. ``verdict`` is null until it is decided; ``edits`` are the kinds of change then made."""

    id: str = Field(examples=["dr_5f1d"])
    conversation_id: str
    turn_seq: int = Field(description="The turn up to which the conversation was drafted for.")
    text: str
    decision: Decision
    confidence: float = Field(ge=0, le=1)
    citations: list[CitationOut]
    state_used: list[str]
    to_check: list[str] = Field(
        default=[], description="Sentences from an old reply that tell what was done then: do it, or take them out."
    )
    model: str | None
    degraded: list[str]
    verdict: Literal["accepted", "edited", "rejected"] | None = None
    sent: str | None = None
    edits: list[str] = Field(default=[])

    @classmethod
    def of(cls, draft: AgentDraft, edits: Iterable[str] = ()) -> Self:
        """What an agent sees of a draft."""
        reply = draft.reply
        return cls(
            id=draft.id,
            conversation_id=draft.conversation_id,
            turn_seq=draft.turn_seq,
            text=draft.text,
            decision=reply["decision"],
            confidence=reply["confidence"],
            citations=[CitationOut(**citation) for citation in reply["citations"]],
            state_used=reply["state_used"],
            to_check=reply.get("to_check", []),  # absent where there is nothing
            model=reply["model"],
            degraded=reply["degraded"],
            verdict=draft.verdict,
            sent=draft.sent,
            edits=list(edits),
        )
