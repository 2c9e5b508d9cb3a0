"""Answers that need no model: what the user's own orders, parcels, payments and benefits say of their question."""

from assistant.state.answers.answering import answer_from_state, needs_sign_in
from assistant.state.answers.facts import state_facts
from assistant.state.answers.missing import CANNOT_TELL
from assistant.state.answers.model import StateAnswer
from assistant.state.answers.wording import missing_note

__all__ = ["CANNOT_TELL", "StateAnswer", "answer_from_state", "missing_note", "needs_sign_in", "state_facts"]
