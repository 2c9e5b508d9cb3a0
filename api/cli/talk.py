"""`ask`, `answer` and `draft`."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Annotated, Any

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


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("ask")(ask)
    app.command("answer")(answer)
    app.command("draft")(draft)


def ask(
    ctx: typer.Context,
    text: Annotated[str, typer.Argument(help="The customer's message.")],
    user: Annotated[str | None, typer.Option("--user", help="Answer as for this signed-in user.")] = None,
    conversation: Annotated[str | None, typer.Option("--conversation", help="Go on with this conversation.")] = None,
    workspace: WorkspaceOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """One reply, as the customer would get it. The operator vouches for --user; over HTTP only a token does."""
    from assistant.domain.live import Question
    from assistant.errors import NotPermitted
    from assistant.reply_record import reply_record

    text = must_be_text(text)

    async def run(session: Session) -> Any:
        desk = session.service.desk(session.workspace)
        if conversation is not None:
            known = await desk.conversation(conversation)
            if user is not None and known.user_id != user:
                raise NotPermitted(f"conversation {conversation} does not belong to user {user!r}")
        try:
            return await desk.ask(Question(text, user_id=user, conversation_id=conversation or ""))
        finally:
            await desk.close()

    with open_session(ctx, workspace, data_dir, as_json) as session:
        reply = asyncio.run(run(session))
        shown = [reply.text]
        shown += [f"  [{n}] {c.title}: {' '.join(c.quote.split())[:90]}" for n, c in enumerate(reply.citations, 1)]
        shown.append(f"  ({reply.decision}, confidence {reply.confidence:.2f}, conversation {reply.conversation_id})")
        session.show(reply_record(reply), "\n".join(shown))


def answer(
    ctx: typer.Context,
    questions: Annotated[Path, typer.Argument(help="JSONL with id, text and perhaps user_id.")],
    out: Annotated[Path, typer.Option("--out", help="Where the answers go, JSONL.")],
    workspace: WorkspaceOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Answer a batch of independent questions; nothing is recorded as a conversation."""
    from assistant.domain.live import Question
    from assistant.errors import InputRejected
    from assistant.reply_record import prediction_record
    from evals.jsonl import write_objects
    from evals.questions import read_questions

    must_exist(questions)
    must_be_writable(out)
    rejected: list[InputRejected] = []
    rows: list[dict[str, Any]] = []

    async def run(session: Session, progress: ConsoleProgress) -> None:
        answerer = session.service.desk(session.workspace).answerer
        items = list(read_questions(questions))
        for number, item in enumerate(items, 1):
            if isinstance(item, InputRejected):
                rejected.append(item)
            else:
                reply = await answerer.reply(Question(item.text, user_id=item.user_id))
                record = prediction_record(item.id, reply)
                rows.append({"id": record.pop("case_id"), **record})
            progress.advance("answering", number, len(items))

    with open_session(ctx, workspace, data_dir, as_json) as session:
        with ConsoleProgress() as progress:
            asyncio.run(run(session, progress))
        write_objects(out, rows)
        _finish(session, "answers", rows, out, rejected)


def draft(
    ctx: typer.Context,
    cases: Annotated[Path, typer.Argument(help="Reply cases, JSONL; each ends with a customer turn.")],
    out: Annotated[Path, typer.Option("--out", help="Where the predictions go, JSONL.")],
    workspace: WorkspaceOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """A draft reply for the last customer turn of each case, from all knowledge but the case's own conversation."""
    from assistant.errors import InputRejected
    from assistant.reply_record import prediction_record
    from evals.cases import read_cases
    from evals.jsonl import write_objects

    must_exist(cases)
    must_be_writable(out)
    rejected: list[InputRejected] = []
    rows: list[dict[str, Any]] = []

    async def run(session: Session, progress: ConsoleProgress) -> None:
        answerer = session.service.desk(session.workspace).answerer
        items = list(read_cases(cases))
        for number, item in enumerate(items, 1):
            if isinstance(item, InputRejected):
                rejected.append(item)
            else:
                reply = await answerer.draft(
                    item.turns,
                    state=item.user_state,
                    locale=item.locale,
                    exclude=frozenset({item.conversation_id}),
                )
                rows.append(prediction_record(item.case_id, reply))
            progress.advance("drafting", number, len(items))

    with open_session(ctx, workspace, data_dir, as_json) as session:
        with ConsoleProgress() as progress:
            asyncio.run(run(session, progress))
        write_objects(out, rows)
        _finish(session, "predictions", rows, out, rejected)


def _finish(session: Session, what: str, rows: list[dict[str, Any]], out: Path, rejected: list[Any]) -> None:
    for item in rejected:
        say(f"rejected  {item}")
    decisions: dict[str, int] = {}
    for row in rows:
        decisions[row["decision"]] = decisions.get(row["decision"], 0) + 1
    record = {
        what: len(rows),
        "out": str(out),
        "decisions": decisions,
        "rejected": [{"source": r.source, "line": r.line, "reason": r.reason} for r in rejected],
    }
    session.show(record, f"{len(rows)} {what} in {out} ({json.dumps(decisions)})")
    if rejected:
        raise typer.Exit(1)
