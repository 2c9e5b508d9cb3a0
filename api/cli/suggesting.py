"""`suggestions test`, `suggestions learn` and `eval suggestions`."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime
from importlib.resources import files
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli.session import ConsoleProgress, DataDirOption, JsonOption, WorkspaceOption, must_be_text, open_session

if TYPE_CHECKING:
    from assistant.suggesting import Candidate


def register(app: typer.Typer) -> None:
    """Add the commands as a group."""
    group = typer.Typer(help="Try out and learn the suggested questions (猜你想问).")
    group.command("test")(try_out)
    group.command("learn")(learn)
    app.add_typer(group, name="suggestions")


def try_out(
    ctx: typer.Context,
    user: Annotated[str | None, typer.Option("--user", help="Whose live state is used; a visitor without it.")] = None,
    page: Annotated[str | None, typer.Option("--page", help="Address or title of the page they are on.")] = None,
    after: Annotated[str | None, typer.Option("--after", help="The question that was just answered.")] = None,
    locale: Annotated[str | None, typer.Option("--locale", help="zh or en; the user's own without it.")] = None,
    at: Annotated[datetime | None, typer.Option("--at", help="As of this time (UTC); now without it.")] = None,
    workspace: WorkspaceOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show every candidate with its source, its score and why; those left out with the reason."""
    from datetime import UTC

    from assistant.errors import ConfigurationError
    from assistant.language import spoken
    from assistant.query import Query
    from assistant.suggesting.pages import words_of

    if locale not in (None, "zh", "en"):
        raise ConfigurationError(f"--locale is {locale!r}; it must be zh or en")
    with open_session(ctx, workspace, data_dir, as_json) as session:
        service = session.service
        retriever = service.retriever(session.workspace)
        suggester = service.suggester(session.workspace, retriever)
        now = service.clock.now() if at is None else at.replace(tzinfo=at.tzinfo or UTC)
        state = None
        source = service.state_source(session.workspace)
        if user is not None:
            if source is None:
                raise ConfigurationError(f"workspace {session.workspace!r} has no source of live state; drop --user")
            state = asyncio.run(source.fetch(user, now))
        language = spoken(locale or (str(state.profile.get("locale") or "zh") if state is not None else "zh"), "")
        question = must_be_text(after) if after else ""
        passages = retriever.search(Query(question, locale=language), now=now).passages if question.strip() else ()
        there = suggester.documents_on(page) if page else ()
        if page and not there:
            near = retriever.search(Query(words_of(must_be_text(page)), k=3), now=now).passages
            there = tuple(
                p.document_id for p in near if p.article_id and p.score >= service.thresholds(session.workspace).answer
            )
        found = suggester.candidates(state, passages, asked=question, page=there, locale=language, now=now)
        record: dict[str, Any] = {
            "user": user,
            "as_of": now.isoformat(),
            "learned": service.suggestions_file(session.workspace).exists(),
            "page_documents": list(there),
            "candidates": [_record(candidate) for candidate in found],
        }
        session.show(record, "\n".join(_text(found, record["learned"], there)))


def _record(candidate: Candidate) -> dict[str, Any]:
    return {
        "text": candidate.text,
        "source": candidate.source,
        "score": candidate.score,
        "why": candidate.why,
        "intent": candidate.intent,
        "entity_id": candidate.entity_id,
        "left_out": candidate.left_out,
    }


def _text(found: list[Candidate], learned: bool, there: tuple[str, ...], most: int = 15) -> list[str]:
    out = [] if learned else ["Nothing is learnt yet, only rules speak: run `teachback suggestions learn`."]
    if there:
        out.append(f"On this page: {', '.join(there)}")
    offered = 0
    for candidate in found[:most]:
        shown = candidate.left_out is None and offered < 3
        offered += shown
        mark = str(offered) if shown else "-"
        reason = f"  [left out: {candidate.left_out}]" if candidate.left_out else ""
        out.append(f"{mark}  {candidate.score:.3f}  {candidate.source:<7}  {candidate.text}{reason}")
        out.append(f"              {candidate.why}")
    if len(found) > most:
        out.append(f"… and {len(found) - most} more (--json shows all)")
    return out or ["Nothing to suggest."]


def learn(
    ctx: typer.Context,
    workspace: WorkspaceOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Learn anew from the workspace's transcripts, as `ingest` does by itself when something changed."""
    from ingest.asked import learn_suggestions

    with open_session(ctx, workspace, data_dir, as_json) as session:
        with ConsoleProgress() as progress:
            model = learn_suggestions(session.service, session.workspace, progress=progress)
        usable = sum(bool(intent.texts) for intent in model.intents.values())
        record = {
            "conversations": model.conversations,
            "matters": len(model.intents),
            "with_a_question_the_knowledge_answers": usable,
        }
        session.show(
            record,
            f"Learnt from {model.conversations} conversations: {len(model.intents)} matters, "
            f"{usable} with a question that the knowledge answers.",
        )


def measure(
    ctx: typer.Context,
    until_week: Annotated[int, typer.Option("--until-week", min=1, help="Learn on weeks up to this one.")] = 6,
    workspace: WorkspaceOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Was it suggested before it was asked? On held-back weeks beside three baselines, and on the live store."""
    from evals.suggesting import evaluate_suggestions, live_hits
    from evals.suggesting.table import live_markdown, suggestions_markdown

    with open_session(ctx, workspace, data_dir, as_json) as session:
        service = session.service
        labels = demo_labels() if service.demo_folder(session.workspace).exists() else {}
        with ConsoleProgress() as progress:
            done = evaluate_suggestions(
                service, session.workspace, until_week=until_week, labels=labels, progress=progress
            )
        live = live_hits(service, session.workspace)
        record = {**done.record(), "live": live.record()}
        session.show(record, suggestions_markdown(done) + "\n\n" + live_markdown(live))


def demo_labels() -> dict[str, list[dict[str, object]]]:
    """What a careful reader says of the demo's conversations: issues by conversation; for measuring only."""
    found: dict[str, list[dict[str, object]]] = {}
    for path in sorted((files("ingest") / "samples" / "labels").iterdir(), key=lambda p: p.name):
        for line in path.read_text("utf-8").splitlines():
            record = json.loads(line)
            found[record["conversation_id"]] = record["issues"]
    return found
