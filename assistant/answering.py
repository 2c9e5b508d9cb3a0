"""Decides and composes one reply: guard, handoff rules, live state, retrieval, then model or extract."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from assistant import phrases
from assistant.domain.conversation import Turn
from assistant.domain.knowledge import Passage
from assistant.domain.live import Question, ReplyDelta, ReplyDone, ReplyEvent, ReplyReset, ReplyStarted
from assistant.domain.reply import Citation, Decision, Handoff, PromptRef, Reply
from assistant.domain.state import UserState
from assistant.drafting import NEIGHBOURS, adapt, beyond, choose_case, sources, split_turns
from assistant.errors import EmbeddingFailed, ModelUnavailable, StateUnavailable
from assistant.extractive import ExtractiveAnswerer
from assistant.followup import standalone
from assistant.generation import Generated, GeneratedAnswerer, NoAnswer, NotGrounded, Piece, Restarted
from assistant.guardrails import classify
from assistant.handoff import (
    HandoffDecision,
    HandoffRules,
    TurnReader,
    beyond_decline,
    decide_handoff,
    declines_person,
    fix_promises,
    has_declined,
    live_part,
    make_record,
    packaged_rules,
    reopened,
)
from assistant.language import Locale, spoken
from assistant.ports import Clock, Embedder, StateSource
from assistant.retrieval import Query, Retrieval, Retriever
from assistant.settings import Settings
from assistant.state.answers import (
    CANNOT_TELL,
    StateAnswer,
    answer_from_state,
    missing_note,
    needs_sign_in,
    state_facts,
)
from assistant.suggesting import Suggester
from assistant.tasks.dialog import Note, TaskDesk, TaskReply

PASSAGES = 5
SIGN_IN = "sign_in"
ARTICLE_SHARE = 0.5
WORTH_SHOWING = 0.5  # to a model, which may weigh them
WORTH_QUOTING = 0.7  # without one: a lesser passage quoted well is still the wrong passage


@dataclass(slots=True)
class _Draft:
    """A reply in the making."""

    question: Question
    locale: Locale
    trace_id: str
    now: datetime
    state: UserState | None = None
    replayed: bool = False
    sign_in: bool = False
    retrieval: Retrieval = field(default_factory=lambda: Retrieval(()))
    timings: dict[str, float] = field(default_factory=dict)
    degraded: list[str] = field(default_factory=list)

    @property
    def moment(self) -> datetime:
        """When the customer asks: now, or in a replay the moment of the state that was handed in."""
        return self.state.as_of if self.replayed and self.state is not None else self.now


class Answerer:
    """Writes replies for one workspace; keeps nothing. The live desk and the evaluation use the same one."""

    def __init__(
        self,
        *,
        retriever: Retriever,
        embedder: Embedder,
        state_source: StateSource | None,
        generator: GeneratedAnswerer | None,
        settings: Settings,
        clock: Clock,
        suggester: Suggester | None = None,
        handoff_rules: HandoffRules | None = None,
        tasks: TaskDesk | None = None,
    ) -> None:
        self._suggester = suggester
        self._retriever = retriever
        self._embedder = embedder
        self._state_source = state_source
        self._generator = generator
        self._settings = settings
        self._clock = clock
        self._tasks = tasks
        self._extractive = ExtractiveAnswerer()
        self._handoff_rules = handoff_rules or packaged_rules()
        self._reader = TurnReader(embedder)

    async def reply(
        self, question: Question, *, state: UserState | None = None, exclude: frozenset[str] = frozenset()
    ) -> Reply:
        """The whole reply, without the events before it."""
        async for event in self.events(question, state=state, exclude=exclude):
            if isinstance(event, ReplyDone):
                return event.reply
        raise AssertionError("a reply always ends with ReplyDone")

    async def events(
        self, question: Question, *, state: UserState | None = None, exclude: frozenset[str] = frozenset()
    ) -> AsyncIterator[ReplyEvent]:
        """ReplyStarted, pieces as they come, perhaps a ReplyReset, and ReplyDone.

        ``state`` stands in for the live source (replays); ``exclude`` names conversations that must not be found.
        """
        again = reopened(question)  # "you answer it": the question that was about to go to a person
        draft = self._begin(again or question, spoken(question.locale, question.text), state)
        started = time.perf_counter()
        yield ReplyStarted(question.conversation_id, draft.trace_id)
        early = await self._yes_or_no(draft)
        note = await self._tasks.note(question, draft.locale) if self._tasks and early is None else Note()
        early = early or self._early(draft)
        if early is None:
            await self._gather(draft, exclude)
            ruled = await asyncio.to_thread(self._from_rules, draft)  # reads the turn: an embedding
            if again is None:
                early = await self._task(draft, ruled)
            elif ruled is None or ruled.handoff is None:
                early, note = ruled, replace(note, text=phrases.withdrawn_and_answered(draft.locale))
            else:  # only people may answer that, and the customer has just sent them away
                early = self._make(draft, phrases.handoff_withdrawn(draft.locale), "answer", 1.0)
        events = _at_once(early) if early is not None else self._compose(draft)
        async for event in self._around(draft, note, events):
            if isinstance(event, ReplyDone):
                event = ReplyDone(self._timed(event.reply, draft, started))
            yield event

    async def draft(
        self,
        turns: Sequence[Turn],
        *,
        state: UserState | None = None,
        locale: str | None = None,
        exclude: frozenset[str] = frozenset(),
    ) -> Reply:
        """A reply for an agent to send to the last customer turn, at most a suggestion.

        The customer's own state comes first. Then the article that answers opens the draft and what similar resolved
        cases agree on follows, each where its support is near the other's; ``handoff`` where neither says a thing.
        """
        text, before, history = split_turns(turns)
        question = Question(text, history=history, locale=locale, user_id=state.user_id if state else None)
        draft = self._begin(question, spoken(locale, text), state)
        started = time.perf_counter()
        await self._gather(draft, exclude)
        reply = await asyncio.to_thread(self._draft_from, draft, text, before, exclude)
        return self._timed(reply, draft, started)

    def _draft_from(self, draft: _Draft, text: str, before: str, exclude: frozenset[str]) -> Reply:
        if not text.strip():
            return self._make(draft, phrases.unsupported((), draft.locale), "clarify", 0.0)
        state_answer = self._state_answer(draft)
        if state_answer is not None and state_answer.sufficient and state_answer.decision == "answer":
            return self._make(draft, state_answer.text, "answer", state_answer.confidence, state_used=state_answer.used)
        try:
            cases = self._retriever.similar_cases(text, before, limit=NEIGHBOURS, now=draft.now, exclude=exclude)
            chosen = choose_case(cases)
        except EmbeddingFailed:
            draft.degraded.append("embedder")
            chosen = None
        articles = [passage for passage in draft.retrieval.passages if passage.article_id is not None]
        article_score = articles[0].score if articles else 0.0
        say_article, say_case = sources(article_score if articles else None, chosen.passage.score if chosen else None)
        if not say_article and (chosen is None or not say_case):
            return self._make(draft, phrases.unsupported((), draft.locale), "handoff", 0.0)
        reply = self._extract(draft, state_answer, article_score, articles) if say_article else None
        if chosen is None or not say_case:
            assert reply is not None
            return reply
        passage = chosen.passage
        told = adapt(passage.text, draft.locale)
        citation = Citation(passage.id, passage.title, passage.text, conversation_id=passage.conversation_id)
        if reply is None:
            return self._make(draft, told, "answer", passage.score, citations=(citation,))
        added = beyond(told, reply.text)
        if not added:
            return reply
        text, citations = f"{reply.text}\n\n{added}".strip(), (*reply.citations, citation)
        return replace(reply, text=text, citations=citations, confidence=max(reply.confidence, passage.score))

    def _begin(self, question: Question, locale: Locale, state: UserState | None) -> _Draft:
        return _Draft(question, locale, secrets.token_hex(8), self._clock.now(), state, state is not None)

    # -- what needs no retrieval ----------------------------------------------------------------------------------

    def _early(self, draft: _Draft) -> Reply | None:
        question = draft.question
        if question.handed_off and declines_person(question.text) and not beyond_decline(question.text):
            return self._make(draft, phrases.handoff_withdrawn(draft.locale), "answer", 1.0)
        guard = classify(question.text, draft.locale)
        if guard.reply is not None:
            decision: Decision = "clarify" if guard.kind in ("empty", "gibberish") else "answer"
            return self._make(draft, guard.reply, decision, 1.0)
        return None

    async def _gather(self, draft: _Draft, exclude: frozenset[str]) -> None:
        """State and passages at the same time; the state has a budget and may be missing, which is then said."""
        query = Query(
            standalone(draft.question.text, draft.question.history),
            k=PASSAGES,
            locale=draft.locale,
            exclude_conversations=exclude,
        )
        retrieval = asyncio.to_thread(self._retriever.search, query, now=draft.now)
        draft.state, draft.retrieval = await asyncio.gather(self._state(draft), retrieval)
        draft.timings.update(draft.retrieval.timings_ms)
        draft.degraded.extend(draft.retrieval.degraded)

    async def _state(self, draft: _Draft) -> UserState | None:
        user_id = draft.question.user_id
        if draft.state is not None or user_id is None or self._state_source is None:
            return draft.state
        started = time.perf_counter()
        try:
            async with asyncio.timeout(self._settings.state_budget_ms / 1000):
                state = await self._state_source.fetch(user_id)
            if state.unavailable:
                draft.degraded.append("state")
            return state
        except (StateUnavailable, TimeoutError):
            draft.degraded.append("state")
            return None
        finally:
            draft.timings["state"] = _since(started)

    # -- rules ----------------------------------------------------------------------------------------------------

    def _from_rules(self, draft: _Draft) -> Reply | None:
        """A handoff that the rules ask for, or a state reply that no model may reword (another's order, a choice)."""
        question, locale = draft.question, draft.locale
        profile = draft.state.profile if draft.state is not None else {}
        wanted = decide_handoff(
            question.text,
            question.history,
            locale=locale,
            profile=profile,
            confidence=None,
            rules=self._handoff_rules,
            reader=self._reader,
            tool_failures=self._tool_failures(draft),
        )
        if wanted is not None:
            return self._hand_off(draft, wanted.reason, wanted.rule)
        answer = self._state_answer(draft)
        if answer is not None and answer.decision == "clarify" and answer.topic != SIGN_IN:
            return self._make(draft, answer.text, "clarify", answer.confidence, state_used=answer.used)
        if answer is not None and answer.sufficient and answer.topic in ("not_yours", *CANNOT_TELL):
            return self._make(draft, answer.text, "answer", answer.confidence, state_used=answer.used)
        return None

    def _tool_failures(self, draft: _Draft) -> int:
        """Replies in a row, this one with them, that lacked the records which the customer asked about."""
        if "state" not in draft.degraded or needs_sign_in(draft.question.text, draft.locale) is None:
            return 0
        replies = [turn.text for turn in live_part(draft.question.history) if turn.role == "assistant"]
        missing = (phrases.state_missing("zh"), phrases.state_missing("en"))
        count = 1
        while count <= len(replies) and any(phrase in replies[-count] for phrase in missing):
            count += 1
        return count

    def _state_answer(self, draft: _Draft) -> StateAnswer | None:
        question, locale = draft.question, draft.locale
        if draft.state is None:
            visitor = question.user_id is None and self._state_source is not None and "state" not in draft.degraded
            return needs_sign_in(question.text, locale) if visitor else None
        return answer_from_state(question.text, draft.state, locale=locale, now=draft.moment, history=question.history)

    def _hand_off(self, draft: _Draft, reason: str, rule: str = "") -> Reply:
        question, hours = draft.question, self._handoff_rules.hours
        answer = self._state_answer(draft)
        closed = hours is not None and not hours.is_open(draft.moment)
        back_at = hours.back_at(draft.moment) if hours is not None and closed else None
        record = make_record(
            live_part(question.history),
            question.text,
            draft.locale,
            HandoffDecision(reason, rule or reason),
            state_used=answer.used if answer is not None else (),
            passages=draft.retrieval.passages,
            mood=self._reader.read(question.text).mood,
            back_at=back_at,
        )
        text = phrases.handoff(reason, draft.locale) if not closed else phrases.message_left(back_at, draft.locale)
        return self._make(draft, text, "handoff", 1.0, handoff=record)

    # -- tasks ----------------------------------------------------------------------------------------------------

    async def _yes_or_no(self, draft: _Draft) -> Reply | None:
        """The reply to a yes or no to the task in hand; it comes first, since "ok" is small talk to everyone else."""
        said = await self._tasks.first(draft.question, draft.locale) if self._tasks is not None else None
        return self._task_reply(draft, said) if said is not None else None

    async def _task(self, draft: _Draft, ruled: Reply | None) -> Reply | None:
        """The reply of the task that the customer asks for; a handoff goes before it, any other rule after."""
        if self._tasks is None or (ruled is not None and ruled.handoff is not None):
            return ruled
        started = time.perf_counter()
        said = await self._tasks.turn(draft.question, draft.state, draft.locale)
        draft.timings["task"] = _since(started)
        return self._task_reply(draft, said) if said is not None else ruled

    def _task_reply(self, draft: _Draft, said: TaskReply) -> Reply:
        handoff, text = None, said.text
        if said.handed is not None:
            passed = self._hand_off(draft, "staff_only_task", f"task:{said.handed.name}")
            assert passed.handoff is not None
            told = " ".join([said.handed.title, *(value for _, value in said.record.summary)])
            summary = f"{told}\n{passed.handoff.summary}"
            handoff = replace(passed.handoff, summary=summary, skill=said.skill, state=said.used, task=said.handed)
            if handoff.back_at is not None:  # nobody is at work: say when they are
                text = f"{text}\n{passed.text}"
        decision: Decision = "act" if handoff is None else "handoff"
        reply = self._make(draft, text, decision, 1.0, handoff=handoff, state_used=said.used)
        return replace(reply, task=said.record, runs_told=said.told, suggested_questions=())

    async def _around(self, draft: _Draft, note: Note, events: AsyncIterator[ReplyEvent]) -> AsyncIterator[ReplyEvent]:
        """The events with the outcome of an earlier task before them and the offer of the task asked about after."""
        head = f"{note.text}\n\n" if note.text else ""
        if head:
            yield ReplyDelta(head)
        async for event in events:
            if isinstance(event, ReplyDone):
                reply, tail = event.reply, ""
                if self._tasks is not None and reply.decision == "answer" and reply.citations:
                    offered = await asyncio.to_thread(self._tasks.offer, draft.question, draft.locale)
                    tail = f"\n\n{offered}" if offered else ""
                if tail:
                    yield ReplyDelta(tail)
                told = (*reply.runs_told, *note.runs)
                event = ReplyDone(replace(reply, text=f"{head}{reply.text}{tail}", runs_told=told))
            yield event
            if head and isinstance(event, ReplyReset):
                yield ReplyDelta(head)

    # -- composing ------------------------------------------------------------------------------------------------

    async def _compose(self, draft: _Draft) -> AsyncIterator[ReplyEvent]:
        state_answer = self._state_answer(draft)
        best = draft.retrieval.best
        confidence = best.score if best is not None else 0.0
        supported = confidence >= self._settings.answer_threshold
        if state_answer is not None and state_answer.topic == SIGN_IN:
            if not supported:
                reply = self._make(draft, state_answer.text, "clarify", state_answer.confidence)
                yield ReplyDelta(reply.text)
                yield ReplyDone(reply)
                return
            state_answer = None
            draft.sign_in = True
        if state_answer is None and not supported:
            reply = self._unsupported(draft, confidence)
            yield ReplyDelta(reply.text)
            yield ReplyDone(reply)
            return
        if self._generator is not None:
            shown = False
            started = time.perf_counter()
            try:
                async for event in self._generated(draft, state_answer, confidence):
                    shown = shown or isinstance(event, ReplyDelta)
                    yield event
                return
            except ModelUnavailable as exc:
                draft.degraded.append("llm")
                draft.timings["generate"] = _since(started)
                if shown:
                    yield ReplyReset("not_grounded" if isinstance(exc, NotGrounded) else "model_unavailable")
        reply = await asyncio.to_thread(self._extract, draft, state_answer, confidence)
        yield ReplyDelta(reply.text)
        yield ReplyDone(reply)

    async def _generated(
        self, draft: _Draft, state_answer: StateAnswer | None, confidence: float
    ) -> AsyncIterator[ReplyEvent]:
        assert self._generator is not None
        facts: tuple[str, ...] = ()
        if draft.state is not None:
            focus = state_answer.used if state_answer is not None else ()
            facts = state_facts(draft.state, locale=draft.locale, now=draft.moment, focus=focus)
        passages = self._supporting(draft.retrieval.passages, WORTH_SHOWING)
        started = time.perf_counter()
        async for event in self._generator.stream(
            draft.question, passages, facts, draft.locale, state_age=self._age(draft)
        ):
            match event:
                case Piece(text=text):
                    yield ReplyDelta(text)
                case Restarted(reason=reason):
                    yield ReplyReset(reason)
                case NoAnswer():
                    draft.timings["generate"] = _since(started)
                    reply = self._unsupported(draft, min(confidence, self._settings.clarify_threshold))
                    yield ReplyDelta(reply.text)
                    yield ReplyDone(reply)
                    return
                case Generated() as generated:
                    draft.timings["generate"] = _since(started)
                    yield ReplyDone(
                        self._make(
                            draft,
                            generated.text,
                            "answer",
                            max(confidence, state_answer.confidence if state_answer else 0.0),
                            citations=generated.citations,
                            state_used=state_answer.used if state_answer else (),
                            model=generated.model,
                            prompt=generated.prompt,
                        )
                    )

    def _age(self, draft: _Draft) -> timedelta | None:
        return None if draft.state is None else max(timedelta(0), draft.now - draft.state.as_of)

    def _extract(
        self,
        draft: _Draft,
        state_answer: StateAnswer | None,
        confidence: float,
        passages: Sequence[Passage] | None = None,
    ) -> Reply:
        started = time.perf_counter()
        parts: list[str] = []
        citations: tuple[Citation, ...] = ()
        if state_answer is not None:
            parts.append(state_answer.text)
        if state_answer is None or (not state_answer.sufficient and confidence >= self._settings.answer_threshold):
            extract = self._extractive.answer(
                draft.question.text,
                self._supporting(draft.retrieval.passages if passages is None else passages, WORTH_QUOTING),
                locale=draft.locale,
                embedder=self._embedder,
                now=draft.now,
            )
            parts.append(extract.text)
            citations = extract.citations
        if draft.sign_in:
            parts.append(phrases.sign_in(draft.locale))
        draft.timings["extract"] = _since(started)
        if state_answer is not None:
            confidence = max(confidence, state_answer.confidence)
        return self._make(
            draft,
            "\n\n".join(part for part in parts if part),
            "answer",
            confidence,
            citations=citations,
            state_used=state_answer.used if state_answer is not None else (),
        )

    def _supporting(self, passages: Sequence[Passage], share: float) -> Sequence[Passage]:
        """The best passage, the rest of its document, and those with at least this share of its score.

        Where an old reply ranks first, articles with half its score are in: reviewed words go before remembered ones.
        """
        if not passages:
            return ()
        best = passages[0]

        def near(p: Passage) -> bool:
            enough = ARTICLE_SHARE if best.article_id is None and p.article_id is not None else share
            return p.document_id == best.document_id or p.score >= enough * best.score

        return [p for p in passages if near(p)]

    def _unsupported(self, draft: _Draft, confidence: float) -> Reply:
        """Nothing supports an answer: ask back with what comes near, or say so; the second time, a person."""
        rules = self._handoff_rules
        quiet = "low_confidence" in rules.off or declines_person(draft.question.text)
        quiet = quiet or has_declined(live_part(draft.question.history))
        if draft.question.misses >= rules.clarify_first and not quiet:
            return self._hand_off(draft, "low_confidence")
        near: list[str] = []
        if confidence >= self._settings.clarify_threshold:
            for passage in draft.retrieval.passages[:3]:
                if passage.article_id is not None and passage.title not in near:
                    near.append(passage.title)
        return self._make(draft, phrases.unsupported(near, draft.locale), "clarify", confidence)

    # -- making the record ----------------------------------------------------------------------------------------

    def _make(
        self,
        draft: _Draft,
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
        if "state" in draft.degraded and handoff is None:
            note = missing_note(draft.state, draft.locale) if draft.state is not None else ""
            note = note or phrases.state_missing(draft.locale)
            text = text if note in text else f"{text}\n\n{note}"
        return Reply(
            text=fix_promises(text, handoff, draft.locale),
            decision=decision,
            confidence=round(min(1.0, max(0.0, confidence)), 4),
            conversation_id=draft.question.conversation_id,
            trace_id=draft.trace_id,
            citations=citations,
            handoff=handoff,
            state_used=state_used,
            suggested_questions=self._suggested(draft),
            model=model,
            prompt=prompt,
            degraded=tuple(dict.fromkeys(draft.degraded)),
            passages=draft.retrieval.passages,
        )

    def _suggested(self, draft: _Draft) -> tuple[str, ...]:
        if self._suggester is None:
            return ()
        question = draft.question
        return self._suggester.questions(
            draft.state,
            draft.retrieval.passages,
            asked=question.text,
            page=self._suggester.documents_on(question.page or ""),
            locale=draft.locale,
            now=draft.moment,
        )

    def _timed(self, reply: Reply, draft: _Draft, started: float) -> Reply:
        return replace(reply, timings_ms={**draft.timings, "total": _since(started)})


async def _at_once(reply: Reply) -> AsyncIterator[ReplyEvent]:
    """The events of a reply that is whole from the start."""
    yield ReplyDelta(reply.text)
    yield ReplyDone(reply)


def _since(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 3)
