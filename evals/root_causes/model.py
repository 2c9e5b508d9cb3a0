"""What a diagnosis says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Cause(StrEnum):
    """Why a case failed; each has another remedy."""

    KNOWLEDGE_MISSING = "knowledge_missing"
    KNOWLEDGE_STALE = "knowledge_stale"
    RETRIEVAL_MISSED = "retrieval_missed"
    ANSWER_DID_NOT_SOLVE = "answer_did_not_solve"
    STATE_NEEDED = "state_needed"
    ACTION_NEEDED = "action_needed"
    PERSON_WANTED = "person_wanted"
    UNDETERMINED = "undetermined"


CAUSES = tuple(cause.value for cause in Cause)


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One failed case's cause, with what each experiment measured: JSON data, complete enough to disagree with."""

    case_id: str
    cause: Cause
    evidence: Mapping[str, Any] = field(default_factory=dict)
