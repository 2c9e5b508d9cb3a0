"""`eval transfers --judge`: the judge's options, and its refusal to let a model judge itself unasked."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli.session import Session, say

if TYPE_CHECKING:
    from assistant.ports import JudgeModel, Progress
    from evals.transfer_report import Evaluation

JudgeOption = Annotated[
    bool, typer.Option("--judge", help="Have the judge model (TEACHBACK_JUDGE_MODEL) score the replies too.")
]
SameJudgeOption = Annotated[
    bool, typer.Option("--same-judge", help="Let the model under test judge itself; it favours its own replies.")
]
JudgeBaselinesOption = Annotated[
    int, typer.Option("--judge-baselines", min=0, help="Cases on which the judge itself is measured; 0 for none.")
]


def judge_for(session: Session, *, same: bool) -> JudgeModel:
    """The judge. Raises ConfigurationError, before any work, where there is none or it is the model under test."""
    from assistant.errors import ConfigurationError

    made = session.service.judge_model()
    settings = session.service.settings
    if settings.judge_is_tested and not same:
        raise ConfigurationError(
            f"the judge is the model under test ({settings.model}), and a model favours its own replies: name another "
            "one in TEACHBACK_JUDGE_MODEL, or accept it with --same-judge"
        )
    return made


def judged(
    session: Session, judge: JudgeModel, done: Evaluation, baseline_cases: int, progress: Progress
) -> Evaluation:
    """The evaluation with the judge's verdicts; what was judged before comes from the cache."""
    from evals.judge import Price, judge_cases

    settings = session.service.settings
    price_in, price_out = settings.judge_price_in, settings.judge_price_out
    found = asyncio.run(
        judge_cases(
            done.bench.cases,
            done.scored.replay,
            judge,
            done.bench.embedder,
            cache=settings.data_dir / "judge" / f"{session.workspace}.sqlite3",
            baseline_cases=baseline_cases,
            price=None if price_in is None or price_out is None else Price(price_in, price_out),
            progress=progress,
        )
    )
    if found.failure is not None:
        say(f"judge: {found.failure}")
    return replace(done, judged=found)


def judgement_markdown(done: Evaluation) -> str:
    """The judge's part of the summary; empty where it was not asked."""
    return "" if done.judged is None else done.judged.markdown()
