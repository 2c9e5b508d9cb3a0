"""Replies written by a chat model: prompt, stream, check against the sources, one repair, or none at all."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

import prompts
from assistant.domain.conversation import Turn
from assistant.domain.knowledge import Passage
from assistant.domain.live import Question
from assistant.domain.reply import Citation, PromptRef
from assistant.errors import ModelUnavailable
from assistant.grounding import Grounding, check, marks_in, renumber
from assistant.metering import TokenMeter
from assistant.metering import estimated_tokens as tokens
from assistant.ports import ChatDelta, ChatMessage, ChatModel
from assistant.text import language_of

NO_ANSWER = "NO_ANSWER"
_LANGUAGES = {"zh": "Chinese, in the customer's own script (Simplified or Traditional)", "en": "English"}
_TURN_TOKENS, _QUESTION_TOKENS, _STATE_TOKENS, _CASE_TOKENS = 200, 1000, 600, 800
# Our own fences and the control tokens of chat templates; a look-alike bracket keeps the text readable.
_FENCE = re.compile(
    r"<(?=\s*/?\s*(?:passages?|customer_records|conversation|resolved_cases|case|question)\b|\|)", re.IGNORECASE
)
_END = re.compile(
    r"(?:[。！？!?；;\n]|\.(?=\s))[\"”’）)*]*(?:\s*[\[【]\s*\d{1,3}(?:\s*[,，、;\-–~]\s*\d{1,3})*\s*[\]】])*[。.]?\s*(?=[^\s\[【。.])"
)


class NotGrounded(ModelUnavailable):
    """What the model wrote is, twice, not borne out by its sources (``problems``); the extractive reply is given."""

    def __init__(self, model: str, problems: Sequence[str]) -> None:
        super().__init__(f"{model} wrote what its sources do not say: {'; '.join(problems[:3])}")
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class Piece:
    """Checked text to show at once; whole sentences, with their marks numbered as in the final text."""

    text: str


@dataclass(frozen=True, slots=True)
class Restarted:
    """Take back the pieces so far: ``reason`` is ``not_grounded`` (another attempt follows) or ``no_answer``."""

    reason: str


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """The model finds no answer in what it was given. Last event."""

    prompt: PromptRef
    model: str


@dataclass(frozen=True, slots=True)
class Generated:
    """The whole reply; last event. Mark ``[n]`` in ``text`` stands for ``citations[n - 1]``.

    Further citations, without a mark, bear out sentences that name none.
    """

    text: str
    citations: tuple[Citation, ...]
    prompt: PromptRef
    model: str
    grounded: bool
    repaired: bool = False


GenerationEvent = Piece | Restarted | Generated | NoAnswer


class GeneratedAnswerer:
    """Writes replies (``prompt="reply"``) or agents' drafts (``"draft"``) with a chat model."""

    def __init__(
        self, model: ChatModel, *, prompt: str = "reply", passage_tokens: int = 2400, history_turns: int = 6
    ) -> None:
        self._model = model
        self._prompt = prompts.load(prompt)
        self._repair = prompts.load("repair")
        self._passage_tokens = passage_tokens
        self._history_turns = history_turns

    async def stream(
        self,
        question: Question,
        passages: Sequence[Passage],
        state_facts: Sequence[str],
        locale: str | None,
        *,
        state_age: timedelta | None = None,
        cases: Sequence[Passage] = (),
        meter: TokenMeter | None = None,
    ) -> AsyncGenerator[GenerationEvent, None]:
        """Pieces, then Generated or NoAnswer. Raises ModelUnavailable or NotGrounded, both also after pieces.

        A sentence becomes a piece only once its sources bear it out, so nobody is shown an invented figure that is
        taken back later. ``cases`` (drafts only) set the tone; they bear nothing out. ``meter`` counts both attempts.
        """
        ref = PromptRef(self._prompt.name, self._prompt.sha256)
        language = _language(locale, question.text)
        shown = fit(passages, self._passage_tokens)
        sources = passages[: len(shown)]
        messages = self._messages(question, shown, state_facts, language, state_age, cases)
        meter = meter or TokenMeter()
        problems: tuple[str, ...] = ()
        for attempt in range(2):
            raw, released, numbers = "", 0, dict[int, int]()
            call = meter.call(messages)
            async with closing(self._model.stream(messages)) as deltas:
                async for delta in deltas:
                    raw += delta.text
                    call.hear(delta.text, delta.usage)
                    end = max((match.end() for match in _END.finditer(raw, released)), default=released)
                    if end > released and await self._holds(raw[:end], sources, state_facts, question):
                        yield Piece(_numbered(raw[released:end], numbers, first=not released))
                        released = end
            if NO_ANSWER in raw:
                if released:
                    yield Restarted("no_answer")
                yield NoAnswer(ref, self._model.name)
                return
            raw = raw.rstrip()
            grounding = await asyncio.to_thread(check, raw, sources, state_facts, question.text)
            if grounding.ok:
                if raw[released:]:
                    yield Piece(_numbered(raw[released:], numbers, first=not released))
                yield self._generated(raw, grounding, ref, repaired=attempt > 0)
                return
            problems = grounding.problems
            if not attempt:
                if released:
                    yield Restarted("not_grounded")
                messages = [*messages, ChatMessage("assistant", raw), self._complaint(problems, language)]
        raise NotGrounded(self._model.name, problems)

    def key(self, question: Question, passages: Sequence[Passage], locale: str) -> str:
        """A digest of all that ``stream`` would go by: model, prompts, passages with their ids, and the question."""
        shown = fit(passages, self._passage_tokens)
        messages = self._messages(question, shown, (), _language(locale, question.text), None, ())
        told = [self._model.name, self._repair.sha256, *(p.id for p in passages[: len(shown)])]
        told += [f"{message.role}:{message.content}" for message in messages]
        return hashlib.sha256("\0".join(told).encode()).hexdigest()

    async def _holds(self, text: str, sources: Sequence[Passage], facts: Sequence[str], question: Question) -> bool:
        """Whether this beginning of a reply may be shown."""
        return NO_ANSWER not in text and (await asyncio.to_thread(check, text, sources, facts, question.text)).ok

    def _generated(self, raw: str, grounding: Grounding, ref: PromptRef, *, repaired: bool) -> Generated:
        text = _numbered(raw, {}, first=True)
        return Generated(text, grounding.citations, ref, self._model.name, grounding.ok, repaired)

    def _complaint(self, problems: Sequence[str], language: str) -> ChatMessage:
        listed = "\n".join(f"- {as_data(problem)}" for problem in problems[:8])
        return ChatMessage("user", self._repair.render(problems=listed, language=language))

    def _messages(
        self,
        question: Question,
        passages: Sequence[Passage],
        facts: Sequence[str],
        language: str,
        state_age: timedelta | None,
        cases: Sequence[Passage],
    ) -> list[ChatMessage]:
        values = {
            "language": language,
            "passages": "\n".join(_passage(n, p) for n, p in enumerate(passages, 1)) or "(none)",
            "state": _cut("\n".join(f"- {as_data(fact)}" for fact in facts), _STATE_TOKENS) or "(none)",
            "state_age": "now" if state_age is None else f"{max(0, round(state_age.total_seconds()))} seconds ago",
            "conversation": as_conversation(question.history[-self._history_turns :]) or "(this is the first message)",
            "question": as_data(_cut(question.text, _QUESTION_TOKENS)),
            "cases": "\n".join(_case(p) for p in fit(cases, _CASE_TOKENS)) or "(none)",
        }
        filled = self._prompt.messages(**{name: values[name] for name in self._prompt.variables})
        return [ChatMessage(message.role, message.content) for message in filled]


