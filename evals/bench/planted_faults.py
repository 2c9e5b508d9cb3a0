"""Do root causes name what is broken? Faults are planted in the demo shop, and the attribution is counted.

`python -m evals.bench.planted_faults`: all reply cases, some CPU minutes; docs/evaluation.md has its figures.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np

from assistant.bootstrap import build
from assistant.domain.conversation import Transcript
from assistant.domain.knowledge import Article, Chunk, EntryField, IndexEntry, Passage
from assistant.domain.reply import Reply
from assistant.extractive import ExtractiveAnswerer
from assistant.extractive.answerer import ExtractiveAnswer
from assistant.indexing import embed_entries
from assistant.ports import Embedder
from assistant.settings import Settings
from assistant.text import fold
from evals.answer_metrics import AnswerScorer, CaseScore
from evals.answer_metrics.sentences import content_sentences
from evals.caching_embedder import CachingEmbedder
from evals.case_sets import cases_from_transcripts, without_near_copies
from evals.cases import ReplyCase
from evals.knowledge_view import Knowledge, KnowledgeView, ReplayClock
from evals.leak_guard import LeakGuard
from evals.root_causes import Cause, Diagnosis, RootCauses
from evals.root_causes.experiment import SOLVED
from evals.statistics import wilson
from evals.transfer_run import Bench
from ingest.demo import render_demo, second_replies
from ingest.pipeline import article_write
from ingest.sources import SourceItem, discover, read

TODAY = date(2026, 11, 22)
TUNED, HELD_OUT = "ab", "cd"  # groups of the demo's conversations: thresholds were chosen on the first alone
FOLDS = 2  # half of the articles break at a time: a shop in which all are broken is no shop
_NUMBER = re.compile(r"(?<![A-Za-z\d.])\d+(?!\d|\.\d)")


@dataclass(frozen=True)
class Fault:
    """One thing broken, and the cause that it must be found to be."""

    name: str
    cause: Cause
    plant: Callable[[Bench, Mapping[str, Sequence[ReplyCase]]], Knowledge] | None


@dataclass(frozen=True)
class Result:
    """Cases on which a fault was planted, those of them that it made fail, and what these were put down to."""

    fault: str
    expected: Cause
    planted: Sequence[str]
    diagnoses: Sequence[Diagnosis]
    replies: Mapping[str, str] = field(repr=False, default_factory=dict)

    def record(self, groups: str = "abcd") -> dict[str, Any]:
        """Counts over the cases of these groups, with the Wilson interval of the share attributed right."""
        found = [d for d in self.diagnoses if group_of(d.case_id) in groups]
        right = sum(d.cause is self.expected for d in found)
        return {
            "fault": self.fault,
            "expected": self.expected.value,
            "planted": sum(group_of(key) in groups for key in self.planted),
            "made_to_fail": len(found),
            "right": right,
            "share": round(right / len(found), 3) if found else None,
            "interval": _interval(right, len(found)),
            "causes": dict(Counter(d.cause.value for d in found).most_common()),
        }


def _interval(right: int, count: int) -> list[float] | None:
    share = wilson(right, count)
    return None if share.low is None or share.high is None else [round(share.low, 3), round(share.high, 3)]


def group_of(case_id: str) -> str:
    """The group that a demo conversation was written in: ``a`` of ``c-a01-3``."""
    return case_id.split("-")[1][0]


def demo_bench(folder: Path, embedder: Embedder, *, sample: int | None = None, seed: int = 0) -> Bench:
    """The demo's reply cases on the demo's articles alone, so that a deleted article is really gone.

    With ``sample`` only so many cases of the held-out groups, on the articles these are about and as many others.
    """
    render_demo(folder, TODAY)
    articles: list[Article] = []
    transcripts: list[Transcript] = []
    for file in discover([folder / "articles", folder / "transcripts"]).files:
        for item in read(file):
            assert isinstance(item, SourceItem), item
            articles += [item.record] if isinstance(item.record, Article) else []
            transcripts += [item.record] if isinstance(item.record, Transcript) else []
    cases: Sequence[ReplyCase] = without_near_copies(cases_from_transcripts(transcripts, second_replies(folder))).cases
    if sample is not None:
        chance = random.Random(seed)
        held_out = [case for case in cases if group_of(case.case_id) in HELD_OUT and case.article_ids]
        cases = sorted(chance.sample(held_out, min(sample, len(held_out))), key=lambda case: case.case_id)
        wanted = {family(key) for case in cases for key in case.article_ids}
        others = sorted({family(article.id) for article in articles} - wanted)
        wanted.update(chance.sample(others, min(len(wanted), len(others))))
        articles = [article for article in articles if family(article.id) in wanted]
    chunks: list[Chunk] = []
    entries: list[IndexEntry] = []
    for article in articles:
        made = article_write(article, "", "")
        chunks += made.chunks
        entries += made.entries
    cache = CachingEmbedder(embedder)
    rows = embed_entries(cache, entries)
    knowledge = Knowledge(tuple(chunks), tuple(entries), dict(zip([e.id for e in entries], rows, strict=True)))
    clock = ReplayClock(datetime(TODAY.year, TODAY.month, TODAY.day, 12, tzinfo=UTC))
    return Bench(cases, KnowledgeView(knowledge, cache), cache, LeakGuard(cases, knowledge), clock, Settings())


# -- the faults ----------------------------------------------------------------------------------------------------


def deleted(bench: Bench, hit: Mapping[str, Sequence[ReplyCase]]) -> Knowledge:
    """Without these articles, in either language, and without what the cases' labels name beside them."""
    gone = {*hit, *(family(key) for cases in hit.values() for case in cases for key in case.article_ids)}
    knowledge = bench.view.knowledge
    return knowledge.without((c.kind, c.document_id) for c in knowledge.chunks if family(c.document_id) in gone)


