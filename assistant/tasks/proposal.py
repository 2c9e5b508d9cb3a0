"""What a model may do about tasks: propose one and its parameters, from the customer's own words. Nothing else.

It sees no passages and no replies, which quote passages, so no text in the knowledge can speak to it here; what it
proposes meets the rules' guard.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import prompts
from assistant.domain.live import Question
from assistant.domain.state import UserState
from assistant.domain.task import Task
from assistant.errors import ModelUnavailable
from assistant.metering import TokenMeter
from assistant.ports import ChatMessage, ToolModel, ToolSpec
from assistant.state.answers.statuses import status_word
from assistant.tasks.declaration import schema_problem, tool_schema

_log = logging.getLogger(__name__)
_HISTORY = 4
_ENTITIES = 12


@dataclass(frozen=True, slots=True)
class Proposal:
    """A task and raw parameters that fit its schema; not yet checked against the state."""

    task: Task
    parameters: Mapping[str, str]


class Proposer:
    """Asks the model, within ``budget_s`` seconds; every failure is the same as no proposal."""

    def __init__(self, model: ToolModel, *, budget_s: float = 6.0) -> None:
        self._model = model
        self._prompt = prompts.load("task")
        self._budget_s = budget_s

    async def propose(
        self, question: Question, tasks: Sequence[Task], state: UserState, meter: TokenMeter
    ) -> Proposal | None:
        """The task that the model finds asked for, with parameters that fit its schema; None without one."""
        specs = [ToolSpec(t.name, f"{t.description.en} / {t.description.zh}", tool_schema(t)) for t in tasks]
        turns = [t for t in question.history if t.role == "customer"][-_HISTORY:]
        messages = self._prompt.messages(
            records="\n".join(_row(state)) or "(none)",
            conversation="\n".join(f"{t.role}: {neutralised(t.text[:400])}" for t in turns) or "(none)",
            message=neutralised(question.text[:2000]),
        )
        try:
            async with asyncio.timeout(self._budget_s):
                sent = [ChatMessage(m.role, m.content) for m in messages]
                counted = meter.call(sent)
                call = await self._model.call_tool(sent, specs, told=counted.told)
                counted.hear(call.arguments if call is not None else " ")  # it answered, if only by proposing nothing
        except (ModelUnavailable, TimeoutError) as exc:
            _log.info("no proposal from the model: %s", exc)
            return None
        if call is None:
            return None
        task = next((t for t in tasks if t.name == call.name), None)
        if task is None:
            _log.info("the model called an undeclared tool")
            return None
        try:
            arguments = json.loads(call.arguments or "{}")
        except (ValueError, RecursionError):  # no JSON, or brackets nested without end
            arguments = None
        if not isinstance(arguments, dict):
            return Proposal(task, {})
        given = {str(k): v for k, v in arguments.items() if v not in (None, "")}
        # one bad argument costs itself, not the others
        fitting = {k: v for k, v in given.items() if isinstance(v, str) and schema_problem(task, {k: v}) is None}
        return Proposal(task, fitting)


def neutralised(text: str) -> str:
    """The text, unable to close our tags or to speak a chat template's control language."""
    return text.replace("<", "‹")


def _row(state: UserState) -> list[str]:
    newest = sorted(state.entities, key=lambda e: e.occurred_at or state.as_of, reverse=True)
    return [f"{e.kind} {e.id}: {neutralised(e.title)} ({status_word(e, 'en')})" for e in newest if e.kind == "order"][
        :_ENTITIES
    ]
