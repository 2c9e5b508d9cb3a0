"""`ingest`, `search` and `reindex`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli.session import (
    ConsoleProgress,
    DataDirOption,
    JsonOption,
    WorkspaceOption,
    lines,
    must_be_text,
    open_session,
    say,
)

if TYPE_CHECKING:
    from assistant.domain.knowledge import Passage
    from ingest.pipeline import IngestReport


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("ingest")(ingest)
    app.command("search")(search)
    app.command("reindex")(reindex)


def ingest(
    ctx: typer.Context,
    paths: Annotated[list[Path], typer.Argument(help="Files or folders of articles and transcripts.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would happen.")] = False,
    workspace: WorkspaceOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take in articles and transcripts; only what changed is embedded, what vanished stops answering."""
    from ingest.asked import learn_suggestions
    from ingest.pipeline import Ingestion

    with open_session(ctx, workspace, data_dir, as_json) as session:
        records = session.service.records(session.workspace)
        keeper = session.service.keeper(session.workspace)
        job = Ingestion(records, keeper, session.service.clock.now)
        with ConsoleProgress() as progress:
            report = job.run(paths, dry_run=dry_run, progress=progress)
            if not dry_run and (report.added or report.changed or report.removed):
                learn_suggestions(session.service, session.workspace, progress=progress)
        for rejected in report.rejected:
            say(f"rejected  {rejected}")
        for note in report.notes:
            say(f"note      {note}")
        session.show({**report_record(report), "totals": records.counts()}, report_text(report))
    if report.rejected:
        raise typer.Exit(1)


def report_record(report: IngestReport) -> dict[str, Any]:
    """The report as JSON data."""
    return {
        "dry_run": report.dry_run,
        "added": list(report.added),
        "changed": list(report.changed),
        "removed": list(report.removed),
        "kept_although_missing": list(report.kept),
        "unchanged": report.unchanged,
        "rejected": [{"source": r.source, "line": r.line, "reason": r.reason} for r in report.rejected],
        "notes": list(report.notes),
        "entries": {
            "embedded": report.sync.embedded,
            "reused": report.sync.reused,
            "removed": report.sync.removed,
        },
    }


def report_text(report: IngestReport) -> str:
    """The report for a person."""
    head = "Would be" if report.dry_run else "Now"
    out = [
        f"{head}: {len(report.added)} added, {len(report.changed)} changed, {len(report.removed)} removed, "
        f"{report.unchanged} unchanged, {len(report.rejected)} rejected; {report.sync.embedded} entries embedded."
    ]
    if report.dry_run:
        for name in ("added", "changed", "removed"):
            items: tuple[str, ...] = getattr(report, name)
            if items:
                out += [f"{name}:", lines(items)]
    if report.kept:
        out += ["kept although not seen, because their file has rejected items:", lines(report.kept)]
    return "\n".join(out)


def search(
    ctx: typer.Context,
    text: Annotated[str, typer.Argument(help="What to look for.")],
    k: Annotated[int, typer.Option("-k", min=1, max=100, help="How many passages.")] = 5,
    internal: Annotated[bool, typer.Option("--internal", help="Search internal knowledge too, as staff do.")] = False,
    workspace: WorkspaceOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the ranked passages for a text, as a customer's question would find them."""
    from assistant.query import Query
    from assistant.retrieval import Retrieval

    text = must_be_text(text)
    with open_session(ctx, workspace, data_dir, as_json) as session:
        if text.strip():
            retriever = session.service.retriever(session.workspace)
            query = Query(text, k=k, audience="internal" if internal else "public")
            found = retriever.search(query, now=session.service.clock.now())
        else:
            found = Retrieval(())
        record = {
            "query": text,
            "passages": [passage_record(passage) for passage in found.passages],
            "timings_ms": dict(found.timings_ms),
            "degraded": list(found.degraded),
            "withheld": list(found.withheld),
            "read_as": found.read_as,
        }
        shown = [f"{p.score:.3f}  {p.title}  [{p.document_id}]\n       {_line(p.text)}" for p in found.passages]
        kept_back = [f"Not shown, by its negative questions: {document}" for document in found.withheld]
        read = [f"Searched as: {found.read_as}"] if found.read_as is not None else []
        session.show(record, "\n".join([*read, *(shown or ["Nothing found."]), *kept_back]))


def passage_record(passage: Passage) -> dict[str, Any]:
    """A passage as JSON data."""
    return {
        "passage_id": passage.id,
        "article_id": passage.article_id,
        "conversation_id": passage.conversation_id,
        "title": passage.title,
        "heading": passage.heading,
        "text": passage.text,
        "score": passage.score,
        "dense": passage.dense,
        "lexical": passage.lexical,
        "locale": passage.locale,
        "audience": passage.audience,
        "url": passage.url,
    }


def reindex(
    ctx: typer.Context,
    workspace: WorkspaceOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Rebuild both indexes from the records with the embedder now set, beside the live ones, then switch."""
    with open_session(ctx, workspace, data_dir, as_json) as session:
        with ConsoleProgress() as progress:
            report = session.service.keeper(session.workspace).rebuild(progress)
        session.show(
            {"embedded": report.embedded, "reused": report.reused, "embedder": session.service.embedder.fingerprint},
            f"Rebuilt: {report.embedded} entries embedded, {report.reused} taken from kept vectors.",
        )


def _line(text: str, longest: int = 110) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= longest else flat[:longest] + "…"