def made_stale(bench: Bench, hit: Mapping[str, Sequence[ReplyCase]]) -> Knowledge:
    """The figures on which an article and the humans agree are other ones in the article: it was true once."""
    knowledge = bench.view.knowledge
    chunks: list[Chunk] = []
    for chunk in knowledge.chunks:
        cases = hit.get(family(chunk.document_id), ())
        agreed = {number for case in cases for number in _NUMBER.findall(fold(case.references[0]))}
        if agreed:

            def older(match: re.Match[str], agreed: set[str] = agreed) -> str:
                value = int(match.group())
                return str(value + 1 if value < 23 else 2 * value + 1) if match.group() in agreed else match.group()

            folded = "\n".join(fold(line) for line in chunk.text.splitlines())
            chunks.append(replace(chunk, text=_NUMBER.sub(older, folded)))
    by_id = {chunk.id: chunk for chunk in chunks}
    entries = []
    for entry in knowledge.entries:
        if (old := by_id.get(entry.chunk_id)) is not None:
            body = "\n".join(part for part in (old.title, old.heading, old.text) if part)
            entries.append(replace(entry, text=body) if entry.field is EntryField.BODY else entry)
    kept = tuple(entry for entry in knowledge.entries if entry.chunk_id not in by_id)
    return Knowledge(knowledge.chunks, kept, knowledge.vectors).with_pieces(chunks, entries, bench.embedder)


def poisoned(bench: Bench, hit: Mapping[str, Sequence[ReplyCase]]) -> Knowledge:
    """The index holds vectors for these articles that point away from all else: nothing finds them by meaning."""
    knowledge = bench.view.knowledge
    ids = {c.id for c in knowledge.chunks if family(c.document_id) in hit}
    mean = np.mean([knowledge.vectors[e.id] for e in knowledge.entries], axis=0)
    away = (-mean / np.linalg.norm(mean)).astype(np.float32)
    return knowledge.with_vectors({e.id: away for e in knowledge.entries if e.chunk_id in ids})


@contextmanager
def broken_answering() -> Iterator[None]:
    """The step that writes the answer gives what helps nobody, whatever passages it is shown.

    Drafts are written without a model, so that there is no prompt to break in a replay; the step itself is broken,
    in two ways by turns: it quotes the end of its best passage cut off, or points elsewhere without saying anything.
    """
    whole = ExtractiveAnswerer.answer

    def broken(self: ExtractiveAnswerer, question: str, passages: Sequence[Passage], **_: Any) -> ExtractiveAnswer:
        quoted = content_sentences(passages[0].text)[-1:] if passages and len(question) % 2 else ()
        text = quoted[0][:12] if quoted else "您可以在商品详情页查看说明。"
        return ExtractiveAnswer(text, (), 0.5, False)

    ExtractiveAnswerer.answer = broken  # type: ignore[method-assign]
    try:
        yield
    finally:
        ExtractiveAnswerer.answer = whole  # type: ignore[method-assign]


FAULTS = (
    Fault("article deleted", Cause.KNOWLEDGE_MISSING, deleted),
    Fault("article made stale", Cause.KNOWLEDGE_STALE, made_stale),
    Fault("embedding poisoned", Cause.RETRIEVAL_MISSED, poisoned),
    Fault("answering broken", Cause.ANSWER_DID_NOT_SOLVE, None),
)


# -- planting them -------------------------------------------------------------------------------------------------


