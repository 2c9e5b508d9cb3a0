"""Runs are made once for each summary; the log is only added to, and a changed entry shows."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DatabaseError

from assistant.domain.task import TaskDialog
from assistant.store.database import open_database
from assistant.store.task_records import TaskRecords, workspaces_in_doubt

NOW = datetime(2026, 3, 2, tzinfo=UTC)
LEASE = timedelta(seconds=30)
DIALOG = TaskDialog("c1", "u1", "cancel_order", {"order": "SQ1"}, offer_id="offer-1", expires_at=NOW)


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return open_database(f"sqlite:///{tmp_path / 'a.db'}")


@pytest.fixture
def records(engine: Engine) -> TaskRecords:
    records = TaskRecords(engine, "blue")
    records.keep_dialog(DIALOG)
    return records


def test_a_dialog_comes_back_as_it_was_kept(records: TaskRecords) -> None:
    assert records.dialog("c1") == DIALOG
    changed = replace(DIALOG, parameters={"order": "SQ2"}, offer_id="offer-2")
    records.keep_dialog(changed)
    assert records.dialog("c1") == changed
    records.drop_dialog("c1")
    assert records.dialog("c1") is None


def test_many_confirmations_of_one_summary_make_one_run(records: TaskRecords) -> None:
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda _: records.confirm(DIALOG, locale="zh", now=NOW, lease=LEASE), range(16)))
    assert sum(made for _, made in results) == 1
    assert len({run.id for run, _ in results if run is not None}) == 1
    assert [e["event"] for e in records.log()] == ["confirmed"]


def test_a_summary_that_was_superseded_or_given_up_makes_no_run(records: TaskRecords) -> None:
    records.keep_dialog(replace(DIALOG, offer_id="offer-2"))
    assert records.confirm(DIALOG, locale="zh", now=NOW, lease=LEASE) == (None, False)
    records.drop_dialog("c1")
    assert records.confirm(replace(DIALOG, offer_id="offer-2"), locale="zh", now=NOW, lease=LEASE) == (None, False)
    assert records.confirm(replace(DIALOG, user_id="u2"), locale="zh", now=NOW, lease=LEASE) == (None, False)


def test_a_run_is_driven_by_one_at_a_time_and_is_due_once_its_lease_ends(engine: Engine, records: TaskRecords) -> None:
    run, _ = records.confirm(DIALOG, locale="zh", now=NOW, lease=LEASE)
    assert run is not None
    assert records.due(NOW) == []
    assert not records.lease(run.id, now=NOW, lease=LEASE)
    later = NOW + LEASE
    assert workspaces_in_doubt(engine, later) == ["blue"]
    assert [r.id for r in records.due(later)] == [run.id]
    assert records.lease(run.id, now=later, lease=LEASE)
    assert not records.lease(run.id, now=later, lease=LEASE)
    records.advance(run, "done", now=later, event="read_back")
    assert records.due(later + LEASE) == []
    assert not records.lease(run.id, now=later + LEASE, lease=LEASE)
    assert [r.id for r in records.untold(later)] == [run.id]
    assert records.reported(run.id, now=later)
    assert not records.reported(run.id, now=later)
    assert workspaces_in_doubt(engine, later + LEASE) == []


def test_no_workspace_sees_anothers_dialogs_runs_or_log(engine: Engine, records: TaskRecords) -> None:
    run, _ = records.confirm(DIALOG, locale="zh", now=NOW, lease=LEASE)
    assert run is not None
    other = TaskRecords(engine, "green")
    assert other.dialog("c1") is None
    assert other.run(run.id) is None
    assert other.runs_of("c1") == []
    assert other.log() == []
    assert other.due(NOW + LEASE) == []


@pytest.mark.parametrize("statement", ["update task_log set event = 'x'", "delete from task_log"])
def test_the_database_refuses_to_change_the_log(engine: Engine, records: TaskRecords, statement: str) -> None:
    records.confirm(DIALOG, locale="zh", now=NOW, lease=LEASE)
    with pytest.raises(DatabaseError, match="only added to"), engine.begin() as connection:
        connection.execute(text(statement))
    assert len(records.log()) == 1


def test_an_entry_changed_behind_the_databases_back_shows(engine: Engine, records: TaskRecords) -> None:
    run, _ = records.confirm(DIALOG, locale="zh", now=NOW, lease=LEASE)
    assert run is not None
    records.advance(run, "calling", now=NOW, event="calling", keep_lease=True)
    records.advance(run, "done", now=NOW, event="read_back")
    assert records.first_broken_entry() is None
    with engine.begin() as connection:
        connection.execute(text("drop trigger task_log_no_update"))
        connection.execute(text("update task_log set event = 'x' where seq = 2"))
    assert records.first_broken_entry() == 2


def test_the_log_holds_no_address(records: TaskRecords) -> None:
    dialog = replace(DIALOG, parameters={"order": "SQ1", "address": "杭州市西湖区文三路 12 号"}, offer_id="offer-9")
    records.keep_dialog(dialog)
    records.confirm(dialog, locale="zh", now=NOW, lease=LEASE)
    assert "文三路" not in str(records.log())
