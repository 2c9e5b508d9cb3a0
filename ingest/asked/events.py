"""The questions of a transcript in their order, each with who asked and in which situation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from assistant.domain.conversation import Transcript
from assistant.domain.state import UserState
from ingest.redaction import redact
from ingest.transcripts import carries_information, issues

_LONGEST = 300


@dataclass(frozen=True, slots=True)
class Asked:
    """One matter a customer came up with; ``place`` counts from 0 in the conversation.

    ``turns`` are the customer's turns that open it; ``recorded`` the articles that the agent noted for the whole
    conversation. ``text`` and ``answer``, what the agent said to it, are without personal data.
    """

    conversation_id: str
    place: int
    text: str
    turns: tuple[int, ...]
    locale: str
    user_id: str | None
    at: datetime
    state: UserState | None
    recorded: tuple[str, ...] = ()
    answer: str = ""


def asked_in(transcript: Transcript) -> list[Asked]:
    """The matters of a conversation in the order they came up; empty where no time or nothing asked is known.

    Where no human answered, the customer's first informative turn stands for the conversation.
    """
    at = transcript.opened_at
    if at is None:
        return []
    turns = transcript.turns
    found: list[tuple[Sequence[int], Sequence[int]]] = []
    for issue in issues(transcript):
        if issue.opening:
            found.append((issue.opening, issue.answer))
    if not found:
        informs = [i for i, t in enumerate(turns) if t.role == "customer" and carries_information(t)]
        found.extend(((i,), ()) for i in informs[:1])
    recorded = transcript.resolution.article_ids if transcript.resolution else ()

    def spoken(places: Sequence[int]) -> str:
        return redact("\n".join(turns[i].text for i in places)).text[:_LONGEST]

    return [
        Asked(
            transcript.conversation_id,
            place,
            spoken(opening),
            tuple(opening),
            transcript.locale or "zh",
            transcript.customer_id,
            at,
            transcript.user_state,
            recorded,
            spoken(answer),
        )
        for place, (opening, answer) in enumerate(sorted(found, key=lambda issue: min(issue[0])))
    ]
