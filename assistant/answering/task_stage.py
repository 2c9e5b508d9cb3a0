"""Tasks within a reply: a yes or no before all else, the task that is asked for, outcomes told, offers made."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace

from assistant.answering.making import Making, RecordMaker, since
from assistant.answering.rules import RulesStage
from assistant.domain.live import Question, ReplyDelta, ReplyDone, ReplyEvent, ReplyReset
from assistant.domain.reply import Decision, Reply
from assistant.language import Locale
from assistant.tasks.dialog import Note, TaskDesk, TaskReply


class TaskStage:
    """The tasks of one workspace, which may have none."""

    def __init__(self, tasks: TaskDesk | None, rules: RulesStage, records: RecordMaker) -> None:
        self._tasks = tasks
        self._rules = rules
        self._records = records

    async def yes_or_no(self, making: Making) -> Reply | None:
        """The reply to a yes or no to the task in hand; it comes first, since "ok" is small talk to everyone else."""
        said = await self._tasks.first(making.question, making.locale) if self._tasks is not None else None
        return self._reply(making, said) if said is not None else None

    async def in_hand(self, question: Question) -> bool:
        """Whether a task is under way, so that a word or two may answer its question."""
        return self._tasks is not None and await self._tasks.in_hand(question)

    async def note(self, question: Question, locale: Locale) -> Note:
        """The outcome of an earlier task that is yet to be told."""
        return await self._tasks.note(question, locale) if self._tasks is not None else Note()

    async def asked_for(self, making: Making, ruled: Reply | None) -> Reply | None:
        """The reply of the task that the customer asks for; a handoff goes before it, any other rule after."""
        if self._tasks is None or (ruled is not None and ruled.handoff is not None):
            return ruled
        started = time.perf_counter()
        said = await self._tasks.turn(making.question, making.state, making.locale, making.meter)
        making.timings["task"] = since(started)
        return self._reply(making, said) if said is not None else ruled

    async def around(self, making: Making, note: Note, events: AsyncIterator[ReplyEvent]) -> AsyncIterator[ReplyEvent]:
        """The events with the outcome of an earlier task before them and the offer of the task asked about after."""
        head = f"{note.text}\n\n" if note.text else ""
        if head:
            yield ReplyDelta(head)
        async for event in events:
            if isinstance(event, ReplyDone):
                reply, tail = event.reply, ""
                if self._tasks is not None and reply.decision == "answer" and reply.citations:
                    offered = await asyncio.to_thread(self._tasks.offer, making.question, making.locale)
                    tail = f"\n\n{offered}" if offered else ""
                if tail:
                    yield ReplyDelta(tail)
                told = (*reply.runs_told, *note.runs)
                event = ReplyDone(replace(reply, text=f"{head}{reply.text}{tail}", runs_told=told))
            yield event
            if head and isinstance(event, ReplyReset):
                yield ReplyDelta(head)

    def _reply(self, making: Making, said: TaskReply) -> Reply:
        handoff, text = None, said.text
        if said.handed is not None:
            passed = self._rules.hand_off(making, "staff_only_task", f"task:{said.handed.name}")
            assert passed.handoff is not None
            told = " ".join([said.handed.title, *(value for _, value in said.record.summary)])
            summary = f"{told}\n{passed.handoff.summary}"
            handoff = replace(passed.handoff, summary=summary, skill=said.skill, state=said.used, task=said.handed)
            if handoff.back_at is not None:  # nobody is at work: say when they are
                text = f"{text}\n{passed.text}"
        decision: Decision = "act" if handoff is None else "handoff"
        reply = self._records.make(making, text, decision, 1.0, handoff=handoff, state_used=said.used)
        return replace(reply, task=said.record, runs_told=said.told, suggested_questions=())
