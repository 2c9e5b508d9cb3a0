"""The closed loop turned once in the past: what drafts from one window's failures would have done for the next cases.

Knowledge stands still at a moment. The cases of the weeks after it fail, are grouped, and drafted from; an acceptance
rule stands in for the reviewer; the cases after those weeks are then answered without and with what was accepted.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from assistant.domain.conversation import Transcript
from assistant.domain.knowledge import Article, Chunk, DocumentKind, IndexEntry
from assistant.domain.reply import Reply
from assistant.errors import ConfigurationError
from assistant.ports import Progress
from evals.answer_metrics import AnswerScorer
from evals.case_sets import split_by_time
from evals.cases import ReplyCase
from evals.knowledge_view import Knowledge, KnowledgeView, known_from
from evals.loop.drafts import Draft, draft_for
from evals.loop.gaps import CaseCost, Gap, case_costs, find_gaps
from evals.loop.shadow import duplicates
from evals.provenance import sources_of
from evals.root_causes import Cause, RootCauses
from evals.root_causes.experiment import SOLVED
from evals.statistics import Difference, Estimate, bootstrap_mean, paired_difference
from evals.transfer_run import Bench
from ingest.pipeline import article_write

WRITABLE = (Cause.KNOWLEDGE_MISSING, Cause.KNOWLEDGE_STALE)
"""Causes that an article can cure; of the others a gap is not drafted for."""
CONTROL_DRAWS = 3
RULE = (
    "accepted where the draft repeats no article and no case before the measured ones, that it was not written from, "
    "fell below solved with a reply that cites it; no person looked at it"
)


@dataclass(frozen=True, slots=True)
class Arm:
    """One state of the knowledge, answered from: accuracies by case (None unscored), and which drafts replies cite."""

    accuracies: tuple[float | None, ...]
    cited: tuple[frozenset[str], ...]


@dataclass(frozen=True)
class LoopResult:
    """The experiment. ``arms`` by name; ``differences`` to ``before``, and of ``mined and drafts`` to ``mined``.

    ``measured`` are the cases after the window, less the ``marked`` ones, which a draft was written from.
    """

    until: datetime
    drafts_until: datetime
    window: tuple[ReplyCase, ...]
    failed: int
    gaps: tuple[Gap, ...]
    drafts: tuple[Draft, ...]
    accepted: tuple[Draft, ...]
    refused: Mapping[str, str]
    measured: tuple[ReplyCase, ...]
    marked: tuple[str, ...]
    arms: Mapping[str, Arm]
    controls: int
    documents_later: int

    def estimate(self, arm: str) -> Estimate:
        """The arm's mean accuracy over the measured cases."""
        return bootstrap_mean(self.arms[arm].accuracies, groups=[case.conversation_id for case in self.measured])

    def difference(self, arm: str, to: str = "before") -> Difference:
        """Paired by case, the interval over conversations."""
        groups = [case.conversation_id for case in self.measured]
        return paired_difference(self.arms[to].accuracies, self.arms[arm].accuracies, groups=groups)

    def crossed(self, arm: str, to: str = "before") -> tuple[list[str], list[str]]:
        """Ids of the cases that the arm solves and ``to`` does not, and the other way round."""
        pairs = [
            (case.case_id, old, new)
            for case, old, new in zip(self.measured, self.arms[to].accuracies, self.arms[arm].accuracies, strict=True)
            if old is not None and new is not None
        ]
        gains = [key for key, old, new in pairs if old < SOLVED <= new]
        return gains, [key for key, old, new in pairs if new < SOLVED <= old]

    def citing(self, arm: str = "drafts") -> list[str]:
        """Ids of the measured cases whose reply cites an accepted draft."""
        return [case.case_id for case, cited in zip(self.measured, self.arms[arm].cited, strict=True) if cited]

    def record(self) -> dict[str, Any]:
        """As JSON data."""
        comparisons = [(name, "before") for name in self.arms if name != "before"]
        if "mined and drafts" in self.arms:
            comparisons.append(("mined and drafts", "mined"))
        return {
            "knowledge_until": self.until.isoformat(),
            "drafts_from_cases_until": self.drafts_until.isoformat(),
            "documents_hidden_as_later": self.documents_later,
            "window": {"cases": len(self.window), "failed": self.failed, "gaps": len(self.gaps)},
            "drafts": {
                "made": len(self.drafts),
                "auto_accepted": len(self.accepted),
                "refused": dict(self.refused),
                "rule": RULE,
                "accepted": [
                    {
                        "id": draft.article.id,
                        "title": draft.article.title,
                        "body": draft.article.body,
                        "drafted_by": draft.drafted_by,
                        "written_from": [source.case_id for source in draft.written_from],
                    }
                    for draft in self.accepted
                ],
            },
            "measured": {"cases": len(self.measured), "threshold": SOLVED, "marked_apart": list(self.marked)},
            "arms": {name: _estimate(self.estimate(name), self.citing(name)) for name in self.arms},
            "comparisons": [self._compared(name, to) for name, to in comparisons],
            "control_draws": self.controls,
            "cases": [
                {"case_id": case.case_id, **{n: _rounded(arm.accuracies[i]) for n, arm in self.arms.items()}}
                for i, case in enumerate(self.measured)
            ],
        }

    def _compared(self, name: str, to: str) -> dict[str, Any]:
        difference, (gains, losses) = self.difference(name, to), self.crossed(name, to)
        return {
            "after": name,
            "before": to,
            "mean": difference.mean,
            "interval": [difference.low, difference.high],
            "pairs": difference.pairs,
            "unpaired": difference.unpaired,
            "smallest_detectable": difference.detectable,
            "gains": gains,
            "regressions": losses,
        }


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
    frozen = _known_by(whole, until)
    gaps, failed = await _gaps(_on(bench, window, frozen), case_costs(transcripts), progress)
    by_id = {case.case_id: case for case in window}
    drafts = [draft for gap in gaps if (draft := draft_for(gap, by_id, drafts_until)) is not None]
    old = (*before_window.earlier, *window)
    accepted, refused = await _reviewed(bench, old, frozen, drafts, progress)
    told = {draft.article.id: sources_of(draft.article) for draft in accepted}
    articles = [draft.article for draft in accepted]
    with_drafts = _with(frozen, articles, bench)
    guard = bench.guard.on(rest, with_drafts, told)
    marked = tuple(case.case_id for case in rest if guard.marked(case))
    measured = tuple(case for case in rest if case.case_id not in marked)
    mined = _mined_between(whole, frozen, until, drafts_until)
    scorer = AnswerScorer(measured, bench.embedder)
    arms = {
        "before": await _arm(_on(bench, measured, frozen), scorer, (), progress),
        "drafts": await _arm(_on(bench, measured, with_drafts, told), scorer, articles, progress),
        "mined": await _arm(_on(bench, measured, mined), scorer, (), progress),
        "mined and drafts": await _arm(
            _on(bench, measured, _with(mined, articles, bench), told), scorer, articles, progress
        ),
    }
    used = {case_id for draft in accepted for gap in gaps if gap.id == draft.gap_id for case_id in gap.case_ids}
    pool = [case for case in (*window, *before_window.earlier) if case.case_id not in used]
    draws = []
    for seed in range(CONTROL_DRAWS if accepted else 0):
        unrelated = _unrelated(pool, len(accepted), drafts_until, seed)
        knows = {article.id: sources_of(article) for article in unrelated}
        on = _on(bench, measured, _with(frozen, unrelated, bench), knows)
        draws.append(await _arm(on, scorer, unrelated, progress))
    if draws:
        arms["unrelated drafts"] = _averaged(draws)
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
        len({(c.kind, c.document_id) for c in whole.chunks} - {(c.kind, c.document_id) for c in frozen.chunks}),
    )


