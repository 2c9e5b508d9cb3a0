"""猜你想问: what this user will probably ask, from rules over state, from what users like them asked, and the page."""

from __future__ import annotations

from assistant.suggesting.model import IntentModel, SuggestedIntent, load_model, save_model
from assistant.suggesting.rule_file import load_rules
from assistant.suggesting.rules import Rule, RuleBook
from assistant.suggesting.suggester import Candidate, Suggester

__all__ = [
    "Candidate",
    "IntentModel",
    "Rule",
    "RuleBook",
    "SuggestedIntent",
    "Suggester",
    "load_model",
    "load_rules",
    "save_model",
]
