"""Task dialogs, runs and the append-only log of one workspace. A run is on record before anything is called."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, Row, and_, delete, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from assistant.domain.task import RunStatus, TaskDialog, TaskRun
from assistant.store import tables as t

_LOG_TRIES = 20


class TaskRecords:
    """Every method is blocking and one transaction. Any number of processes may work on the same database."""

    def __init__(self, engine: Engine, workspace: str) -> None:
        self._engine = engine
        self._workspace = workspace

    # -- dialogs --------------------------------------------------------------------------------------------------

    def dialog(self, conversation_id: str) -> TaskDialog | None:
        """The task under way in this conversation."""
        d = t.task_dialogs
        with self._engine.connect() as connection:
            row = connection.execute(
                select(d).where(d.c.workspace == self._workspace, d.c.conversation_id == conversation_id)
            ).one_or_none()
        if row is None:
            return None
        return TaskDialog(
            row.conversation_id,
            row.user_id,
            row.task,
            dict(row.parameters),
            row.asked,
            row.misses,
            row.offer_id,
            row.offered_after,
            row.expires_at,
        )

    def keep_dialog(self, dialog: TaskDialog) -> None:
        """Put this in place of whatever was under way there."""
        d = t.task_dialogs
        values = {
            "user_id": dialog.user_id,
            "task": dialog.task,
            "parameters": dict(dialog.parameters),
            "asked": dialog.asked,
            "misses": dialog.misses,
            "offer_id": dialog.offer_id,
            "offered_after": dialog.offered_after,
            "expires_at": dialog.expires_at,
        }
        here = (d.c.workspace == self._workspace, d.c.conversation_id == dialog.conversation_id)
        try:
            with self._engine.begin() as connection:
                if connection.execute(update(d).where(*here).values(**values)).rowcount == 0:
                    connection.execute(
                        insert(d).values(workspace=self._workspace, conversation_id=dialog.conversation_id, **values)
                    )
        except IntegrityError:  # another request put one there in between
            with self._engine.begin() as connection:
                connection.execute(update(d).where(*here).values(**values))

    def drop_dialog(self, conversation_id: str) -> None:
        """Nothing is under way there any more."""
        d = t.task_dialogs
        with self._engine.begin() as connection:
            connection.execute(
                delete(d).where(d.c.workspace == self._workspace, d.c.conversation_id == conversation_id)
            )

    # -- runs -----------------------------------------------------------------------------------------------------

    def confirm(
        self, dialog: TaskDialog, *, locale: str, now: datetime, lease: timedelta
    ) -> tuple[TaskRun | None, bool]:
        """The run of this confirmed summary, and whether this call made it: a second confirmation finds the first's.

        Taking the summary away, the run and its log entry are one transaction, so a summary is used at most once; one
        that was superseded or given up meanwhile gives (None, False). The caller that made the run holds its lease.
        """
        key = self._effect_key(dialog)
        run_id = secrets.token_hex(12)
        d = t.task_dialogs
        try:
            with self._engine.begin() as connection:
                taken = connection.execute(
                    delete(d).where(
                        d.c.workspace == self._workspace,
                        d.c.conversation_id == dialog.conversation_id,
                        d.c.offer_id == dialog.offer_id,
                        d.c.user_id == dialog.user_id,
                    )
                )
                if taken.rowcount == 1:
                    connection.execute(
                        insert(t.task_runs).values(
                            workspace=self._workspace,
                            id=run_id,
                            effect_key=key,
                            conversation_id=dialog.conversation_id,
                            user_id=dialog.user_id,
                            task=dialog.task,
                            parameters=dict(dialog.parameters),
                            locale=locale,
                            offer_id=dialog.offer_id,
                            status="confirmed",
                            attempts=0,
                            error="",
                            reported=False,
                            confirmed_at=now,
                            leased_until=now + lease,
                            next_at=now + lease,
                        )
                    )
                    detail = {
                        "task": dialog.task,
                        "parameters": _hashed(dialog.parameters),
                        "conversation": dialog.conversation_id,
                    }
                    self._log(connection, run_id, "confirmed", detail, now)
                    made = True
                else:
                    made = False
        except IntegrityError:
            made = False
        return (self.run(run_id) if made else self.run_with_key(key)), made

    def run(self, run_id: str) -> TaskRun | None:
        """The run of this id."""
        return self._one(t.task_runs.c.id == run_id)

    def run_with_key(self, effect_key: str) -> TaskRun | None:
        """The run that has this idempotency key."""
        return self._one(t.task_runs.c.effect_key == effect_key)

    def runs_of(self, conversation_id: str, limit: int = 20) -> list[TaskRun]:
        """The runs confirmed in this conversation, latest first."""
        r = t.task_runs
        with self._engine.connect() as connection:
            rows = connection.execute(
                select(r)
                .where(r.c.workspace == self._workspace, r.c.conversation_id == conversation_id)
                .order_by(r.c.confirmed_at.desc(), r.c.id)
                .limit(limit)
            ).all()
        return [_run(row) for row in rows]

    def due(self, now: datetime, limit: int = 100) -> list[TaskRun]:
        """Runs in doubt that nobody is driving and whose next try has come, oldest first."""
        r = t.task_runs
        with self._engine.connect() as connection:
            rows = connection.execute(
                select(r)
                .where(r.c.workspace == self._workspace, r.c.next_at <= now, _free(now))
                .order_by(r.c.confirmed_at)
                .limit(limit)
            ).all()
        return [_run(row) for row in rows]

    def untold(self, before: datetime, limit: int = 100) -> list[TaskRun]:
        """Settled runs, confirmed before this moment, whose outcome the customer has not been told."""
        r = t.task_runs
        with self._engine.connect() as connection:
            rows = connection.execute(
                select(r)
                .where(
                    r.c.workspace == self._workspace,
                    r.c.reported.is_(False),
                    r.c.status.in_(("done", "failed")),
                    r.c.confirmed_at <= before,
                )
                .limit(limit)
            ).all()
        return [_run(row) for row in rows]

    def lease(self, run_id: str, *, now: datetime, lease: timedelta) -> bool:
        """Take the run for driving; False where another has it or it is settled."""
        r = t.task_runs
        with self._engine.begin() as connection:
            taken = connection.execute(
                update(r)
                .where(r.c.workspace == self._workspace, r.c.id == run_id, r.c.next_at.is_not(None), _free(now))
                .values(leased_until=now + lease)
            )
            return taken.rowcount == 1

    def advance(
        self,
        run: TaskRun,
        status: RunStatus,
        *,
        now: datetime,
        event: str,
        detail: Mapping[str, Any] | None = None,
        attempt: bool = False,
        error: str = "",
        next_at: datetime | None = None,
        keep_lease: bool = False,
    ) -> TaskRun:
        """Put the run into this status and log it, in one transaction. Without ``next_at`` or a lease it is settled."""
        r = t.task_runs
        values: dict[str, Any] = {"status": status, "error": error[:64]}
        if attempt:
            values["attempts"] = r.c.attempts + 1
        if not keep_lease:
            values |= {"leased_until": None, "next_at": next_at}
        with self._engine.begin() as connection:
            connection.execute(update(r).where(r.c.workspace == self._workspace, r.c.id == run.id).values(**values))
            self._log(connection, run.id, event, dict(detail or {}), now)
        after = self.run(run.id)
        assert after is not None
        return after

    def reported(self, run_id: str, *, now: datetime) -> bool:
        """Note that the customer has been told the outcome; False where that was noted before."""
        r = t.task_runs
        with self._engine.begin() as connection:
            noted = connection.execute(
                update(r)
                .where(r.c.workspace == self._workspace, r.c.id == run_id, r.c.reported.is_(False))
                .values(reported=True)
            )
            if noted.rowcount == 1:
                self._log(connection, run_id, "reported", {}, now)
            return noted.rowcount == 1

    # -- the log --------------------------------------------------------------------------------------------------

    def log(self, run_id: str | None = None, limit: int = 1000) -> list[dict[str, Any]]:
        """Log entries in order, of one run or of all."""
        e = t.task_log
        query = select(e).where(e.c.workspace == self._workspace)
        if run_id is not None:
            query = query.where(e.c.run_id == run_id)
        with self._engine.connect() as connection:
            rows = connection.execute(query.order_by(e.c.seq).limit(limit)).all()
        return [
            {
                "seq": r.seq,
                "run_id": r.run_id,
                "event": r.event,
                "detail": r.detail,
                "at": r.at.isoformat(),
                "sha256": r.sha256,
            }
            for r in rows
        ]

    def first_broken_entry(self) -> int | None:
        """The number of the first log entry that does not follow from the one before; None for a whole log."""
        before = ""
        for number, entry in enumerate(self.log(limit=10_000_000), 1):
            if entry["seq"] != number or entry["sha256"] != _chained(before, entry):
                return number
            before = entry["sha256"]
        return None

    def _log(self, connection: Connection, run_id: str, event: str, detail: Mapping[str, Any], now: datetime) -> None:
        """Add an entry whose hash covers the one before, so that a missing or altered one shows."""
        e, at = t.task_log, now.astimezone(UTC)
        for attempt in range(_LOG_TRIES):
            last = connection.execute(
                select(e.c.seq, e.c.sha256).where(e.c.workspace == self._workspace).order_by(e.c.seq.desc()).limit(1)
            ).one_or_none()
            seq, before = (1, "") if last is None else (last.seq + 1, last.sha256)
            entry = {"seq": seq, "run_id": run_id, "event": event, "detail": dict(detail), "at": at.isoformat()}
            try:
                with connection.begin_nested():
                    connection.execute(
                        insert(e).values(
                            workspace=self._workspace,
                            seq=seq,
                            run_id=run_id,
                            event=event,
                            detail=dict(detail),
                            at=at,
                            sha256=_chained(before, entry),
                        )
                    )
                return
            except IntegrityError:  # another process was first with this number
                if attempt == _LOG_TRIES - 1:
                    raise

    def _one(self, condition: Any) -> TaskRun | None:
        with self._engine.connect() as connection:
            row = connection.execute(
                select(t.task_runs).where(t.task_runs.c.workspace == self._workspace, condition)
            ).one_or_none()
        return None if row is None else _run(row)

    def _effect_key(self, dialog: TaskDialog) -> str:
        """One for each summary shown: of workspace, conversation, task, parameters and the summary's own id."""
        told = [
            self._workspace,
            dialog.conversation_id,
            dialog.task,
            sorted(dialog.parameters.items()),
            dialog.offer_id,
        ]
        return hashlib.sha256(json.dumps(told, ensure_ascii=False).encode()).hexdigest()


