"""What publishing an item would do, by replay; and afterwards, whether a later run bears the prediction out."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assistant.bootstrap import Service
from assistant.domain.review import ReplayPrediction, ReviewItem
from assistant.errors import InputRejected, NotFound
from assistant.ports import Progress
from evals.cases import ReplyCase, read_cases
from evals.loop.drafting import cases_of
from evals.loop.review import review_desk, text_hash
from evals.loop.shadow import replay_candidates
from evals.root_causes.experiment import SOLVED
from evals.runs import EvalRun, list_runs
from evals.transfer_run import prepare


@dataclass(frozen=True, slots=True)
class Outcome:
    """A prediction beside a run made after publishing. Cases that the run has not scored are ``unscored``.

    A predicted gain came true where the run solves the case, a predicted regression where it does not.
    """

    run_id: str
    gains_true: tuple[str, ...]
    gains_false: tuple[str, ...]
    regressions_true: tuple[str, ...]
    regressions_false: tuple[str, ...]
    unscored: tuple[str, ...]

    def record(self) -> dict[str, Any]:
        """As JSON data."""
        return {
            "run": self.run_id,
            "gains": {"came_true": list(self.gains_true), "did_not": list(self.gains_false)},
            "regressions": {"came_true": list(self.regressions_true), "did_not": list(self.regressions_false)},
            "unscored": list(self.unscored),
        }


async def predict(
    service: Service,
    workspace: str,
    item_id: str,
    cases: Path | None = None,
    *,
    who: str,
    progress: Progress | None = None,
) -> ReviewItem:
    """Replay old cases, of a file or of all transcripts, on the item's text, and keep what comes of it.

    Raises NotFound, Conflict, LeakFound, EmbeddingFailed; InputRejected where a line of the file is no case.
    """
    desk = review_desk(service, workspace)
    item = await asyncio.to_thread(desk.store.get, item_id)
    chosen = list(cases_of(service, workspace).values()) if cases is None else _read(cases)
    if not chosen:
        raise NotFound("there are no old cases to replay: ingest transcripts, or name a file with --cases")
    bench = await asyncio.to_thread(prepare, service, workspace, chosen)
    report = await replay_candidates(bench, [item.article], solved=SOLVED, progress=progress)
    d = report.difference
    prediction = ReplayPrediction(
        at=service.clock.now(),
        sha256=text_hash(item.article),
        cases=d.pairs,
        before=report.before,
        after=report.after,
        low=d.low,
        high=d.high,
        gains=report.gains,
        regressions=report.regressions,
        marked=report.marked,
        duplicates=tuple(article for _, article in report.duplicates),
        contradictions=tuple((article, ours, theirs) for _, article, ours, theirs in report.contradictions),
    )
    return await asyncio.to_thread(desk.predict, item_id, prediction, who=who)


def outcome_of(item: ReviewItem, runs: Path) -> Outcome | None:
    """The prediction beside the newest run on transferred cases since publishing; None where there is none yet."""
    if item.status != "published" or item.prediction is None:
        return None
    later = [
        run
        for run in list_runs(runs)
        if isinstance(run, EvalRun) and run.kind == "transfers" and run.provenance.created_at > item.touched_at
    ]
    return compared(item.prediction, later[0]) if later else None


def compared(prediction: ReplayPrediction, run: EvalRun) -> Outcome:
    """The prediction beside this run."""
    reached = {row.case_id: row.values.get("accuracy") for row in run.rows}

    def those(ids: tuple[str, ...], solved: bool) -> tuple[str, ...]:
        return tuple(i for i in ids if (value := reached.get(i)) is not None and (value >= SOLVED) is solved)

    asked = (*prediction.gains, *prediction.regressions)
    return Outcome(
        run.run_id,
        gains_true=those(prediction.gains, True),
        gains_false=those(prediction.gains, False),
        regressions_true=those(prediction.regressions, False),
        regressions_false=those(prediction.regressions, True),
        unscored=tuple(case_id for case_id in asked if reached.get(case_id) is None),
    )


def _read(path: Path) -> list[ReplyCase]:
    found = list(read_cases(path))
    for item in found:
        if isinstance(item, InputRejected):
            raise item
    return [item for item in found if isinstance(item, ReplyCase)]
