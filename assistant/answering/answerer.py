"""One reply from question to record, in the order of its stages; the live desk and the evaluation use the same."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import datetime

from assistant import phrases
from assistant.answering.agent_draft import DraftStage
from assistant.answering.answer_cache import AnswerCache
from assistant.answering.composing import Composer
from assistant.answering.making import Making, RecordMaker, at_once, since, timed
from assistant.answering.rules import RulesStage
from assistant.answering.task_stage import TaskStage
from assistant.domain.conversation import Turn
from assistant.domain.live import Question, ReplyDone, ReplyEvent, ReplyStarted
from assistant.domain.reply import Reply
from assistant.domain.state import UserState
from assistant.drafting import split_turns
from assistant.ellipsis import completed, speaks_of
from assistant.errors import StateUnavailable
from assistant.followup import asked_after, earlier_texts
from assistant.generation import GeneratedAnswerer
from assistant.handoff import HandoffRules, TurnReader, packaged_rules, reopened
from assistant.language import Locale, spoken
from assistant.metering import Prices
from assistant.ports import Clock, Embedder, StateSource
from assistant.query import Query
from assistant.retrieval import Retrieval, Retriever
from assistant.rewriting import QuestionRewriter
from assistant.settings import Settings
from assistant.short_replies import chosen, topic_in
from assistant.suggesting import Suggester
from assistant.tasks.dialog import Note, TaskDesk

PASSAGES = 5
TITLES_SEEN = 20  # passages looked at for the titles of articles on one topic


class Answerer:
    """Writes replies for one workspace; keeps nothing but ``cache``, where one is given."""

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
        cache: AnswerCache | None = None,
        rewriter: QuestionRewriter | None = None,
    ) -> None:
        self._rewriter = rewriter
        self._retriever = retriever
        self._state_source = state_source
        self._settings = settings
        self._clock = clock
        records = RecordMaker(suggester, Prices.of(settings.llm_price_in, settings.llm_price_out))
        self._records = records
        self._rules = RulesStage(
            handoff_rules or packaged_rules(),
            TurnReader(embedder),
            records,
            clarify_threshold=settings.clarify_threshold,
        )
        self._tasks = TaskStage(tasks, self._rules, records)
        self._composer = Composer(
            generator=generator,
            embedder=embedder,
            settings=settings,
            rules=self._rules,
            records=records,
            cache=cache,
        )
        self._drafts = DraftStage(retriever, self._composer, records)

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
        question = question if again is not None else chosen(question) or question
        making = self._begin(again or question, spoken(question.locale, question.text), state)
        started = time.perf_counter()
        yield ReplyStarted(question.conversation_id, making.trace_id)
        early = await self._tasks.yes_or_no(making)
        note = await self._tasks.note(question, making.locale) if early is None else Note()
        early = early or self._rules.early(making)
        if early is None and not await self._tasks.in_hand(question):
            early = self._rules.noted(making)
        if early is None:
            await self._gather(making, exclude)
            ruled = await asyncio.to_thread(self._rules.late, making)
            if again is None:
                early = await self._tasks.asked_for(making, ruled) or self._rules.refused(making)
                early = early or await asyncio.to_thread(self._topic_alone, making)
            elif ruled is None or ruled.handoff is None:
                early, note = ruled, replace(note, text=phrases.withdrawn_and_answered(making.locale))
            else:  # only people may answer that, and the customer has just sent them away
                early = self._records.make(making, phrases.handoff_withdrawn(making.locale), "answer", 1.0)
        events = at_once(early) if early is not None else self._composer.compose(making)
        async for event in self._tasks.around(making, note, events):
            if isinstance(event, ReplyDone):
                event = ReplyDone(timed(event.reply, making, started))
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
        making = self._begin(question, spoken(locale, text), state)
        started = time.perf_counter()
        await self._gather(making, exclude)
        reply = await asyncio.to_thread(self._drafts.draft, making, text, before, exclude)
        return timed(reply, making, started)

    def _begin(self, question: Question, locale: Locale, state: UserState | None) -> Making:
        return Making(
            question,
            locale,
            secrets.token_hex(8),
            self._clock.now(),
            state,
            replayed=state is not None,
            signs_in=self._state_source is not None,
        )

    async def _gather(self, making: Making, exclude: frozenset[str]) -> None:
        """State and passages at the same time; the state has a budget and may be missing, which is then said."""
        making.gathered(*await asyncio.gather(self._state(making), self._passages(making, exclude)))

    async def _passages(self, making: Making, exclude: frozenset[str]) -> Retrieval:
        question, context = asked_after(making.question.text, making.question.history)
        if self._rewriter is not None and context:
            question, context = await self._rewritten(self._rewriter, making, question, context)
        query = Query(
            question,
            PASSAGES,
            locale=making.locale,
            exclude_conversations=exclude,
            earlier=earlier_texts(making.question.history),
            context=context,
        )
        thing, ways = completed(making.question.text, making.question.history)
        if question != making.question.text:  # sent in a row, or rewritten: the text alone is not the question
            ways = ()
        return await asyncio.to_thread(self._best_found, query, thing, ways, making.now)

    def _topic_alone(self, making: Making) -> Reply | None:
        """A question back where a word or two only name what several articles are about. Blocking."""
        question = making.question
        topic = topic_in(question.text)
        if topic is None or question.misses or making.state_answer() is not None:
            return None
        if asked_after(question.text, question.history)[1]:  # a word after something was said goes on from there
            return None
        found = self._retriever.search(Query(question.text, TITLES_SEEN, locale=making.locale), now=making.now)
        return self._rules.many_on(making, topic, found.passages)

    def _best_found(self, query: Query, thing: str, ways: Sequence[str], now: datetime) -> Retrieval:
        """What the question finds as it stands after its context, or read in one of these ways, which finds more of it.

        A way counts where the passage that it finds speaks of the thing. Blocking.
        """
        best = self._retriever.search(query, now=now)
        for way in ways:
            found = self._retriever.search(replace(query, text=way, context="", earlier=()), now=now)
            if found.best is None or not speaks_of(thing, found.best):
                continue
            if best.best is None or found.best.score > best.best.score:
                best = replace(found, read_as=way)
        return best

    @staticmethod
    async def _rewritten(by: QuestionRewriter, making: Making, question: str, context: str) -> tuple[str, str]:
        """What the model made of the question, which then needs no context; both as they were where it made nothing."""
        started = time.perf_counter()
        made = await by.rewrite(question, making.question.history, making.meter)
        making.timings["rewrite"] = since(started)
        if made is None:
            making.degraded.append("rewrite")
            return question, context
        return made, ""

    async def _state(self, making: Making) -> UserState | None:
        user_id = making.question.user_id
        if making.state is not None or user_id is None or self._state_source is None:
            return making.state
        started = time.perf_counter()
        try:
            async with asyncio.timeout(self._settings.state_budget_ms / 1000):
                state = await self._state_source.fetch(user_id)
            if state.unavailable:
                making.degraded.append("state")
            return state
        except (StateUnavailable, TimeoutError):
            making.degraded.append("state")
            return None
        finally:
            making.timings["state"] = since(started)
