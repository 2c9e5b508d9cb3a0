"""Old cases run again with candidate articles in a shadow index: what they solve, spoil, repeat and contradict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from assistant.domain.knowledge import Article, Chunk
from assistant.ports import Progress
from evals.answer_metrics import AnswerScorer
from evals.answer_metrics.contradiction import contradiction
from evals.answer_metrics.semantic import Background, SentenceVectors, agreements
from evals.answer_metrics.sentences import content_sentences
from evals.leak_guard import shingles
from evals.pieces import pieces_of
from evals.provenance import sources_of
from evals.statistics import Difference, paired_difference
from evals.transfer_run import Bench

SAME = 0.5
"""Share of a candidate's character 6-grams in one article from which it repeats that article."""


@dataclass(frozen=True, slots=True)
class ShadowReport:
    """What publishing the candidates would do. Cases by id; ``difference`` leaves out the marked ones.

    ``marked`` are cases of conversations that a candidate was written from: they are no gain, whatever they score.
    ``duplicates`` are (candidate, article), ``contradictions`` (candidate, article, the human's figure, the other's).
    """

    before: float | None
    after: float | None
    difference: Difference
    gains: tuple[str, ...]
    regressions: tuple[str, ...]
    marked: tuple[str, ...]
    duplicates: tuple[tuple[str, str], ...]
    contradictions: tuple[tuple[str, str, str, str], ...]

    def record(self) -> dict[str, Any]:
        """As JSON data."""
        d = self.difference
        return {
            "accuracy": {"before": self.before, "after": self.after, "cases": d.pairs},
            "difference": {"mean": d.mean, "interval": [d.low, d.high], "smallest_detectable": d.detectable},
            "gains": list(self.gains),
            "regressions": list(self.regressions),
            "marked": list(self.marked),
            "duplicates": [list(pair) for pair in self.duplicates],
            "contradictions": [list(found) for found in self.contradictions],
        }


async def replay_candidates(
    bench: Bench, candidates: Sequence[Article], *, solved: float, progress: Progress | None = None
) -> ShadowReport:
    """Replay the bench's cases without and with the candidates, as if they were public. Raises EmbeddingFailed."""
    public = [replace(article, audience="public") for article in candidates]
    chunks, entries = pieces_of(public)
    told = {article.id: sources_of(article) for article in candidates}
    shadow = bench.on(bench.view.knowledge.with_pieces(chunks, entries, bench.embedder), told)
    scorer = AnswerScorer(bench.cases, bench.embedder)
    accuracies: list[list[float | None]] = []
    for each in (bench, shadow):
        result = await each.replay(progress)
        scores = scorer.score(result.predictions())
        leaked = set(result.guard.leaks)
        accuracies.append([None if s.scores is None or s.case_id in leaked else s.scores.accuracy for s in scores])
    marked = [shadow.guard.marked(case) for case in bench.cases]
    before, after = (
        [None if own else value for own, value in zip(marked, values, strict=True)] for values in accuracies
    )
    pairs = [
        (case.case_id, old, new)
        for case, old, new in zip(bench.cases, before, after, strict=True)
        if old is not None and new is not None
    ]
    return ShadowReport(
        before=sum(old for _, old, _ in pairs) / len(pairs) if pairs else None,
        after=sum(new for _, _, new in pairs) / len(pairs) if pairs else None,
        difference=paired_difference(before, after, groups=[case.conversation_id for case in bench.cases]),
        gains=tuple(key for key, old, new in pairs if old < solved <= new),
        regressions=tuple(key for key, old, new in pairs if new < solved <= old),
        marked=tuple(case.case_id for case, own in zip(bench.cases, marked, strict=True) if own),
        duplicates=tuple(duplicates(chunks, bench.view.knowledge.chunks)),
        contradictions=tuple(_contradictions(bench, chunks)),
    )


def duplicates(new: Sequence[Chunk], old: Sequence[Chunk]) -> list[tuple[str, str]]:
    """(candidate, article) where half of the candidate's chunk stands in the article."""
    known = [(chunk.document_id, shingles(chunk.text)) for chunk in old if chunk.conversation_id is None]
    found: dict[tuple[str, str], None] = {}
    for chunk in new:
        own = shingles(chunk.text)
        for document_id, held in known:
            if own and document_id != chunk.document_id and len(own & held) >= SAME * len(own):
                found[chunk.document_id, document_id] = None
    return list(found)


def _contradictions(bench: Bench, new: Sequence[Chunk]) -> list[tuple[str, str, str, str]]:
    """Figures of a candidate that clash with an article's sentence on the same."""
    articles = [chunk for chunk in bench.view.knowledge.chunks if chunk.conversation_id is None]
    vectors = SentenceVectors(bench.embedder)
    pool = [(s, c.document_id) for c in (*articles, *new) for s in content_sentences(c.text)]
    vectors.prepare(sentence for sentence, _ in pool)
    background = Background(pool, vectors)
    found: dict[tuple[str, str, str, str], None] = {}
    for candidate in new:
        mine = content_sentences(candidate.text)
        for article in articles:
            theirs = content_sentences(article.text)
            if not mine or not theirs or article.document_id == candidate.document_id:
                continue
            agreed = agreements(mine, theirs, vectors, background, candidate.document_id)
            for ours, other in contradiction(theirs, mine, agreed, candidate.title).figures:
                found[candidate.document_id, article.document_id, ours, other] = None
    return list(found)
