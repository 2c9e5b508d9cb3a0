"""`review …`, `eval loop`, `stocktake` and `flag`: what a knowledge manager decides, and agents report."""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli.session import (
    ConsoleProgress,
    DataDirOption,
    JsonOption,
    Session,
    WorkspaceOption,
    must_be_text,
    must_be_writable,
    must_exist,
    open_session,
    say,
)

if TYPE_CHECKING:
    from assistant.domain.knowledge import Article, Audience
    from assistant.domain.review import ReviewItem
    from evals.cases import ReplyCase
    from evals.loop.review import ReviewDesk

WhoOption = Annotated[str | None, typer.Option("--who", help="Who decides.", show_default="the system's user name")]
NoteOption = Annotated[str, typer.Option("--note", help="Why; kept in the item's history.")]
ItemArgument = Annotated[str, typer.Argument(help="A review item's id, as `review list` shows it.")]


def register(app: typer.Typer) -> None:
    """Add the commands; `eval loop` joins the group `eval`, which must be there already."""
    group = typer.Typer(help="Drafted articles: look, accept, edit, reject, replay old cases, publish.")
    for command in (list_items, show, draft, accept, edit, reject, replay, publish, expire):
        group.command(command.__name__.removesuffix("_items"))(command)
    app.add_typer(group, name="review")
    app.command("stocktake")(stocktake)
    app.command("flag")(flag)
    next(g.typer_instance for g in app.registered_groups if g.name == "eval").command("loop")(loop)  # type: ignore[union-attr]


