"""Faults planted in the demo shop, each with the cause it must be found to be. Used by test_planted_faults."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np

from assistant.domain.conversation import Transcript
from assistant.domain.knowledge import Article, Chunk, DocumentKind, EntryField, IndexEntry
from assistant.domain.reply import Reply
from assistant.indexing import embed_entries
from assistant.ports import Embedder
from assistant.settings import Settings
from assistant.text import fold
from evals.answer_metrics import AnswerScorer, CaseScore
from evals.caching_embedder import CachingEmbedder
from evals.case_sets import cases_from_transcripts, without_near_copies
from evals.cases import ReplyCase
from evals.knowledge_view import Knowledge, KnowledgeView, ReplayClock
from evals.leak_guard import LeakGuard
from evals.root_causes import Diagnosis, RootCauses
from evals.root_causes.experiment import SOLVED
from evals.transfer_run import Bench
from ingest.demo import render_demo, second_replies
from ingest.pipeline import article_write
from ingest.sources import SourceItem, discover, read

TODAY = date(2026, 11, 22)
_NUMBER = re.compile(r"(?<![A-Za-z\d.])\d+(?!\d|\.\d)")


def demo_bench(folder: Path, embedder: Embedder) -> Bench:
    """The demo's reply cases on the demo's articles alone, so that a deleted article is really gone."""
    render_demo(folder, TODAY)
    chunks: list[Chunk] = []
    entries: list[IndexEntry] = []
    transcripts: list[Transcript] = []
    for file in discover([folder / "articles", folder / "transcripts"]).files:
        for item in read(file):
            assert isinstance(item, SourceItem), item
            if isinstance(item.record, Article):
                made = article_write(item.record, "", "")
                chunks += made.chunks
                entries += made.entries
            else:
                transcripts.append(item.record)
    cache = CachingEmbedder(embedder)
    rows = embed_entries(cache, entries)
    knowledge = Knowledge(tuple(chunks), tuple(entries), dict(zip([e.id for e in entries], rows, strict=True)))
    cases = without_near_copies(cases_from_transcripts(transcripts, second_replies(folder))).cases
    clock = ReplayClock(datetime(TODAY.year, TODAY.month, TODAY.day, 12, tzinfo=UTC))
    return Bench(cases, KnowledgeView(knowledge, cache), cache, LeakGuard(cases, knowledge), clock, Settings())


@dataclass(frozen=True)
class Outcome:
    """Replies and scores by case id."""

    replies: Mapping[str, Reply]
    scores: Mapping[str, CaseScore]

    def accuracy(self, case: ReplyCase) -> float:
        scores = self.scores[case.case_id].scores
        return 0.0 if scores is None else scores.accuracy


async def outcome(bench: Bench, scorer: AnswerScorer) -> Outcome:
    """The replay, scored."""
    result = await bench.replay()
    return Outcome(result.replies, {score.case_id: score for score in scorer.score(result.predictions())})


def solved_by(bench: Bench, before: Outcome) -> dict[str, list[ReplyCase]]:
    """Solved cases by the article (both languages as one) that the reply cites, where it cites just one."""
    found: dict[str, list[ReplyCase]] = {}
    for case in bench.cases:
        cited = {family(c.article_id) for c in before.replies[case.case_id].citations if c.article_id is not None}
        if before.accuracy(case) >= SOLVED and len(cited) == 1:
            found.setdefault(cited.pop(), []).append(case)
    return found


def family(article_id: str) -> str:
    """The article whatever its language."""
    return re.sub(r"-en$", "", article_id)


def deleted(knowledge: Knowledge, families: Iterable[str]) -> Knowledge:
    """Without these articles."""
    gone = set(families)
    return knowledge.without((c.kind, c.document_id) for c in knowledge.chunks if family(c.document_id) in gone)


def made_stale(knowledge: Knowledge, hit: Mapping[str, Sequence[ReplyCase]], embedder: Embedder) -> Knowledge:
    """The figures on which an article and the humans agree are other ones in the article: it was true once."""
    chunks: list[Chunk] = []
    for chunk in knowledge.chunks:
        agreed = {
            n for case in hit.get(family(chunk.document_id), ()) for n in _NUMBER.findall(fold(case.references[0]))
        }
        if agreed:

            def older(match: re.Match[str], agreed: set[str] = agreed) -> str:
                return str(int(match.group()) * 2 + 1) if match.group() in agreed else match.group()

            chunks.append(replace(chunk, text=_NUMBER.sub(older, fold_lines(chunk.text))))
    ids = {chunk.id: chunk for chunk in chunks}
    entries = []
    for entry in knowledge.entries:
        if (chunk := ids.get(entry.chunk_id)) is not None:
            body = "\n".join(part for part in (chunk.title, chunk.heading, chunk.text) if part)
            entries.append(replace(entry, text=body) if entry.field is EntryField.BODY else entry)
    kept = tuple(entry for entry in knowledge.entries if entry.chunk_id not in ids)
    return Knowledge(knowledge.chunks, kept, knowledge.vectors).with_pieces(chunks, entries, embedder)


def fold_lines(text: str) -> str:
    """The text in the form figures are compared in, its lines kept."""
    return "\n".join(fold(line) for line in text.splitlines())


def poisoned(knowledge: Knowledge, families: Iterable[str]) -> Knowledge:
    """The vectors of these articles point away from where they should: nothing finds them by meaning."""
    wanted = set(families)
    ids = {c.id for c in knowledge.chunks if family(c.document_id) in wanted}
    mean = np.mean([knowledge.vectors[e.id] for e in knowledge.entries], axis=0)
    away = (-mean / np.linalg.norm(mean)).astype(np.float32)
    return knowledge.with_vectors({e.id: away for e in knowledge.entries if e.chunk_id in ids})


async def diagnoses(
    bench: Bench, scorer: AnswerScorer, hit: Sequence[ReplyCase]
) -> tuple[list[ReplyCase], list[Diagnosis]]:
    """Those of ``hit`` that fail on this bench, and what they are said to have failed by."""
    wanted = {case.case_id for case in hit}
    after = await outcome(bench, scorer)
    failed = [case for case in bench.cases if case.case_id in wanted and after.accuracy(case) < SOLVED]
    scores = [
        after.scores[case.case_id] if case in failed else CaseScore(case.case_id, None, "no_prediction")
        for case in bench.cases
    ]
    return failed, await RootCauses(bench, scorer).explain(after.replies, scores)


def folds(families: Sequence[str], count: int) -> list[list[str]]:
    """The families dealt out: not all articles break at once."""
    return [list(families[start::count]) for start in range(count) if families[start::count]]


def table(name: str, found: Sequence[Diagnosis], expected: str) -> str:
    """One line of the test's output."""
    counts = Counter(d.cause.value for d in found)
    right = counts[expected]
    return f"{name}: {right} of {len(found)} attributed to {expected}; {dict(counts)}"


__all__ = ["DocumentKind", "Outcome", "deleted", "demo_bench", "diagnoses", "folds", "made_stale", "outcome"]
