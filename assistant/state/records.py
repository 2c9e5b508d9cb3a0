"""User state as JSON and back; what comes from outside is checked here, once, and strictly."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from assistant.domain.state import Entity, UserState
from assistant.errors import InputRejected


def _time(value: object) -> datetime | None:
    if value is None:
        return None
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError:
        raise ValueError(f"{str(value)[:40]!r} is not an RFC 3339 time") from None
    if moment.tzinfo is None:
        raise ValueError(f"{str(value)[:40]!r} has no time zone")
    return moment


def _amount(value: object) -> Decimal | None:
    if value is None or isinstance(value, Decimal):
        amount = value
    elif isinstance(value, float):
        raise ValueError('is a binary fraction; write it as text, like "12.30"')
    elif isinstance(value, bool) or not isinstance(value, str | int):
        raise ValueError('must be a decimal number as text, like "12.30"')
    else:
        try:
            amount = Decimal(value)
        except InvalidOperation:
            raise ValueError(f"{str(value)[:40]!r} is not a decimal number") from None
    if amount is not None and not amount.is_finite():
        raise ValueError("must be a finite number")
    return amount


_Time = Annotated[datetime | None, BeforeValidator(_time)]
_Amount = Annotated[Decimal | None, BeforeValidator(_amount)]
_Name = Annotated[str, Field(min_length=1, strict=True)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


_R = TypeVar("_R", bound=_Strict)


class _EntityRecord(_Strict):
    kind: _Name
    id: _Name
    status: str
    title: str = ""
    amount: _Amount = None
    currency: str | None = None
    occurred_at: _Time = None
    due_at: _Time = None
    attributes: dict[str, Any] = Field(default_factory=dict)


class _StateRecord(_Strict):
    user_id: _Name
    as_of: Annotated[datetime, BeforeValidator(_time)]
    profile: dict[str, Any] = Field(default_factory=dict)
    entities: tuple[_EntityRecord, ...] = ()
    unavailable: tuple[str, ...] = ()
    known: bool = True


class _StepRecord(_Strict):
    at: Annotated[datetime, BeforeValidator(_time)]
    status: _Name


class _HistoryEntity(_EntityRecord):
    status: str = ""
    history: tuple[_StepRecord, ...] = ()


class _HistoryRecord(_Strict):
    user_id: _Name
    profile: dict[str, Any] = Field(default_factory=dict)
    entities: tuple[_HistoryEntity, ...] = ()


def parse_state(raw: Mapping[str, Any], source: str = "user state") -> UserState:
    """The state this object describes. Raises InputRejected, naming the key."""
    record = _checked(_StateRecord, raw, source)
    entities = tuple(Entity(**{name: getattr(e, name) for name in _EntityRecord.model_fields}) for e in record.entities)
    return UserState(record.user_id, record.as_of, record.profile, entities, record.unavailable, record.known)


def loads_state(text: str, source: str = "user state") -> UserState:
    """The state in this JSON text; amounts written as numbers keep every digit. Raises InputRejected."""
    try:
        raw = json.loads(text, parse_float=Decimal)
    except ValueError as exc:
        raise InputRejected(source, f"is not JSON: {exc}") from exc
    if not isinstance(raw, dict):
        raise InputRejected(source, "must be an object")
    return parse_state(raw, source)


def state_as_json(state: UserState) -> dict[str, Any]:
    """The state in the public format; ``parse_state`` gives it back unchanged."""
    return {
        "user_id": state.user_id,
        "as_of": state.as_of.isoformat(),
        "profile": dict(state.profile),
        "entities": [_entity_as_json(entity) for entity in state.entities],
        "unavailable": list(state.unavailable),
        **({} if state.known else {"known": False}),
    }


def check_history(raw: object, source: str) -> None:
    """Raises InputRejected unless this is a user whose entities carry the history of their status."""
    if not isinstance(raw, dict):
        raise InputRejected(source, "must be an object")
    _checked(_HistoryRecord, raw, source)


def _entity_as_json(entity: Entity) -> dict[str, Any]:
    return {
        "kind": entity.kind,
        "id": entity.id,
        "status": entity.status,
        "title": entity.title,
        "amount": None if entity.amount is None else str(entity.amount),
        "currency": entity.currency,
        "occurred_at": entity.occurred_at.isoformat() if entity.occurred_at else None,
        "due_at": entity.due_at.isoformat() if entity.due_at else None,
        "attributes": dict(entity.attributes),
    }


def _checked(kind: type[_R], raw: Mapping[str, Any], source: str) -> _R:
    try:
        return kind.model_validate(raw)
    except ValidationError as exc:
        error = exc.errors(include_url=False)[0]
        name = ".".join(str(step) for step in error["loc"])
        if error["type"] == "extra_forbidden":
            reason = f'unknown key "{name}"'
        elif error["type"] == "missing":
            reason = f'key "{name}" is missing'
        else:
            reason = f'"{name}": {error["msg"].removeprefix("Value error, ")}'
        raise InputRejected(source, reason) from exc
