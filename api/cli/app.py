"""The command tree, with heavy imports inside the commands."""

from __future__ import annotations

import typer

import api.cli.evaluate as evaluate
import api.cli.fitting as fitting
import api.cli.knowledge as knowledge
import api.cli.review as review
import api.cli.running as running
import api.cli.suggesting as suggesting
import api.cli.talk as talk
import api.cli.tasks as tasks
from api.cli.session import Common, DataDirOption, JsonOption, WorkspaceOption

app = typer.Typer(
    name="teachback",
    help="A support assistant that learns from every case it had to hand to a human, and proves it.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode=None,
)


@app.callback()
def _common(
    ctx: typer.Context,
    workspace: WorkspaceOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    ctx.obj = Common(workspace, data_dir, as_json)


running.register(app)
knowledge.register(app)
talk.register(app)
tasks.register(app)
evaluate.register(app)
fitting.register(app)
suggesting.register(app)
review.register(app)
