"""A judge model beside the model-free measures: what it says, what it could not say, and whether it can tell at all."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from assistant.ports import Embedder, JudgeModel, Progress
from evals.cases import ReplyCase
from evals.judge.asking import Bench
from evals.judge.cache import VerdictCache
from evals.judge.panel import METRICS, JudgeInput, Panel, Verdict
from evals.judge.run import Judged, Price, estimates_of, judge_replay
from evals.transfer_run import Replay

__all__ = ["METRICS", "JudgeInput", "Judged", "Panel", "Price", "Verdict", "judge_cases"]


async def judge_cases(
    cases: Sequence[ReplyCase],
    replay: Replay,
    judge: JudgeModel,
    embedder: Embedder,
    *,
    cache: Path | None,
    baseline_cases: int,
    price: Price | None = None,
    progress: Progress | None = None,
) -> Judged:
    """The replay judged by ragas's metrics, with every verdict kept in the ``cache`` file; closes the judge.

    Raises EmbeddingFailed and ConfigurationError; whatever the judge does wrong is unscored, with its reason.
    """
    from evals.judge.ragas_metrics import RagasPanel

    kept = None if cache is None else VerdictCache(cache)
    try:
        bench = Bench(judge, kept)
        panel = RagasPanel(bench)
        verdicts, baselines, count = await judge_replay(
            cases, replay, panel, embedder, baseline_cases=baseline_cases, progress=progress
        )
    finally:
        if kept is not None:
            kept.close()
        await judge.aclose()
    return Judged(
        judge.name,
        judge.endpoint,
        verdicts,
        estimates_of(cases, verdicts),
        baselines,
        count,
        bench.usage,
        panel.prompts,
        price,
        bench.last_failure,
    )
