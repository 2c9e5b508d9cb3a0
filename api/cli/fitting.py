"""`fit`: weights, calibration and a light adapter from the workspace's own articles and resolved cases."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli.session import (
    ConsoleProgress,
    DataDirOption,
    JsonOption,
    Session,
    WorkspaceOption,
    must_exist,
    open_session,
    say,
)

if TYPE_CHECKING:
    from assistant.errors import InputRejected
    from evals.cases import ReplyCase
    from evals.fit import Comparison

_MOST = 3000  # lessons: more are drawn evenly, so that a fit stays a matter of minutes


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("fit")(fit)


def fit(
    ctx: typer.Context,
    cases: Annotated[
        Path | None, typer.Option("--cases", help="Reply cases, JSONL; else those of the ingested transcripts.")
    ] = None,
    unanswerable: Annotated[
        float, typer.Option("--unanswerable", min=0.01, max=0.9, help="Share of questions that no article answers.")
    ] = 0.2,
    later_from: Annotated[
        datetime | None,
        typer.Option(
            "--later-from", help="Cases from this day on are not fitted on, only reported.", formats=["%Y-%m-%d"]
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Compare, keep nothing.")] = False,
    undo: Annotated[bool, typer.Option("--undo", help="Drop the fit: the defaults hold again.")] = False,
    workspace: WorkspaceOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Fit retrieval to the workspace; kept only where it wins on held-back questions and cases."""
    with open_session(ctx, workspace, data_dir, as_json) as session:
        path = session.service.fit_file(session.workspace)
        if undo:
            there = path.exists()
            path.unlink(missing_ok=True)
            session.show(
                {"undone": there}, "The fit is dropped; the defaults hold." if there else "Nothing was fitted."
            )
            return
        if cases is not None:
            must_exist(cases)
        rejected = _fit(session, path, cases, unanswerable, later_from, dry_run)
    if rejected:
        raise typer.Exit(1)


def _fit(
    session: Session, path: Path, cases: Path | None, unanswerable: float, later_from: datetime | None, dry_run: bool
) -> list[InputRejected]:
    from dataclasses import replace

    from assistant.fitted import save_fitted
    from assistant.text import Segmenter
    from evals.caching_embedder import CachingEmbedder
    from evals.fit import compare_and_fit, lessons_of_articles, lessons_of_cases
    from evals.fit.classroom import Classroom
    from ingest.asked.intents import article_groups

    service, workspace = session.service, session.workspace
    usable, rejected = _cases(session, cases)
    records, snapshot = service.records(workspace), service.keeper(workspace).snapshot()
    entries = records.all_entries()
    twins = article_groups(snapshot)
    lessons = lessons_of_articles(records.all_chunks(), entries, twins)
    lessons += lessons_of_cases(usable, twins)
    lessons = lessons[:: 1 + max(0, len(lessons) - 1) // _MOST]
    now = service.clock.now()
    moment = later_from.replace(tzinfo=UTC) if later_from is not None else None
    with ConsoleProgress() as progress:
        embedder = CachingEmbedder(service.batch_embedder)
        texts = {entry.id: entry.text for entry in entries}
        room = Classroom(snapshot, texts, embedder, Segmenter(), lessons, now, progress)
        made = compare_and_fit(
            room, service.embedder.fingerprint, unanswerable=unanswerable, later_from=moment, progress=progress
        )
    kept = made.fitted is not None and not dry_run
    if made.fitted is not None and kept:
        told = {**made.fitted.record, "fitted_at": now.isoformat(timespec="seconds")}
        save_fitted(replace(made.fitted, record=told), path)
    record = {"workspace": workspace, "saved": kept, "file": str(path) if kept else None, **made.record()}
    session.show(record, fit_text(made, kept, path.exists()))
    return rejected


def _cases(session: Session, path: Path | None) -> tuple[list[ReplyCase], list[InputRejected]]:
    from assistant.errors import InputRejected
    from evals.case_sets import cases_from_transcripts
    from evals.cases import ReplyCase, read_cases
    from ingest.sources.schemas import parse_transcript

    if path is None:
        found = session.service.records(session.workspace).transcripts()
        transcripts = [parse_transcript(raw, "records") for raw in found]
        noted = {t.conversation_id: t.resolution.article_ids for t in transcripts if t.resolution is not None}
        made = cases_from_transcripts(transcripts)
        return [case for case in made if noted.get(case.conversation_id)], []
    items = list(read_cases(path))
    rejected = [item for item in items if isinstance(item, InputRejected)]
    for item in rejected:
        say(f"rejected  {item}")
    return [item for item in items if isinstance(item, ReplyCase)], rejected


def fit_text(made: Comparison, saved: bool, there: bool) -> str:
    """The comparison for a person, as Markdown."""
    record: dict[str, Any] = made.record()
    told = ", ".join(f"{count} {source}s" for source, count in record["lessons"].items()) or "no lessons"
    if not made.outcomes:
        return f"{told}: too few; at least 40 questions of articles or resolved cases with article_ids are needed."
    out = [
        f"{told}; {record['folds']} folds, {made.unanswerable:g} of questions taken as unanswerable",
        "",
        "| held back | top article right | log loss | AURC | AUC | right at 70 % | coverage at 0.95 | ECE |",
        "|---|---|---|---|---|---|---|---|",
        *(_row(name, figures) for name, figures in record["held_back"].items()),
        "",
    ]
    if record["held_back_cases"]:
        told = ", ".join(f"{stage} {share:.3f}" for stage, share in record["held_back_cases"].items())
        out += [f"resolved cases alone, top article right: {told}", ""]
    for stage, by_measure in record["differences"].items():
        each = "; ".join(
            f"{measure.replace('_', ' ')} {d['mean']:+.3f} ({d['low']:+.3f} to {d['high']:+.3f})"
            for measure, d in by_measure.items()
            if d["low"] is not None
        )
        out.append(f"{stage} less default: {each}")
    if record["later"]:
        out += ["", "Later cases, which took no part:"]
        out += [_row(name, f) for name, f in record["later"].items() if "auc" in f]
        for measure in ("accuracy", "log_loss"):
            d = record["later"][f"{measure}_difference"]
            if d["low"] is not None:
                out.append(f"{measure.replace('_', ' ')} {d['mean']:+.3f} ({d['low']:+.3f} to {d['high']:+.3f})")
    verdict = f"kept: {made.kept}" if saved else f"would be kept: {made.kept}" if made.kept else "nothing wins"
    if not made.kept:
        verdict += "; the earlier fit stays (--undo drops it)" if there else "; the defaults hold"
    return "\n".join([*out, "", verdict])


def _row(name: str, f: dict[str, Any]) -> str:
    auc = "–" if f["auc"] is None else f"{f['auc']:.3f}"
    return (
        f"| {name} | {f['accuracy']:.3f} | {f['log_loss']:.3f} | {f['aurc']:.3f} | {auc} | {f['accuracy_at_70']:.3f} | "
        f"{f['coverage_at_95']:.1%} | {f['ece']:.3f} |"
    )
