"""The test bench: what the rules make of one sentence, without doing or remembering anything."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from assistant.domain.live import Question
from assistant.domain.state import UserState
from assistant.tasks.case import TaskCase
from assistant.tasks.conditions import first_unmet
from assistant.tasks.recognition import Recogniser


def recognised_record(recogniser: Recogniser, text: str, state: UserState, now: datetime) -> dict[str, Any]:
    """``task``, ``intent``, ``score``, ``by``, ``parameters``, ``missing`` and ``refused``; task null where none is."""
    found = recogniser.recognise(text)
    if found is None:
        return {
            "task": None,
            "intent": None,
            "score": 0.0,
            "by": None,
            "parameters": {},
            "missing": [],
            "refused": None,
        }
    case = TaskCase(Question(text), found.task, state, "zh", {}, {})
    case.collect({})
    case.choose_the_only_one()
    unmet = first_unmet(found.task, case.parameters, state, now)
    return {
        "task": found.task.name,
        "intent": found.intent,
        "score": found.score,
        "by": found.by,
        "parameters": dict(case.parameters),
        "missing": list(case.missing),
        "refused": None if unmet is None else f"{unmet.message.zh} / {unmet.message.en}",
    }
