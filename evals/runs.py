"""Evaluation runs on disk: the rows of every case, and all that is needed to run it again or to mistrust it."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from assistant.errors import InputRejected, NotFound
from evals.jsonl import write_whole

FORMAT = 1
_DISTRIBUTION = "teachback"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


@dataclass(frozen=True, slots=True)
class RunRow:
    """One case: its measures (None where unscored, with the reason), the slices it belongs to, and free detail.

    ``group`` is what cases are dependent within, as a rule the conversation.
    """

    case_id: str
    values: Mapping[str, float | None]
    group: str = ""
    unscored: str | None = None
    slices: Mapping[str, str] = field(default_factory=dict)
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a run comes from. ``commit`` and ``dirty`` are None outside a repository.

    ``data`` is a hash of cases and knowledge; ``prompts`` are name → SHA-256; ``packages`` name → version.
    """

    created_at: datetime
    data: str
    commit: str | None = None
    dirty: bool | None = None
    models: Mapping[str, str] = field(default_factory=dict)
    prompts: Mapping[str, str] = field(default_factory=dict)
    arguments: Mapping[str, Any] = field(default_factory=dict)
    packages: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EvalRun:
    """One run. ``main`` is the measure that decides; of the measures in ``less_is_better`` less is better."""

    run_id: str
    kind: str
    main: str
    rows: tuple[RunRow, ...]
    provenance: Provenance
    less_is_better: tuple[str, ...] = ()

    @property
    def measures(self) -> tuple[str, ...]:
        """Every measure that any row has, the main one first."""
        return tuple(dict.fromkeys([self.main, *(name for row in self.rows for name in row.values)]))


class _RunRecord(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    format: int
    run_id: str
    kind: str
    main: str
    less_is_better: tuple[str, ...]
    provenance: Provenance
    rows: tuple[RunRow, ...]


def write_run(run: EvalRun, folder: Path) -> Path:
    """Write ``<folder>/<run_id>.json``, whole or not at all; its path.

    Raises ValueError for an id that is no file name, a row twice, or a number that is not finite.
    """
    if _NAME.fullmatch(run.run_id) is None:
        raise ValueError(f"{run.run_id!r} cannot name a run: letters, digits, dot, dash and underscore only")
    if len({row.case_id for row in run.rows}) < len(run.rows):
        raise ValueError("a case has two rows")
    path = folder / f"{run.run_id}.json"
    record = {"format": FORMAT, **asdict(run)}
    write_whole(path, json.dumps(record, ensure_ascii=False, allow_nan=False, default=_plain) + "\n")
    return path


def report_path(folder: Path, run_id: str) -> Path:
    """Where the report page of a run of this folder is kept."""
    return folder / "reports" / f"{run_id}.html"


def read_run(path: Path) -> EvalRun:
    """The run in this file. Raises NotFound where there is none, InputRejected where the file is not a run."""
    if not path.is_file():
        raise NotFound(f"no run at {path}")
    try:
        value = json.loads(path.read_text("utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError) as exc:
        raise InputRejected(str(path), f"is not JSON: {exc}") from exc
    if not isinstance(value, dict) or not isinstance(value.get("format"), int):
        raise InputRejected(str(path), 'is not an evaluation run: it has no "format"')
    if value["format"] != FORMAT:
        raise InputRejected(str(path), f"is in format {value['format']}; this version reads {FORMAT}")
    try:
        record = _RunRecord.model_validate(value)
    except ValidationError as exc:
        first = exc.errors(include_url=False)[0]
        place = ".".join(str(step) for step in first["loc"])
        raise InputRejected(str(path), f'"{place}": {first["msg"][:1].lower() + first["msg"][1:]}') from exc
    return EvalRun(record.run_id, record.kind, record.main, record.rows, record.provenance, record.less_is_better)


def list_runs(folder: Path) -> list[EvalRun | InputRejected]:
    """The runs of a folder, newest first; a file that is not a run comes last, as the reason."""
    runs: list[EvalRun] = []
    wrong: list[EvalRun | InputRejected] = []
    for path in sorted(folder.glob("*.json")):
        try:
            runs.append(read_run(path))
        except InputRejected as exc:
            wrong.append(exc)
    runs.sort(key=lambda run: (run.provenance.created_at, run.run_id), reverse=True)
    return [*runs, *wrong]


def gather_provenance(
    data: str,
    *,
    now: datetime | None = None,
    models: Mapping[str, str] | None = None,
    prompts: Mapping[str, str] | None = None,
    arguments: Mapping[str, Any] | None = None,
    source: Path | None = None,
) -> Provenance:
    """Provenance of a run made now by this code. ``source`` is a folder of the repository, by default this file's."""
    commit, dirty = _commit(source or Path(__file__).parent)
    return Provenance(
        created_at=now or datetime.now(UTC),
        data=data,
        commit=commit,
        dirty=dirty,
        models=dict(models or {}),
        prompts=dict(prompts or {}),
        arguments=dict(arguments or {}),
        packages=_packages(),
    )


def data_version(parts: Iterable[str]) -> str:
    """A SHA-256 over texts, such as the canonical form of each case and article; their order does not matter."""
    digests = sorted(hashlib.sha256(part.encode("utf-8", "surrogatepass")).digest() for part in parts)
    return hashlib.sha256(b"".join(digests)).hexdigest()


def _commit(folder: Path) -> tuple[str | None, bool | None]:
    head = _git(folder, ("rev-parse", "HEAD"))
    if head is None:
        return None, None
    changes = _git(folder, ("status", "--porcelain"))
    return head.strip(), None if changes is None else bool(changes.strip())


def _git(folder: Path, arguments: Sequence[str]) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout


def _packages() -> dict[str, str]:
    try:
        needed = metadata.requires(_DISTRIBUTION) or []
        found = {_DISTRIBUTION: metadata.version(_DISTRIBUTION)}
    except metadata.PackageNotFoundError:
        return {}
    for requirement in needed:
        if "extra ==" in requirement:
            continue
        name = re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0]
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no form in a run file")
