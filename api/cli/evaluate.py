"""The group `eval`: retrieval, transferred cases, their gaps, replays of candidates, and drawing cases."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import api.cli.suggesting as suggesting
from api.cli import live
from api.cli.comparing import compare, difference_cells
from api.cli.eval_runs import ConcurrencyOption, RateOption, begun_at, journal_for, runs
from api.cli.judging import JudgeBaselinesOption, JudgeOption, SameJudgeOption, judge_for, judged, judgement_markdown
from api.cli.session import (
    ConsoleProgress,
    DataDirOption,
    JsonOption,
    WorkspaceOption,
    one_thread_of_numpy,
    open_session,
    say,
)

if TYPE_CHECKING:
    from assistant.errors import InputRejected
    from evals.cases import ReplyCase


def register(app: typer.Typer) -> None:
    """Add the commands as a group."""
    group = typer.Typer(help="Measure retrieval, transferred cases, and the difference of two runs.")
    group.command("retrieval")(retrieval)
    group.command("transfers")(transfers)
    group.command("runs")(runs)
    group.command("gaps")(gaps)
    group.command("replay")(replay_candidates)
    group.command("compare")(compare)
    group.command("cases")(cases_of_workspace)
    live.register(group)
    group.command("suggestions")(suggesting.measure)
    app.add_typer(group, name="eval")


def retrieval(
    ctx: typer.Context,
    folder: Annotated[Path, typer.Argument(help="A data set in the BEIR layout.")],
    run_file: Annotated[Path | None, typer.Option("--run-file", help="Write the ranking in TREC format.")] = None,
    depth: Annotated[int, typer.Option("--depth", min=10, max=1000, help="Documents ranked for each query.")] = 100,
    workspace: WorkspaceOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Recall@1/5/10, MRR@10, nDCG@10 and latency of the product's retrieval, in a throw-away index."""
    from evals.beir import load
    from evals.ranking import write_trec
    from evals.retrieval_run import run_retrieval

    with open_session(ctx, workspace, data_dir, as_json) as session:
        data = load(folder)
        with ConsoleProgress() as progress:
            service = session.service
            result = run_retrieval(data, service.embedder, depth=depth, reranker=service.reranker, progress=progress)
        if run_file is not None:
            write_trec(result.run, run_file, "teachback")
        record: dict[str, Any] = {
            "data": folder.name,
            "embedder": session.service.embedder.fingerprint,
            "reranker": service.reranker.name if service.reranker is not None else None,
            "queries": len(result.scores.per_query),
            "queries_without_relevant": len(result.scores.excluded),
            "documents": result.documents,
            "passages": result.passages,
            "metrics": {name: e.mean for name, e in result.estimates.items()},
            "intervals": {name: [e.low, e.high] for name, e in result.estimates.items()},
            "latency_ms": dict(result.latency_ms),
            "index_seconds": result.index_seconds,
            "run_file": str(run_file) if run_file else None,
        }
        rows = [
            f"| {name} | {e.mean:.4f} | {e.low:.4f}–{e.high:.4f} |"
            for name, e in result.estimates.items()
            if e.mean is not None and e.low is not None and e.high is not None
        ]
        text = "\n".join(
            [
                f"### {folder.name}: {record['queries']} queries, {result.documents} documents, "
                f"{result.passages} passages",
                "",
                "| metric | mean | 95 % interval |",
                "|---|---|---|",
                *rows,
                "",
                ", ".join(f"{name} {value:.1f} ms" for name, value in result.latency_ms.items()),
            ]
        )
        session.show(record, text)


