"""`eval drafts` and `eval correct`: what agents did with their drafts, and people's corrections of cases."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli.session import DataDirOption, JsonOption, Session, WorkspaceOption, open_session

if TYPE_CHECKING:
    from evals.cases import ReplyCase
    from evals.corrections import Corrected


def register(group: typer.Typer) -> None:
    """Add the commands to the group ``eval``."""
    group.command("drafts")(drafts)
    group.command("correct")(correct)


def drafts(
    ctx: typer.Context,
    run: Annotated[
        Path | None, typer.Option("--run", help="A stored run of live cases: hold its measures against the verdicts.")
    ] = None,
    workspace: WorkspaceOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """How many drafts agents accepted, edited and rejected; edits by kind, facts kept, agreement with the verdicts."""
    from assistant.store.drafts import DraftRecords
    from evals.draft_report import report_on_drafts
    from evals.runs import read_run

    with open_session(ctx, workspace, data_dir, as_json) as session:
        service = session.service
        found = DraftRecords(service.engine, session.workspace).all()
        measures: dict[str, dict[str, float | None]] = {}
        if run is not None:
            folder = service.settings.data_dir / "runs" / session.workspace
            stored = read_run(run if run.exists() else folder / f"{run}.json")
            rows = {row.case_id: row for row in stored.rows}
            keys = {draft.id: f"{draft.conversation_id}-{draft.turn_seq}" for draft in found}
            for name in stored.measures:
                sign = -1.0 if name in stored.less_is_better else 1.0
                measures[name] = {}
                for draft_id, key in keys.items():
                    value = rows[key].values.get(name) if key in rows else None
                    measures[name][draft_id] = None if value is None else sign * value
        report = report_on_drafts(found, measures)
        session.show(report.record(), report.markdown())


def correct(
    ctx: typer.Context,
    case_id: Annotated[str, typer.Argument(help="The case, as `eval cases` names it.")],
    author: Annotated[str, typer.Option("--author", help="Who says so.")],
    reference: Annotated[
        list[str] | None, typer.Option("--reference", help="An acceptable reply, in place of the old ones; repeatable.")
    ] = None,
    article: Annotated[
        list[str] | None, typer.Option("--article", help="A gold article's id, in place of the old ones; repeatable.")
    ] = None,
    drop: Annotated[bool, typer.Option("--drop", help="Leave the case out from now on.")] = False,
    note: Annotated[str | None, typer.Option("--note", help="Why.")] = None,
    workspace: WorkspaceOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Correct a case; `eval cases` applies it from now on and keeps its author and date with the case."""
    from assistant.errors import ConfigurationError
    from evals.corrections import Correction, add_correction

    if not (reference or article or drop):
        raise ConfigurationError("nothing to correct: give --reference, --article or --drop")
    if any(not text.strip() for text in [case_id, author, *(reference or ()), *(article or ())]):
        raise ConfigurationError("the case, the author, a reference and an article must not be empty")
    with open_session(ctx, workspace, data_dir, as_json) as session:
        now = session.service.clock.now()
        made = Correction(
            case_id,
            author,
            now,
            tuple(reference) if reference else None,
            tuple(article) if article else None,
            drop,
            note,
        )
        place = corrections_file(session)
        add_correction(place, made)
        record: dict[str, Any] = {"case_id": case_id, "author": author, "at": now.isoformat(), "file": str(place)}
        session.show(record, f"{case_id} corrected by {author}, kept in {place}")


def corrections_file(session: Session) -> Path:
    """Where this workspace's corrections are kept."""
    return session.service.settings.data_dir / "corrections" / f"{session.workspace}.jsonl"


def recorded_cases(session: Session, held_days: int) -> list[ReplyCase]:
    """The reply cases of the conversations that this workspace's desk recorded, with the state of their moment."""
    import asyncio

    from assistant.store.live_history import LiveHistory
    from evals.live_cases import live_cases, with_state

    service = session.service
    conversations = list(LiveHistory(service.engine, session.workspace).conversations())
    made = live_cases(conversations, service.clock.now(), held_days=held_days)
    users = {conversation.id: conversation.user_id for conversation in conversations}
    return asyncio.run(with_state(made, users, service.state_source(session.workspace)))


def corrected_cases(session: Session, cases: list[ReplyCase], more: Path | None) -> Corrected:
    """The cases with the workspace's corrections, and after them those of another file."""
    from evals.corrections import apply_corrections, read_corrections

    corrections = read_corrections(corrections_file(session))
    return apply_corrections(cases, [*corrections, *(read_corrections(more) if more is not None else ())])
