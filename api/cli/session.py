"""What every command shares: the common options, opening the service, and how results and progress are shown."""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from assistant.bootstrap import Service
    from assistant.settings import Settings

WorkspaceOption = Annotated[
    str | None, typer.Option("--workspace", "-w", help="Tenant to work in.", show_default="default")
]
DataDirOption = Annotated[
    Path | None, typer.Option("--data-dir", help="Data folder; else TEACHBACK_DATA_DIR, else the platform's.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
_SAY_EVERY_S = 10.0


@dataclass(slots=True)
class Common:
    """The options given before the command, used where the command has none of its own."""

    workspace: str | None = None
    data_dir: Path | None = None
    json: bool = False


@dataclass(slots=True)
class Session:
    """An open service in one workspace, and how to answer."""

    service: Service
    workspace: str
    json: bool

    def show(self, record: Mapping[str, Any], text: str) -> None:
        """The record as JSON, or the text for a person, on standard output."""
        write(json.dumps(record, ensure_ascii=False) if self.json else text)


def settings_for(ctx: typer.Context, workspace: str | None, data_dir: Path | None) -> Settings:
    """Settings with the command's options put over the environment. Raises ConfigurationError."""
    from pydantic import ValidationError

    from assistant.errors import ConfigurationError
    from assistant.settings import Settings

    common: Common = ctx.obj or Common()
    given: dict[str, Any] = {}
    name = workspace if workspace is not None else common.workspace
    if name is not None:
        given["workspace"] = name
    folder = data_dir if data_dir is not None else common.data_dir
    if folder is not None:
        given["data_dir"] = folder
    try:
        return Settings(**given)
    except ValidationError as exc:
        problems = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in exc.errors())
        raise ConfigurationError(f"a setting is wrong: {problems}") from exc


@contextmanager
def open_session(ctx: typer.Context, workspace: str | None, data_dir: Path | None, as_json: bool) -> Iterator[Session]:
    """An open session; the service is closed at the end, whatever happens."""
    quiet()
    from assistant.bootstrap import build

    settings = settings_for(ctx, workspace, data_dir)
    common: Common = ctx.obj or Common()
    service = build(settings)
    try:
        yield Session(service, settings.workspace, as_json or common.json)
    finally:
        service.close()


def quiet() -> None:
    """No telemetry, no hub, no chatter from any dependency; set before they are imported."""
    for name, value in {
        "ANONYMIZED_TELEMETRY": "False",
        "RAGAS_DO_NOT_TRACK": "true",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "DO_NOT_TRACK": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "LANGSMITH_TRACING": "false",
        "LANGCHAIN_TRACING_V2": "false",
    }.items():
        os.environ.setdefault(name, value)
    if not os.environ.get("TEACHBACK_EMBEDDER_ALLOW_DOWNLOAD"):
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")


def one_thread_of_numpy() -> None:
    """Set before numpy is imported: its products are small here, and waiting threads would burn a fifth of the time."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def write(text: str) -> None:
    """One result on standard output."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def must_exist(path: Path) -> None:
    """Raises ConfigurationError where there is no such file: that is wrong usage, not a wrong item of input."""
    from assistant.errors import ConfigurationError

    if not path.is_file():
        raise ConfigurationError(f"no such file: {path}")


def must_be_writable(path: Path | None) -> None:
    """Raises ConfigurationError, before any work, where a result could not be written there."""
    from assistant.errors import ConfigurationError

    if path is None:
        return
    if path.is_dir():
        raise ConfigurationError(f"{path} is a folder; name a file")
    if not path.absolute().parent.is_dir():
        raise ConfigurationError(f"the folder of {path} does not exist")


def must_be_text(text: str) -> str:
    """The text; raises ConfigurationError where it is not what the terminal's encoding promises."""
    from assistant.errors import ConfigurationError

    try:
        text.encode("utf-8")
    except UnicodeEncodeError as exc:
        raise ConfigurationError("the text is not UTF-8; check the terminal's encoding") from exc
    return text.replace("\0", "")


def say(text: str) -> None:
    """A word to the person, on standard error."""
    sys.stderr.write(text + "\n")


class ConsoleProgress:
    """Progress on standard error: bars on a terminal, elsewhere a line now and then; both with the time left."""

    def __init__(self) -> None:
        self._bars: Any = None
        self._tasks: dict[str, Any] = {}
        self._stages: dict[str, tuple[float, int]] = {}
        self._said_at = time.monotonic()

    def __enter__(self) -> ConsoleProgress:
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

            self._bars = Progress(
                TextColumn("{task.description:<12}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeRemainingColumn(),
                console=Console(stderr=True),
            )
            self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bars is not None:
            self._bars.stop()

    def advance(self, stage: str, done: int, total: int) -> None:
        """Move the stage's bar."""
        if self._bars is None:
            self._say(stage, done, total)
            return
        if stage not in self._tasks:
            self._tasks[stage] = self._bars.add_task(stage, total=total)
        self._bars.update(self._tasks[stage], completed=done, total=total)

    def _say(self, stage: str, done: int, total: int) -> None:
        """A line for a log, at most one in ten seconds: short work stays silent."""
        now = time.monotonic()
        began, first = self._stages.setdefault(stage, (now, done))
        if now - self._said_at < _SAY_EVERY_S:
            return
        self._said_at = now
        left = f", {_span((now - began) / (done - first) * (total - done))} left" if done > first else ""
        say(f"{stage}: {done} of {total}{left}")


def _span(seconds: float) -> str:
    """``45 s``, ``12 min`` or ``3.5 h``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def lines(items: Sequence[str], *, most: int = 20) -> str:
    """Items one a line, indented; past ``most`` only how many more."""
    shown = [f"  {item}" for item in items[:most]]
    if len(items) > most:
        shown.append(f"  … and {len(items) - most} more")
    return "\n".join(shown)
