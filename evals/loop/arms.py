"""The states of the knowledge that the loop's experiments answer from, and the cases answered from one of them."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from assistant.domain.knowledge import Article, Chunk, DocumentKind, IndexEntry
from assistant.domain.reply import Reply
from assistant.ports import Progress
from evals.answer_metrics import AnswerScorer
from evals.cases import ReplyCase
from evals.knowledge_view import Knowledge, KnowledgeView, known_from
from evals.loop.drafts import draft_for
from evals.loop.gaps import Gap
from evals.loop.loop_result import Arm
from evals.pieces import pieces_of
from evals.transfer_run import Bench, Replay


async def answered(bench: Bench, scorer: AnswerScorer, articles: Iterable[Article], progress: Progress | None) -> Arm:
    """The bench's cases answered and scored; ``scorer`` may know more cases. Raises LeakFound and EmbeddingFailed."""
    return arm_of(await bench.replay(progress), bench.cases, scorer, articles)


def arm_of(replay: Replay, cases: Sequence[ReplyCase], scorer: AnswerScorer, articles: Iterable[Article] = ()) -> Arm:
    """The replies to these cases scored, and which of the articles they cite; a leak is unscored."""
    leaked = set(replay.guard.leaks)
    scores = {score.case_id: score.scores for score in scorer.score(replay.predictions())}
    ids = {article.id for article in articles}
    accuracies = []
    for case in cases:
        found = scores[case.case_id]
        accuracies.append(None if found is None or case.case_id in leaked else found.accuracy)
    return Arm(tuple(accuracies), tuple(_cites(replay.replies[case.case_id], ids) for case in cases))


def _cites(reply: Reply, ids: set[str]) -> frozenset[str]:
    return frozenset(c.article_id for c in reply.citations if c.article_id is not None and c.article_id in ids)


def bench_on(
    bench: Bench,
    cases: Sequence[ReplyCase],
    knowledge: Knowledge,
    told: Mapping[str, frozenset[str]] | None = None,
) -> Bench:
    """The bench with other cases and knowledge, as of the cases' moments; ``told``: article → its conversations."""
    view = KnowledgeView(knowledge, bench.embedder, as_of=True)
    return replace(bench, cases=cases, view=view, guard=bench.guard.on(cases, knowledge, told))


def known_by(knowledge: Knowledge, moment: datetime) -> Knowledge:
    """What was known at the moment; undated documents are kept."""
    later = {
        (c.kind, c.document_id) for c in knowledge.chunks if (known := known_from(c)) is not None and known > moment
    }
    return knowledge.without(later)


def mined_between(whole: Knowledge, frozen: Knowledge, start: datetime, end: datetime) -> Knowledge:
    """The frozen knowledge and what transcript mining alone would have added by the end of the window."""
    gone = {
        (c.kind, c.document_id)
        for c in whole.chunks
        if (known := known_from(c)) is not None
        and (known > end or (known > start and c.kind is not DocumentKind.RESOLUTION))
    }
    return whole.without(gone)


def public_pieces(articles: Iterable[Article]) -> tuple[list[Chunk], list[IndexEntry]]:
    """Chunks and index entries of the articles, as if they were public."""
    return pieces_of(replace(article, audience="public") for article in articles)


def with_articles(knowledge: Knowledge, articles: Sequence[Article], bench: Bench) -> Knowledge:
    """The knowledge with these articles, public. Raises EmbeddingFailed."""
    chunks, entries = public_pieces(articles)
    return knowledge.with_pieces(chunks, entries, bench.embedder) if chunks else knowledge


def later_documents(whole: Knowledge, frozen: Knowledge) -> int:
    """How many documents the frozen knowledge lacks."""
    return len({(c.kind, c.document_id) for c in whole.chunks} - {(c.kind, c.document_id) for c in frozen.chunks})


def unrelated_drafts(pool: Sequence[ReplyCase], count: int, now: datetime, seed: int) -> list[Article]:
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


def averaged(draws: Sequence[Arm]) -> Arm:
    """Means over draws of the same cases; cited is what any of them cites."""
    columns = list(zip(*(arm.accuracies for arm in draws), strict=True))
    means = tuple(
        None if any(v is None for v in column) else sum(v for v in column if v is not None) / len(column)
        for column in columns
    )
    cited = tuple(frozenset().union(*held) for held in zip(*(arm.cited for arm in draws), strict=True))
    return Arm(means, cited)
