"""Reply cases and predictions: the points at which a human's reply is known, and what the assistant said there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from assistant.domain.conversation import Turn
from assistant.domain.reply import Citation, Decision
from assistant.domain.state import UserState
from assistant.errors import InputRejected
from evals.jsonl import read_lines, write_objects
from ingest.sources.fields import Identifier, Locale, Texts, Time, unstorable
from ingest.sources.language import detect_locale
from ingest.sources.schemas import EntityRecord, TurnRecord, UserStateRecord, unknown_key
from ingest.transcripts import carries_information


@dataclass(frozen=True, slots=True)
class ReplyCase:
    """A point in a conversation at which a human's reply is known. ``turns`` ends with the customer's turn to answer.

    ``references`` are acceptable replies, the human's own first. ``article_ids`` are gold articles, where known.
    ``observed`` is what the desk recorded around a live case, ``corrected`` who last corrected it and when.
    """

    case_id: str
    conversation_id: str
    turns: tuple[Turn, ...]
    references: tuple[str, ...] = ()
    locale: str = "zh"
    transferred: bool = True
    at: datetime | None = None
    user_state: UserState | None = None
    article_ids: tuple[str, ...] = ()
    channel: str | None = None
    observed: Mapping[str, Any] | None = None
    corrected: Mapping[str, Any] | None = None

    @property
    def question(self) -> str:
        """The customer's turn to answer."""
        return self.turns[-1].text


@dataclass(frozen=True, slots=True)
class Prediction:
    """The assistant's reply to one case. An empty ``reply`` is an answer of nothing, not a missing one."""

    case_id: str
    reply: str
    decision: Decision = "answer"
    confidence: float = 0.0
    citations: tuple[Citation, ...] = ()


def asked_by(case: ReplyCase, most: int = 4) -> str:
    """The customer's last informative turns, oldest first: what the case is about; the last turn where none is."""
    said = [turn.text.strip() for turn in case.turns if turn.role == "customer" and carries_information(turn)]
    return "\n".join(said[-most:]) or case.question


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _CaseRecord(_Record):
    case_id: Identifier
    conversation_id: Identifier
    turns: tuple[TurnRecord, ...] = Field(min_length=1)
    references: Texts = ()
    locale: Locale = None
    transferred: bool = True
    at: Time = None
    user_state: UserStateRecord | None = None
    article_ids: Texts = ()
    channel: str | None = None
    observed: dict[str, Any] | None = None
    corrected: dict[str, Any] | None = None

    def case(self) -> ReplyCase:
        spoken = "\n".join(turn.text for turn in self.turns if turn.role == "customer")
        return ReplyCase(
            case_id=self.case_id,
            conversation_id=self.conversation_id,
            turns=tuple(Turn(turn.role, turn.text, turn.at, turn.author_id) for turn in self.turns),
            references=self.references,
            locale=self.locale or detect_locale(spoken),
            transferred=self.transferred,
            at=self.at or self.turns[-1].at,
            user_state=self.user_state.state() if self.user_state else None,
            article_ids=self.article_ids,
            channel=self.channel,
            observed=self.observed,
            corrected=self.corrected,
        )


class _CitationRecord(_Record):
    passage_id: Identifier
    title: str = ""
    quote: str = ""
    article_id: str | None = None
    conversation_id: str | None = None


class _PredictionRecord(_Record):
    case_id: Identifier
    reply: str
    decision: Decision = "answer"
    confidence: float = Field(default=0.0, ge=0, le=1)
    citations: tuple[_CitationRecord, ...] = ()

    def prediction(self) -> Prediction:
        citations = tuple(
            Citation(c.passage_id, c.title, c.quote, c.article_id, c.conversation_id) for c in self.citations
        )
        return Prediction(self.case_id, self.reply, self.decision, self.confidence, citations)


def read_cases(path: Path) -> Iterator[ReplyCase | InputRejected]:
    """Every case of the file; a wrong line comes as a value, so that the rest goes on. A second id is wrong, too.

    A case whose turns do not end with the customer's is rejected: there would be nothing to answer. Raises
    InputRejected where the file is missing.
    """
    lines: dict[str, int] = {}
    for item in read_lines(path):
        if isinstance(item, InputRejected):
            yield item
            continue
        number, value = item
        try:
            case = _validated(_CaseRecord, value, path, number).case()
            if case.turns[-1].role != "customer":
                raise InputRejected(
                    str(path), f'"turns" ends with a turn of the {case.turns[-1].role}, not the customer', number
                )
            yield _once(case, case.case_id, lines, path, number)
        except InputRejected as exc:
            yield exc