def transfers(
    ctx: typer.Context,
    cases: Annotated[Path, typer.Argument(help="Reply cases, JSONL.")],
    predictions: Annotated[Path | None, typer.Option("--predictions", help="Write the predictions, JSONL.")] = None,
    report: Annotated[Path | None, typer.Option("--report", help="Write the report, one HTML file.")] = None,
    locale: Annotated[str, typer.Option("--locale", help="Language of the report: zh or en.")] = "zh",
    as_of_case: Annotated[
        bool, typer.Option("--as-of-case", help="Hide knowledge that is newer than the case it would answer.")
    ] = False,
    causes: Annotated[
        bool, typer.Option("--causes/--no-causes", help="Find out by experiment why each failed case failed.")
    ] = True,
    judge: JudgeOption = False,
    same_judge: SameJudgeOption = False,
    judge_baselines: JudgeBaselinesOption = 40,
    resume: Annotated[
        str | None, typer.Option("--resume", metavar="RUN_ID", help="Go on with a run that was killed.")
    ] = None,
    concurrency: ConcurrencyOption = 4,
    requests_per_minute: RateOption = None,
    workspace: WorkspaceOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Accuracy on transferred cases against what the human said; no case sees its own conversation."""
    one_thread_of_numpy()
    from assistant.errors import ConfigurationError
    from evals.cases import write_predictions
    from evals.jsonl import write_whole
    from evals.report.in_use import in_use
    from evals.runs import EvalRun, list_runs, report_path, write_run
    from evals.scoring import summary_markdown
    from evals.transfer_report import causes_markdown, evaluate_transfers, report_on
    from evals.transfer_run import prepare

    if locale not in ("zh", "en"):
        raise ConfigurationError(f"--locale is {locale!r}; it must be zh or en")
    usable, rejected = _read(cases)
    with open_session(ctx, workspace, data_dir, as_json) as session:
        service = session.service
        asked = judge_for(session, same=same_judge) if judge else None
        folder = service.settings.data_dir / "runs" / session.workspace
        now = begun_at(folder, resume) or service.clock.now()
        bench = prepare(
            service,
            session.workspace,
            usable,
            as_of=as_of_case,
            now=now,
            concurrency=concurrency,
            requests_per_minute=requests_per_minute,
        )
        with journal_for(folder, bench, resume, now, with_causes=causes) as journal, ConsoleProgress() as progress:
            done = asyncio.run(evaluate_transfers(bench, with_causes=causes, progress=progress, journal=journal))
            if asked is not None:
                done = judged(session, asked, done, judge_baselines, progress)
            if predictions is not None:
                write_predictions(predictions, done.scored.replay.predictions())
            stored_as = done.stored(now, str(cases), {"as_of_case": as_of_case, "causes": causes})
            run = replace(stored_as, run_id=journal.begun.run_id)
            place = write_run(run, folder)
            journal.finish()
            # beside the run as well, where the knowledge desk links to it
            kept = report_path(folder, run.run_id)
            stored = service.records(session.workspace).transcripts()
            report_on(
                kept,
                done,
                run,
                stored,
                session.workspace,
                "en" if locale == "en" else "zh",
                stored=(each for each in list_runs(folder) if isinstance(each, EvalRun)),
                in_use=in_use(service, session.workspace),
            )
            if report is not None:
                write_whole(report, kept.read_text(encoding="utf-8"))
        record = {
            **done.record(),
            "run": str(place),
            "rejected": [{"source": r.source, "line": r.line, "reason": r.reason} for r in rejected],
            "predictions": str(predictions) if predictions else None,
            "report": str(report) if report else None,
        }
        session.show(record, summary_markdown(done.scored) + causes_markdown(done) + judgement_markdown(done))
    if rejected:
        raise typer.Exit(1)


def gaps(
    ctx: typer.Context,
    cases: Annotated[Path, typer.Argument(help="Reply cases, JSONL.")],
    drafts: Annotated[
        Path | None, typer.Option("--drafts", help="Write an article drafted for each gap, JSONL, for review.")
    ] = None,
    as_of_case: Annotated[
        bool, typer.Option("--as-of-case", help="Hide knowledge that is newer than the case it would answer.")
    ] = False,
    workspace: WorkspaceOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Failed cases grouped by issue, the costliest first: volume × handling time, low ratings, customers' tier."""
    from evals.jsonl import write_objects
    from evals.loop import draft_for
    from evals.loop.gap_runs import keep_gaps
    from evals.transfer_report import evaluate_transfers, gaps_of
    from evals.transfer_run import prepare

    usable, rejected = _read(cases)
    with open_session(ctx, workspace, data_dir, as_json) as session:
        service = session.service
        with ConsoleProgress() as progress:
            bench = prepare(service, session.workspace, usable, as_of=as_of_case)
            done = asyncio.run(evaluate_transfers(bench, with_causes=True, progress=progress))
            found = gaps_of(done, service.records(session.workspace).transcripts())
        keep_gaps(service.settings.data_dir / "runs" / session.workspace, service.clock.now(), len(usable), found)
        rows = [
            f"| {gap.name.replace('|', '/')} | {len(gap.case_ids)} | {gap.minutes:.0f} | {gap.low_ratings} "
            f"| {', '.join(f'{cause} {count}' for cause, count in gap.causes.items())} "
            f"| {', '.join(gap.conversation_ids)} |"
            for gap in found
        ]
        head = ["| gap | cases | minutes | low ratings | causes | conversations |", "|---|---|---|---|---|---|"]
        by_id = {case.case_id: case for case in usable}
        written = []
        if drafts is not None:
            made = (draft_for(gap, by_id, session.service.clock.now()) for gap in found)
            written = [draft for draft in made if draft is not None]
            write_objects(drafts, (draft.record() for draft in written))
        record = {
            "cases": len(usable),
            "failed": len(done.diagnoses),
            "gaps": [gap.record() for gap in found],
            "drafts": {"file": str(drafts), "articles": len(written)} if drafts else None,
        }
        session.show(record, "\n".join([*head, *rows]))
    if rejected:
        raise typer.Exit(1)


def replay_candidates(
    ctx: typer.Context,
    candidates: Annotated[list[Path], typer.Argument(help="Candidate articles, files or folders.")],
    cases: Annotated[Path, typer.Option("--cases", help="Reply cases to run again, JSONL.")],
    workspace: WorkspaceOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run old cases again with candidate articles in a shadow index; exit 1 where accuracy clearly falls."""
    from assistant.domain.knowledge import Article
    from assistant.errors import InputRejected
    from evals.loop import replay_candidates as run
    from evals.root_causes.experiment import SOLVED
    from evals.transfer_run import prepare
    from ingest.sources import discover, read

    usable, rejected = _read(cases)
    found = discover(candidates)
    items = [item for file in found.files for item in read(file)]
    refused = [*found.rejected, *(item for item in items if isinstance(item, InputRejected))]
    articles = [i.record for i in items if not isinstance(i, InputRejected) and isinstance(i.record, Article)]
    for item in refused:
        say(f"rejected  {item}")
    with open_session(ctx, workspace, data_dir, as_json) as session:
        bench = prepare(session.service, session.workspace, usable)
        with ConsoleProgress() as progress:
            result = asyncio.run(run(bench, articles, solved=SOLVED, progress=progress))
        d = result.difference
        text = [
            f"{len(articles)} candidates, {d.pairs} cases; {len(result.marked)} more are marked, for a candidate was "
            "written from them",
            "",
            "| accuracy before | after | difference | 95 % interval | pairs | smallest detectable |",
            "|---|---|---|---|---|---|",
            f"| {_share(result.before)} | {_share(result.after)} | {difference_cells(d)} |",
            "",
            f"now solved: {', '.join(result.gains) or '–'}",
            f"got worse: {', '.join(result.regressions) or '–'}",
            *(f"{new} repeats {old}" for new, old in result.duplicates),
            *(f"{new} contradicts {old}: {mine} against {theirs}" for new, old, mine, theirs in result.contradictions),
        ]
        session.show({"candidates": [a.id for a in articles], **result.record()}, "\n".join(text))
    worse = result.difference.high is not None and result.difference.high < 0
    if worse or rejected or refused:
        raise typer.Exit(1)


def _share(value: float | None) -> str:
    return "unscored" if value is None else f"{value:.3f}"


def _read(path: Path) -> tuple[list[ReplyCase], list[InputRejected]]:
    """The usable cases of a file; the others are named on standard error."""
    from assistant.errors import InputRejected
    from evals.cases import ReplyCase, read_cases

    items = list(read_cases(path))
    rejected = [item for item in items if isinstance(item, InputRejected)]
    for item in rejected:
        say(f"rejected  {item}")
    return [item for item in items if isinstance(item, ReplyCase)], rejected


def cases_of_workspace(
    ctx: typer.Context,
    out: Annotated[Path, typer.Option("--out", help="Where the cases go, JSONL.")],
    source: Annotated[
        str, typer.Option("--source", help="transcripts (ingested), live (recorded by the desk), or all.")
    ] = "transcripts",
    held_days: Annotated[
        int, typer.Option("--held-days", min=1, help="A live reply held where the user did not return so long.")
    ] = 7,
    corrections: Annotated[
        Path | None, typer.Option("--corrections", help="Corrections, JSONL, after those of `eval correct`.")
    ] = None,
    workspace: WorkspaceOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Draw reply cases from transcripts or the live store: the points at which a human's reply is known."""
    from assistant.errors import ConfigurationError
    from evals.case_sets import cases_from_transcripts, without_near_copies
    from evals.cases import write_cases
    from evals.runs import data_version
    from ingest.demo import second_replies
    from ingest.sources.schemas import parse_transcript

    if source not in ("transcripts", "live", "all"):
        raise ConfigurationError(f"--source is {source!r}; it must be transcripts, live or all")
    with open_session(ctx, workspace, data_dir, as_json) as session:
        service = session.service
        drawn: list[ReplyCase] = []
        if source != "live":
            stored = service.records(session.workspace).transcripts()
            seconds = second_replies(service.demo_folder(session.workspace))
            drawn += cases_from_transcripts((parse_transcript(t, "records") for t in stored), seconds)
        if source != "transcripts":
            drawn += live.recorded_cases(session, held_days)
        found = without_near_copies(drawn)
        kept = live.corrected_cases(session, list(found.cases), corrections)
        write_cases(out, kept.cases)
        for case_id in kept.unknown:
            say(f"corrected, but no such case: {case_id}")
        transferred = sum(case.transferred for case in kept.cases)
        record = {
            "cases": len(kept.cases),
            "transferred": transferred,
            "live": sum(case.observed is not None for case in kept.cases),
            "repeats_left_out": len(found.repeats),
            "corrected": kept.changed,
            "dropped_by_correction": kept.dropped,
            "corrections_without_case": list(kept.unknown),
            "version": data_version(out.read_text("utf-8").splitlines()),
            "out": str(out),
        }
        session.show(record, f"{len(kept.cases)} cases, {transferred} of them transferred, in {out}")