async def _gaps(bench: Bench, costs: Mapping[str, CaseCost], progress: Progress | None) -> tuple[list[Gap], int]:
    """The window's gaps that an article could close, and how many cases failed."""
    result = await bench.replay(progress)
    scorer = AnswerScorer(bench.cases, bench.embedder)
    diagnoses = await RootCauses(bench, scorer).explain(result.replies, scorer.score(result.predictions()), progress)
    curable = {cause.value for cause in WRITABLE}
    found = find_gaps(bench.cases, diagnoses, costs, bench.embedder)
    return [gap for gap in found if curable & set(gap.causes)], len(diagnoses)


async def _reviewed(
    bench: Bench, old: Sequence[ReplyCase], frozen: Knowledge, drafts: Sequence[Draft], progress: Progress | None
) -> tuple[list[Draft], dict[str, str]]:
    """The drafts that the acceptance rule lets through, and why the others not, by article id."""
    refused: dict[str, str] = {}
    articles = [draft.article for draft in drafts]
    for candidate, article in duplicates(_pieces(articles)[0], frozen.chunks):
        refused.setdefault(candidate, f"repeats {article}")
    left = [article for article in articles if article.id not in refused]
    if left:
        # As if they had been known all along: how they do on the cases that are past, their own hidden from them.
        past = [replace(article, updated_at=None) for article in left]
        told = {article.id: sources_of(article) for article in past}
        scorer = AnswerScorer(old, bench.embedder)
        without = await _arm(_on(bench, old, frozen), scorer, (), progress)
        given = await _arm(_on(bench, old, _with(frozen, past, bench), told), scorer, past, progress)
        for case, before, after, cited in zip(old, without.accuracies, given.accuracies, given.cited, strict=True):
            if before is not None and after is not None and after < SOLVED <= before:
                for article_id in sorted(cited):
                    refused.setdefault(article_id, f"spoils {case.case_id}")
    return [draft for draft in drafts if draft.article.id not in refused], refused