def read_predictions(path: Path) -> Iterator[Prediction | InputRejected]:
    """Every prediction of the file; a wrong line comes as a value. Raises InputRejected as ``read_cases`` does."""
    lines: dict[str, int] = {}
    for item in read_lines(path):
        if isinstance(item, InputRejected):
            yield item
            continue
        number, value = item
        try:
            prediction = _validated(_PredictionRecord, value, path, number).prediction()
            yield _once(prediction, prediction.case_id, lines, path, number)
        except InputRejected as exc:
            yield exc


def write_cases(path: Path, cases: Iterable[ReplyCase]) -> None:
    """The cases as JSON Lines that ``read_cases`` takes back unchanged; whole or not at all."""
    write_objects(path, (_case_object(case) for case in cases))


def write_predictions(path: Path, predictions: Iterable[Prediction]) -> None:
    """The predictions as JSON Lines; whole or not at all."""
    write_objects(path, (_prediction_object(each) for each in predictions))


_R = TypeVar("_R", bound=_Record)
_T = TypeVar("_T")


def _once(record: _T, key: str, lines: dict[str, int], path: Path, number: int) -> _T:
    first = lines.setdefault(key, number)
    if first != number:
        raise InputRejected(str(path), f'"case_id" "{key}" is already taken by line {first}', number)
    return record


def _validated(kind: type[_R], value: Mapping[str, object], path: Path, line: int) -> _R:
    bad = unstorable(value)
    if bad is not None:
        raise InputRejected(str(path), bad, line)
    try:
        return kind.model_validate(value)
    except ValidationError as exc:
        errors = exc.errors(include_url=False)
        reasons = list(dict.fromkeys(_reason(error, kind) for error in errors))
        raise InputRejected(str(path), "; ".join(reasons[:3]), line) from exc


_INSIDE: dict[str, type[BaseModel]] = {
    "turns": TurnRecord,
    "user_state": UserStateRecord,
    "entities": EntityRecord,
    "citations": _CitationRecord,
}
_MUST_BE = {
    "string_type": "must be text",
    "tuple_type": "must be a list",
    "too_short": "is empty",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "greater_than_equal": "is below 0",
    "less_than_equal": "is above 1",
    "model_type": "must be an object",
    "dict_type": "must be an object",
}


def _reason(error: ErrorDetails, kind: type[BaseModel]) -> str:
    steps = error["loc"]
    name = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps).lstrip(".")
    if error["type"] == "extra_forbidden":
        owner = next((step for step in reversed(steps[:-1]) if isinstance(step, str)), None)
        known = tuple((_INSIDE.get(owner, kind) if owner else kind).model_fields)
        return unknown_key(str(steps[-1]), known) + (f' in "{name.rsplit(".", 1)[0]}"' if owner else "")
    if error["type"] == "missing":
        return f'key "{name}" is missing'
    if error["type"] == "literal_error":
        allowed = str(error["ctx"]["expected"]).replace("'", "").replace(" or ", ", ")
        return f'"{name}" is {error["input"]!r:.60}; allowed are {allowed}'
    return f'"{name}" {_MUST_BE.get(error["type"], error["msg"][:1].lower() + error["msg"][1:])}'


def _case_object(case: ReplyCase) -> dict[str, object]:
    made: dict[str, object] = {
        "case_id": case.case_id,
        "conversation_id": case.conversation_id,
        "locale": case.locale,
        "transferred": case.transferred,
        "at": _time(case.at),
        "turns": [
            _filled({"role": turn.role, "text": turn.text, "at": _time(turn.at), "author_id": turn.author_id})
            for turn in case.turns
        ],
        "user_state": _state_object(case.user_state) if case.user_state else None,
        "references": list(case.references),
        "article_ids": list(case.article_ids),
    }
    return {**made, **_filled({"channel": case.channel, "observed": case.observed, "corrected": case.corrected})}


def _state_object(state: UserState) -> dict[str, object]:
    entities = [
        _filled(
            {
                "kind": entity.kind,
                "id": entity.id,
                "status": entity.status,
                "title": entity.title,
                "amount": str(entity.amount) if isinstance(entity.amount, Decimal) else None,
                "currency": entity.currency,
                "occurred_at": _time(entity.occurred_at),
                "due_at": _time(entity.due_at),
                "attributes": dict(entity.attributes),
            }
        )
        for entity in state.entities
    ]
    return {
        "user_id": state.user_id,
        "as_of": _time(state.as_of),
        "profile": dict(state.profile),
        "entities": entities,
        "unavailable": list(state.unavailable),
    }


def _prediction_object(prediction: Prediction) -> dict[str, object]:
    citations = [
        _filled(
            {
                "passage_id": citation.passage_id,
                "article_id": citation.article_id,
                "conversation_id": citation.conversation_id,
                "title": citation.title,
                "quote": citation.quote,
            }
        )
        for citation in prediction.citations
    ]
    return {
        "case_id": prediction.case_id,
        "reply": prediction.reply,
        "decision": prediction.decision,
        "confidence": prediction.confidence,
        "citations": citations,
    }


def _filled(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _time(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
