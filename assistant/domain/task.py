"""Tasks: what the assistant may do for a customer, how one stands in a conversation, and one run of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

# The declarations below are read from YAML; a key that is not here is refused.
_STRICT = {"extra": "forbid"}

TaskStatus = Literal[
    "collecting",
    "awaiting_confirmation",
    "done",
    "failed",
    "refused",
    "unknown",
    "cancelled",
    "handed_over",
]
RunStatus = Literal["confirmed", "calling", "answered", "done", "failed", "unknown"]
# A run in one of these may or may not have had its effect; it is driven on with its own key until that is known.
IN_DOUBT: tuple[RunStatus, ...] = ("confirmed", "calling", "answered", "unknown")


@dataclass(frozen=True, slots=True)
class Words:
    """The same sentence in both languages."""

    zh: str
    en: str
    __pydantic_config__ = _STRICT

    def of(self, locale: str) -> str:
        """The one of this language."""
        return self.zh if locale.startswith("zh") else self.en


@dataclass(frozen=True, slots=True)
class Parameter:
    """One thing a task needs. ``source`` says where in a customer's words it is looked for.

    ``entity``: one of the user's own things of ``kind``; ``option``: one of what the shop lists at ``options``.
    ``likely`` are the statuses of entities that are offered as choices. ``optional`` is never asked for.
    ``unless`` names parameters whose values make this one needless: ``{"title": ["个人"]}``.
    """

    name: str
    label: Words
    ask: Words
    source: Literal["entity", "option", "address", "email", "invoice_title", "tax_number", "text"]
    schema: Mapping[str, Any] = dataclasses.field(
        default_factory=lambda: {"type": "string", "minLength": 1, "maxLength": 300}
    )
    kind: str = ""
    likely: tuple[str, ...] = ()
    options: str = ""
    optional: bool = False
    unless: Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    __pydantic_config__ = _STRICT


@dataclass(frozen=True, slots=True)
class Precondition:
    """A condition on the state: on the entity that parameter ``of`` names, or that no entity of ``absent`` exists.

    ``field`` is ``status``, ``amount``, ``age_days`` or ``attributes.NAME``. Every test given must hold. Where it does
    not, ``message`` is said, and with ``otherwise: staff`` a person with ``permission`` takes over.
    """

    message: Words
    of: str = ""
    field: str = "status"
    one_of: tuple[str, ...] = ()
    not_one_of: tuple[str, ...] = ()
    at_most: float | None = None
    at_least: float | None = None
    absent: str = ""
    where: Mapping[str, str] = dataclasses.field(default_factory=dict)
    otherwise: Literal["refuse", "staff"] = "refuse"
    permission: str = ""
    __pydantic_config__ = _STRICT


@dataclass(frozen=True, slots=True)
class Call:
    """The HTTP call behind a task; ``{parameter}`` and ``{user_id}`` are filled in, in paths escaped."""

    method: Literal["POST", "PUT", "PATCH", "DELETE"]
    path: str
    json: Mapping[str, str] = dataclasses.field(default_factory=dict)
    __pydantic_config__ = _STRICT


@dataclass(frozen=True, slots=True)
class Verify:
    """What the user's state shows once the task is done: an entity of ``kind`` with these fields."""

    kind: str
    where: Mapping[str, str]
    __pydantic_config__ = _STRICT


@dataclass(frozen=True, slots=True)
class Task:
    """One declared task. ``examples`` are requests, ``questions`` ask how; ``not_examples`` look alike and are not."""

    name: str
    title: Words
    description: Words
    run_by: Literal["user", "staff"]
    parameters: tuple[Parameter, ...]
    confirm: Words
    done: Words
    examples: tuple[str, ...]
    questions: tuple[str, ...] = ()
    not_examples: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    not_patterns: tuple[str, ...] = ()
    confirm_words: tuple[str, ...] = ()
    permission: str = ""
    skill: str = "general"
    undo: bool = False
    preconditions: tuple[Precondition, ...] = ()
    call: Call | None = None
    verify: Verify | None = None
    errors: Mapping[str, Words] = dataclasses.field(default_factory=dict)
    __pydantic_config__ = _STRICT

    def parameter(self, name: str) -> Parameter:
        """The parameter of this name, which exists."""
        return next(parameter for parameter in self.parameters if parameter.name == name)


@dataclass(frozen=True, slots=True)
class Backend:
    """Where the calls go. ``base_url`` ``demo`` is the shop inside the demo; ``secrets`` are header → variable name."""

    base_url: str
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)
    secrets: Mapping[str, str] = dataclasses.field(default_factory=dict)
    timeout_s: float = 5.0
    __pydantic_config__ = _STRICT


@dataclass(frozen=True, slots=True)
class TaskSet:
    """All tasks of a workspace. ``key_valid_hours`` is how long the shop remembers an idempotency key."""

    backend: Backend
    tasks: tuple[Task, ...]
    confirm_within_minutes: float = 10.0
    key_valid_hours: float = 24.0
    __pydantic_config__ = _STRICT

    def task(self, name: str) -> Task | None:
        """The task of this name."""
        return next((task for task in self.tasks if task.name == name), None)


@dataclass(frozen=True, slots=True)
class TaskDialog:
    """A task under way in one conversation. ``offer_id`` names the summary that awaits a yes; "" while collecting.

    ``offered_after`` is how many turns the conversation had when that summary was shown.
    """

    conversation_id: str
    user_id: str
    task: str
    parameters: Mapping[str, str]
    asked: str = ""
    misses: int = 0
    offer_id: str = ""
    offered_after: int = 0
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class TaskRun:
    """One confirmed run. ``effect_key`` is sent as Idempotency-Key with every attempt."""

    id: str
    effect_key: str
    conversation_id: str
    user_id: str
    task: str
    parameters: Mapping[str, str]
    locale: str
    status: RunStatus
    attempts: int
    confirmed_at: datetime
    offer_id: str = ""
    error: str = ""
    reported: bool = False


@dataclass(frozen=True, slots=True)
class TaskRecord:
    """How a task stands after a reply. ``summary`` is what will be or was done, label and value.

    ``confirmation`` names the summary shown, for the confirm button; it is bound to this conversation and expires.
    """

    name: str
    title: str
    status: TaskStatus
    parameters: Mapping[str, str] = dataclasses.field(default_factory=dict)
    summary: tuple[tuple[str, str], ...] = ()
    missing: tuple[str, ...] = ()
    confirmation: str | None = None
    expires_at: datetime | None = None
    run_id: str | None = None
    undo: bool | None = None


@dataclass(frozen=True, slots=True)
class HandedTask:
    """A task handed to a person who holds ``permission``, with what is known filled in."""

    name: str
    title: str
    parameters: Mapping[str, str]
    permission: str
