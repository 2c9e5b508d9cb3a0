"""`demo`, `serve`, `doctor` and `keys`."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli.session import (
    ConsoleProgress,
    DataDirOption,
    JsonOption,
    Session,
    WorkspaceOption,
    open_session,
    say,
    settings_for,
    write,
)

if TYPE_CHECKING:
    from api.demo import DemoStore

HostOption = Annotated[str, typer.Option("--host", help="Address to listen on.")]
PortOption = Annotated[int, typer.Option("--port", min=0, max=65535, help="Port to listen on.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("demo")(demo)
    app.command("serve")(serve)
    app.command("doctor")(doctor)
    keys = typer.Typer(help="API keys of servers and staff.")
    keys.command("create")(keys_create)
    keys.command("list")(keys_list)
    keys.command("revoke")(keys_revoke)
    app.add_typer(keys, name="keys")


def demo(
    ctx: typer.Context,
    host: HostOption = "127.0.0.1",
    port: PortOption = 8000,
    build_only: Annotated[bool, typer.Option("--build-only", help="Build the workspace and stop.")] = False,
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Build it anew, with today's dates.")] = False,
    workspace: WorkspaceOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Build the demo store if it is missing, and serve it."""
    from ingest.demo import build_demo

    settings = settings_for(ctx, workspace, data_dir)
    name = settings.workspace if workspace or (ctx.obj and ctx.obj.workspace) else "demo"
    with open_session(ctx, name, data_dir, as_json) as session:
        with ConsoleProgress() as progress:
            built = build_demo(session.service, name, rebuild=rebuild, progress=progress)
        counts = session.service.records(name).counts()
        if built:
            say("Demo store built: " + ", ".join(f"{value} {key}" for key, value in counts.items()))
        if build_only:
            session.show({"workspace": name, "built": built, **counts}, f"Workspace {name} is ready.")
            return
        _run_server(session, host, port, _demo_store(session))


