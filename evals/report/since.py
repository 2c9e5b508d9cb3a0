"""What changed since the last stored run of the same cases."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from evals.compare import Comparison, compare_runs
from evals.runs import EvalRun, Provenance


@dataclass(frozen=True, slots=True)
class Since:
    """The comparison with the run before, and the cases that crossed the line to solved, either way.

    ``changed`` names what was other then: ``commit``, ``data`` (the cases), ``knowledge``, ``models``, ``prompts``; of
    what either run does not tell nothing is said.
    """

    at: datetime
    comparison: Comparison
    now_solved: tuple[str, ...]
    now_unsolved: tuple[str, ...]
    changed: tuple[str, ...] = ()


def since_last(run: EvalRun, stored: Iterable[EvalRun], solved: float) -> Since | None:
    """Against the newest of ``stored`` that was made before this run and shares cases with it; None without one."""
    earlier = [
        other
        for other in stored
        if other.run_id != run.run_id
        and (other.kind, other.main) == (run.kind, run.main)
        and other.provenance.created_at <= run.provenance.created_at
    ]
    for other in sorted(earlier, key=lambda each: each.provenance.created_at, reverse=True):
        try:
            comparison = compare_runs(other, run)
        except ValueError:  # no case in common
            continue
        before = {row.case_id: row.values.get(run.main) for row in other.rows}
        pairs = [(row.case_id, before.get(row.case_id), row.values.get(run.main)) for row in run.rows]
        scored = [(key, old, new) for key, old, new in pairs if old is not None and new is not None]
        return Since(
            other.provenance.created_at,
            comparison,
            tuple(key for key, old, new in scored if old < solved <= new),
            tuple(key for key, old, new in scored if new < solved <= old),
            _changed(other.provenance, run.provenance),
        )
    return None


def _changed(before: Provenance, after: Provenance) -> tuple[str, ...]:
    told = {
        "commit": (before.commit, after.commit),
        "data": (before.data, after.data),
        "knowledge": (before.arguments.get("knowledge"), after.arguments.get("knowledge")),
        "models": (before.models, after.models),
        "prompts": (before.prompts, after.prompts),
    }
    return tuple(name for name, (old, new) in told.items() if old is not None and new is not None and old != new)
