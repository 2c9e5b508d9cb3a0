"""A judge's verdicts in the stored run, beside the model-free measures, so that runs are compared on both."""

from __future__ import annotations

from dataclasses import replace

from evals.judge.run import Judged
from evals.runs import EvalRun


def with_judgement(run: EvalRun, judged: Judged) -> EvalRun:
    """The run with measures ``judge_<metric>``, the reasons of what is unscored, and who judged by which prompts."""
    rows = tuple(
        replace(
            row,
            values={**row.values, **judged.values(row.case_id)},
            detail={**row.detail, "judge_unscored": judged.reasons(row.case_id)},
        )
        for row in run.rows
    )
    provenance = replace(
        run.provenance,
        models={**run.provenance.models, "judge": f"{judged.judge} at {judged.endpoint}"},
        prompts={**run.provenance.prompts, **judged.prompts},
    )
    return replace(run, rows=rows, provenance=provenance)
