"""The gaps of an evaluation, kept beside its run: what to write next is asked far more often than worked out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from assistant.errors import InputRejected, NotFound
from evals.jsonl import write_whole
from evals.loop.gaps import Gap

_FOLDER = "gaps"


@dataclass(frozen=True, slots=True)
class GapRun:
    """The gaps found at a moment among so many cases, of which so many failed; the costliest gap first."""

    at: datetime
    cases: int
    failed: int
    gaps: tuple[Gap, ...]

    def gap(self, gap_id: str) -> Gap:
        """The gap of that id. Raises NotFound."""
        for gap in self.gaps:
            if gap.id == gap_id:
                return gap
        raise NotFound(f"no gap {gap_id!r} in the gaps of {self.at:%Y-%m-%d %H:%M}; `teachback eval gaps`")

    def record(self) -> dict[str, Any]:
        """As JSON data."""
        gaps = [gap.record() for gap in self.gaps]
        return {"at": self.at.isoformat(), "cases": self.cases, "failed": self.failed, "gaps": gaps}


class _GapRecord(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    name: str
    locale: str
    cases: tuple[str, ...]
    conversations: tuple[str, ...]
    causes: dict[str, int]
    cost: float
    minutes: float
    low_ratings: int


class _GapRunRecord(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    at: datetime
    cases: int
    failed: int
    gaps: tuple[_GapRecord, ...]


def keep_gaps(runs: Path, at: datetime, cases: int, gaps: Sequence[Gap]) -> GapRun:
    """Write the gaps below the workspace's folder of runs, whole or not at all."""
    run = GapRun(at, cases, sum(len(gap.case_ids) for gap in gaps), tuple(gaps))
    path = runs / _FOLDER / f"gaps-{at:%Y%m%dT%H%M%S%f}.json"
    write_whole(path, json.dumps(run.record(), ensure_ascii=False) + "\n")
    return run


def latest_gaps(runs: Path) -> GapRun:
    """The gaps last kept. Raises NotFound where there are none, InputRejected for a broken file."""
    path = max((runs / _FOLDER).glob("gaps-*.json"), default=None)
    if path is None:
        raise NotFound("no gaps are known yet: run `teachback eval gaps CASES.jsonl` first")
    try:
        kept = _GapRunRecord.model_validate_json(path.read_bytes())
    except ValidationError as exc:
        raise InputRejected(str(path), "is not a file of gaps; run `teachback eval gaps` again") from exc
    gaps = tuple(
        Gap(g.id, g.name, g.locale, g.cases, g.conversations, g.causes, g.cost, g.minutes, g.low_ratings)
        for g in kept.gaps
    )
    return GapRun(kept.at, kept.cases, kept.failed, gaps)
