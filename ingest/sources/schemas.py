"""The formats that outsiders write, as models that accept nothing else, and their errors in words a user can act on."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from assistant.domain.conversation import HandoffEvent, Outcome, Resolution, Role, Transcript, Turn
from assistant.domain.knowledge import Article, Audience
from assistant.domain.state import Entity, UserState
from assistant.errors import InputRejected
from ingest.sources.fields import FilledText, Identifier, Locale, Texts, Time, WebAddress, unstorable
from ingest.sources.language import detect_locale

MOST_TURNS = 2_000
_MOST_PROBLEMS = 3
_TEXT_FOR_LOCALE = 4_000


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ArticleRecord(_Record):
    """One article as it is written in a file."""

    id: Identifier
    title: FilledText
    body: FilledText
    locale: Locale = None
    audience: Audience = "public"
    questions: Texts = ()
    negative_questions: Texts = ()
    url: WebAddress = None
    tags: Texts = ()
    updated_at: Time = None
    valid_from: Time = None
    valid_until: Time = None

    def article(self) -> Article:
        """The domain object; a missing locale is read off the text."""
        values = {name: getattr(self, name) for name in type(self).model_fields}
        text = f"{self.title}\n{self.body[:_TEXT_FOR_LOCALE]}"
        return Article(**{**values, "locale": self.locale or detect_locale(text)})


class TurnRecord(_Record):
    """One message of a transcript; its text may be empty, as where a picture was sent."""

    role: Role
    text: str
    at: Time = None
    author_id: str | None = None


class HandoffRecord(_Record):
    """The transfer of a transcript."""

    reason: str
    at: Time = None


class ResolutionRecord(_Record):
    """What the agent noted at the end."""

    summary: str
    article_ids: Texts = ()


class EntityRecord(_Record):
    """One order, payment, shipment, …"""

    kind: Identifier
    id: Identifier
    status: str
    title: str = ""
    amount: Decimal | None = Field(default=None, allow_inf_nan=False)
    currency: str | None = None
    occurred_at: Time = None
    due_at: Time = None
    attributes: dict[str, Any] = Field(default_factory=dict)


class UserStateRecord(_Record):
    """A user's state as of a moment."""

    user_id: Identifier
    as_of: Time
    profile: dict[str, Any] = Field(default_factory=dict)
    entities: tuple[EntityRecord, ...] = ()
    unavailable: Texts = ()

    @model_validator(mode="after")
    def _has_a_moment(self) -> UserStateRecord:
        if self.as_of is None:
            raise ValueError('"as_of" must be a time')
        return self

    def state(self) -> UserState:
        """The domain object."""
        assert self.as_of is not None
        entities = tuple(
            Entity(**{name: getattr(e, name) for name in EntityRecord.model_fields}) for e in self.entities
        )
        return UserState(self.user_id, self.as_of, self.profile, entities, self.unavailable)


class TranscriptRecord(_Record):
    """One conversation as it is written in a file."""

    conversation_id: Identifier
    turns: tuple[TurnRecord, ...]
    locale: Locale = None
    channel: str | None = None
    opened_at: Time = None
    closed_at: Time = None
    customer_id: str | None = None
    handoff: HandoffRecord | None = None
    outcome: Outcome = "unknown"
    resolution: ResolutionRecord | None = None
    csat: int | None = Field(default=None, ge=1, le=5, strict=True)
    ces: int | None = Field(default=None, ge=1, le=7, strict=True)
    user_state: UserStateRecord | None = None

    def transcript(self) -> Transcript:
        """The domain object; a missing locale is read off what the customer wrote."""
        spoken = "\n".join(turn.text for turn in self.turns if turn.role == "customer") or self.turns[0].text
        return Transcript(
            conversation_id=self.conversation_id,
            turns=tuple(Turn(turn.role, turn.text, turn.at, turn.author_id) for turn in self.turns),
            locale=self.locale or detect_locale(spoken[:_TEXT_FOR_LOCALE]),
            channel=self.channel,
            opened_at=self.opened_at,
            closed_at=self.closed_at,
            customer_id=self.customer_id,
            handoff=HandoffEvent(self.handoff.reason, self.handoff.at) if self.handoff else None,
            outcome=self.outcome,
            resolution=Resolution(self.resolution.summary, self.resolution.article_ids) if self.resolution else None,
            csat=self.csat,
            ces=self.ces,
            user_state=self.user_state.state() if self.user_state else None,
        )


