"""The closed loop turned once in the past: what drafts from one window's failures would have done for the next cases.

Knowledge stands still at a moment. The cases of the weeks after it fail, are grouped, and drafted from; an acceptance
rule stands in for the reviewer; the cases after those weeks are then answered without and with what was accepted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from assistant.domain.conversation import Transcript
from assistant.errors import ConfigurationError
from assistant.ports import Progress
from evals.answer_metrics import AnswerScorer
from evals.case_sets import split_by_time
from evals.cases import ReplyCase
from evals.knowledge_view import Knowledge
from evals.loop.arms import (
    answered,
    averaged,
    bench_on,
    known_by,
    later_documents,
    mined_between,
    public_pieces,
    unrelated_drafts,
    with_articles,
)
from evals.loop.drafts import Draft, draft_for
from evals.loop.gaps import CaseCost, Gap, case_costs, find_gaps
from evals.loop.loop_result import LoopResult
from evals.loop.shadow import duplicates
from evals.provenance import sources_of
from evals.root_causes import Cause, RootCauses
from evals.root_causes.experiment import SOLVED
from evals.transfer_run import Bench

WRITABLE = (Cause.KNOWLEDGE_MISSING, Cause.KNOWLEDGE_STALE)
"""Causes that an article can cure; of the others a gap is not drafted for."""
CONTROL_DRAWS = 3


async def turn_the_loop(
    bench: Bench,
    transcripts: Sequence[Transcript],
    *,
    until: datetime,
    weeks: int = 1,
    progress: Progress | None = None,
) -> LoopResult:
    """Run it on the bench's cases, which must be prepared ``as_of`` their moments.

    Raises ConfigurationError where a side of the split has no cases, LeakFound and EmbeddingFailed.
    """
    drafts_until = until + timedelta(weeks=weeks)
    before_window = split_by_time(bench.cases, until)
    after = split_by_time(before_window.later, drafts_until)
    window, rest = after.earlier, after.later
    if not window or not rest:
        raise ConfigurationError(
            f"there are {len(window)} cases in the {weeks} weeks from {until:%Y-%m-%d} and {len(rest)} after them; "
            "both are needed: choose another --until or --weeks"
        )
    whole = bench.view.knowledge
    frozen = known_by(whole, until)
    gaps, failed = await _window_gaps(bench_on(bench, window, frozen), case_costs(transcripts), progress)
    by_id = {case.case_id: case for case in window}
    drafts = [draft for gap in gaps if (draft := draft_for(gap, by_id, drafts_until)) is not None]
    old = (*before_window.earlier, *window)
    accepted, refused = await review_by_rule(bench, old, frozen, drafts, progress)
    told = {draft.article.id: sources_of(draft.article) for draft in accepted}
    articles = [draft.article for draft in accepted]
    with_drafts = with_articles(frozen, articles, bench)
    guard = bench.guard.on(rest, with_drafts, told)
    marked = tuple(case.case_id for case in rest if guard.marked(case))
    measured = tuple(case for case in rest if case.case_id not in marked)
    mined = mined_between(whole, frozen, until, drafts_until)
    scorer = AnswerScorer(measured, bench.embedder)
    arms = {
        "before": await answered(bench_on(bench, measured, frozen), scorer, (), progress),
        "drafts": await answered(bench_on(bench, measured, with_drafts, told), scorer, articles, progress),
        "mined": await answered(bench_on(bench, measured, mined), scorer, (), progress),
        "mined and drafts": await answered(
            bench_on(bench, measured, with_articles(mined, articles, bench), told), scorer, articles, progress
        ),
    }
    used = {case_id for draft in accepted for gap in gaps if gap.id == draft.gap_id for case_id in gap.case_ids}
    pool = [case for case in (*window, *before_window.earlier) if case.case_id not in used]
    draws = []
    for seed in range(CONTROL_DRAWS if accepted else 0):
        unrelated = unrelated_drafts(pool, len(accepted), drafts_until, seed)
        knows = {article.id: sources_of(article) for article in unrelated}
        on = bench_on(bench, measured, with_articles(frozen, unrelated, bench), knows)
        draws.append(await answered(on, scorer, unrelated, progress))
    if draws:
        arms["unrelated drafts"] = averaged(draws)
    return LoopResult(
        until,
        drafts_until,
        window,
        failed,
        tuple(gaps),
        tuple(drafts),
        tuple(accepted),
        refused,
        measured,
        marked,
        arms,
        len(draws),
        later_documents(whole, frozen),
    )


async def _window_gaps(bench: Bench, costs: Mapping[str, CaseCost], progress: Progress | None) -> tuple[list[Gap], int]:
    """The window's gaps that an article could close, and how many cases failed."""
    result = await bench.replay(progress)
    scorer = AnswerScorer(bench.cases, bench.embedder)
    diagnoses = await RootCauses(bench, scorer).explain(result.replies, scorer.score(result.predictions()), progress)
    return curable(find_gaps(bench.cases, diagnoses, costs, bench.embedder)), len(diagnoses)


def curable(gaps: Sequence[Gap]) -> list[Gap]:
    """The gaps that an article could close, in order."""
    writable = {cause.value for cause in WRITABLE}
    return [gap for gap in gaps if writable & set(gap.causes)]


async def review_by_rule(
    bench: Bench, old: Sequence[ReplyCase], frozen: Knowledge, drafts: Sequence[Draft], progress: Progress | None
) -> tuple[list[Draft], dict[str, str]]:
    """The drafts that the acceptance rule lets through, and why the others not, by article id."""
    refused: dict[str, str] = {}
    articles = [draft.article for draft in drafts]
    for candidate, article in duplicates(public_pieces(articles)[0], frozen.chunks):
        refused.setdefault(candidate, f"repeats {article}")
    left = [article for article in articles if article.id not in refused]
    if left:
        # As if they had been known all along: how they do on the cases that are past, their own hidden from them.
        past = [replace(article, updated_at=None) for article in left]
        told = {article.id: sources_of(article) for article in past}
        scorer = AnswerScorer(old, bench.embedder)
        without = await answered(bench_on(bench, old, frozen), scorer, (), progress)
        given = await answered(bench_on(bench, old, with_articles(frozen, past, bench), told), scorer, past, progress)
        for case, before, after, cited in zip(old, without.accuracies, given.accuracies, given.cited, strict=True):
            if before is not None and after is not None and after < SOLVED <= before:
                for article_id in sorted(cited):
                    refused.setdefault(article_id, f"spoils {case.case_id}")
    return [draft for draft in drafts if draft.article.id not in refused], refused