async def plant_all(bench: Bench, faults: Iterable[Fault] = FAULTS) -> tuple[list[Result], list[Diagnosis]]:
    """Each fault's result on the cases that articles solve, and the diagnoses of what fails without any fault."""
    scorer = AnswerScorer(bench.cases, bench.embedder)
    replies, scores = await _replayed(bench, scorer)
    before = await RootCauses(bench, scorer).explain(replies, scores)
    solved: dict[str, list[ReplyCase]] = {}
    for case, score in zip(bench.cases, scores, strict=True):
        cited = {family(c.article_id) for c in replies[case.case_id].citations if c.article_id is not None}
        if score.scores is not None and score.scores.accuracy >= SOLVED and len(cited) == 1:
            solved.setdefault(cited.pop(), []).append(case)
    return [await _plant(bench, scorer, solved, fault) for fault in faults], before


async def _plant(bench: Bench, scorer: AnswerScorer, solved: Mapping[str, list[ReplyCase]], fault: Fault) -> Result:
    families = sorted(solved)
    planted: list[str] = []
    found: list[Diagnosis] = []
    said: dict[str, str] = {}
    for start in range(FOLDS if fault.plant is not None else 1):
        hit = {name: solved[name] for name in (families[start::FOLDS] if fault.plant is not None else families)}
        if not hit:
            continue
        wanted = {case.case_id for cases in hit.values() for case in cases}
        if fault.plant is not None:
            replies, diagnoses = await _diagnosed(bench.on(fault.plant(bench, hit)), scorer, wanted)
        else:
            with broken_answering():
                replies, diagnoses = await _diagnosed(bench, scorer, wanted)
        planted += sorted(wanted)
        found += diagnoses
        said |= {key: replies[key].text for key in wanted}
    return Result(fault.name, fault.cause, planted, found, said)


async def _diagnosed(
    bench: Bench, scorer: AnswerScorer, wanted: set[str]
) -> tuple[Mapping[str, Reply], list[Diagnosis]]:
    """The whole pipeline again, knowing nothing of the fault; only what it says of the ``wanted`` cases is kept."""
    hit = replace(bench, cases=[case for case in bench.cases if case.case_id in wanted])
    replies, scores = await _replayed(hit, scorer)
    every = {score.case_id: score for score in scores}
    missing = [every.get(case.case_id) or CaseScore(case.case_id, None, "no_prediction") for case in bench.cases]
    return replies, await RootCauses(bench, scorer).explain(replies, missing)


async def _replayed(bench: Bench, scorer: AnswerScorer) -> tuple[Mapping[str, Reply], list[CaseScore]]:
    result = await bench.replay()
    wanted = {case.case_id for case in bench.cases}
    return result.replies, [score for score in scorer.score(result.predictions()) if score.case_id in wanted]


def family(article_id: str) -> str:
    """The article whatever its language."""
    return re.sub(r"-en$", "", article_id)


def summary(results: Sequence[Result], groups: str) -> dict[str, Any]:
    """All faults on the cases of these groups, beside the baseline that always names the commonest planted cause."""
    rows = [result.record(groups) for result in results]
    failed, right = sum(row["made_to_fail"] for row in rows), sum(row["right"] for row in rows)
    return {
        "groups": groups,
        "faults": rows,
        "made_to_fail": failed,
        "right": right,
        "share": round(right / failed, 3) if failed else None,
        "interval": _interval(right, failed),
        "baseline_commonest": round(max(row["made_to_fail"] for row in rows) / failed, 3) if failed else None,
    }


def main() -> None:
    """Plant every fault in the demo shop and print what was attributed to what, as JSON."""
    arguments = argparse.ArgumentParser(prog="python -m evals.bench.planted_faults", description=main.__doc__)
    arguments.add_argument("--sample", type=int, help="only so many cases of the held-out groups")
    arguments.add_argument("--seed", type=int, default=0)
    arguments.add_argument("--details", type=Path, help="write each diagnosis with its evidence, JSONL")
    given = arguments.parse_args()
    started = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        bench = demo_bench(Path(folder), build(Settings()).embedder, sample=given.sample, seed=given.seed)
    results, before = asyncio.run(plant_all(bench))
    if given.details is not None:
        rows = [("none", None, d) for d in before] + [(r.fault, r.expected, d) for r in results for d in r.diagnoses]
        lines = [
            json.dumps(
                {"fault": f, "expected": e, "case_id": d.case_id, "cause": d.cause, "evidence": d.evidence},
                ensure_ascii=False,
            )
            for f, e, d in rows
        ]
        given.details.write_text("\n".join(lines) + "\n", encoding="utf-8")
    record = {
        "cases": len(bench.cases),
        "held_out": summary(results, HELD_OUT),
        "tuned_on": summary(results, TUNED),
        "without_faults": dict(Counter(d.cause.value for d in before).most_common()),
        "cpu_seconds": round(time.process_time() - started, 1),
    }
    sys.stdout.write(json.dumps(record, ensure_ascii=False, indent=1) + "\n")


if __name__ == "__main__":
    main()
