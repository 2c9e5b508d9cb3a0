"""A whole evaluation of transferred cases: replay, scores, causes, the stored run and the report."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from assistant.domain.reply import Reply
from assistant.ports import Progress
from assistant.text import fold
from evals.answer_metrics import AnswerScorer, CaseScore
from evals.answer_metrics.sentences import content_sentences
from evals.intents import case_intents, titles
from evals.jsonl import write_whole
from evals.judge import Judged
from evals.judge.stored import with_judgement
from evals.loop.gaps import Gap, case_costs, find_gaps, minutes_of
from evals.report import ReportInput, render_report
from evals.report.in_use import InUse
from evals.report.since import since_last
from evals.report.words import WORDS, Locale
from evals.root_causes import Diagnosis, RootCauses
from evals.root_causes.experiment import SOLVED
from evals.run_journal import RunJournal
from evals.runs import EvalRun, data_version
from evals.scoring import Scored, expect_scoring, score_replay, stored_run
from evals.transfer_run import Bench, together
from ingest.sources.schemas import parse_transcript

_GROUP_SIZE = 25  # cases diagnosed together, and kept together
_GROUPS_AT_ONCE = 3  # where another process embeds: while some wait for it others go on


@dataclass(frozen=True)
class Evaluation:
    """A scored replay and why its failed cases failed; no diagnoses where causes were not asked for."""

    bench: Bench
    scored: Scored
    diagnoses: Sequence[Diagnosis]
    with_causes: bool
    judged: Judged | None = None
    intents: Mapping[str, str] = field(default_factory=dict)

    def record(self) -> dict[str, Any]:
        """The figures as JSON data; ``causes`` is None where they were not asked for."""
        solved = [s.scores.accuracy >= SOLVED for s in self.scored.scores if s.scores is not None]
        causes = dict(Counter(d.cause.value for d in self.diagnoses).most_common())
        return {
            **self.scored.record(),
            "solved": {"threshold": SOLVED, "cases": sum(solved), "scored": len(solved)},
            "causes": causes if self.with_causes else None,
            "judge": None if self.judged is None else self.judged.record(),
        }

    def stored(self, now: datetime, source: str, arguments: Mapping[str, Any]) -> EvalRun:
        """The run as it is kept on disk."""
        causes = {d.case_id: (d.cause.value, d.evidence) for d in self.diagnoses}
        fingerprint = self.bench.embedder.fingerprint
        told = {**arguments, "knowledge": _knowledge(self.bench)[:16], "fit": _fit(self.bench)}
        told |= {"reranker": _reranker(self.bench)} if self.bench.view.reranker is not None else {}
        run = stored_run(self.scored, fingerprint, now, source, causes=causes, intents=self.intents, arguments=told)
        return run if self.judged is None else with_judgement(run, self.judged)


async def evaluate_transfers(
    bench: Bench, *, with_causes: bool, progress: Progress | None = None, journal: RunJournal | None = None
) -> Evaluation:
    """Replay and score the cases, and diagnose those that failed. Raises LeakFound and EmbeddingFailed.

    What ``journal`` holds is not done again, and each new reply and diagnosis is kept there as it comes.
    """
    known = journal.replies if journal is not None else {}

    def keep(case_id: str, reply: Reply) -> None:
        if journal is not None:
            journal.keep_reply(case_id, reply)
        bench.embedder.expect_queries(content_sentences(reply.text))

    bench.prefill(known, progress)
    expect_scoring(bench.cases, bench.embedder)
    result = await bench.replay(progress, known=known, keep=keep)
    if progress is not None:
        progress.advance("scoring", 0, 1)
    scorer = AnswerScorer(bench.cases, bench.embedder)
    scored = score_replay(bench.cases, result, bench.embedder, scorer)
    if progress is not None:
        progress.advance("scoring", 1, 1)
    diagnoses: Sequence[Diagnosis] = ()
    if with_causes:
        diagnoses = await _diagnose(bench, scorer, result.replies, scored.scores, progress, journal)
    return Evaluation(bench, scored, diagnoses, with_causes, intents=case_intents(bench))


async def _diagnose(
    bench: Bench,
    scorer: AnswerScorer,
    replies: Mapping[str, Reply],
    scores: Sequence[CaseScore],
    progress: Progress | None,
    journal: RunJournal | None,
) -> Sequence[Diagnosis]:
    """Diagnoses of the failed cases in order, a group at a time so that a kill loses at most one group."""
    causes = RootCauses(bench, scorer)
    found = dict(journal.diagnoses) if journal is not None else {}
    failed = [s.case_id for s in scores if s.scores is not None and s.scores.accuracy < SOLVED]
    found = {key: found[key] for key in failed if key in found}
    rest = [key for key in failed if key not in found]
    by_id = {case.case_id: case for case in bench.cases}
    causes.expect([by_id[key] for key in rest if key in replies], replies)
    told = (by_id[key].references for key in failed)  # the report groups failed cases by what the humans said
    bench.embedder.expect_queries(fold(references[0]) for references in told if references)
    room = asyncio.Semaphore(_GROUPS_AT_ONCE if bench.embedder.ahead else 1)

    async def one(group: frozenset[str]) -> None:
        own = [s if s.case_id in group else CaseScore(s.case_id, None) for s in scores]
        async with room:
            made = await causes.explain(replies, own)
        found.update((each.case_id, each) for each in made)
        if journal is not None:
            journal.keep_diagnoses(made)
        if progress is not None:
            progress.advance("causes", len(found), len(failed))

    await together(one(frozenset(rest[start : start + _GROUP_SIZE])) for start in range(0, len(rest), _GROUP_SIZE))
    return [found[key] for key in failed if key in found]


def inputs_of(bench: Bench, *, with_causes: bool) -> dict[str, str]:
    """What a run's figures depend on, by name: a run goes on only where all of it is as it was."""
    case_set = data_version(repr(case) for case in bench.cases)
    return {
        "cases": case_set,
        "knowledge": _knowledge(bench),
        "embedder": bench.embedder.fingerprint,
        "model": bench.chat_model.name if bench.chat_model is not None else "",
        "thresholds": f"{bench.settings.answer_threshold} {bench.settings.clarify_threshold}",
        "fit": _fit(bench),
        "reranker": _reranker(bench),
        "as_of_case": str(bench.view.as_of),
        "causes": str(with_causes),
    }


