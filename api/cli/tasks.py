"""`tasks list`, `tasks test` and `tasks log`: what is declared, what a sentence would start, and what was done."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import typer

from api.cli.session import DataDirOption, JsonOption, WorkspaceOption, must_be_text, open_session


def register(app: typer.Typer) -> None:
    """Add the commands."""
    tasks = typer.Typer(help="What the assistant may do for customers.")
    tasks.command("list")(tasks_list)
    tasks.command("test")(tasks_test)
    tasks.command("log")(tasks_log)
    app.add_typer(tasks, name="tasks")


def tasks_list(
    ctx: typer.Context,
    workspace: WorkspaceOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """The declared tasks: who may run them, what they need, what they call."""
    with open_session(ctx, workspace, data_dir, as_json) as session:
        declared = session.service.task_set(session.workspace)
        rows: list[dict[str, Any]] = [
            {
                "name": task.name,
                "title": {"zh": task.title.zh, "en": task.title.en},
                "run_by": task.run_by,
                "permission": task.permission or None,
                "undo": task.undo,
                "parameters": [
                    {"name": p.name, "source": p.source, "required": not p.optional} for p in task.parameters
                ],
                "preconditions": len(task.preconditions),
                "call": None if task.call is None else f"{task.call.method} {task.call.path}",
            }
            for task in (declared.tasks if declared is not None else ())
        ]
        text = "\n".join(
            f"{r['name']:<18} {r['title']['zh']} / {r['title']['en']}\n"
            f"{'':<18} by {r['run_by']}{' with ' + r['permission'] if r['permission'] else ''}; needs "
            + ", ".join(p["name"] + ("" if p["required"] else "?") for p in r["parameters"])
            + (f"; {r['call']}" if r["call"] else "")
            for r in rows
        )
        session.show(
            {"tasks": rows}, text or "No tasks are declared; TEACHBACK_TASKS names the file that declares them."
        )


def tasks_test(
    ctx: typer.Context,
    text: Annotated[str, typer.Argument(help="What a customer writes.")],
    user: Annotated[str | None, typer.Option("--user", help="Look for parameters among this user's things.")] = None,
    workspace: WorkspaceOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Which task a sentence would start, with which parameters, and what would be asked for. Nothing is done."""
    from assistant.domain.state import UserState
    from assistant.errors import ConfigurationError
    from assistant.tasks.bench import recognised_record

    text = must_be_text(text)
    with open_session(ctx, workspace, data_dir, as_json) as session:
        service = session.service
        declared = service.task_set(session.workspace)
        if declared is None:
            raise ConfigurationError("no tasks are declared; TEACHBACK_TASKS names the file that declares them")
        source = service.state_source(session.workspace)
        state = UserState(user or "", service.clock.now())
        if user is not None and source is not None:
            state = asyncio.run(source.fetch(user))
        record = recognised_record(service.recogniser(declared), text, state, service.clock.now())
        shown = [f"task        {record['task'] or 'none'} ({record['intent'] or 'answered as usual'})"]
        if record["task"]:
            shown.append(f"recognised  by {record['by']}, {record['score']:.2f}")
            shown += [f"parameter   {name} = {value}" for name, value in record["parameters"].items()]
            shown.append(f"missing     {', '.join(record['missing']) or 'nothing'}")
            if record["refused"]:
                shown.append(f"refused     {record['refused']}")
        session.show(record, "\n".join(shown))


def tasks_log(
    ctx: typer.Context,
    run: Annotated[str | None, typer.Option("--run", help="Only this run.")] = None,
    workspace: WorkspaceOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """The audit log, and whether its chain of hashes is whole; exit 1 where it is not."""
    from assistant.store.task_records import TaskRecords

    with open_session(ctx, workspace, data_dir, as_json) as session:
        records = TaskRecords(session.service.engine, session.workspace)
        entries, broken = records.log(run), records.first_broken_entry()
        text = "\n".join(
            f"{e['seq']:>5}  {e['at']}  {e['run_id']}  {e['event']:<10} {e['detail'] or ''}" for e in entries
        )
        verdict = "The log is whole." if broken is None else f"The log is broken at entry {broken}."
        session.show({"entries": entries, "broken_at": broken}, f"{text}\n{verdict}".strip())
    if broken is not None:
        raise typer.Exit(1)
