"""A whole evaluation of transferred cases: replay, scores, causes, the stored run and the report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from assistant.ports import Progress
from evals.answer_metrics import AnswerScorer
from evals.jsonl import write_whole
from evals.judge import Judged
from evals.judge.stored import with_judgement
from evals.loop.gaps import Gap, case_costs, find_gaps
from evals.report import ReportInput, render_report
from evals.report.words import WORDS, Locale
from evals.root_causes import Diagnosis, RootCauses
from evals.root_causes.experiment import SOLVED
from evals.runs import EvalRun
from evals.scoring import Scored, score_replay, stored_run
from evals.transfer_run import Bench
from ingest.sources.schemas import parse_transcript


@dataclass(frozen=True)
class Evaluation:
    """A scored replay and why its failed cases failed; no diagnoses where causes were not asked for."""

    bench: Bench
    scored: Scored
    diagnoses: Sequence[Diagnosis]
    with_causes: bool
    judged: Judged | None = None

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
        run = stored_run(self.scored, fingerprint, now, source, causes=causes, arguments=arguments)
        return run if self.judged is None else with_judgement(run, self.judged)


async def evaluate_transfers(bench: Bench, *, with_causes: bool, progress: Progress | None = None) -> Evaluation:
    """Replay and score the cases, and diagnose those that failed. Raises LeakFound and EmbeddingFailed."""
    result = await bench.replay(progress)
    scored = score_replay(bench.cases, result, bench.embedder)
    diagnoses: Sequence[Diagnosis] = ()
    if with_causes:
        causes = RootCauses(bench, AnswerScorer(bench.cases, bench.embedder))
        diagnoses = await causes.explain(result.replies, scored.scores, progress)
    return Evaluation(bench, scored, diagnoses, with_causes)


def report_on(
    path: Path,
    done: Evaluation,
    run: EvalRun,
    transcripts: Iterable[Mapping[str, Any]],
    workspace: str,
    locale: Locale,
) -> None:
    """Write the HTML report, whole or not at all. ``transcripts`` are canonical, as the records keep them."""
    given = ReportInput(workspace, done.scored, run, done.diagnoses, gaps_of(done, transcripts), SOLVED)
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
