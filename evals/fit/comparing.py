"""Fits on most lessons, compares on those held back, and says whether the fit is worth keeping."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assistant.fitted import Adapter, Fitted
from assistant.fusion import Fusion
from assistant.ports import Progress
from evals.fit.classroom import Classroom, Sheet, grade
from evals.fit.fitting import chances, fit_adapter, fit_support, fit_weights
from evals.fit.lessons import RESOLVED_CASE, Lesson
from evals.risk_coverage import calibration_error, risk_curve, separation
from evals.statistics import Difference, paired_difference

FOLDS = 5
FEWEST = 40
"""Lessons; from fewer nothing is fitted."""
ENOUGH = 20
UNANSWERABLE = 0.2
STAGES = ("adapter", "weights", "calibration")
"""Each holds those after it. The first that wins on the held-back lessons is kept."""

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Outcome:
    """Held-back lessons, a row each: top article right, confidence in it, and confidence with the answer taken away."""

    right: NDArray[np.bool_]
    sure: Numbers
    sure_away: Numbers

    def loss(self, unanswerable: float) -> Numbers:
        """(lessons,) log loss in nats, the lesson and its copy without an answer weighed by their shares."""
        there = np.where(self.right, self.sure, 1 - self.sure)
        least = 1e-6
        told = (1 - unanswerable) * np.log(np.maximum(there, least))
        return np.asarray(-told - unanswerable * np.log(np.maximum(1 - self.sure_away, least)))

    def figures(self, unanswerable: float) -> dict[str, Any]:
        """The measures; confidence is measured on lessons and their copies without an answer alike."""
        copies = round(len(self.right) * unanswerable / (1 - unanswerable)) if unanswerable < 1 else len(self.right)
        taken = np.linspace(0, len(self.right) - 1, min(copies, len(self.right))).round().astype(int)
        sure = np.concatenate([self.sure, self.sure_away[taken]])
        right = np.concatenate([self.right, np.zeros(len(taken), dtype=np.bool_)])
        curve = risk_curve(sure, right)
        return {
            "accuracy": float(self.right.mean()),
            "log_loss": float(self.loss(unanswerable).mean()),
            "aurc": curve.area,
            "auc": separation(sure, right),
            "accuracy_at_70": curve.accuracy_at(0.7),
            "coverage_at_95": curve.coverage_at(0.95),
            "ece": calibration_error(sure, right),
        }


@dataclass(frozen=True)
class Comparison:
    """Held-back outcomes of the defaults and of each stage, and which was kept; ``kept`` is empty where none won."""

    lessons: Sequence[Lesson]
    outcomes: dict[str, Outcome]
    kept: str
    fitted: Fitted | None
    unanswerable: float
    later: dict[str, dict[str, Any]]

    def difference(self, stage: str, measure: str) -> Difference:
        """Stage less defaults, paired by lesson, the interval over conversations: ``accuracy`` or ``log_loss``."""
        return _difference(self.lessons, self.outcomes["default"], self.outcomes[stage], measure, self.unanswerable)

    def _of_cases(self) -> dict[str, float]:
        """Share of the held-back resolved cases whose top article is right, by stage; empty where there are none."""
        cases = np.array([lesson.source == RESOLVED_CASE for lesson in self.lessons], dtype=np.bool_)
        return {name: float(o.right[cases].mean()) for name, o in self.outcomes.items()} if cases.any() else {}

    def record(self) -> dict[str, Any]:
        """As JSON data."""
        return {
            "lessons": dict(Counter(lesson.source for lesson in self.lessons)),
            "folds": FOLDS,
            "unanswerable": self.unanswerable,
            "kept": self.kept or None,
            "held_back_cases": self._of_cases(),
            "held_back": {name: outcome.figures(self.unanswerable) for name, outcome in self.outcomes.items()},
            "differences": {
                stage: {measure: asdict(self.difference(stage, measure)) for measure in ("accuracy", "log_loss")}
                for stage in STAGES
                if stage in self.outcomes
            },
            "later": self.later,
        }


def compare_and_fit(
    classroom: Classroom,
    fingerprint: str,
    *,
    unanswerable: float = UNANSWERABLE,
    later_from: datetime | None = None,
    progress: Progress | None = None,
) -> Comparison:
    """Fit each stage on four fifths of the lessons, judge it on the fifth, all around; keep the first stage that wins.

    A stage wins on the held-back lessons where its top article is right clearly more often or its confidence is clearly
    better by log loss, and neither is clearly worse; clearly is: the whole 95 % interval of the paired difference. On
    resolved cases alone, where there are ``ENOUGH``, its top article must not be right less often at all: articles' own
    questions are many, and customers ask otherwise. What is kept is then fitted on all lessons.

    Lessons ``later_from`` a moment on take no part in any of that: the kept stage and the defaults are compared on them
    at the end (``later``).
    """
    lessons = classroom.lessons
    late = np.array(
        [later_from is not None and each.at is not None and each.at >= later_from for each in lessons], dtype=np.bool_
    )
    own = np.flatnonzero(~late)
    if len(own) < FEWEST:
        return Comparison(lessons, {}, "", None, unanswerable, {})
    plain, default = _Sheets.of(classroom, None, np.arange(len(lessons))), Fusion()
    fold = np.array([zlib.crc32(lesson.group.encode()) % FOLDS for lesson in lessons])
    held: dict[str, _Collected] = {name: _Collected(len(lessons)) for name in ("default", *STAGES)}
    for number in range(FOLDS):
        out, rest = own[fold[own] == number], own[fold[own] != number]
        if len(out) and len(rest):
            for name, (fitted, sheets) in _stages(classroom, plain, rest, out, unanswerable).items():
                held[name].put(out, sheets.outcome(fitted.fusion, out))
            held["default"].put(out, plain.outcome(default, out))
        if progress is not None:
            progress.advance("held back", number + 1, FOLDS)
    kept_lessons = [lessons[row] for row in own.tolist()]
    outcomes = {name: collected.of(own) for name, collected in held.items()}
    kept = next((s for s in STAGES if _wins(kept_lessons, outcomes["default"], outcomes[s], unanswerable)), "")
    if not kept:
        return Comparison(kept_lessons, outcomes, "", None, unanswerable, {})
    rows = np.flatnonzero(late)
    fitted, sheets = _stages(classroom, plain, own, rows, unanswerable)[kept]
    later: dict[str, dict[str, Any]] = {}
    if len(rows):
        before, after = plain.outcome(default, rows), sheets.outcome(fitted.fusion, rows)
        of = [lessons[row] for row in rows.tolist()]
        later = {"default": before.figures(unanswerable), kept: after.figures(unanswerable)}
        for measure in ("accuracy", "log_loss"):
            later[f"{measure}_difference"] = asdict(_difference(of, before, after, measure, unanswerable))
    made = Comparison(kept_lessons, outcomes, kept, None, unanswerable, later)
    return replace(made, fitted=replace(fitted, fingerprint=fingerprint, record=made.record()))


@dataclass(frozen=True)
class _Sheets:
    """Sheets by lesson, with and without what answers it."""

    there: Mapping[int, Sheet | None]
    away: Mapping[int, Sheet | None]

    @staticmethod
    def of(classroom: Classroom, adapter: Adapter | None, rows: NDArray[np.int64]) -> _Sheets:
        asked = rows.tolist()
        there = dict(zip(asked, classroom.sheets(adapter, asked), strict=True))
        return _Sheets(there, dict(zip(asked, classroom.sheets(adapter, asked, away=True), strict=True)))

    def joined(self, other: _Sheets) -> _Sheets:
        return _Sheets({**self.there, **other.there}, {**self.away, **other.away})

    def fusion(self, rows: NDArray[np.int64], unanswerable: float, *, weights: bool) -> Fusion:
        """Weights, where wanted, and calibration that fit these lessons."""
        fusion = fit_weights([self.there[r] for r in rows.tolist()], Fusion()) if weights else Fusion()
        there, away = (grade([of[r] for r in rows.tolist()], fusion) for of in (self.there, self.away))
        return replace(fusion, support=fit_support(there, away, unanswerable, fusion.support))

    def outcome(self, fusion: Fusion, rows: NDArray[np.int64]) -> Outcome:
        there, away = (grade([of[r] for r in rows.tolist()], fusion) for of in (self.there, self.away))
        return Outcome(there.right, chances(there, fusion.support), chances(away, fusion.support))


class _Collected:
    def __init__(self, size: int) -> None:
        self._right = np.zeros(size, dtype=np.bool_)
        self._sure, self._away = np.zeros(size), np.zeros(size)

    def put(self, rows: NDArray[np.int64], outcome: Outcome) -> None:
        self._right[rows], self._sure[rows], self._away[rows] = outcome.right, outcome.sure, outcome.sure_away

    def of(self, rows: NDArray[np.int64]) -> Outcome:
        return Outcome(self._right[rows], self._sure[rows], self._away[rows])


def _stages(
    classroom: Classroom, plain: _Sheets, rows: NDArray[np.int64], asked: NDArray[np.int64], unanswerable: float
) -> dict[str, tuple[Fitted, _Sheets]]:
    """Each stage fitted on the lessons ``rows``, with the sheets of the lessons ``asked`` as it sees them.

    Weights and calibration of the adapter's stage are fitted on lessons that the adapter they are seen through never
    met: on its own it looks better than it is, and confidence would be believed too much.
    """
    made = {
        stage: (Fitted("", plain.fusion(rows, unanswerable, weights=stage == "weights")), plain)
        for stage in ("calibration", "weights")
    }
    half = np.array([zlib.crc32(b"half" + classroom.lessons[r].group.encode()) % 2 == 0 for r in rows.tolist()])
    halves = [(rows[half], rows[~half]), (rows[~half], rows[half])]
    whole = _adapter(classroom, rows)
    seen = _Sheets({}, {})
    for learnt, unmet in halves:
        part = _adapter(classroom, learnt)
        if whole is None or part is None:
            return {**made, "adapter": made["weights"]}
        seen = seen.joined(_Sheets.of(classroom, part, unmet))
    fusion = seen.fusion(rows, unanswerable, weights=True)
    return {**made, "adapter": (Fitted("", fusion, whole), _Sheets.of(classroom, whole, asked))}


def _adapter(classroom: Classroom, rows: NDArray[np.int64]) -> Adapter | None:
    # a case that several articles answer teaches nothing about any one of them; two are an article and its translation
    clear = [r for r in rows.tolist() if len(classroom.lessons[r].right) <= 2]
    stored = np.asarray(classroom.snapshot.vectors[:: 1 + len(classroom.snapshot.vectors) // 2000])
    return fit_adapter(classroom.vectors[clear], [min(classroom.lessons[r].right) for r in clear], stored)


def _difference(
    lessons: Sequence[Lesson], before: Outcome, after: Outcome, measure: str, unanswerable: float
) -> Difference:
    values = [o.right.astype(np.float64) if measure == "accuracy" else o.loss(unanswerable) for o in (before, after)]
    return paired_difference(values[0].tolist(), values[1].tolist(), groups=[lesson.group for lesson in lessons])


def _wins(lessons: Sequence[Lesson], before: Outcome, after: Outcome, unanswerable: float) -> bool:
    accuracy, loss = (_difference(lessons, before, after, m, unanswerable) for m in ("accuracy", "log_loss"))
    if accuracy.low is None or accuracy.high is None or loss.high is None:
        return False
    cases = np.array([lesson.source == RESOLVED_CASE for lesson in lessons])
    if loss.low is None or (cases.sum() >= ENOUGH and after.right[cases].sum() < before.right[cases].sum()):
        return False
    return (accuracy.low > 0 and loss.low <= 0) or (accuracy.high >= 0 and loss.high < 0)
