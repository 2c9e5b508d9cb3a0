"""One task in one conversation: recognised, its parameters collected, shown in full, done only on an explicit yes.

The rules and a model both end in the same place here: parameters checked against the user's own state, preconditions,
and a summary of our own words that the customer must confirm.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from assistant.domain.conversation import Turn
from assistant.domain.live import Conversation, Question
from assistant.domain.state import UserState
from assistant.domain.task import HandedTask, Precondition, Task, TaskDialog, TaskRecord, TaskRun, TaskSet, TaskStatus
from assistant.errors import StateUnavailable, ToolFailed
from assistant.language import Locale
from assistant.metering import TokenMeter
from assistant.ports import Clock, StateSource
from assistant.state.answers.statuses import kind_word
from assistant.store.task_records import TaskRecords
from assistant.tasks import wording
from assistant.tasks.backend import Option, TaskBackend
from assistant.tasks.case import TaskCase
from assistant.tasks.conditions import find, first_unmet
from assistant.tasks.execution import SETTLED, TaskRunner, fresh_state
from assistant.tasks.proposal import Proposer
from assistant.tasks.recognition import Recogniser
from assistant.tasks.speech import asks, declines, is_ambiguous_no, says_no, says_yes

MOST_MISSES = 2
MOST_CHOICES = 5
RETRY_WITHIN = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class TaskReply:
    """What is said about a task; with ``handed`` a person of this ``skill`` takes over."""

    text: str
    record: TaskRecord
    used: tuple[str, ...] = ()
    handed: HandedTask | None = None
    skill: str = "general"
    told: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Note:
    """The outcome of earlier ``runs`` that the customer has not been told yet."""

    text: str = ""
    runs: tuple[str, ...] = ()


class TaskDesk:
    """The tasks of one workspace. Only for signed-in users: the user of a question comes from the session."""

    def __init__(
        self,
        *,
        tasks: TaskSet,
        records: TaskRecords,
        recogniser: Recogniser,
        runner: TaskRunner,
        backend: TaskBackend,
        state_source: StateSource,
        proposer: Proposer | None,
        clock: Clock,
    ) -> None:
        self.tasks = tasks
        self.records = records
        self.recogniser = recogniser
        self.runner = runner
        self._backend = backend
        self._state_source = state_source
        self._proposer = proposer
        self._clock = clock

    # -- before anything else: yes, no, and what is still in doubt ------------------------------------------------

    async def first(self, question: Question, locale: Locale) -> TaskReply | None:
        """The reply to a yes or a no to the task under way; None for everything else."""
        if question.user_id is None or not question.conversation_id:
            return None
        dialog = await self._dialog(question)
        task = self.tasks.task(dialog.task) if dialog is not None else None
        if dialog is None or task is None:
            return await self._said_again(question, locale)
        if says_yes(question.text, task.confirm_words) and dialog.offer_id:
            return await self._confirmed(question, dialog, task, locale)
        if says_no(question.text) and not is_ambiguous_no(question.text, task.confirm_words):
            await asyncio.to_thread(self.records.drop_dialog, dialog.conversation_id)
            return self._reply(task, "cancelled", wording.say("cancelled", locale), locale, dialog.parameters)
        return None

    async def _confirmed(self, question: Question, dialog: TaskDialog, task: Task, locale: Locale) -> TaskReply | None:
        state = await self._fresh_state(dialog.user_id)
        if state is None or state.unavailable:
            return self._reply(task, "failed", wording.say("no_state", locale), locale, dialog.parameters)
        case = await self._case(question, task, state, locale, dict(dialog.parameters))
        stale = ""
        if question.confirmation is not None and question.confirmation != dialog.offer_id:
            stale = "stale"
        elif dialog.expires_at is None or self._clock.now() > dialog.expires_at:
            stale = "expired"
        elif question.confirmation is None and _last_said(question.history) != dialog.offered_after:
            stale = "stale"  # something else was said in between: what is the yes a yes to?
        if stale:
            return await self._proceed(case, lead=wording.say(stale, locale))
        if case.unusable(self._clock.now()):
            return await self._proceed(case)
        run = await self.runner.confirm(dialog, locale)
        if run is None:
            return await self._said_again(question, locale)
        return self._outcome(task, run, case)

    async def _said_again(self, question: Question, locale: Locale) -> TaskReply | None:
        """A yes that comes again (double click, retry after a lost reply): the run's outcome, never a second run."""
        if not (question.confirmation or says_yes(question.text, self._all_yes())):
            return None
        runs = await asyncio.to_thread(self.records.runs_of, question.conversation_id, 1)
        if not runs or runs[0].user_id != question.user_id:
            return None
        run = runs[0]
        task = self.tasks.task(run.task)
        recent = self._clock.now() - run.confirmed_at <= RETRY_WITHIN
        same = question.confirmation == run.offer_id or (question.confirmation is None and not run.reported)
        if task is None or not recent or not same:
            return None
        settled = await self.runner.settle(run)
        state = await self._fresh_state(run.user_id)
        if state is None:
            return self._reply(task, "unknown", wording.say("unknown", locale), locale, run.parameters)
        case = await self._case(question, task, state, locale, dict(run.parameters))
        return self._outcome(task, settled, case, again=run.reported)

    async def note(self, question: Question, locale: Locale) -> Note:
        """The outcome of runs of this conversation that nobody has been told yet; drives on those in doubt."""
        if question.user_id is None or not question.conversation_id:
            return Note()
        runs = await asyncio.to_thread(self.records.runs_of, question.conversation_id)
        texts, told = [], []
        for run in runs:
            if run.reported or run.user_id != question.user_id:
                continue
            task = self.tasks.task(run.task)
            settled = await self.runner.settle(run) if run.status not in SETTLED else run
            if task is None or settled.status not in SETTLED:
                continue
            texts.append(
                wording.say("earlier", locale, title=task.title.of(locale)) + self._told(task, settled, locale)
            )
            told.append(run.id)
        return Note("\n".join(texts), tuple(told))

    # -- collecting -----------------------------------------------------------------------------------------------

    async def turn(
        self, question: Question, state: UserState | None, locale: Locale, meter: TokenMeter | None = None
    ) -> TaskReply | None:
        """The reply of the task that this turn is about; None when it is about none. ``meter`` counts the model's."""
        if question.user_id is None or not question.conversation_id:
            return None
        dialog = await self._dialog(question)
        recognised = await asyncio.to_thread(self.recogniser.recognise, question.text)
        wanted = recognised.task if recognised is not None and recognised.intent == "request" else None
        current = self.tasks.task(dialog.task) if dialog is not None else None
        proposed = None
        if self._proposer is not None and state is not None and not declines(question.text):
            near = await asyncio.to_thread(self.recogniser.may_be, question.text)
            if near or wanted is not None or current is not None:
                proposed = await self._proposer.propose(question, self.tasks.tasks, state, meter or TokenMeter())
            if proposed is not None and proposed.task not in (current, wanted) and not near:
                proposed = None  # "嗯" to one summary starts no other task, whatever the model makes of it
        task = wanted or (proposed.task if proposed is not None and not asks(question.text) else None) or current
        if task is None:
            return None
        if state is None or state.unavailable:  # preconditions on half a state would prove nothing
            return self._reply(task, "failed", wording.say("no_state", locale), locale, {})
        going_on = dialog is not None and current is not None and task.name == current.name
        before = dict(dialog.parameters) if going_on and dialog is not None else {}
        case = await self._case(question, task, state, locale, dict(before))
        if going_on and dialog is not None:
            case.asked, case.misses = dialog.asked, dialog.misses
        suggested = proposed.parameters if proposed is not None and proposed.task.name == task.name else {}
        case.collect(suggested)
        changed = case.parameters != before
        if going_on and dialog is not None and not changed and not case.foreign and wanted is None:
            if asks(question.text):
                return None  # a question of its own is answered as one; the task waits
            return await self._not_understood(case, dialog)
        lead = wording.say("changed", locale) if dialog is not None and dialog.offer_id and going_on and changed else ""
        if case.guessed:
            lead = "\n".join(part for part in (lead, case.guess_told()) if part)
        return await self._proceed(case, lead=lead)

    async def awaiting(self, conversation: Conversation) -> str | None:
        """The confirmation of the summary that this conversation's user may still say yes to; None without one."""
        question = Question("", user_id=conversation.user_id, conversation_id=conversation.id)
        dialog = await self._dialog(question) if conversation.user_id is not None else None
        if dialog is None or dialog.expires_at is None or self._clock.now() >= dialog.expires_at:
            return None
        return dialog.offer_id or None

    def offer(self, question: Question, locale: Locale) -> str:
        """One line that offers the task which the question asks about; empty without one. Blocking."""
        if question.user_id is None or not question.conversation_id:
            return ""
        recognised = self.recogniser.recognise(question.text)
        if recognised is None or recognised.intent != "question" or recognised.task.run_by != "user":
            return ""
        title = recognised.task.title.of(locale)
        return wording.say("offer", locale, title=title if locale == "zh" else title[:1].lower() + title[1:])

    async def _proceed(self, case: TaskCase, lead: str = "") -> TaskReply:
        """From what is known to the next step: a question, a refusal, a person, or the summary to confirm."""
        task, locale = case.task, case.locale
        for parameter in task.parameters:
            value = case.parameters.get(parameter.name)
            if value is not None and parameter.source == "entity" and find(case.state, parameter.kind, value) is None:
                del case.parameters[parameter.name]  # not, or no longer, one of the user's own
        if case.foreign and any(p.source == "entity" and p.name not in case.parameters for p in task.parameters):
            lead = wording.say("foreign", locale, id=", ".join(case.foreign[:3]))
        case.choose_the_only_one()
        unmet = first_unmet(task, case.parameters, case.state, self._clock.now())
        if unmet is not None and unmet.otherwise == "refuse":
            await self._forget(case)
            return self._reply(task, "refused", unmet.message.of(locale), locale, case.parameters, case)
        if task.run_by == "staff" or (unmet is not None and not case.missing):
            return await self._to_staff(case, unmet)
        missing = case.missing
        if missing:
            return await self._ask(case, missing[0], lead)
        return await self._offer_summary(case, lead)

    async def _ask(self, case: TaskCase, name: str, lead: str) -> TaskReply:
        parameter, locale = case.task.parameter(name), case.locale
        text = parameter.ask.of(locale)
        if parameter.source == "entity":
            entities = case.candidates(name)
            if not entities:
                await self._forget(case)
                kind = kind_word(parameter.kind, locale)
                told = wording.say("none", locale, title=case.task.title.of(locale), kind=kind)
                return self._reply(case.task, "refused", f"{lead}\n{told}".strip(), locale, case.parameters, case)
            lines = [wording.choice_line(e, self._clock.now(), locale) for e in entities[:MOST_CHOICES]]
            text = wording.choices_text(text, lines)
        elif parameter.source == "option":
            if name not in case.options:
                return self._reply(case.task, "failed", wording.say("options_down", locale), locale, case.parameters)
            options = case.options[name]
            if not options:
                await self._forget(case)
                return self._reply(case.task, "refused", wording.say("no_options", locale), locale, case.parameters)
            text = wording.choices_text(text, [f"{o.title} ({o.id})" for o in options])
        await self._keep(case, asked=name)
        joined = "\n".join(part for part in (lead, text) if part)
        return self._reply(case.task, "collecting", joined, locale, case.parameters, case)

    async def _offer_summary(self, case: TaskCase, lead: str) -> TaskReply:
        offer_id = secrets.token_hex(12)
        expires = self._clock.now() + timedelta(minutes=self.tasks.confirm_within_minutes)
        await self._keep(case, offer_id=offer_id, expires=expires)
        text = wording.summary_text(case.task, case.rows(), case.locale, self.tasks.confirm_within_minutes, lead)
        reply = self._reply(case.task, "awaiting_confirmation", text, case.locale, case.parameters, case)
        return replace(reply, record=replace(reply.record, confirmation=offer_id, expires_at=expires))

    async def _not_understood(self, case: TaskCase, dialog: TaskDialog) -> TaskReply | None:
        if dialog.misses + 1 > MOST_MISSES:
            await self._forget(case)
            return self._reply(
                case.task, "cancelled", wording.say("gave_up", case.locale), case.locale, case.parameters, case
            )
        case.misses = dialog.misses + 1
        if dialog.offer_id:
            return await self._proceed(case, lead=wording.say("not_yet", case.locale))
        return await self._proceed(case, lead=wording.say("not_understood", case.locale))

    async def _to_staff(self, case: TaskCase, unmet: Precondition | None) -> TaskReply:
        """Straight to a person with everything filled in; nobody relays it."""
        task, locale = case.task, case.locale
        await self._forget(case)
        permission = unmet.permission if unmet is not None and unmet.permission else task.permission
        handed = HandedTask(task.name, task.title.of(locale), dict(case.parameters), permission)
        head = unmet.message.of(locale) if unmet is not None else ""
        text = "\n".join(part for part in (head, wording.say("staff", locale)) if part)
        reply = self._reply(task, "handed_over", text, locale, case.parameters, case)
        return replace(reply, handed=handed, skill=task.skill)

    # -- small parts ----------------------------------------------------------------------------------------------

    async def in_hand(self, question: Question) -> bool:
        """Whether a task is under way in this conversation of this user."""
        signed_in = question.user_id is not None and bool(question.conversation_id)
        return signed_in and await self._dialog(question) is not None

    async def _dialog(self, question: Question) -> TaskDialog | None:
        dialog = await asyncio.to_thread(self.records.dialog, question.conversation_id)
        return dialog if dialog is not None and dialog.user_id == question.user_id else None

    async def _fresh_state(self, user_id: str) -> UserState | None:
        try:
            return await fresh_state(self._state_source, user_id)
        except (TimeoutError, StateUnavailable):
            return None

    async def _case(
        self, question: Question, task: Task, state: UserState, locale: Locale, parameters: dict[str, str]
    ) -> TaskCase:
        options: dict[str, tuple[Option, ...]] = {}
        for parameter in task.parameters:
            if parameter.source == "option":
                try:
                    options[parameter.name] = await self._backend.options(
                        parameter, user_id=state.user_id, locale=locale
                    )
                except ToolFailed:
                    continue
        return TaskCase(question, task, state, locale, parameters, options)

    async def _keep(
        self, case: TaskCase, *, asked: str = "", offer_id: str = "", expires: datetime | None = None
    ) -> None:
        dialog = TaskDialog(
            case.question.conversation_id,
            case.state.user_id,
            case.task.name,
            dict(case.parameters),
            asked,
            case.misses,
            offer_id,
            len(case.question.history) + 2,  # the customer's turn and the one in which this is shown
            expires,
        )
        await asyncio.to_thread(self.records.keep_dialog, dialog)

    async def _forget(self, case: TaskCase) -> None:
        await asyncio.to_thread(self.records.drop_dialog, case.question.conversation_id)

    def _outcome(self, task: Task, run: TaskRun, case: TaskCase, *, again: bool = False) -> TaskReply:
        shown = {
            p.name: wording.shown_value(p, run.parameters[p.name], case.state, case.names, case.locale)
            for p in task.parameters
            if p.name in run.parameters
        }
        status: TaskStatus = "done" if run.status == "done" else "failed" if run.status == "failed" else "unknown"
        text = wording.outcome_text(task, status, run.error, shown, case.locale)
        if again and status == "done":
            text += ("" if case.locale == "zh" else " ") + wording.say("once", case.locale)
        reply = self._reply(task, status, text, case.locale, run.parameters, case)
        told = (run.id,) if run.status in SETTLED else ()
        return replace(reply, record=replace(reply.record, run_id=run.id), told=told)

    def _told(self, task: Task, run: TaskRun, locale: Locale) -> str:
        return wording.outcome_text(task, run.status, run.error, run.parameters, locale)

    def outcome_turn(self, run: TaskRun) -> str:
        """What is put into the conversation when a run was brought to its outcome without the customer being there."""
        task = self.tasks.task(run.task)
        locale: Locale = "zh" if run.locale.startswith("zh") else "en"
        if task is None:
            return ""
        return wording.say("earlier", locale, title=task.title.of(locale)) + self._told(task, run, locale)

    def _all_yes(self) -> tuple[str, ...]:
        return tuple(word for task in self.tasks.tasks for word in task.confirm_words)

    def _reply(
        self,
        task: Task,
        status: TaskStatus,
        text: str,
        locale: Locale,
        parameters: Mapping[str, str],
        case: TaskCase | None = None,
    ) -> TaskReply:
        used = [
            value for p in task.parameters if p.source == "entity" and (value := parameters.get(p.name)) is not None
        ]
        record = TaskRecord(
            task.name,
            task.title.of(locale),
            status,
            dict(parameters),
            case.rows() if case is not None else (),
            case.missing if case is not None and status == "collecting" else (),
            undo=task.undo,
        )
        return TaskReply(text, record, tuple(used))


def _last_said(history: tuple[Turn, ...]) -> int:
    """How many turns there were when the last reply had been given."""
    return max((n for n, turn in enumerate(history, 1) if turn.role in ("assistant", "agent")), default=0)
