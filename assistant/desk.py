"""The use cases of one workspace: talk, search, suggest, draft, rate. Entry points call these and nothing below."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Any

from assistant.agent_drafts import AgentDrafts
from assistant.agent_queue import AgentQueue, has_agent, with_agent_events
from assistant.answering import AnswerCache, Answerer
from assistant.domain.conversation import Turn
from assistant.domain.feedback import Rating
from assistant.domain.knowledge import Audience, Passage
from assistant.domain.live import Conversation, Question, ReplyDone, ReplyEvent
from assistant.domain.reply import Reply
from assistant.domain.state import UserState
from assistant.errors import IndexUnavailable, StateUnavailable, TeachbackError
from assistant.generation import GeneratedAnswerer
from assistant.handoff import HandoffRules, declines_person
from assistant.language import spoken
from assistant.phrases import declined
from assistant.ports import ChatModel, Clock, Embedder, StateSource
from assistant.query import Query
from assistant.reply_record import reply_record
from assistant.retrieval import Retriever
from assistant.rewriting import rewriter_for
from assistant.settings import Settings
from assistant.store.conversations import ConversationRecords
from assistant.store.drafts import DraftRecords
from assistant.store.handoff_queue import HandoffQueue
from assistant.suggesting import Suggester
from assistant.suggesting.pages import words_of
from assistant.tasks.dialog import TaskDesk


class Desk:
    """One workspace's desk. Every coroutine may run at the same time as any other."""

    def __init__(
        self,
        *,
        workspace: str,
        retriever: Retriever,
        embedder: Embedder,
        conversations: ConversationRecords,
        state_source: StateSource | None,
        chat_model: ChatModel | None,
        settings: Settings,
        clock: Clock,
        drafts: DraftRecords,
        queue: HandoffQueue,
        suggester: Suggester | None = None,
        handoff_rules: HandoffRules | None = None,
        tasks: TaskDesk | None = None,
    ) -> None:
        self._suggester = suggester
        self._page_threshold = settings.answer_threshold
        self.workspace = workspace
        self._retriever = retriever
        self._conversations = conversations
        self._state_source = state_source
        self._clock = clock
        self.tasks = tasks
        self.answerer = Answerer(
            retriever=retriever,
            embedder=embedder,
            state_source=state_source,
            generator=GeneratedAnswerer(chat_model) if chat_model is not None else None,
            settings=settings,
            clock=clock,
            suggester=suggester,
            handoff_rules=handoff_rules,
            tasks=tasks,
            cache=AnswerCache(settings.answer_cache) if settings.answer_cache else None,
            rewriter=rewriter_for(chat_model, settings),
        )
        self.agent_drafts = AgentDrafts(self.answerer, conversations, drafts, state_source, clock)
        self.agent_queue = AgentQueue(queue, conversations, state_source, clock)

    async def open_conversation(self, *, user_id: str | None, channel: str) -> Conversation:
        """A new, empty conversation."""
        return await asyncio.to_thread(
            self._conversations.open, user_id=user_id, channel=channel, now=self._clock.now()
        )

    async def conversation(self, conversation_id: str) -> Conversation:
        """The conversation so far. Raises NotFound."""
        return await asyncio.to_thread(self._conversations.get, conversation_id)

    async def pending_task(self, conversation: Conversation) -> Mapping[str, Any] | None:
        """The ``task`` of the reply whose summary still awaits the yes of this conversation's user, as it was shown."""
        waits = await self.tasks.awaiting(conversation) if self.tasks is not None else None
        return await asyncio.to_thread(self._conversations.task_shown, conversation.id, waits) if waits else None

    async def reply_events(self, question: Question) -> AsyncIterator[ReplyEvent]:
        """The events of one reply; both turns, and a handoff where there is one, are recorded before ReplyDone.

        Without ``conversation_id`` a conversation is opened. The conversation's own turns are the history, and its
        own user is whose state is used, whatever the question says. Raises NotFound.
        """
        if question.conversation_id:
            conversation = await self.conversation(question.conversation_id)
        else:
            conversation = await self.open_conversation(user_id=question.user_id, channel="api")
        question = replace(
            question,
            conversation_id=conversation.id,
            user_id=conversation.user_id,
            history=conversation.turns,
            misses=conversation.misses,
            handed_off=conversation.status == "handed_off",
        )
        last = conversation.turns[-1] if conversation.turns else None
        if last is not None and last.role == "customer" and last.text == question.text:
            # the reply was cut off and the same message sent again: one turn, and not its own history
            question = replace(question, history=conversation.turns[:-1])
        else:
            turn = Turn("customer", question.text, self._clock.now(), conversation.user_id)
            await asyncio.to_thread(self._conversations.append, conversation.id, turn, at=self._clock.now())
        if question.handed_off and declines_person(question.text):
            await asyncio.to_thread(self._conversations.withdraw_handoff, conversation.id, at=self._clock.now())
        elif has_agent(conversation, self._clock.now()):
            # an agent is talking with this customer: nobody speaks over them
            for event in with_agent_events(question):
                yield event
            return
        async for event in self.answerer.events(question):
            if isinstance(event, ReplyDone):
                record = asyncio.to_thread(self._record, conversation.id, event.reply, question.shown_suggestions)
                await asyncio.shield(record)
            yield event

    async def ask(self, question: Question) -> Reply:
        """One whole reply."""
        async for event in self.reply_events(question):
            if isinstance(event, ReplyDone):
                return event.reply
        raise AssertionError("a reply always ends with ReplyDone")

    async def decline_handoff(self, conversation_id: str) -> Conversation:
        """The customer stays with the assistant: the open handoff is withdrawn. Raises NotFound."""
        conversation = await self.conversation(conversation_id)
        if conversation.status == "handed_off":
            await asyncio.to_thread(self._conversations.withdraw_handoff, conversation_id, at=self._clock.now())
            # as a turn, so that the rules stay quiet for the rest of the matter
            said = declined(spoken(None, conversation.turns[-1].text if conversation.turns else ""))
            turn = Turn("customer", said, self._clock.now(), conversation.user_id)
            await asyncio.to_thread(self._conversations.append, conversation_id, turn, at=self._clock.now())
        return await self.conversation(conversation_id)

    async def search(self, text: str, *, k: int, audience: Audience) -> list[Passage]:
        """Ranked passages; empty for empty text."""
        if not text.strip():
            return []
        query = Query(text, k=k, audience=audience)
        found = await asyncio.to_thread(self._retriever.search, query, now=self._clock.now())
        return list(found.passages)

    async def suggestions(self, *, user_id: str | None, locale: str | None, page: str | None) -> tuple[str, ...]:
        """What this user is likely to ask, before the first word (猜你想问)."""
        state = await self._state_of(user_id)
        wanted = locale or (str(state.profile.get("locale") or "zh") if state is not None else "zh")
        if self._suggester is None:
            return ()
        there = self._suggester.documents_on(page) if page else ()
        if page and not there:
            near = await self.search(words_of(page), k=3, audience="public")
            there = tuple(p.document_id for p in near if p.article_id and p.score >= self._page_threshold)
        return await asyncio.to_thread(
            self._suggester.questions, state, page=there, locale=spoken(wanted, ""), now=self._clock.now()
        )

    async def rate(self, rating: Rating) -> None:
        """Keep a rating. Raises NotFound."""
        await asyncio.to_thread(self._conversations.rate, rating)

    async def recover_tasks(self) -> int:
        """Drive on task runs that a crash left in doubt and tell their outcomes in the conversations; how many."""
        if self.tasks is None:
            return 0
        settled = await self.tasks.runner.recover()
        settled += [run for run in await self.tasks.runner.untold() if run.id not in {r.id for r in settled}]
        for run in settled:
            now = self._clock.now()
            told = self.tasks.outcome_turn(run)
            if told:
                turn = Turn("assistant", told, now)
                await asyncio.to_thread(self._conversations.append, run.conversation_id, turn, at=now)
            await asyncio.to_thread(self.tasks.records.reported, run.id, now=now)
        return len(settled)

    async def readiness(self) -> dict[str, str]:
        """Part → ``ok`` or what is wrong with it."""
        parts: dict[str, str] = {}
        try:
            # degraded retrieval still answers, and says so on each reply; it is no reason to take the service out
            await asyncio.to_thread(self._retriever.search, Query("ping", k=1), now=self._clock.now())
            parts["retrieval"] = "ok"
        except (TeachbackError, IndexUnavailable) as exc:
            parts["retrieval"] = str(exc)
        return parts

    async def close(self) -> None:
        """Close the state source's connections; the service closes what desks share."""
        close = getattr(self._state_source, "close", None)
        if close is not None:
            await close()

    async def _state_of(self, user_id: str | None) -> UserState | None:
        if user_id is None or self._state_source is None:
            return None
        try:
            return await self._state_source.fetch(user_id)
        except StateUnavailable:
            return None

    def _record(self, conversation_id: str, reply: Reply, shown: tuple[str, ...]) -> None:
        now = self._clock.now()
        record = reply_record(reply, passages=True)
        if shown:  # what was offered before this question: whether it was then asked is what `eval suggestions` counts
            record["shown_suggestions"] = list(shown)
        turn = Turn("assistant", reply.text, now)
        self._conversations.append(conversation_id, turn, at=now, reply=record)
        for run_id in reply.runs_told:
            assert self.tasks is not None
            self.tasks.records.reported(run_id, now=now)
        if reply.handoff is not None:
            self._conversations.hand_off(conversation_id, reply.handoff, at=now)