def workspaces_in_doubt(engine: Engine, now: datetime) -> list[str]:
    """Where runs wait to be driven on or to be told; the only question across workspaces, and it reads no content."""
    r = t.task_runs
    waiting = or_(r.c.next_at <= now, and_(r.c.reported.is_(False), r.c.status.in_(("done", "failed"))))
    with engine.connect() as connection:
        return sorted(connection.execute(select(r.c.workspace).where(waiting).distinct()).scalars())


def _free(now: datetime) -> Any:
    return or_(t.task_runs.c.leased_until.is_(None), t.task_runs.c.leased_until <= now)


def _run(row: Row[Any]) -> TaskRun:
    return TaskRun(
        row.id,
        row.effect_key,
        row.conversation_id,
        row.user_id,
        row.task,
        dict(row.parameters),
        row.locale,
        row.status,
        row.attempts,
        row.confirmed_at,
        row.offer_id,
        row.error,
        row.reported,
    )


def _hashed(parameters: Mapping[str, str]) -> dict[str, str]:
    """Values as short hashes: the log proves what was confirmed without keeping anyone's address for ever."""
    return {name: hashlib.sha256(value.encode()).hexdigest()[:16] for name, value in sorted(parameters.items())}


def _chained(before: str, entry: Mapping[str, Any]) -> str:
    told = [before, entry["seq"], entry["run_id"], entry["event"], entry["detail"], entry["at"]]
    return hashlib.sha256(json.dumps(told, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
