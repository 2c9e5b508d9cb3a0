"""Who should not be answered: rules that pass a turn to a person, and what is handed over with it."""

from assistant.handoff.asking import asks_for_person
from assistant.handoff.mood import sentiment
from assistant.handoff.promises import fix_promises
from assistant.handoff.record import skill_for, summarise
from assistant.handoff.rules import HandoffDecision, HandoffRules, decide_handoff

__all__ = [
    "HandoffDecision",
    "HandoffRules",
    "asks_for_person",
    "decide_handoff",
    "fix_promises",
    "sentiment",
    "skill_for",
    "summarise",
]
