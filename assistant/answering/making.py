"""A reply in the making, which the stages hand on, and the record that it ends as."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from assistant import phrases
from assistant.domain.live import Question, ReplyDelta, ReplyDone, ReplyEvent
from assistant.domain.reply import Citation, Decision, Handoff, PromptRef, Reply
from assistant.domain.state import UserState
from assistant.ellipsis import completed
from assistant.handoff import fix_promises
from assistant.language import Locale, spoken
from assistant.metering import Prices, TokenMeter
from assistant.retrieval import Retrieval
from assistant.state.answers import StateAnswer, answer_from_state, missing_note, needs_sign_in
from assistant.suggesting import Suggester
from assistant.text import has_han


@dataclass(slots=True)
class Making:
    """A reply in the making. ``signs_in``: its workspace has live state, which a visitor must sign in for.

    ``disputed``: it shows two sources that disagree, and neither is the later version of the other.
    """

    question: Question
    locale: Locale
    trace_id: str
    now: datetime
    state: UserState | None = None
    replayed: bool = False
    signs_in: bool = False
    ask_sign_in: bool = False
    disputed: bool = False
    retrieval: Retrieval = field(default_factory=lambda: Retrieval(()))
    timings: dict[str, float] = field(default_factory=dict)
    degraded: list[str] = field(default_factory=list)
    meter: TokenMeter = field(default_factory=TokenMeter)
    _read: tuple[StateAnswer | None] | None = None

    @property
    def moment(self) -> datetime:
        """When the customer asks: now, or in a replay the moment of the state that was handed in."""
        return self.state.as_of if self.replayed and self.state is not None else self.now

    @property
    def state_age(self) -> timedelta | None:
        """How old the state is; None without one."""
        return None if self.state is None else max(timedelta(0), self.now - self.state.as_of)

    @property
    def read_as(self) -> str:
        """The message as it was searched, its slips mended; as it stands where messages before it were searched too."""
        in_a_row = any(turn.role == "customer" for turn in self.question.history[-1:])
        return self.question.text if in_a_row else self.retrieval.read_as or self.question.text

    def gathered(self, state: UserState | None, retrieval: Retrieval) -> None:
        """Take in what was looked up."""
        self.state, self.retrieval, self._read = state, retrieval, None
        if self.question.locale is None and retrieval.read_as and has_han(retrieval.read_as):
            self.locale = spoken(None, retrieval.read_as)  # who types pinyin reads Chinese
        self.timings.update(retrieval.timings_ms)
        self.degraded.extend(retrieval.degraded)

    def state_answer(self) -> StateAnswer | None:
        """What the customer's own records say to the question, or that one must sign in for them; read once."""
        if self._read is None:
            self._read = (self._read_state(),)
        return self._read[0]

    def _read_state(self) -> StateAnswer | None:
        found = self._of_state(self.question.text)
        if found is not None or self.read_as == self.question.text:
            return found
        _, ways = completed(self.question.text, self.question.history)  # the state's own rules follow up on these
        return self._of_state(self.read_as) if self.read_as not in ways else None

    def _of_state(self, text: str) -> StateAnswer | None:
        question, locale = self.question, self.locale
        if self.state is None:
            visitor = question.user_id is None and self.signs_in and "state" not in self.degraded
            return needs_sign_in(text, locale) if visitor else None
        return answer_from_state(text, self.state, locale=locale, now=self.moment, history=question.history)


class RecordMaker:
    """Turns what a stage decided into a reply."""

    def __init__(self, suggester: Suggester | None, prices: Prices | None = None) -> None:
        self._suggester = suggester
        self._prices = prices

    def make(
        self,
        making: Making,
        text: str,
        decision: Decision,
        confidence: float,
        *,
        citations: tuple[Citation, ...] = (),
        handoff: Handoff | None = None,
        state_used: tuple[str, ...] = (),
        model: str | None = None,
        prompt: PromptRef | None = None,
    ) -> Reply:
        """The reply with this text; promises of a transfer are fitted to ``handoff``, missing records are named."""
        if "state" in making.degraded and handoff is None:
            note = missing_note(making.state, making.locale) if making.state is not None else ""
            note = note or phrases.state_missing(making.locale)
            text = text if note in text else f"{text}\n\n{note}"
        return Reply(
            text=fix_promises(text, handoff, making.locale),
            decision=decision,
            confidence=round(min(1.0, max(0.0, confidence)), 4),
            conversation_id=making.question.conversation_id,
            trace_id=making.trace_id,
            citations=citations,
            handoff=handoff,
            state_used=state_used,
            suggested_questions=self._suggested(making),
            model=model,
            prompt=prompt,
            degraded=tuple(dict.fromkeys(making.degraded)),
            passages=making.retrieval.passages,
            withheld=making.retrieval.withheld,
            read_as=making.retrieval.read_as,
            usage=making.meter.usage(self._prices),
        )

    def _suggested(self, making: Making) -> tuple[str, ...]:
        if self._suggester is None:
            return ()
        question = making.question
        return self._suggester.questions(
            making.state,
            making.retrieval.passages,
            asked=question.text,
            page=self._suggester.documents_on(question.page or ""),
            locale=making.locale,
            now=making.moment,
        )


def timed(reply: Reply, making: Making, started: float) -> Reply:
    """The reply with its times by stage."""
    return replace(reply, timings_ms={**making.timings, "total": since(started)})


async def at_once(reply: Reply) -> AsyncIterator[ReplyEvent]:
    """The events of a reply that is whole from the start."""
    yield ReplyDelta(reply.text)
    yield ReplyDone(reply)


def since(started: float) -> float:
    """Milliseconds since ``started`` (``time.perf_counter``)."""
    return round((time.perf_counter() - started) * 1000, 3)
