"""What a run has found so far, a line a case, so that a killed run goes on where it stopped.

The lock is the operating system's and ends with the process: a journal that nobody holds was left by a killed run.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

from filelock import FileLock, Timeout
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from assistant.domain.reply import Reply
from assistant.errors import ConfigurationError, InputRejected, NotFound
from evals.root_causes.model import Cause, Diagnosis

SUFFIX = ".progress.jsonl"
_FORMAT = 1
_REPLY = TypeAdapter(Reply)


class Begun(BaseModel):
    """The first line: what was started, when, and on what. ``inputs`` are name → SHA-256 or value."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: int = _FORMAT
    run_id: str
    kind: str
    started_at: datetime
    cases: int
    inputs: dict[str, str]


class _Line(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    case_id: str
    reply: Any = None
    cause: Cause | None = None
    evidence: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A run without its result: still running, or killed (its process is gone, ``--resume`` goes on)."""

    begun: Begun
    replies: int
    diagnoses: int
    status: Literal["running", "killed"]


class RunJournal:
    """The journal of one run, held by one process. Use as a context manager; ``finish`` removes it."""

    def __init__(
        self, path: Path, begun: Begun, replies: Mapping[str, Reply], diagnoses: Mapping[str, Diagnosis]
    ) -> None:
        self.begun = begun
        self.replies = dict(replies)
        self.diagnoses = dict(diagnoses)
        self._path = path
        self._lock = FileLock(_lock_of(path), timeout=0)
        try:
            self._lock.acquire()
        except Timeout:
            raise ConfigurationError(f"run {begun.run_id} is being worked on by another process; wait for it") from None
        self._stream = path.open("a", encoding="utf-8", newline="\n")

    @classmethod
    def begin(cls, folder: Path, begun: Begun) -> RunJournal:
        """A new journal. Raises ConfigurationError where a run of this name exists."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{begun.run_id}{SUFFIX}"
        if path.exists() or (folder / f"{begun.run_id}.json").exists():
            raise ConfigurationError(f"there is a run {begun.run_id} already; start again in a second")
        journal = cls(path, begun, {}, {})
        journal._write(begun.model_dump(mode="json"))
        return journal

    @classmethod
    def resume(cls, folder: Path, run_id: str, inputs: Mapping[str, str]) -> RunJournal:
        """The journal of a killed run. Raises NotFound, and ConfigurationError where the run is of other inputs."""
        begun = begun_of(folder, run_id)
        other = sorted(key for key in {*inputs, *begun.inputs} if inputs.get(key) != begun.inputs.get(key))
        if other:
            raise ConfigurationError(
                f"run {run_id} cannot go on: changed since it began: {', '.join(other)}. "
                "Restore them, or start a new run without --resume"
            )
        path = folder / f"{run_id}{SUFFIX}"
        journal = cls(path, begun, {}, {})
        _, journal.replies, journal.diagnoses, whole = _read(path)
        if whole < path.stat().st_size:  # a line cut by the kill: its case is done again
            with path.open("r+b") as stream:
                stream.truncate(whole)
        return journal

    def keep_reply(self, case_id: str, reply: Reply) -> None:
        """Keep the reply to one case; it survives a kill from here on."""
        self.replies[case_id] = reply
        self._write({"case_id": case_id, "reply": _REPLY.dump_python(reply, mode="json")})

    def keep_diagnoses(self, diagnoses: Sequence[Diagnosis]) -> None:
        """Keep these diagnoses."""
        for each in diagnoses:
            self.diagnoses[each.case_id] = each
            self._write({"case_id": each.case_id, "cause": each.cause.value, "evidence": dict(each.evidence)})

    def finish(self) -> None:
        """The result is stored elsewhere: the journal is no longer needed."""
        self._path.unlink(missing_ok=True)

    def __enter__(self) -> RunJournal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stream.close()
        self._lock.release()
        if not self._path.exists():
            Path(_lock_of(self._path)).unlink(missing_ok=True)

    def _write(self, record: Mapping[str, Any]) -> None:
        self._stream.write(json.dumps(record, ensure_ascii=False, allow_nan=False) + "\n")
        self._stream.flush()


def free_name(folder: Path, name: str) -> str:
    """The name, with a number where a run begun in the same second on the same cases has it."""
    for number in count(1):
        tried = name if number == 1 else f"{name}-{number}"
        if not (folder / f"{tried}{SUFFIX}").exists() and not (folder / f"{tried}.json").exists():
            return tried
    raise AssertionError("counting has no end")


def begun_of(folder: Path, run_id: str) -> Begun:
    """How an unfinished run began. Raises NotFound, or ConfigurationError for one that is finished."""
    path = folder / f"{run_id}{SUFFIX}"
    if "/" in run_id or "\\" in run_id or not path.is_file():
        if (folder / f"{run_id}.json").is_file():
            raise ConfigurationError(f"run {run_id} is finished; there is nothing to resume")
        raise NotFound(f"no unfinished run {run_id}; `teachback eval runs` lists them")
    return _read(path)[0]


def unfinished_runs(folder: Path) -> list[Unfinished | InputRejected]:
    """Runs without a result, in no order; a journal that cannot be read is the reason instead."""
    found: list[Unfinished | InputRejected] = []
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        if path.with_name(path.name.removesuffix(SUFFIX) + ".json").exists():
            continue  # killed between storing the result and removing the journal
        try:
            begun, replies, diagnoses, _ = _read(path)
        except InputRejected as exc:
            found.append(exc)
            continue
        found.append(Unfinished(begun, len(replies), len(diagnoses), "running" if _held(path) else "killed"))
    return found


def _lock_of(path: Path) -> str:
    return str(path.with_name(f".{path.name}.lock"))


def _held(path: Path) -> bool:
    lock = FileLock(_lock_of(path), timeout=0)
    try:
        lock.acquire()
    except Timeout:
        return True
    lock.release()
    return False


def _read(path: Path) -> tuple[Begun, dict[str, Reply], dict[str, Diagnosis], int]:
    """(first line, replies, diagnoses, bytes of whole lines). A cut last line is left out; another wrong one raises."""
    raw = path.read_bytes()
    whole = raw.rfind(b"\n") + 1
    replies: dict[str, Reply] = {}
    diagnoses: dict[str, Diagnosis] = {}
    begun: Begun | None = None
    for number, line in enumerate(raw[:whole].splitlines(), 1):
        try:
            value = json.loads(line)
            if begun is None:
                begun = Begun.model_validate(value)
                continue
            found = _Line.model_validate(value)
            if found.reply is not None:
                replies[found.case_id] = _REPLY.validate_python(found.reply)
            if found.cause is not None:
                diagnoses[found.case_id] = Diagnosis(found.case_id, found.cause, found.evidence or {})
        except (ValidationError, ValueError) as exc:
            reason = f"is not a run's journal: {str(exc).splitlines()[0]}; delete it"
            raise InputRejected(str(path), reason, number) from exc
    if begun is None:
        raise InputRejected(str(path), "is a run's journal without its first line; delete it")
    return begun, replies, diagnoses, whole
