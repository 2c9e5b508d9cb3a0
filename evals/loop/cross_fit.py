"""The loop turned within one window: would drafts from the *other* conversations help each of its cases?

`time_split` measures only the weeks after the drafts, and has few cases. Here the window's conversations are cut into
folds; each fold is answered with drafts from the failures of all others, so that every case of the window is measured
and none by an article that was written from it. What comes later in the window may help what came before: it measures
what the drafts are worth, not what they would have been worth on that day.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from assistant.domain.conversation import Transcript
from assistant.errors import ConfigurationError
from assistant.ports import Progress
from evals.answer_metrics import AnswerScorer
from evals.case_sets import split_by_time
from evals.cases import ReplyCase
from evals.loop.arms import answered, arm_of, bench_on, known_by, later_documents, unrelated_drafts, with_articles
from evals.loop.drafts import Draft, draft_for
from evals.loop.gaps import Gap, case_costs, find_gaps
from evals.loop.loop_result import Arm, LoopResult
from evals.loop.time_split import curable, review_by_rule
from evals.provenance import sources_of
from evals.root_causes import RootCauses
from evals.transfer_run import Bench

FOLDS = 5


async def cross_fit(
    bench: Bench,
    transcripts: Sequence[Transcript],
    *,
    until: datetime,
    weeks: int = 2,
    folds: int = FOLDS,
    progress: Progress | None = None,
) -> LoopResult:
    """Run it on the bench's cases, which must be prepared ``as_of`` their moments; gaps and drafts are of all folds.

    The acceptance rule looks at the other folds only. Cases that a draft was written from are marked and left out, as
    copies of another fold's conversation are. Raises ConfigurationError where a fold has no cases, LeakFound and
    EmbeddingFailed.
    """
    end = until + timedelta(weeks=weeks)
    window = split_by_time(split_by_time(bench.cases, until).later, end).earlier
    parts = [[case for case in window if fold_of(case.conversation_id, folds) == fold] for fold in range(folds)]
    if not all(parts):
        raise ConfigurationError(
            f"{len(window)} cases in the {weeks} weeks from {until:%Y-%m-%d} do not fill {folds} folds: "
            "choose another --until, more --weeks or fewer --folds"
        )
    frozen = known_by(bench.view.knowledge, until)
    on = bench_on(bench, window, frozen)
    base = await on.replay(progress)
    scorer = AnswerScorer(window, bench.embedder)
    scores = scorer.score(base.predictions())
    diagnoses = await RootCauses(on, scorer).explain(base.replies, scores, progress)
    before = arm_of(base, window, scorer)
    costs = case_costs(transcripts)
    turned: list[_Fold] = []
    for number, fold in enumerate(parts):
        others = [case for part in parts if part is not fold for case in part]
        theirs = {case.case_id for case in others}
        gaps = curable(find_gaps(others, [d for d in diagnoses if d.case_id in theirs], costs, bench.embedder))
        by_id = {case.case_id: case for case in others}
        drafts = [_undated(draft) for gap in gaps if (draft := draft_for(gap, by_id, end)) is not None]
        accepted, refused = await review_by_rule(bench, others, frozen, drafts, progress)
        used = {key for draft in accepted for gap in gaps if gap.id == draft.gap_id for key in gap.case_ids}
        pool = [case for case in others if case.case_id not in used]
        control = [replace(article, updated_at=None) for article in unrelated_drafts(pool, len(accepted), end, number)]
        articles = [draft.article for draft in accepted]
        told = {article.id: sources_of(article) for article in (*articles, *control)}
        guard = bench.guard.on(fold, with_articles(frozen, [*articles, *control], bench), told)
        measured = [case for case in fold if not guard.marked(case)]
        arms = []
        for given in (articles, control):
            on = bench_on(bench, measured, with_articles(frozen, given, bench), told)
            arms.append(await answered(on, scorer, given, progress))
        turned.append(_Fold(gaps, drafts, accepted, refused, measured, *arms))
    counted = [case for fold in turned for case in fold.measured]
    row = {case.case_id: number for number, case in enumerate(window)}
    of = [row[case.case_id] for case in counted]
    joined = {
        "before": Arm(tuple(before.accuracies[i] for i in of), tuple(before.cited[i] for i in of)),
        "drafts": _joined([fold.with_drafts for fold in turned]),
        "unrelated drafts": _joined([fold.with_control for fold in turned]),
    }
    return LoopResult(
        until,
        end,
        tuple(window),
        len(diagnoses),
        tuple(gap for fold in turned for gap in fold.gaps),
        tuple(draft for fold in turned for draft in fold.drafts),
        tuple(draft for fold in turned for draft in fold.accepted),
        {key: why for fold in turned for key, why in fold.refused.items()},
        tuple(counted),
        tuple(case.case_id for case in window if case not in counted),
        joined,
        1,
        later_documents(bench.view.knowledge, frozen),
        folds,
    )


def fold_of(conversation_id: str, folds: int) -> int:
    """The conversation's fold, 0 to ``folds`` − 1: by a hash of its id, the same in every run."""
    return int.from_bytes(hashlib.sha256(conversation_id.encode()).digest()[:4]) % folds


@dataclass(frozen=True)
class _Fold:
    """What was drafted for one fold from the others, and the fold's unmarked cases answered."""

    gaps: Sequence[Gap]
    drafts: Sequence[Draft]
    accepted: Sequence[Draft]
    refused: Mapping[str, str]
    measured: Sequence[ReplyCase]
    with_drafts: Arm
    with_control: Arm


def _undated(draft: Draft) -> Draft:
    """As if it had been known all along: the cases before its date are asked too."""
    return replace(draft, article=replace(draft.article, updated_at=None))


def _joined(arms: Sequence[Arm]) -> Arm:
    return Arm(tuple(a for arm in arms for a in arm.accuracies), tuple(c for arm in arms for c in arm.cited))
