"""What the assistant gives back, with everything that explains it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from assistant.domain.knowledge import Passage
from assistant.domain.task import HandedTask, TaskRecord

Decision = Literal["answer", "clarify", "handoff", "act"]


@dataclass(frozen=True, slots=True)
class Citation:
    """A span of the reply and the passage it rests on; ``quote`` is the passage's own words."""

    passage_id: str
    title: str
    quote: str
    article_id: str | None = None
    conversation_id: str | None = None


@dataclass(frozen=True, slots=True)
class Handoff:
    """The record passed to a person. ``reason`` is data (see ``HANDOFF_REASONS``), ``skill`` the suggested queue.

    ``rule`` names what fired; ``issue`` and ``question`` (still open) are a line each, ``tried`` the last
    answers given, ``passages`` and ``state`` ids, ``mood`` the last turn's. ``back_at``: nobody is at work until then.
    ``task`` is what the person is to do, where it is a task that only staff may do.
    """

    reason: str
    summary: str
    skill: str
    rule: str = ""
    issue: str = ""
    tried: tuple[str, ...] = ()
    passages: tuple[str, ...] = ()
    state: tuple[str, ...] = ()
    question: str = ""
    mood: str = ""
    back_at: datetime | None = None
    task: HandedTask | None = None


HANDOFF_REASONS = (
    "customer_request",
    "low_confidence",
    "loop",
    "upset",
    "forbidden_topic",
    "vip",
    "staff_only_task",
    "tool_failure",
    "out_of_hours",
)


@dataclass(frozen=True, slots=True)
class PromptRef:
    """Which prompt wrote the reply, by name and the SHA-256 of its template."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class TokenUsage:
    """Tokens that the chat model took for one reply, over all its ``calls``, a failed or repaired attempt included.

    ``estimated``: for at least one call the server gave no count. ``cost`` is money, None where no price is set.
    """

    prompt_tokens: int
    completion_tokens: int
    calls: int = 1
    estimated: bool = False
    cost: float | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply. ``confidence`` is 0–1; ``timings_ms`` is by stage; ``model`` is None for the extractive answerer.

    ``degraded`` names each step down from the configured way (``llm``, ``vector_index``, ``state``), so that it can be
    seen; ``state_used`` lists ids of the state entities the text rests on; ``task`` is how the task in hand stands;
    ``runs_told`` are the task runs whose outcome the text tells; ``usage`` is None where no model was asked.
    ``cached``: the model wrote it for the same question earlier. ``withheld`` are documents that came near, but whose
    negative questions were nearer; ``read_as`` is the question as it was searched, where slips in it were mended.
    ``to_check`` are sentences of a draft that tell what was done for another customer, or was so on that day.
    """

    text: str
    decision: Decision
    confidence: float
    conversation_id: str
    trace_id: str
    citations: tuple[Citation, ...] = ()
    handoff: Handoff | None = None
    state_used: tuple[str, ...] = ()
    suggested_questions: tuple[str, ...] = ()
    model: str | None = None
    prompt: PromptRef | None = None
    timings_ms: Mapping[str, float] = field(default_factory=dict)
    degraded: tuple[str, ...] = ()
    passages: tuple[Passage, ...] = ()
    task: TaskRecord | None = None
    runs_told: tuple[str, ...] = ()
    usage: TokenUsage | None = None
    cached: bool = False
    withheld: tuple[str, ...] = ()
    read_as: str | None = None
    to_check: tuple[str, ...] = ()
