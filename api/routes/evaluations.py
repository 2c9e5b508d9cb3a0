"""For the knowledge desk: stored runs with their figures, their report pages, and the transcripts behind a gap."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter
from fastapi import Path as InPath
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, Field

from api.auth import StaffKey
from api.problems import Problem, documented
from api.routes import staff_examples as told
from api.routes.examples import shown
from api.routes.reviews import Held
from assistant.errors import InputRejected
from evals.runs import EvalRun, list_runs, report_path
from evals.statistics import bootstrap_mean

router = APIRouter(tags=["knowledge desk"])
_USUAL = ("unauthenticated", "not-permitted", "unavailable")
_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")
RunId = Annotated[str, InPath(min_length=1, max_length=128)]
_SHOWN = 50


class RunOut(BaseModel):
    """A finished run; accuracy with its 95 % interval over the scored cases, null where none could be scored."""

    id: str
    kind: str
    at: datetime
    measure: str = Field(description="What `accuracy` is the mean of.")
    cases: int
    scored: int
    accuracy: float | None
    low: float | None
    high: float | None
    model: str | None
    report: bool = Field(description="Whether a report page is kept.")


class RunsOut(BaseModel):
    """The newest first, at most 50; ``rejected`` are files that are no runs."""

    runs: list[RunOut]
    rejected: list[str]


@router.get("/runs", summary="Evaluation runs", responses={200: shown(told.RUNS), **documented(*_USUAL)})
async def runs(caller: StaffKey, held: Held) -> RunsOut:
    """Those of `teachback eval transfers` in this workspace."""
    return await run_in_threadpool(_runs, held.service.settings.data_dir / "runs" / caller.workspace)


@router.get(
    "/runs/{run_id}/report",
    summary="A run's report",
    response_class=HTMLResponse,
    responses={
        200: {"description": "The page", "content": {"text/html": {"example": "<!doctype html>…"}}},
        **documented(*_USUAL, "not-found", "invalid"),
    },
)
async def report(run_id: RunId, caller: StaffKey, held: Held) -> HTMLResponse:
    """One HTML page, complete in itself."""
    folder = held.service.settings.data_dir / "runs" / caller.workspace
    # the id becomes part of a path
    path = report_path(folder, run_id) if _RUN_ID.fullmatch(run_id) else None
    if path is None or not path.is_file():
        raise Problem("not-found")
    return HTMLResponse(await run_in_threadpool(path.read_text, "utf-8"))


@router.get(
    "/transcripts/{conversation_id:path}",
    summary="A resolved conversation",
    responses={200: shown(told.TRANSCRIPT), **documented(*_USUAL, "not-found", "invalid")},
)
async def transcript(
    conversation_id: Annotated[str, InPath(min_length=1, max_length=512)], caller: StaffKey, held: Held
) -> dict[str, Any]:
    """In the transcript format, as it was ingested."""
    found = await run_in_threadpool(held.service.records(caller.workspace).transcript, conversation_id)
    if found is None:
        raise Problem("not-found")
    return dict(found)


def _runs(folder: Path) -> RunsOut:
    out: list[RunOut] = []
    rejected: list[str] = []
    for item in list_runs(folder):
        if isinstance(item, InputRejected):
            rejected.append(Path(item.source).name)
        elif len(out) < _SHOWN:
            out.append(_run(item, report_path(folder, item.run_id).is_file()))
    return RunsOut(runs=out, rejected=rejected)


def _run(run: EvalRun, has_report: bool) -> RunOut:
    values = [row.values.get(run.main) for row in run.rows]
    estimate = bootstrap_mean(values, groups=[row.group or row.case_id for row in run.rows])
    return RunOut(
        id=run.run_id,
        kind=run.kind,
        at=run.provenance.created_at,
        measure=run.main,
        cases=len(run.rows),
        scored=estimate.scored,
        accuracy=estimate.mean,
        low=estimate.low,
        high=estimate.high,
        model=run.provenance.models.get("chat"),
        report=has_report,
    )
