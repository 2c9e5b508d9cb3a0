"""Who should not be answered: rules that pass a turn to a person, and what is handed over with it."""

from assistant.handoff.asking import asks_for_person, beyond_decline, declines_person
from assistant.handoff.mood import sentiment
from assistant.handoff.promises import fix_promises
from assistant.handoff.reading import TurnReader, TurnReading
from assistant.handoff.record import make_record, skill_for, summarise
from assistant.handoff.resuming import reopened
from assistant.handoff.rule_file import load_rules, packaged_rules
from assistant.handoff.rules import HandoffDecision, HandoffRules, decide_handoff, has_declined, live_part

__all__ = [
    "HandoffDecision",
    "HandoffRules",
    "TurnReader",
    "TurnReading",
    "asks_for_person",
    "beyond_decline",
    "decide_handoff",
    "declines_person",
    "fix_promises",
    "has_declined",
    "live_part",
    "load_rules",
    "make_record",
    "packaged_rules",
    "reopened",
    "sentiment",
    "skill_for",
    "summarise",
]