def _fit(bench: Bench) -> str:
    """What was fitted to the workspace and answers here, and when; a fit on these very cases flatters them."""
    fitted = bench.view.fitted
    return f"{fitted.record.get('kept')} {fitted.record.get('fitted_at', '')}".strip() if fitted is not None else "none"


def _reranker(bench: Bench) -> str:
    return bench.view.reranker.name if bench.view.reranker is not None else ""


def _knowledge(bench: Bench) -> str:
    held = bench.view.knowledge
    return data_version(map(repr, (*held.chunks, *held.entries)))


def report_on(
    path: Path,
    done: Evaluation,
    run: EvalRun,
    transcripts: Iterable[Mapping[str, Any]],
    workspace: str,
    locale: Locale,
    *,
    stored: Iterable[EvalRun] = (),
    in_use: InUse | None = None,
) -> None:
    """Write the HTML report, whole or not at all. ``transcripts`` are canonical, as the records keep them.

    The newest of the runs ``stored`` before this one is what it is compared with.
    """
    costs = case_costs(parse_transcript(dict(transcript), "records") for transcript in transcripts)
    diagnosed = {diagnosis.case_id for diagnosis in done.diagnoses}
    given = ReportInput(
        workspace,
        done.scored,
        run,
        done.diagnoses,
        find_gaps(done.bench.cases, done.diagnoses, costs, done.bench.embedder),
        SOLVED,
        done.judged,
        since_last(run, stored, SOLVED),
        titles(done.bench),
        minutes_of((case.conversation_id for case in done.bench.cases if case.case_id in diagnosed), costs),
        done.with_causes,
        in_use,
    )
    write_whole(path, render_report(given, locale))


def gaps_of(done: Evaluation, transcripts: Iterable[Mapping[str, Any]]) -> list[Gap]:
    """The gaps of an evaluation, the costliest first."""
    costs = case_costs(parse_transcript(dict(transcript), "records") for transcript in transcripts)
    return find_gaps(done.bench.cases, done.diagnoses, costs, done.bench.embedder)


def causes_markdown(done: Evaluation) -> str:
    """The causes as a Markdown table after the summary's; empty where there are none."""
    if not done.diagnoses:
        return ""
    counts = Counter(d.cause.value for d in done.diagnoses).most_common()
    rows = [f"| {name} | {count} | {WORDS['en'][name + '_do']} |" for name, count in counts]
    head = f"{len(done.diagnoses)} cases below {SOLVED:g}; why, by experiment:"
    return "\n".join(["", "", head, "", "| cause | cases | what to do |", "|---|---|---|", *rows])
