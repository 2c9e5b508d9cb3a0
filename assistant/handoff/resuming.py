"""After a transfer is turned down, the question that it left open is answered."""

from __future__ import annotations

from dataclasses import replace

from assistant.domain.conversation import Turn
from assistant.domain.live import Question
from assistant.guardrails import classify
from assistant.handoff.asking import beyond_decline, declines_person
from assistant.handoff.record import without_request
from assistant.handoff.rules import live_part
from assistant.handoff.wording import terms
from assistant.short_replies import said_by


def reopened(question: Question) -> Question | None:
    """The open question to answer in place of a bare "you answer it", which joins the history; None without one.

    Open is the last thing that the customer said beside asking for a person, since the matter was last settled.
    """
    if not question.handed_off or not declines_person(question.text) or beyond_decline(question.text):
        return None
    for turn in reversed(live_part(question.history)):
        if turn.role != "customer" or declines_person(turn.text) or said_by(turn.text):
            continue
        left = without_request(turn.text)
        if len(terms(left)) >= 2 and classify(left, "zh").reply is None:
            return replace(question, text=left, history=(*question.history, Turn("customer", question.text)))
    return None
