"""Do root causes name what is broken? Faults are planted in the demo shop, and the attribution is counted.

`python -m evals.bench.planted_faults`: all reply cases, some CPU minutes; docs/evaluation.md has its figures.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from assistant.bootstrap import build
from assistant.domain.conversation import Transcript
from assistant.domain.knowledge import Article
from assistant.domain.reply import Reply
from assistant.indexing import embed_entries
from assistant.ports import Embedder
from assistant.settings import Settings
from evals.answer_metrics import AnswerScorer, CaseScore
from evals.bench.planting import (
    Broken,
    Ground,
    broken_answering,
    deleted,
    family,
    made_stale,
    poisoned,
    still_told,
    survey,
)
from evals.caching_embedder import CachingEmbedder
from evals.case_sets import cases_from_transcripts, without_near_copies
from evals.cases import ReplyCase, read_cases
from evals.knowledge_view import Knowledge, KnowledgeView, ReplayClock
from evals.leak_guard import LeakGuard
from evals.pieces import pieces_of
from evals.root_causes import Cause, Diagnosis, RootCauses
from evals.root_causes.experiment import SOLVED
from evals.statistics import wilson
from evals.transfer_run import Bench
from ingest.demo import render_demo, second_replies
from ingest.sources import SourceItem, discover, read

TODAY = date(2026, 11, 22)
SEEN, HELD_OUT = "abcde", "h"  # the demo's groups, on which rules and constants were made, and what was written apart
FOLDS = 2  # half of the articles break at a time: a shop in which all are broken is no shop


@dataclass(frozen=True)
class Fault:
    """One thing broken, and the cause that it must be found to be.

    ``told`` says whether a case's customer is told just the same with the fault in place: then it is none there.
    """

    name: str
    cause: Cause
    plant: Callable[[Ground, Mapping[str, Sequence[ReplyCase]]], Broken] | None
    told: Callable[[Ground, str, str], bool] | None = None


@dataclass(frozen=True)
class Result:
    """Cases on which a fault was tried, those that it is none for (with the reason), and what the rest was put down to.

    Left out are cases without a figure in common with the knowledge, or told the same (stale alone), and, of any fault,
    cases that are still solved: by another article, or by what is left of the reply.
    """

    fault: str
    expected: Cause
    tried: Sequence[str]
    left_out: Mapping[str, str]
    diagnoses: Sequence[Diagnosis]
    replies: Mapping[str, str] = field(repr=False, default_factory=dict)

    def record(self, groups: str = SEEN) -> dict[str, Any]:
        """Counts over the cases of these groups, with the Wilson interval of the share attributed right."""
        found = [d for d in self.diagnoses if group_of(d.case_id) in groups]
        right = sum(d.cause is self.expected for d in found)
        return {
            "fault": self.fault,
            "expected": self.expected.value,
            "tried": sum(group_of(key) in groups for key in self.tried),
            "left_out": dict(Counter(why for key, why in self.left_out.items() if group_of(key) in groups)),
            "made_to_fail": len(found),
            "right": right,
            "share": round(right / len(found), 3) if found else None,
            "interval": _interval(right, len(found)),
            "causes": dict(Counter(d.cause.value for d in found).most_common()),
        }


@dataclass(frozen=True)
class Experiment:
    """The result of each fault, why cases fail without any, and why some that one article solves are no ground."""

    results: Sequence[Result]
    before: Sequence[Diagnosis] = ()
    unfit: Mapping[str, str] = field(default_factory=dict)


def _interval(right: int, count: int) -> list[float] | None:
    share = wilson(right, count)
    return None if share.low is None or share.high is None else [round(share.low, 3), round(share.high, 3)]


def group_of(case_id: str) -> str:
    """The group that a demo conversation was written in: ``a`` of ``c-a01-3``."""
    return case_id.split("-")[1][0]


@dataclass(frozen=True)
class Label:
    """What is known of a case apart from this experiment: the articles with its answer, and why its bot failed."""

    articles: frozenset[str]
    causes: frozenset[str]


def labels_of(cases: Iterable[ReplyCase]) -> dict[str, Label]:
    """By case what its conversation names as its articles, and what a careful reader labelled."""
    issues: dict[str, list[dict[str, Any]]] = {}
    for path in (files("ingest") / "samples" / "labels").iterdir():
        for line in path.read_text("utf-8").splitlines():
            record = json.loads(line)
            issues[record["conversation_id"]] = record["issues"]
    found = {}
    for case in cases:
        turn = int(case.case_id.rsplit("-", 1)[1])
        own = [issue for issue in issues.get(case.conversation_id, ()) if turn in issue["customer_turns"]]
        articles = frozenset((*case.article_ids, *(name for issue in own for name in issue["article_ids"])))
        found[case.case_id] = Label(articles, frozenset(issue["cause"] for issue in own if issue["cause"]))
    return found


def demo_bench(folder: Path, embedder: Embedder, *, only: Collection[str] = ()) -> Bench:
    """The demo's reply cases and the held-out ones on the demo's articles alone: a deleted article is really gone.

    With ``only`` these cases, on the articles that are known to be about them and as many others.
    """
    render_demo(folder, TODAY)
    articles: list[Article] = []
    transcripts: list[Transcript] = []
    for file in discover([folder / "articles", folder / "transcripts"]).files:
        for item in read(file):
            assert isinstance(item, SourceItem), item
            articles += [item.record] if isinstance(item.record, Article) else []
            transcripts += [item.record] if isinstance(item.record, Transcript) else []
    cases = [*without_near_copies(cases_from_transcripts(transcripts, second_replies(folder))).cases, *held_out_cases()]
    if only:
        cases = [case for case in cases if case.case_id in only]
        wanted = {family(key) for label in labels_of(cases).values() for key in label.articles}
        others = sorted({family(article.id) for article in articles} - wanted)
        wanted.update(random.Random(0).sample(others, min(len(wanted), len(others))))
        articles = [article for article in articles if family(article.id) in wanted]
    chunks, entries = pieces_of(articles)
    cache = CachingEmbedder(embedder)
    rows = embed_entries(cache, entries)
    knowledge = Knowledge(tuple(chunks), tuple(entries), dict(zip([e.id for e in entries], rows, strict=True)))
    clock = ReplayClock(datetime(TODAY.year, TODAY.month, TODAY.day, 12, tzinfo=UTC))
    return Bench(cases, KnowledgeView(knowledge, cache), cache, LeakGuard(cases, knowledge), clock, Settings())


def held_out_cases() -> list[ReplyCase]:
    """Conversations of the demo shop that the demo has not: each is answered out of one of its articles."""
    cases = []
    with as_file(files("evals.bench") / "data" / "group_h.jsonl") as path:
        for case in read_cases(path):
            assert isinstance(case, ReplyCase), case
            cases.append(case)
    return cases


FAULTS = (
    Fault("article deleted", Cause.KNOWLEDGE_MISSING, deleted),
    Fault("article made stale", Cause.KNOWLEDGE_STALE, made_stale, still_told),
    Fault("embedding poisoned", Cause.RETRIEVAL_MISSED, poisoned),
    Fault("answering broken", Cause.ANSWER_DID_NOT_SOLVE, None),
)


# -- planting them -------------------------------------------------------------------------------------------------


async def plant_all(
    bench: Bench, faults: Iterable[Fault] = FAULTS, *, groups: str = SEEN, before: bool = True
) -> Experiment:
    """Each fault on the cases of these groups that one article solves.

    With ``before`` also why cases fail without any fault. What luck reaches is measured on all of the bench's cases.
    """
    scorer = AnswerScorer(bench.cases, bench.embedder)
    hit = {case.case_id for case in bench.cases if group_of(case.case_id) in groups}
    replies, found = await _replayed(replace(bench, cases=[c for c in bench.cases if c.case_id in hit]), scorer)
    scored = {score.case_id: score for score in found}
    scores = [scored.get(case.case_id) or CaseScore(case.case_id, None, "no_prediction") for case in bench.cases]
    diagnoses = await RootCauses(bench, scorer).explain(replies, scores) if before else ()
    labels = labels_of(bench.cases)
    solved: dict[str, list[ReplyCase]] = {}
    unfit: dict[str, str] = {}
    for case, score in zip(bench.cases, scores, strict=True):
        if score.scores is None or score.scores.accuracy < SOLVED:
            continue
        cited = {family(c.article_id) for c in replies[case.case_id].citations if c.article_id is not None}
        if len(cited) != 1:
            continue
        reason = _unfit(cited, labels[case.case_id])
        if reason is None:
            solved.setdefault(cited.pop(), []).append(case)
        else:
            unfit[case.case_id] = reason
    ground = await survey(bench, scorer, solved, replies, {key: label.articles for key, label in labels.items()})
    return Experiment([await _plant(ground, scorer, fault) for fault in faults], diagnoses, unfit)


def _unfit(cited: Collection[str], label: Label) -> str | None:
    """Why nothing can be broken here, though the score says solved: something is amiss before any fault."""
    if label.causes & {Cause.KNOWLEDGE_MISSING.value, Cause.KNOWLEDGE_STALE.value}:
        return "labelled_missing_or_stale"  # the human says another thing than the knowledge
    if label.articles and not {family(name) for name in label.articles} & set(cited):
        return "solved_by_another_article"  # than the one that the labels name: by luck
    return None


async def _plant(ground: Ground, scorer: AnswerScorer, fault: Fault) -> Result:
    folds = FOLDS if fault.plant is not None else 1
    tried: list[str] = []
    found: list[Diagnosis] = []
    left_out: dict[str, str] = {}
    said: dict[str, str] = {}
    for start in range(folds):
        hit = {name: ground.solved[name] for name in sorted(ground.solved)[start::folds]}
        broken = fault.plant(ground, hit) if fault.plant is not None else None
        tried += (case.case_id for group in hit.values() for case in group)
        left_out |= broken.left_out if broken is not None else {}
        wanted = {case.case_id for group in hit.values() for case in group} - left_out.keys()
        if not wanted:
            continue
        if broken is not None:
            replies, diagnoses = await _diagnosed(ground.bench.on(broken.knowledge), scorer, wanted)
        else:
            with broken_answering():
                replies, diagnoses = await _diagnosed(ground.bench, scorer, wanted)
        if fault.told is not None:
            same = {key for key in wanted if fault.told(ground, key, replies[key].text)}
            left_out |= dict.fromkeys(same, "told_the_same")
        left_out |= dict.fromkeys(wanted - left_out.keys() - {d.case_id for d in diagnoses}, "still_solved")
        found += (d for d in diagnoses if d.case_id not in left_out)
        said |= {key: replies[key].text for key in wanted}
    return Result(fault.name, fault.cause, sorted(tried), left_out, found, said)


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


def summary(done: Experiment, groups: str) -> dict[str, Any]:
    """All faults on the cases of these groups, beside the baseline that always names the commonest planted cause."""
    rows = [result.record(groups) for result in done.results]
    failed, right = sum(row["made_to_fail"] for row in rows), sum(row["right"] for row in rows)
    return {
        "groups": groups,
        "unfit": dict(Counter(why for key, why in done.unfit.items() if group_of(key) in groups)),
        "faults": rows,
        "made_to_fail": failed,
        "right": right,
        "share": round(right / failed, 3) if failed else None,
        "interval": _interval(right, failed),
        "baseline_random": round(1 / len(rows), 3),
        "baseline_commonest": round(max(row["made_to_fail"] for row in rows) / failed, 3) if failed else None,
    }


def main() -> None:
    """Plant every fault in the demo shop and print what was attributed to what, as JSON."""
    arguments = argparse.ArgumentParser(prog="python -m evals.bench.planted_faults", description=main.__doc__)
    arguments.add_argument("--only", nargs="+", default=[], metavar="CASE", help="these cases, on fewer articles")
    arguments.add_argument("--groups", nargs="+", default=[HELD_OUT, SEEN], metavar="GROUPS", help="such as h or abcde")
    arguments.add_argument("--details", type=Path, help="write each diagnosis with its evidence, JSONL")
    given = arguments.parse_args()
    started = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        bench = demo_bench(Path(folder), build(Settings()).embedder, only=given.only)
    made: dict[str, Experiment] = {}
    for groups in given.groups:
        made[groups] = asyncio.run(plant_all(bench, groups=groups, before=groups == SEEN))
    if given.details is not None:
        rows: list[tuple[str, Cause | None, Diagnosis]] = []
        for done in made.values():
            rows += [("none", None, d) for d in done.before]
            rows += [(r.fault, r.expected, d) for r in done.results for d in r.diagnoses]
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
        "planted": {groups: summary(done, groups) for groups, done in made.items()},
        "without_faults": {g: dict(Counter(d.cause.value for d in m.before).most_common()) for g, m in made.items()},
        "cpu_seconds": round(time.process_time() - started, 1),
    }
    sys.stdout.write(json.dumps(record, ensure_ascii=False, indent=1) + "\n")


if __name__ == "__main__":
    main()
