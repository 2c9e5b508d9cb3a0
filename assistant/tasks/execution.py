"""Drives a confirmed run to its outcome: on record before the call, one key for all attempts, read back from the state.

Killed anywhere, the run is found in doubt and driven on with the same key, by start-up, by the next turn or in between.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta

from assistant.domain.state import UserState
from assistant.domain.task import RunStatus, Task, TaskDialog, TaskRun, TaskSet
from assistant.errors import StateUnavailable
from assistant.ports import Clock, StateSource
from assistant.store.task_records import TaskRecords
from assistant.tasks.backend import Outcome, TaskBackend
from assistant.tasks.conditions import is_done

SETTLED = ("done", "failed")
_ATTEMPTS_NOW = 2
_READ_BACK_TRIES = 3
_READ_BACK_WAIT_S = 0.2
_POLL_S = 0.05


class TaskRunner:
    """Runs the tasks of one workspace. ``lease_s`` must exceed the time that one attempt with its read-back takes."""

    def __init__(
        self,
        tasks: TaskSet,
        records: TaskRecords,
        backend: TaskBackend,
        state_source: StateSource,
        clock: Clock,
        *,
        lease_s: float | None = None,
        read_back_s: float = 3.0,
    ) -> None:
        self._tasks = tasks
        self._records = records
        self._backend = backend
        self._state = state_source
        self._clock = clock
        self._read_back_s = read_back_s
        attempt_s = backend.timeout_s + read_back_s * _READ_BACK_TRIES + _READ_BACK_WAIT_S * _READ_BACK_TRIES
        self._lease = timedelta(seconds=lease_s if lease_s is not None else 2 * attempt_s * _ATTEMPTS_NOW)

    async def confirm(self, dialog: TaskDialog, locale: str) -> TaskRun | None:
        """The run of a confirmed summary, driven to an outcome or to ``unknown``; None where the summary is gone.

        A second confirmation of the same summary never acts: it waits for the first one's outcome.
        """
        run, made = await asyncio.to_thread(
            self._records.confirm, dialog, locale=locale, now=self._clock.now(), lease=self._lease
        )
        if run is None:
            return None
        if made:
            return await self._drive(run)
        return await self._await(run)

    async def settle(self, run: TaskRun) -> TaskRun:
        """The run after one more try where it is in doubt and free; as it stands where another is driving it."""
        if run.status in SETTLED:
            return run
        if await asyncio.to_thread(self._records.lease, run.id, now=self._clock.now(), lease=self._lease):
            return await self._drive(run)
        return await self._await(run)

    async def recover(self) -> list[TaskRun]:
        """Drive on every run in doubt whose time has come; returns those that came to an outcome."""
        settled = []
        for run in await asyncio.to_thread(self._records.due, self._clock.now()):
            if await asyncio.to_thread(self._records.lease, run.id, now=self._clock.now(), lease=self._lease):
                after = await self._drive(run)
                if after.status in SETTLED:
                    settled.append(after)
        return settled

    async def untold(self) -> list[TaskRun]:
        """Settled runs whose outcome nobody was told in time: the process died between outcome and reply."""
        return await asyncio.to_thread(self._records.untold, self._clock.now() - self._lease)

    async def _await(self, run: TaskRun) -> TaskRun:
        """The run once whoever drives it has an outcome; as it is when that takes longer than an attempt may."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._backend.timeout_s + self._read_back_s
        while run.status not in SETTLED and run.status != "unknown" and loop.time() < deadline:
            await asyncio.sleep(_POLL_S)
            found = await asyncio.to_thread(self._records.run, run.id)
            run = found if found is not None else run
        return run

    async def _drive(self, run: TaskRun) -> TaskRun:
        """Attempts under one lease, each on record before it is made. Cancelling the caller does not stop it."""
        return await asyncio.shield(asyncio.ensure_future(self._attempts(run)))

    async def _attempts(self, run: TaskRun) -> TaskRun:
        task = self._tasks.task(run.task)
        if task is None or task.call is None or task.verify is None:
            return await self._settle(run, "failed", "undeclared", error="undeclared")
        if run.attempts > 0 and await self._seen(task, run):
            return await self._settle(run, "done", "read_back", detail={"shown": True})
        if run.attempts > 0 and self._key_is_old(run):
            # the shop may have forgotten the key: another call could be a second effect, so nobody calls any more
            return await self._settle(run, "unknown", "gave_up", error="key_expired")
        for _ in range(_ATTEMPTS_NOW):
            run = await self._step(run, "calling", "calling", attempt=True)
            outcome = await self._backend.act(
                task, run.parameters, user_id=run.user_id, key=run.effect_key, locale=run.locale
            )
            run = await self._step(run, "answered", "answered", detail=_told(outcome), error=outcome.code)
            if await self._seen(task, run, tries=_READ_BACK_TRIES if outcome.kind == "accepted" else 1):
                return await self._settle(run, "done", "read_back", detail={"shown": True})
            if outcome.kind == "refused":
                return await self._settle(run, "failed", "refused", detail={"code": outcome.code}, error=outcome.code)
            if outcome.kind == "unsent" and run.attempts == 1:
                return await self._settle(run, "failed", "unsent", error="unreachable")
            if outcome.kind == "accepted":
                break  # the shop says yes and does not show it yet: calling again would tell nothing new
        return await self._settle(run, "unknown", "in_doubt", error=run.error, again=True)

    async def _seen(self, task: Task, run: TaskRun, tries: int = 1) -> bool:
        """Whether the source shows the effect; a source that does not answer proves nothing."""
        assert task.verify is not None
        for number in range(tries):
            if number:
                await asyncio.sleep(_READ_BACK_WAIT_S)
            state = await self._read(run.user_id)
            if state is not None and is_done(task.verify, run.parameters, state):
                return True
        return False

    async def _read(self, user_id: str) -> UserState | None:
        try:
            async with asyncio.timeout(self._read_back_s):
                return await fresh_state(self._state, user_id)
        except (StateUnavailable, TimeoutError):
            return None

    async def _step(
        self,
        run: TaskRun,
        status: RunStatus,
        event: str,
        *,
        attempt: bool = False,
        detail: Mapping[str, object] | None = None,
        error: str = "",
    ) -> TaskRun:
        return await asyncio.to_thread(
            self._records.advance,
            run,
            status,
            now=self._clock.now(),
            event=event,
            detail=detail,
            attempt=attempt,
            error=error,
            keep_lease=True,
        )

    async def _settle(
        self,
        run: TaskRun,
        status: RunStatus,
        event: str,
        *,
        detail: Mapping[str, object] | None = None,
        error: str = "",
        again: bool = False,
    ) -> TaskRun:
        now = self._clock.now()
        return await asyncio.to_thread(
            self._records.advance,
            run,
            status,
            now=now,
            event=event,
            detail=detail,
            error=error,
            next_at=now + timedelta(seconds=min(600.0, 5.0 * 2 ** min(run.attempts, 8))) if again else None,
        )

    def _key_is_old(self, run: TaskRun) -> bool:
        return self._clock.now() - run.confirmed_at >= timedelta(hours=self._tasks.key_valid_hours)


async def fresh_state(source: StateSource, user_id: str) -> UserState:
    """The state read now, past any cache that the source keeps: it decides whether something was done."""
    forget = getattr(source, "forget", None)
    if forget is not None:
        forget(user_id)
    return await source.fetch(user_id)


def _told(outcome: Outcome) -> dict[str, object]:
    return {"outcome": outcome.kind, "status": outcome.status, "code": outcome.code, "detail": outcome.detail}
