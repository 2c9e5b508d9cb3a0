"""Reads the handoff rules from YAML: untrusted input, so every mistake is named with its key and its line."""

from __future__ import annotations

import re
from datetime import date, time
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from assistant.errors import ConfigurationError
from assistant.handoff.hours import OpeningHours
from assistant.handoff.rules import HandoffRules, Topic
from assistant.yaml_lines import Document

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
_Span = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d-(([01]\d|2[0-3]):[0-5]\d|24:00)$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Switch(_Strict):
    enabled: bool = True


class _Asked(_Switch):
    threshold: float = Field(default=0.55, ge=0, le=1.01)


class _Upset(_Switch):
    now: float = Field(default=-0.6, ge=-1, le=0)
    before: float = Field(default=-0.3, ge=-1, le=0)


class _Loop(_Switch):
    likeness: float = Field(default=0.88, ge=0, le=1)


class _Low(_Switch):
    below: float = Field(default=0.3, ge=0, le=1)
    after: int = Field(default=1, ge=0, le=10)


class _Vip(_Switch):
    tiers: list[str] = ["black"]


class _Tool(_Switch):
    after: int = Field(default=2, ge=1, le=10)


class _Topic(_Strict):
    name: str = Field(pattern=r"^[a-z0-9_]{1,40}$")
    reason: Literal["forbidden_topic", "upset"] = "forbidden_topic"
    patterns: list[str] = Field(min_length=1)
    unless: list[str] = []

    @field_validator("patterns", "unless")
    @classmethod
    def _compiles(cls, patterns: list[str]) -> list[str]:
        for pattern in patterns:
            try:
                found = re.compile(pattern)
            except re.error as exc:
                raise ValueError(f"{pattern!r} is no regular expression: {exc}") from exc
            if found.search(""):
                raise ValueError(f"{pattern!r} matches the empty text, so it would match every turn")
        return patterns


class _Hours(_Strict):
    timezone: str
    weekly: dict[_Day, list[_Span]]
    holidays: list[date] = []

    @field_validator("timezone")
    @classmethod
    def _known(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError) as exc:
            raise ValueError(f"{name!r} is no time zone; write one like Asia/Shanghai") from exc
        return name

    @field_validator("weekly")
    @classmethod
    def _forward(cls, weekly: dict[str, list[str]]) -> dict[str, list[str]]:
        if not any(weekly.values()):
            raise ValueError("no day has opening hours; leave `hours` out if people are always there")
        for span in (span for spans in weekly.values() for span in spans):
            start, _, end = span.partition("-")
            if start >= end:
                raise ValueError(f"{span!r} ends before it begins; split a night into two days")
        return weekly


class _Rules(_Strict):
    asked_for_person: _Asked = _Asked()
    upset: _Upset = _Upset()
    loop: _Loop = _Loop()
    low_confidence: _Low = _Low()
    vip: _Vip = _Vip()
    tool_failure: _Tool = _Tool()
    hours: _Hours | None = None
    topics: list[_Topic] | None = None


def load_rules(path: Path | None = None) -> HandoffRules:
    """The rules of this file over the packaged ones: keys left out keep their defaults, ``topics`` replaces the list.

    Raises ConfigurationError naming file, line and key of every mistake.
    """
    if path is None:
        return packaged_rules()
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigurationError(f"the handoff rules {path} cannot be read (TEACHBACK_HANDOFF_RULES): {exc}") from exc
    return _parse(text, str(path))


@cache
def packaged_rules() -> HandoffRules:
    """The rules that come with the package."""
    return _parse((files("assistant.handoff") / "rules.yaml").read_text(encoding="utf-8"), "rules.yaml")


def _parse(text: str, source: str) -> HandoffRules:
    document = Document(text, source)
    data = {} if document.data is None else document.data
    if not isinstance(data, dict):
        raise ConfigurationError(f"{source}: the rules are a mapping of rule names; see docs/handoff.md")
    try:
        given = _Rules.model_validate(data)
    except ValidationError as exc:
        lines = []
        for error in exc.errors():
            loc = tuple(part for part in error["loc"] if part != "[key]")
            what = "unknown key" if error["type"] == "extra_forbidden" else error["msg"]
            lines.append(f"{source}:{document.line(loc)}: {'.'.join(map(str, loc))}: {what}")
        raise ConfigurationError("\n".join(lines)) from exc
    return _rules(given)


def _rules(given: _Rules) -> HandoffRules:
    switches = {
        "asked_for_person": given.asked_for_person,
        "upset": given.upset,
        "loop": given.loop,
        "low_confidence": given.low_confidence,
        "vip": given.vip,
        "tool_failure": given.tool_failure,
    }
    topics = packaged_rules().topics if given.topics is None else tuple(_topic(topic) for topic in given.topics)
    return HandoffRules(
        vip_tiers=frozenset(given.vip.tiers),
        low_confidence=given.low_confidence.below,
        upset_now=given.upset.now,
        upset_before=given.upset.before,
        ask_threshold=given.asked_for_person.threshold,
        loop_likeness=given.loop.likeness,
        clarify_first=given.low_confidence.after,
        tool_failures=given.tool_failure.after,
        topics=topics,
        hours=_hours(given.hours),
        off=frozenset(name for name, switch in switches.items() if not switch.enabled),
    )


def _topic(topic: _Topic) -> Topic:
    unless = re.compile("|".join(topic.unless)) if topic.unless else None
    return Topic(topic.reason, topic.name, re.compile("|".join(topic.patterns)), unless)


def _hours(given: _Hours | None) -> OpeningHours | None:
    if given is None:
        return None
    weekly = {
        _DAYS.index(day): tuple((_clock(start), _clock(end)) for start, end in (s.split("-") for s in spans))
        for day, spans in given.weekly.items()
    }
    return OpeningHours(ZoneInfo(given.timezone), weekly, frozenset(given.holidays))


def _clock(text: str) -> time:
    return time.max if text == "24:00" else time.fromisoformat(text)