def serve(
    ctx: typer.Context,
    host: HostOption = "127.0.0.1",
    port: PortOption = 8000,
    workers: Annotated[int, typer.Option("--workers", min=1, max=64, help="Processes.")] = 1,
    workspace: WorkspaceOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run the service; with --json the address is printed as an object, once it listens."""
    from assistant.errors import ConfigurationError

    settings = settings_for(ctx, workspace, data_dir)
    if workers > 1:
        if settings.chroma_url is None:
            raise ConfigurationError(
                f"--workers {workers} needs a Chroma server: embedded Chroma belongs to one process. "
                "Set TEACHBACK_CHROMA_URL (and TEACHBACK_DATABASE_URL), or use --workers 1"
            )
        raise ConfigurationError(
            "several workers in one command are not built yet; start one `teachback serve` for each port behind a "
            "load balancer, all with the same TEACHBACK_CHROMA_URL, TEACHBACK_DATABASE_URL and TEACHBACK_TOKEN_SECRET"
        )
    with open_session(ctx, workspace, data_dir, as_json) as session:
        session.service.retriever(
            session.workspace
        )  # a wrong embedder or a locked folder is said now, not to a customer
        _run_server(session, host, port, None)


def _run_server(session: Session, host: str, port: int, demo_store: DemoStore | None) -> None:
    import socket

    import uvicorn

    from api.app import create_app
    from api.routes.reviews import Knowledge
    from assistant.errors import ConfigurationError

    service = session.service
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as exc:
        raise ConfigurationError(f"cannot listen on {host}:{port}: {exc.strerror}; choose another with --port") from exc
    address = f"http://{'localhost' if host in ('127.0.0.1', '0.0.0.0') else host}:{listener.getsockname()[1]}"
    app = create_app(
        desks=service.desk,
        keys=service.keys,
        tokens=service.tokens,
        settings=service.settings,
        demo=demo_store,
        background=service.recover_tasks,
        review=Knowledge(service),
    )
    if demo_store is not None:
        key = _demo_key(session)
        write(
            f"\nChat            {address}/\nAgent desk      {address}/desk#key={key}\n"
            f"Knowledge desk  {address}/knowledge#key={key}\nAPI             {address}/docs\n"
            f"Staff API key   {key}\n\nCtrl-C stops it."
        )
    else:
        session.show(
            {"address": address, "docs": f"{address}/docs"}, f"Teachback serves {address} (API {address}/docs)"
        )
    threading.Thread(target=_warm, args=(session,), daemon=True).start()
    uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="on", timeout_graceful_shutdown=5)).run(
        sockets=[listener]
    )


def _warm(session: Session) -> None:
    """Load the model before the first customer has to wait for it."""
    from assistant.errors import TeachbackError

    try:
        session.service.embedder.embed_passages(["预热"] * 8)
        tasks = session.service.task_set(session.workspace)
        if tasks is not None:
            session.service.recogniser(tasks).warm()
    except TeachbackError as exc:
        say(f"the embedder is not ready: {exc}")


def _demo_key(session: Session) -> str:
    for key in session.service.keys.keys(session.workspace):
        if key.label == "demo" and key.revoked_at is None:
            session.service.keys.revoke(session.workspace, key.id)
    return session.service.keys.issue(session.workspace, "manager", "demo").text


def _demo_store(session: Session) -> DemoStore:
    import json

    from api.demo import DemoStore, DemoUser
    from ingest.demo import situation

    path = session.service.demo_folder(session.workspace) / "users.json"
    users = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    now = session.service.clock.now()
    return DemoStore(
        session.workspace,
        tuple(
            DemoUser(
                id=key,
                name=str(user["profile"].get("name", key)),
                tier=str(user["profile"].get("tier", "")),
                locale=str(user["profile"].get("locale", "zh")),
                situation=situation(user, "zh", now),
                situation_en=situation(user, "en", now),
            )
            for key, user in users.items()
        ),
    )


def doctor(
    ctx: typer.Context,
    workspace: WorkspaceOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """What is configured, reachable and consistent; every problem with its remedy."""
    from assistant.diagnosis import diagnose

    with open_session(ctx, workspace, data_dir, as_json) as session:
        findings = diagnose(session.service, session.workspace)
        record: dict[str, Any] = {
            "workspace": session.workspace,
            "findings": [{"part": f.part, "ok": f.ok, "detail": f.detail, "remedy": f.remedy} for f in findings],
        }
        text = "\n".join(
            f"{'ok  ' if f.ok else 'FAIL'}  {f.part}: {f.detail}" + (f"\n      → {f.remedy}" if f.remedy else "")
            for f in findings
        )
        session.show(record, text)
    if not all(finding.ok for finding in findings):
        raise typer.Exit(2)


def keys_create(
    ctx: typer.Context,
    role: Annotated[str, typer.Option("--role", help="service, agent or manager.")],
    label: Annotated[str, typer.Option("--label", help="What it is for.")] = "",
    workspace: WorkspaceOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make an API key; it is shown once and kept only as a hash."""
    from assistant.errors import ConfigurationError

    if role not in ("service", "agent", "manager"):
        raise ConfigurationError(f"--role must be service, agent or manager, not {role!r}")
    with open_session(ctx, workspace, data_dir, as_json) as session:
        session.service.records(session.workspace)
        issued = session.service.keys.issue(session.workspace, role, label)  # type: ignore[arg-type]  # checked above
        session.show({"id": issued.key.id, "key": issued.text, "role": role}, issued.text)


def keys_list(
    ctx: typer.Context,
    workspace: WorkspaceOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """The keys of the workspace, without their secrets."""
    with open_session(ctx, workspace, data_dir, as_json) as session:
        found = session.service.keys.keys(session.workspace)
        rows = [{"id": k.id, "role": k.role, "label": k.label, "revoked": k.revoked_at is not None} for k in found]
        session.show(
            {"keys": rows},
            "\n".join(f"{r['id']}  {r['role']:<8} {r['label']}{'  (revoked)' if r['revoked'] else ''}" for r in rows)
            or "No keys.",
        )


def keys_revoke(
    ctx: typer.Context,
    key_id: Annotated[str, typer.Argument(help="The key's id.")],
    workspace: WorkspaceOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """End a key at once."""
    with open_session(ctx, workspace, data_dir, as_json) as session:
        session.service.keys.revoke(session.workspace, key_id)
        session.show({"revoked": key_id}, f"{key_id} is revoked.")
