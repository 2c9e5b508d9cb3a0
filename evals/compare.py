"""Compares two runs case by case: what changed, by how much, how sure, and whether it is a regression."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from evals.runs import EvalRun, RunRow
from evals.statistics import Difference, paired_difference

SLICES = ("locale", "channel", "tier", "intent", "cause")
SOLVED = "solved"
"""The value of the slice ``cause`` for cases that had no cause before, in a run that looked for causes."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """After − before on the cases of both runs.

    ``measures`` covers all cases, ``slices`` the main measure by slice and its value; ``cause`` is the one that the
    case had before, so it tells what became of the failures (which can mostly rise, as solved cases can mostly fall).
    ``regression`` is true where the whole interval of the main measure is on the worse side of 0. ``lost`` are cases
    scored before and unscored now: they are in no difference, so they are named. ``warnings`` say what makes the
    comparison doubtful.
    """

    before: str
    after: str
    main: str
    measures: Mapping[str, Difference]
    slices: Mapping[str, Mapping[str, Difference]]
    regression: bool
    improvement: bool
    lost: tuple[str, ...]
    only_before: tuple[str, ...]
    only_after: tuple[str, ...]
    warnings: tuple[str, ...]

    def could_see(self, least: float) -> bool:
        """Whether a difference as small as ``least`` would have shown; never where scored cases are lost."""
        detectable = self.measures[self.main].detectable
        return detectable is not None and detectable <= least and not self.lost


def compare_runs(before: EvalRun, after: EvalRun, *, level: float = 0.95, seed: int = 0) -> Comparison:
    """The paired comparison; a case's slice values are those of the later run, but for the cause.

    Raises ValueError where the runs are of different kinds, differ in their main measure or share no case.
    """
    if (before.kind, before.main) != (after.kind, after.main):
        raise ValueError(
            f"{before.run_id} is a run of {before.kind} by {before.main}, "
            f"{after.run_id} of {after.kind} by {after.main}"
        )
    old = {row.case_id: row for row in before.rows}
    new = {row.case_id: row for row in after.rows}
    shared = [case for case in old if case in new]
    if not shared:
        raise ValueError(f"{before.run_id} and {after.run_id} share no case")
    pairs = [(old[case], new[case]) for case in shared]

    def difference(chosen: list[tuple[RunRow, RunRow]], measure: str) -> Difference:
        return paired_difference(
            [row.values.get(measure) for row, _ in chosen],
            [row.values.get(measure) for _, row in chosen],
            groups=[row.group or row.case_id for _, row in chosen],
            level=level,
            seed=seed,
        )

    main = after.main
    measures = {name: difference(pairs, name) for name in dict.fromkeys([*before.measures, *after.measures])}
    by_slice = {
        name: {value: difference(chosen, main) for value, chosen in sorted(_sliced(pairs, name).items())}
        for name in dict.fromkeys([*SLICES, *(name for row in after.rows for name in row.slices)])
    }
    worse, better = _verdict(measures[main], main in after.less_is_better)
    lost = [b.case_id for b, a in pairs if b.values.get(main) is not None and a.values.get(main) is None]
    only_before = [case for case in old if case not in new]
    only_after = [case for case in new if case not in old]
    return Comparison(
        before=before.run_id,
        after=after.run_id,
        main=main,
        measures=measures,
        slices={name: values for name, values in by_slice.items() if values},
        regression=worse,
        improvement=better,
        lost=tuple(lost),
        only_before=tuple(only_before),
        only_after=tuple(only_after),
        warnings=_warnings(before, after, measures[main], len(lost), len(only_before) + len(only_after)),
    )


def _sliced(pairs: list[tuple[RunRow, RunRow]], name: str) -> dict[str, list[tuple[RunRow, RunRow]]]:
    found: dict[str, list[tuple[RunRow, RunRow]]] = {}
    diagnosed = any("cause" in row.slices for row, _ in pairs)
    for pair in pairs:
        if name == "cause":
            value = pair[0].slices.get(name) or (SOLVED if diagnosed else None)
        else:
            value = pair[1].slices.get(name)
        if value:
            found.setdefault(value, []).append(pair)
    return found


def _verdict(difference: Difference, less_is_better: bool) -> tuple[bool, bool]:
    if difference.low is None or difference.high is None:
        return False, False
    below, above = difference.high < 0, difference.low > 0
    return (above, below) if less_is_better else (below, above)


def _warnings(before: EvalRun, after: EvalRun, main: Difference, lost: int, unshared: int) -> tuple[str, ...]:
    found = []
    if before.provenance.data != after.provenance.data:
        found.append("the runs used different data: cases or knowledge changed between them")
    if unshared:
        found.append(f"{unshared} cases are in one run only and count nowhere")
    if lost:
        found.append(f"{lost} cases were scored before and are unscored now; the difference leaves them out")
    if main.low is None:
        found.append("too few scored pairs for an interval: no verdict")
    changed = [name for name, one in before.provenance.models.items() if after.provenance.models.get(name, one) != one]
    if "embedder" in changed or "judge" in changed:
        found.append("the runs were scored by different models, so part of the difference may be the measure's own")
    return tuple(found)
