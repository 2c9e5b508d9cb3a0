"""What people corrected in the cases: appended, never overwritten, each with its author and date."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from assistant.errors import InputRejected
from evals.cases import ReplyCase
from evals.jsonl import read_objects
from ingest.sources.fields import Identifier, Texts


@dataclass(frozen=True, slots=True)
class Correction:
    """A person's correction of one case: other references or articles (None: left as they are), or the case dropped."""

    case_id: str
    author: str
    at: datetime
    references: tuple[str, ...] | None = None
    article_ids: tuple[str, ...] | None = None
    drop: bool = False
    note: str | None = None


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    case_id: Identifier
    author: Identifier
    at: AwareDatetime
    references: Texts | None = None
    article_ids: Texts | None = None
    drop: bool = False
    note: str | None = Field(default=None, max_length=2000)


def read_corrections(path: Path) -> list[Correction]:
    """The corrections of a file, oldest first; none where there is no file. Raises InputRejected with the line."""
    if not path.exists():
        return []
    found = []
    for number, value in read_objects(path):
        try:
            record = _Record.model_validate(value)
        except ValidationError as exc:
            first = exc.errors(include_url=False)[0]
            name = ".".join(map(str, first["loc"]))
            raise InputRejected(str(path), f'"{name}": {first["msg"][:1].lower()}{first["msg"][1:]}', number) from exc
        found.append(
            Correction(
                record.case_id,
                record.author,
                record.at,
                record.references,
                record.article_ids,
                record.drop,
                record.note,
            )
        )
    return found


def add_correction(path: Path, correction: Correction) -> None:
    """Append it; it is on disk when this returns."""
    path.parent.mkdir(parents=True, exist_ok=True)
    record: dict[str, Any] = {
        "case_id": correction.case_id,
        "author": correction.author,
        "at": correction.at.isoformat(),
        "references": None if correction.references is None else list(correction.references),
        "article_ids": None if correction.article_ids is None else list(correction.article_ids),
        "drop": correction.drop,
        "note": correction.note,
    }
    line = json.dumps({k: v for k, v in record.items() if v is not None}, ensure_ascii=False) + "\n"
    with path.open("a", encoding="utf-8") as stream:
        stream.write(line)
        stream.flush()
        os.fsync(stream.fileno())


@dataclass(frozen=True)
class Corrected:
    """The cases as corrected, and what came of the corrections; ``unknown`` names case ids that no case has."""

    cases: tuple[ReplyCase, ...]
    changed: int
    dropped: int
    unknown: tuple[str, ...]


def apply_corrections(cases: Sequence[ReplyCase], corrections: Sequence[Correction]) -> Corrected:
    """Each case with its corrections in order, a later one over an earlier; the last author and date stay with it."""
    by_case: dict[str, list[Correction]] = {}
    for correction in corrections:
        by_case.setdefault(correction.case_id, []).append(correction)
    kept: list[ReplyCase] = []
    changed = dropped = 0
    for case in cases:
        own = by_case.pop(case.case_id, [])
        if own and own[-1].drop:
            dropped += 1
            continue
        for correction in own:
            case = replace(
                case,
                references=case.references if correction.references is None else correction.references,
                article_ids=case.article_ids if correction.article_ids is None else correction.article_ids,
                corrected=_told(correction),
            )
        changed += bool(own)
        kept.append(case)
    return Corrected(tuple(kept), changed, dropped, tuple(by_case))


def _told(correction: Correction) -> Mapping[str, str | None]:
    return {"author": correction.author, "at": correction.at.isoformat(), "note": correction.note}
