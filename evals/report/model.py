"""What a report is made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from evals.judge.run import Judged
from evals.loop.gaps import Gap
from evals.report.in_use import InUse
from evals.report.since import Since
from evals.root_causes import Diagnosis
from evals.runs import EvalRun
from evals.scoring import Scored


@dataclass(frozen=True, slots=True)
class ReportInput:
    """``solved`` is the accuracy from which a case counts as solved; ``titles`` are article id → title.

    ``minutes`` are people's with the conversations of the diagnosed cases, each conversation once.
    ``with_causes`` is False where causes were not looked for. None is what there are no figures of: the run before,
    the judge, what the workspace's own records say.
    """

    workspace: str
    scored: Scored
    run: EvalRun
    diagnoses: Sequence[Diagnosis]
    gaps: Sequence[Gap]
    solved: float
    judged: Judged | None = None
    since: Since | None = None
    titles: Mapping[str, str] = field(default_factory=dict)
    minutes: float | None = None
    with_causes: bool = True
    in_use: InUse | None = None
