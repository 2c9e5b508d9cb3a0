"""`eval runs`, and what the long commands share: the journal of a run, its pace, and going on after a kill."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli.session import Common, DataDirOption, JsonOption, WorkspaceOption, say, settings_for, write

if TYPE_CHECKING:
    from evals.run_journal import RunJournal, Unfinished
    from evals.runs import EvalRun
    from evals.transfer_run import Bench

ConcurrencyOption = Annotated[
    int, typer.Option("--concurrency", min=1, max=256, help="Cases at a time where a model answers.")
]
RateOption = Annotated[
    float | None,
    typer.Option("--requests-per-minute", min=0.1, help="The most requests a minute to the model; else its own limit."),
]


def begun_at(folder: Path, resume: str | None) -> datetime | None:
    """When the run to be resumed began; None for a new one. Raises NotFound, ConfigurationError, InputRejected."""
    from evals.run_journal import begun_of

    return None if resume is None else begun_of(folder, resume).started_at


def journal_for(folder: Path, bench: Bench, resume: str | None, now: datetime, *, with_causes: bool) -> RunJournal:
    """The journal of a new run, or of the killed one, which is told on standard error."""
    from evals.run_journal import Begun, RunJournal, Unfinished, free_name, unfinished_runs
    from evals.scoring import run_id
    from evals.transfer_report import inputs_of

    inputs = inputs_of(bench, with_causes=with_causes)
    if resume is not None:
        journal = RunJournal.resume(folder, resume, inputs)
        say(f"resuming {resume}: {len(journal.replies)} of {len(bench.cases)} replies are there")
        return journal
    for each in unfinished_runs(folder):
        if isinstance(each, Unfinished) and each.status == "killed" and each.begun.inputs == inputs:
            say(f"the killed run {each.begun.run_id} had the same inputs: --resume {each.begun.run_id} goes on with it")
    name = free_name(folder, run_id(bench.cases, now))
    return RunJournal.begin(
        folder, Begun(run_id=name, kind="transfers", started_at=now, cases=len(bench.cases), inputs=inputs)
    )


@dataclass(frozen=True, slots=True)
class _Row:
    id: str
    kind: str
    when: str
    status: str
    cases: int
    done: int
    accuracy: float | None
    interval: tuple[float | None, float | None] | None
    scored: int | None
    model: str | None


def runs(
    ctx: typer.Context,
    workspace: WorkspaceOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """The stored runs of the workspace, newest first, and those that were killed."""
    import json

    from assistant.errors import InputRejected
    from evals.run_journal import Unfinished, unfinished_runs
    from evals.runs import list_runs

    settings = settings_for(ctx, workspace, data_dir)
    folder = settings.data_dir / "runs" / settings.workspace
    rows, wrong = [], []
    for item in [*list_runs(folder), *unfinished_runs(folder)]:
        if isinstance(item, InputRejected):
            wrong.append(item)
            continue
        rows.append(_unfinished(item) if isinstance(item, Unfinished) else _finished(item))
    rows.sort(key=lambda row: (row.when, row.id), reverse=True)
    for each in wrong:
        say(f"rejected  {each}")
    common: Common = ctx.obj or Common()
    if as_json or common.json:
        record = {"runs": [asdict(row) for row in rows], "rejected": [str(each) for each in wrong]}
        write(json.dumps(record, ensure_ascii=False))
    else:
        write(_table(rows) if rows else f"no runs of workspace {settings.workspace} yet")
    if wrong:
        raise typer.Exit(1)


def _finished(run: EvalRun) -> _Row:
    from evals.statistics import bootstrap_mean

    values = [row.values.get(run.main) for row in run.rows]
    estimate = bootstrap_mean(values, groups=[row.group or row.case_id for row in run.rows])
    when = run.provenance.created_at.isoformat(timespec="seconds")
    models = run.provenance.models
    count = len(run.rows)
    return _Row(
        run.run_id,
        run.kind,
        when,
        "finished",
        count,
        count,
        estimate.mean,
        (estimate.low, estimate.high),
        estimate.scored,
        models.get("chat"),
    )


def _unfinished(run: Unfinished) -> _Row:
    begun = run.begun
    when = begun.started_at.isoformat(timespec="seconds")
    model = begun.inputs.get("model") or None
    return _Row(begun.run_id, begun.kind, when, run.status, begun.cases, run.replies, None, None, None, model)


def _table(rows: list[_Row]) -> str:
    out = ["| id | when | cases | accuracy | 95 % interval | model | status |", "|---|---|---|---|---|---|---|"]
    for row in rows:
        accuracy = "–" if row.accuracy is None else f"{row.accuracy:.3f}"
        interval = "–"
        if row.interval is not None and row.interval[0] is not None and row.interval[1] is not None:
            interval = f"{row.interval[0]:.3f}–{row.interval[1]:.3f}"
        status = row.status if row.status == "finished" else f"{row.status} at {row.done} of {row.cases}"
        model = row.model or "none (extractive)"
        out.append(f"| {row.id} | {row.when} | {row.cases} | {accuracy} | {interval} | {model} | {status} |")
    return "\n".join(out)
