"""Reply cases from the live store: where the assistant stopped, on what it had gone, what the human then said."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from assistant.domain.conversation import HandoffEvent, Transcript
from assistant.errors import StateUnavailable
from assistant.ports import StateSource
from assistant.store.live_history import RecordedConversation
from assistant.text import language_of
from evals.case_sets import cases_from_transcripts
from evals.cases import ReplyCase

HELD_DAYS = 7


def live_cases(
    conversations: Iterable[RecordedConversation], now: datetime, *, held_days: int = HELD_DAYS
) -> list[ReplyCase]:
    """A case for each issue that a human answered in a recorded conversation, with what was ``observed`` around it.

    ``observed`` is data: ``assistant`` (the last reply before the human's: text, decision, confidence, passages),
    ``handoff`` (the reason, or None), ``ratings``, and ``held``: True where the same user opened no other conversation
    within ``held_days`` days after the last word of this one, False where they did, None for a visitor or while those
    days are not over. A return counts whatever it is about; nobody says what an issue is here.
    """
    found = list(conversations)
    opened: dict[str, list[datetime]] = {}
    for conversation in found:
        if conversation.user_id is not None:
            opened.setdefault(conversation.user_id, []).append(conversation.opened_at)
    made: list[ReplyCase] = []
    for conversation in found:
        if not any(turn.role == "agent" for turn in conversation.turns):
            continue
        spoken = "\n".join(turn.text for turn in conversation.turns if turn.role == "customer")
        transcript = Transcript(
            conversation.id,
            conversation.turns,
            "en" if language_of(spoken) == "en" else "zh",
            conversation.channel,
            conversation.opened_at,
            handoff=HandoffEvent(*conversation.handoffs[0]) if conversation.handoffs else None,
        )
        held = _held(conversation, opened, now, timedelta(days=held_days))
        for case in cases_from_transcripts([transcript]):
            observed = {**_observed(conversation, len(case.turns)), "held": held, "held_days": held_days}
            made.append(replace(case, observed=observed))
    return made


async def with_state(
    cases: Sequence[ReplyCase], users: Mapping[str, str | None], source: StateSource | None
) -> list[ReplyCase]:
    """The cases with their users' state as of the case's moment, where the source can still tell it."""
    made = []
    for case in cases:
        user = users.get(case.conversation_id)
        if user is not None and source is not None and case.at is not None:
            with suppress(StateUnavailable):
                case = replace(case, user_state=await source.fetch(user, case.at))
        made.append(case)
    return made


def _observed(conversation: RecordedConversation, turns: int) -> dict[str, Any]:
    # the assistant's reply to the case's own last turn is after it; what it said before counts where there is none
    before_human = next(
        (i for i in range(turns, len(conversation.turns)) if conversation.turns[i].role == "agent"), turns
    )
    seq = max((i for i in conversation.replies if i < before_human), default=None)
    said = None
    if seq is not None:
        reply = conversation.replies[seq]
        said = {
            "text": reply.get("text"),
            "decision": reply.get("decision"),
            "confidence": reply.get("confidence"),
            "passages": reply.get("passages", []),
        }
    return {
        "assistant": said,
        "handoff": conversation.handoffs[0][0] if conversation.handoffs else None,
        "ratings": [
            {"kind": r.kind, "value": r.value, "turn_seq": r.turn_seq, "reason": r.reason} for r in conversation.ratings
        ],
    }


def _held(
    conversation: RecordedConversation, opened: Mapping[str, Sequence[datetime]], now: datetime, days: timedelta
) -> bool | None:
    if conversation.user_id is None:
        return None
    last = conversation.turns[-1].at or conversation.opened_at
    if any(last < at <= last + days for at in opened[conversation.user_id]):
        return False
    return True if now >= last + days else None
