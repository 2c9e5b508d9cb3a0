"""From what the experiments measured to one cause. Pure; its constants were chosen on groups a and b of the demo."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from evals.root_causes.model import Cause

HELD = 0.45  # support from which the human's resolution is in the knowledge
SAME_SUBJECT = 0.5  # agreement from which a clash is about one subject
MOST = 0.5  # share of the reply that decides what it rests on


@dataclass(frozen=True, slots=True)
class Facts:
    """What the experiments on one case measured. Shares and scores are 0–1; ``rank`` counts from 1."""

    size: int
    state_share: float
    action_share: float
    rules_share: float
    state_answer: bool
    only_person: bool
    support: float
    internal_support: float
    rank: int | None
    given_score: float | None
    stale_subject: float
    solved: float
    k: int

    def record(self) -> dict[str, Any]:
        """As JSON data."""
        return {name: round(v, 3) if isinstance(v, float) else v for name, v in asdict(self).items()}


def decide(facts: Facts) -> Cause:
    """The cause. Each step is one experiment's outcome, the most certain first."""
    if facts.only_person:
        return Cause.PERSON_WANTED
    if facts.size == 0:
        return Cause.UNDETERMINED
    if facts.rules_share < 1 - MOST:
        return Cause.ACTION_NEEDED if facts.action_share > facts.state_share else Cause.STATE_NEEDED
    if facts.support < HELD:
        return Cause.KNOWLEDGE_STALE if facts.stale_subject >= SAME_SUBJECT else Cause.KNOWLEDGE_MISSING
    if facts.rank is None or facts.rank > facts.k:
        return Cause.RETRIEVAL_MISSED
    return Cause.ANSWER_DID_NOT_SOLVE
