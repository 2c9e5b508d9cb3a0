"""Preconditions and read-back: declared conditions, tested on the user's own state. Never true by default."""

from __future__ import annotations

import string
from collections.abc import Mapping
from datetime import datetime

from assistant.domain.state import Entity, UserState
from assistant.domain.task import Precondition, Task, Verify
from assistant.state.answers.statuses import status_key
from assistant.tasks.slots import is_same_id


def first_unmet(task: Task, parameters: Mapping[str, str], state: UserState, now: datetime) -> Precondition | None:
    """The first precondition that does not hold, or None. One on a parameter that is not known yet is left out."""
    for condition in task.preconditions:
        if condition.of:
            value = parameters.get(condition.of)
            if value is None:
                continue
            kind = task.parameter(condition.of).kind
            entity = find(state, kind, value)
            if entity is None or not _holds(condition, entity, now):
                return condition
        elif all(name in parameters for name in _needed(condition.where)) and _matching(
            state, condition.absent, condition.where, parameters
        ):
            return condition
    return None


def is_done(verify: Verify, parameters: Mapping[str, str], state: UserState) -> bool:
    """Whether the state shows the task's effect."""
    return bool(_matching(state, verify.kind, verify.where, parameters))


def find(state: UserState, kind: str, entity_id: str) -> Entity | None:
    """The user's own entity of this kind and id."""
    return next((e for e in state.entities if e.kind == kind and is_same_id(e.id, entity_id)), None)


def filled(template: str, parameters: Mapping[str, str]) -> str:
    """The template with its places filled; a parameter that was not given (an optional one) is empty."""
    return template.format_map(_Blank(parameters))


class _Blank(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return ""


def _needed(where: Mapping[str, str]) -> set[str]:
    return {name for value in where.values() for _, name, _, _ in string.Formatter().parse(value) if name}


def _matching(state: UserState, kind: str, where: Mapping[str, str], parameters: Mapping[str, str]) -> list[Entity]:
    wanted = {field: filled(value, parameters) for field, value in where.items()}
    return [e for e in state.entities if e.kind == kind and all(_equals(e, f, v) for f, v in wanted.items())]


def _equals(entity: Entity, field: str, wanted: str) -> bool:
    value = _field(entity, field)
    if field == "id" or field.endswith("_id"):
        return value is not None and is_same_id(value, wanted)
    return value is not None and value.strip() == wanted.strip()


def _holds(condition: Precondition, entity: Entity, now: datetime) -> bool:
    if condition.field == "age_days":
        number = None if entity.occurred_at is None else (now - entity.occurred_at).total_seconds() / 86_400
    elif condition.at_most is not None or condition.at_least is not None:
        number = _number(_field(entity, condition.field))
    else:
        number = None
    if condition.at_most is not None and not (number is not None and number <= condition.at_most):
        return False
    if condition.at_least is not None and not (number is not None and number >= condition.at_least):
        return False
    value = _field(entity, condition.field) or ""
    if condition.one_of and value not in condition.one_of:
        return False
    return not (condition.not_one_of and value in condition.not_one_of)


def _field(entity: Entity, name: str) -> str | None:
    if name == "id":
        return entity.id
    if name == "status":
        return status_key(entity)
    if name == "amount":
        return None if entity.amount is None else str(entity.amount)
    if name.startswith("attributes."):
        value = entity.attributes.get(name.removeprefix("attributes."))
        return None if value is None else str(value)
    return None


def _number(value: str | None) -> float | None:
    try:
        return None if value is None else float(value)
    except ValueError:
        return None