async def _arm(bench: Bench, scorer: AnswerScorer, articles: Iterable[Article], progress: Progress | None) -> Arm:
    result = await bench.replay(progress)
    leaked = set(result.guard.leaks)
    scores = scorer.score(result.predictions())
    ids = {article.id for article in articles}
    accuracies = tuple(None if s.scores is None or s.case_id in leaked else s.scores.accuracy for s in scores)
    return Arm(accuracies, tuple(_cites(result.replies[case.case_id], ids) for case in bench.cases))


def _cites(reply: Reply, ids: set[str]) -> frozenset[str]:
    return frozenset(c.article_id for c in reply.citations if c.article_id is not None and c.article_id in ids)


def _on(
    bench: Bench,
    cases: Sequence[ReplyCase],
    knowledge: Knowledge,
    told: Mapping[str, frozenset[str]] | None = None,
) -> Bench:
    view = KnowledgeView(knowledge, bench.embedder, as_of=True)
    return replace(bench, cases=cases, view=view, guard=bench.guard.on(cases, knowledge, told))


def _known_by(knowledge: Knowledge, moment: datetime) -> Knowledge:
    later = {
        (c.kind, c.document_id) for c in knowledge.chunks if (known := known_from(c)) is not None and known > moment
    }
    return knowledge.without(later)


def _mined_between(whole: Knowledge, frozen: Knowledge, start: datetime, end: datetime) -> Knowledge:
    """The frozen knowledge and what transcript mining alone would have added by the end of the window."""
    gone = {
        (c.kind, c.document_id)
        for c in whole.chunks
        if (known := known_from(c)) is not None
        and (known > end or (known > start and c.kind is not DocumentKind.RESOLUTION))
    }
    return whole.without(gone)


def _pieces(articles: Iterable[Article]) -> tuple[list[Chunk], list[IndexEntry]]:
    made = [article_write(replace(article, audience="public"), "", "") for article in articles]
    return [chunk for write in made for chunk in write.chunks], [e for write in made for e in write.entries]


def _with(knowledge: Knowledge, articles: Sequence[Article], bench: Bench) -> Knowledge:
    chunks, entries = _pieces(articles)
    return knowledge.with_pieces(chunks, entries, bench.embedder) if chunks else knowledge


def _unrelated(pool: Sequence[ReplyCase], count: int, now: datetime, seed: int) -> list[Article]:
    """As many drafts as were accepted, each from a random case that no accepted draft's gap holds."""
    order = list(pool)
    random.Random(seed).shuffle(order)
    made: list[Article] = []
    for case in order:
        if len(made) == count:
            break
        gap = Gap(f"control-{seed}-{len(made)}", case.question, case.locale, (case.case_id,), (), {}, 0, 0, 0)
        draft = draft_for(gap, {case.case_id: case}, now)
        if draft is not None:
            made.append(draft.article)
    return made


def _averaged(draws: Sequence[Arm]) -> Arm:
    columns = list(zip(*(arm.accuracies for arm in draws), strict=True))
    means = tuple(
        None if any(v is None for v in column) else sum(v for v in column if v is not None) / len(column)
        for column in columns
    )
    cited = tuple(frozenset().union(*held) for held in zip(*(arm.cited for arm in draws), strict=True))
    return Arm(means, cited)


def _estimate(estimate: Estimate, citing: Sequence[str]) -> dict[str, Any]:
    return {
        "accuracy": estimate.mean,
        "interval": [estimate.low, estimate.high],
        "scored": estimate.scored,
        "unscored": estimate.unscored,
        "replies_citing_drafts": list(citing),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