_R = TypeVar("_R", bound=_Record)
ARTICLE_KEYS = tuple(ArticleRecord.model_fields)
TRANSCRIPT_KEYS = tuple(TranscriptRecord.model_fields)


def parse_article(values: Mapping[str, object], source: str, line: int | None = None) -> Article:
    """The article these values describe. Raises InputRejected."""
    record = _validated(ArticleRecord, values, source, line)
    if record.valid_from and record.valid_until and record.valid_until < record.valid_from:
        raise InputRejected(source, '"valid_until" is before "valid_from"', line)
    return record.article()


def parse_transcript(values: Mapping[str, object], source: str, line: int | None = None) -> Transcript:
    """The transcript these values describe. Raises InputRejected."""
    turns = values.get("turns")
    if isinstance(turns, list) and len(turns) > MOST_TURNS:
        raise InputRejected(source, f'"turns" has {len(turns)} entries; at most {MOST_TURNS} are read', line)
    if isinstance(turns, list) and not turns:
        raise InputRejected(source, '"turns" is empty', line)
    record = _validated(TranscriptRecord, values, source, line)
    return record.transcript()


def _validated(kind: type[_R], values: Mapping[str, object], source: str, line: int | None) -> _R:
    try:
        bad = unstorable(values)
        if bad is None:
            return kind.model_validate(values)
    except ValidationError as exc:
        errors = sorted(exc.errors(include_url=False), key=lambda error: error["type"] == "missing")
        reasons = list(dict.fromkeys(_reason(error, tuple(kind.model_fields)) for error in errors))
        more = len(reasons) - _MOST_PROBLEMS
        bad = "; ".join(reasons[:_MOST_PROBLEMS]) + (f"; and {more} more" if more > 0 else "")
        raise InputRejected(source, bad, line) from exc
    except RecursionError as exc:
        raise InputRejected(source, "is nested too deeply", line) from exc
    raise InputRejected(source, bad, line)


def unknown_key(name: str, known: Sequence[str], what: str = "key") -> str:
    """``unknown key "titel" (did you mean "title"?)``."""
    near = difflib.get_close_matches(name.lower().lstrip("_"), known, n=1, cutoff=0.6)
    hint = f' (did you mean "{near[0]}"?)' if near else f"; known are {', '.join(known)}"
    return f'unknown {what} "{name[:60]}"{hint}'


_NESTED: dict[str, type[_Record]] = {
    "turns": TurnRecord,
    "handoff": HandoffRecord,
    "resolution": ResolutionRecord,
    "entities": EntityRecord,
    "user_state": UserStateRecord,
}
_TYPES = {
    "string_type": "must be text",
    "int_type": "must be a whole number",
    "tuple_type": "must be a list",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "decimal_type": "must be a decimal number",
    "decimal_parsing": "must be a decimal number",
    "finite_number": "must be a finite number",
}


def _reason(error: ErrorDetails, keys: Sequence[str]) -> str:
    steps = error["loc"]
    name = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps).lstrip(".")
    kind, context = error["type"], error.get("ctx", {})
    if kind == "extra_forbidden":
        owners = [step for step in steps[:-1] if isinstance(step, str)]
        if owners:
            known: Sequence[str] = tuple(_NESTED[owners[-1]].model_fields)
            inside = name.rsplit(".", 1)[0]
            return f'{unknown_key(str(steps[-1]), known)} in "{inside}"'
        return unknown_key(name, keys)
    if kind == "missing":
        return f'key "{name}" is missing'
    if kind == "literal_error":
        given = error["input"]
        said = f"is {given!r}" if not isinstance(given, str) else f'is "{given[:40]}"'
        return f'"{name}" {said}; allowed are {str(context["expected"]).replace(chr(39), "").replace(" or ", ", ")}'
    if kind in ("greater_than_equal", "less_than_equal"):
        low, high = (1, 5) if name == "csat" else (1, 7)
        return f'"{name}" is {error["input"]}; it goes from {low} to {high}'
    if kind == "value_error":
        return str(context["error"])
    if kind == "wrong_value":
        return f'"{name}" {error["msg"]}'
    return f'"{name}" {_TYPES.get(kind, error["msg"][:1].lower() + error["msg"][1:])}'