def list_items(
    ctx: typer.Context,
    status: Annotated[
        list[str] | None, typer.Option("--status", help="Only these states; all open ones where none is named.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Closed ones too.")] = False,
    workspace: WorkspaceOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Drafted articles that wait for a decision, the oldest first."""
    from assistant.domain.review import OPEN
    from evals.loop.review_record import item_record, known_statuses

    wanted = known_statuses(status or ()) or (() if everything else tuple(sorted(OPEN)))
    with open_session(ctx, workspace, data_dir, as_json) as session:
        items = _desk(session).store.items(wanted)
        rows = [f"{i.id:<18} {i.status:<9} {i.article.audience:<8} {_line(i.article.title)}" for i in items]
        text = "\n".join(rows) or "Nothing waits. `teachback review draft` drafts for the gaps last found."
        session.show({"items": [item_record(item, history=False) for item in items]}, text)


def show(
    ctx: typer.Context,
    item_id: ItemArgument,
    workspace: WorkspaceOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """One drafted article: its text, the conversations it was written from, what a replay predicts, its history."""
    with open_session(ctx, workspace, data_dir, as_json) as session:
        _show(session, _desk(session).store.get(item_id))


def draft(
    ctx: typer.Context,
    gap: Annotated[list[str] | None, typer.Argument(help="Ids of gaps; else the costliest.")] = None,
    top: Annotated[int, typer.Option("--top", min=1, max=500, help="At most so many gaps.")] = 10,
    workspace: WorkspaceOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Draft articles for the gaps that `eval gaps` found last; they wait in the queue, nothing is published."""
    from evals.loop.drafting import draft_gaps
    from evals.loop.review_record import item_record

    with open_session(ctx, workspace, data_dir, as_json) as session:
        made = asyncio.run(draft_gaps(session.service, session.workspace, gap or (), top))
        record = {
            "drafted": [item_record(item, history=False) for item in made.items],
            "without_draft": dict(made.without),
            "model_failed": dict(made.model_failed),
        }
        rows = [f"{item.id:<18} {_line(item.article.title)}" for item in made.items]
        rows += [f"no draft for {gap_id}: {reason}" for gap_id, reason in made.without.items()]
        rows += [f"{gap_id}: the model's draft was not used: {why}" for gap_id, why in made.model_failed.items()]
        session.show(record, "\n".join(rows) or "Nothing to draft.")


def accept(
    ctx: typer.Context,
    item_id: ItemArgument,
    audience: Annotated[str, typer.Option("--audience", help="public or internal.")] = "public",
    who: WhoOption = None,
    note: NoteOption = "",
    workspace: WorkspaceOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Accept a draft as it is, for customers (public) or for staff only (internal)."""
    from assistant.errors import ConfigurationError

    if audience not in ("public", "internal"):
        raise ConfigurationError(f"--audience is {audience!r}; it must be public or internal")
    with open_session(ctx, workspace, data_dir, as_json) as session:
        given: Audience = "internal" if audience == "internal" else "public"
        _show(session, _desk(session).accept(item_id, who=_who(who), audience=given, note=must_be_text(note)))


def edit(
    ctx: typer.Context,
    item_id: ItemArgument,
    file: Annotated[Path, typer.Argument(help="The new text: one article, Markdown with front matter or JSONL.")],
    who: WhoOption = None,
    note: NoteOption = "",
    workspace: WorkspaceOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Replace a draft's text and accept it; its id and its sources stay."""
    must_exist(file)
    article = _article_in(file)
    with open_session(ctx, workspace, data_dir, as_json) as session:
        _show(session, _desk(session).edit(item_id, article, who=_who(who), note=must_be_text(note)))


def reject(
    ctx: typer.Context,
    item_id: ItemArgument,
    who: WhoOption = None,
    note: NoteOption = "",
    workspace: WorkspaceOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Reject a draft; its conversations are not drafted from again."""
    with open_session(ctx, workspace, data_dir, as_json) as session:
        _show(session, _desk(session).reject(item_id, who=_who(who), note=must_be_text(note)))


def replay(
    ctx: typer.Context,
    item_id: ItemArgument,
    cases: Annotated[
        Path | None, typer.Option("--cases", help="Reply cases, JSONL; else all of the workspace's transcripts.")
    ] = None,
    who: WhoOption = None,
    workspace: WorkspaceOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Answer old cases with the draft in a shadow index: which it solves, spoils, repeats and contradicts."""
    from evals.loop.predicting import predict

    if cases is not None:
        must_exist(cases)
    with open_session(ctx, workspace, data_dir, as_json) as session:
        with ConsoleProgress() as progress:
            item = asyncio.run(
                predict(session.service, session.workspace, item_id, cases, who=_who(who), progress=progress)
            )
        _show(session, item)


def publish(
    ctx: typer.Context,
    item_id: ItemArgument,
    without_replay: Annotated[bool, typer.Option("--without-replay", help="Publish although not replayed.")] = False,
    who: WhoOption = None,
    note: NoteOption = "",
    workspace: WorkspaceOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make an accepted article knowledge; what the replay predicted is kept with it."""
    with open_session(ctx, workspace, data_dir, as_json) as session:
        with ConsoleProgress() as progress:
            item = _desk(session).publish(
                item_id, who=_who(who), without_replay=without_replay, note=must_be_text(note), progress=progress
            )
        _show(session, item)


def expire(
    ctx: typer.Context,
    workspace: WorkspaceOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let drafts go that nobody has touched for four weeks; run it daily."""
    from evals.loop.review_record import item_record

    with open_session(ctx, workspace, data_dir, as_json) as session:
        gone = _desk(session).expire()
        record = {"expired": [item_record(item, history=False) for item in gone]}
        session.show(record, "\n".join(f"expired  {i.id}  {_line(i.article.title)}" for i in gone) or "None is due.")


def loop(
    ctx: typer.Context,
    cases: Annotated[Path, typer.Argument(help="Reply cases, JSONL.")],
    until: Annotated[str | None, typer.Option("--until", help="Knowledge as of this day, such as 2026-03-01.")] = None,
    weeks: Annotated[int, typer.Option("--weeks", min=1, max=52, help="Weeks from then to draft from.")] = 1,
    folds: Annotated[
        int,
        typer.Option("--folds", min=0, max=20, help="Measure the window itself in so many folds; 0: what follows it."),
    ] = 0,
    out: Annotated[Path | None, typer.Option("--out", help="Write the figures of every case, JSON.")] = None,
    workspace: WorkspaceOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Turn the loop once in the past: drafts from one window's failures, measured on the cases after it."""
    import json

    from assistant.errors import ConfigurationError
    from evals.jsonl import write_whole
    from evals.loop.cross_fit import cross_fit
    from evals.loop.time_split import turn_the_loop
    from evals.loop.time_split_text import loop_markdown
    from evals.transfer_run import prepare
    from ingest.sources.schemas import parse_transcript

    if folds == 1:
        raise ConfigurationError("--folds 1 leaves no other conversations to draft from; take at least 2")
    must_exist(cases)
    must_be_writable(out)
    usable, rejected = _cases_in(cases)
    with open_session(ctx, workspace, data_dir, as_json) as session:
        moment = _moment(until, usable, weeks if folds else weeks + 1)
        stored = session.service.records(session.workspace).transcripts()
        transcripts = [parse_transcript(dict(each), "records") for each in stored]
        with ConsoleProgress() as progress:
            bench = prepare(session.service, session.workspace, usable, as_of=True)
            if folds:
                turning = cross_fit(bench, transcripts, until=moment, weeks=weeks, folds=folds, progress=progress)
            else:
                turning = turn_the_loop(bench, transcripts, until=moment, weeks=weeks, progress=progress)
            result = asyncio.run(turning)
        record = {**result.record(), "rejected": rejected}
        if out is not None:
            write_whole(out, json.dumps(record, ensure_ascii=False, indent=1) + "\n")
        session.show(record, loop_markdown(result))
    if rejected:
        raise typer.Exit(1)


def stocktake(
    ctx: typer.Context,
    workspace: WorkspaceOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Articles to look at: flagged, expired, contradicted by agents or by each other, repeated, never used."""
    from evals.loop.stocktake import take_stock
    from evals.loop.stocktake_text import stocktake_markdown

    with open_session(ctx, workspace, data_dir, as_json) as session:
        with ConsoleProgress() as progress:
            found = take_stock(session.service, session.workspace, progress)
        session.show(found.record(), stocktake_markdown(found))


def flag(
    ctx: typer.Context,
    article_id: Annotated[str, typer.Argument(help="The article that no longer fits.")],
    reason: Annotated[str, typer.Option("--reason", help="outdated, wrong, duplicate, contradicts, unclear or other.")],
    note: Annotated[str, typer.Option("--note", help="What is wrong, in your words.")] = "",
    who: WhoOption = None,
    workspace: WorkspaceOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say that an article no longer fits; it stays in use until a manager has dealt with it."""
    from evals.loop.review_record import flag_record, known_reason

    with open_session(ctx, workspace, data_dir, as_json) as session:
        made = _desk(session).flag(article_id, known_reason(reason), who=_who(who), note=must_be_text(note))
        session.show(flag_record(made), f"Flagged {article_id} as {made.reason} ({made.id}).")


def _desk(session: Session) -> ReviewDesk:
    from evals.loop.review import review_desk

    return review_desk(session.service, session.workspace)


def _show(session: Session, item: ReviewItem) -> None:
    from evals.loop.review_record import item_record, item_text

    session.show(item_record(item), item_text(item))


def _who(given: str | None) -> str:
    import getpass

    from assistant.errors import ConfigurationError

    try:
        who = given if given is not None else getpass.getuser()
    except (KeyError, OSError) as exc:
        raise ConfigurationError("the system does not tell who you are; say it with --who") from exc
    if not must_be_text(who).strip():
        raise ConfigurationError("--who is empty; name the person who decides")
    return who.strip()[:200]


def _article_in(file: Path) -> Article:
    from assistant.domain.knowledge import Article
    from assistant.errors import ConfigurationError, InputRejected
    from ingest.sources import discover, read

    found = [item for each in discover([file]).files for item in read(each)]
    articles = [
        item.record for item in found if not isinstance(item, InputRejected) and isinstance(item.record, Article)
    ]
    wrong = [item for item in found if isinstance(item, InputRejected)]
    if wrong:
        raise wrong[0]
    if len(articles) != 1:
        raise ConfigurationError(f"{file} holds {len(articles)} articles; the new text must be exactly one")
    return articles[0]


def _cases_in(path: Path) -> tuple[list[ReplyCase], list[dict[str, Any]]]:
    from assistant.errors import InputRejected
    from evals.cases import ReplyCase, read_cases

    items = list(read_cases(path))
    rejected = [item for item in items if isinstance(item, InputRejected)]
    for item in rejected:
        say(f"rejected  {item}")
    usable = [item for item in items if isinstance(item, ReplyCase)]
    return usable, [{"source": r.source, "line": r.line, "reason": r.reason} for r in rejected]


def _moment(until: str | None, cases: list[ReplyCase], weeks: int) -> datetime:
    """The day given, else so many weeks before the last case."""
    from datetime import UTC, timedelta

    from assistant.errors import ConfigurationError

    if until is None:
        last = max((case.at for case in cases if case.at is not None), default=None)
        if last is None:
            raise ConfigurationError("no case says when it was; the loop needs cases with a time")
        return last - timedelta(weeks=weeks)
    try:
        moment = datetime.fromisoformat(until)
    except ValueError as exc:
        raise ConfigurationError(f"--until is {until!r}; write a day such as 2026-03-01") from exc
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _line(text: str, longest: int = 80) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= longest else flat[:longest] + "…"
