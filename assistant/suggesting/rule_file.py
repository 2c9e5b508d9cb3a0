"""Reads the rules of suggestions from YAML: strict, a misspelt key is an error with its line, not a dead rule."""

from __future__ import annotations

import hashlib
from collections import Counter
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from assistant.errors import ConfigurationError
from assistant.suggesting.rules import Days, Rule, RuleBook, Situation
from assistant.yaml_lines import Document

_Text = Annotated[str, Field(min_length=2, max_length=200)]
_Words = tuple[Annotated[str, Field(min_length=1)], ...]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _DaysRecord(_Strict):
    min: float | None = None
    max: float | None = None

    def days(self) -> Days:
        return Days(self.min, self.max)


class _SituationRecord(_Strict):
    entity: Annotated[str, Field(min_length=1)] | None = None
    is_: _Words = Field(default=(), alias="is")
    is_not: _Words = ()
    unresolved: bool = False
    since_days: _DaysRecord | None = None
    ended_days: _DaysRecord | None = None
    due_days: _DaysRecord | None = None
    attributes: dict[str, _Words] = Field(default_factory=dict)
    profile: dict[str, _Words] = Field(default_factory=dict)
    registered_days: _DaysRecord | None = None
    without: _Words = ()
    without_open: _Words = ()

    @model_validator(mode="after")
    def _sensible(self) -> _SituationRecord:
        of_thing = ("is_", "is_not", "unresolved", "since_days", "ended_days", "due_days", "attributes")
        if self.entity is None and any(getattr(self, name) for name in of_thing):
            raise ValueError("a condition on a thing needs `entity`")
        if self.unresolved and self.entity != "payment":
            raise ValueError("`unresolved` is for `entity: payment`")
        if not self.model_fields_set:
            raise ValueError("there is no condition")
        return self

    def situation(self) -> Situation:
        def span(record: _DaysRecord | None) -> Days | None:
            return None if record is None else record.days()

        return Situation(
            self.entity,
            self.is_,
            self.is_not,
            self.unresolved,
            span(self.since_days),
            span(self.ended_days),
            span(self.due_days),
            self.attributes,
            self.profile,
            span(self.registered_days),
            self.without,
            self.without_open,
        )


class _AskRecord(_Strict):
    zh: tuple[_Text, ...] = ()
    en: tuple[_Text, ...] = ()

    @model_validator(mode="after")
    def _fields(self) -> _AskRecord:
        for text in (*self.zh, *self.en):
            if "{" in text.replace("{name}", "") or "}" in text.replace("{name}", ""):
                raise ValueError(f"{text!r}: the only field is {{name}}")
        return self


class _RuleRecord(_Strict):
    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,47}$")]
    weight: Annotated[float, Field(ge=0, le=1)] = 0.0
    answered_by: Literal["state", "knowledge"] = "state"
    matter: tuple[_Text, ...] = ()
    when: _SituationRecord
    ask: _AskRecord = _AskRecord()

    def rule(self) -> Rule:
        return Rule(
            self.name, self.when.situation(), self.weight, self.answered_by, self.ask.zh, self.ask.en, self.matter
        )


class _FileRecord(_Strict):
    version: Literal[1]
    rules: tuple[_RuleRecord, ...]


def load_rules(path: Path | None = None) -> RuleBook:
    """The rules in this file, or the packaged ones. Raises ConfigurationError, naming file, line and key."""
    if path is None:
        source, text = "rules.yaml", (files("assistant.suggesting") / "rules.yaml").read_text("utf-8")
    else:
        source = str(path)
        try:
            text = path.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as exc:
            raise ConfigurationError(
                f"the suggestion rules {source} cannot be read: {exc}; see TEACHBACK_SUGGESTION_RULES"
            ) from exc
    document = Document(text, source)
    raw = document.data
    if not isinstance(raw, dict):
        raise ConfigurationError(f"{source}: must be a mapping with `version` and `rules`")
    try:
        record = _FileRecord.model_validate(raw)
    except ValidationError as exc:
        error = exc.errors(include_url=False)[0]
        raise ConfigurationError(f"{source}:{document.line(error['loc'])}: {_said(error)}") from exc
    twice = [name for name, count in Counter(r.name for r in record.rules).items() if count > 1]
    if twice:
        raise ConfigurationError(f"{source}: two rules are named {twice[0]!r}")
    return RuleBook(tuple(r.rule() for r in record.rules), hashlib.sha256(text.encode()).hexdigest())


def _said(error: Any) -> str:
    name = ".".join(str(step) for step in error["loc"])
    if error["type"] == "extra_forbidden":
        return f'unknown key "{name}"'
    if error["type"] == "missing":
        return f'key "{name}" is missing'
    return f'"{name}": {str(error["msg"]).removeprefix("Value error, ")}'