def _language(locale: str | None, text: str) -> str:
    return _LANGUAGES.get((locale or language_of(text))[:2], f"the customer's language ({locale})")


def fit(passages: Sequence[Passage], budget: int) -> list[Passage]:
    """The first passages that fit into ``budget`` tokens together, the last of them cut, at a line or sentence end."""
    out: list[Passage] = []
    for passage in passages:
        if budget < 40 and out:
            break
        text = _cut(passage.text, budget)
        out.append(replace(passage, text=text))
        budget -= tokens(text) + tokens(passage.title) + 12
    return out


def _cut(text: str, budget: int) -> str:
    if tokens(text) <= budget:
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if tokens(text[:middle]) <= budget - 1 else (low, middle - 1)
    ends = [m.end() for m in re.finditer(r"[。！？!?；;\n]|\.\s", text[:low])]
    return text[: ends[-1] if ends and ends[-1] > low // 2 else low].rstrip() + "…"


def as_data(text: str) -> str:
    """The text, unable to close our fences or to speak the chat template's control language."""
    return _FENCE.sub("‹", text)


def _attribute(text: str) -> str:
    return as_data(" ".join(text.split())).replace('"', "”")


def _passage(number: int, passage: Passage) -> str:
    title = _attribute(f"{passage.title} > {passage.heading}" if passage.heading else passage.title)
    audience = ' audience="internal"' if passage.audience == "internal" else ""
    return f'<passage number="{number}" title="{title}"{audience}>\n{as_data(passage.text)}\n</passage>'


def _case(passage: Passage) -> str:
    return f'<case customer="{_attribute(passage.title)}">\n{as_data(passage.text)}\n</case>'


def as_conversation(turns: Sequence[Turn]) -> str:
    """The turns as data in a prompt, a line each, long ones cut."""
    return "\n".join(f"{turn.role}: {as_data(_cut(turn.text, _TURN_TOKENS))}" for turn in turns)


def _numbered(text: str, numbers: dict[int, int], *, first: bool) -> str:
    """The text with its marks numbered by first appearance; ``numbers`` remembers them from piece to piece."""
    for mark in marks_in(text):
        numbers.setdefault(mark, len(numbers) + 1)
    renumbered = renumber(text, numbers)
    return renumbered.lstrip() if first else renumbered


@asynccontextmanager
async def closing(deltas: AsyncIterator[ChatDelta]) -> AsyncIterator[AsyncIterator[ChatDelta]]:
    """Close the model's stream at once when its reader leaves, so that the server stops writing."""
    try:
        yield deltas
    finally:
        close = getattr(deltas, "aclose", None)
        if close is not None:
            await close()
