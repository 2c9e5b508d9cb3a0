"""What turning the loop in the past gave: each state of the knowledge case by case, and their differences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from evals.cases import ReplyCase
from evals.loop.drafts import Draft
from evals.loop.gaps import Gap
from evals.root_causes.experiment import SOLVED
from evals.statistics import Difference, Estimate, bootstrap_mean, paired_difference

RULE = (
    "accepted where the draft repeats no article and no case before the measured ones, that it was not written from, "
    "fell below solved with a reply that cites it; no person looked at it"
)


@dataclass(frozen=True, slots=True)
class Arm:
    """One state of the knowledge, answered from: accuracies by case (None unscored), and which drafts replies cite."""

    accuracies: tuple[float | None, ...]
    cited: tuple[frozenset[str], ...]


@dataclass(frozen=True)
class LoopResult:
    """The experiment. ``arms`` by name; ``differences`` to ``before``, and of ``mined and drafts`` to ``mined``.

    ``measured`` are the cases after the window, less the ``marked`` ones, which a draft was written from; with
    ``folds`` they are the window's own, each answered with drafts from the other folds' conversations.
    """

    until: datetime
    drafts_until: datetime
    window: tuple[ReplyCase, ...]
    failed: int
    gaps: tuple[Gap, ...]
    drafts: tuple[Draft, ...]
    accepted: tuple[Draft, ...]
    refused: Mapping[str, str]
    measured: tuple[ReplyCase, ...]
    marked: tuple[str, ...]
    arms: Mapping[str, Arm]
    controls: int
    documents_later: int
    folds: int = 0

    def estimate(self, arm: str) -> Estimate:
        """The arm's mean accuracy over the measured cases."""
        return bootstrap_mean(self.arms[arm].accuracies, groups=[case.conversation_id for case in self.measured])

    def difference(self, arm: str, to: str = "before") -> Difference:
        """Paired by case, the interval over conversations."""
        groups = [case.conversation_id for case in self.measured]
        return paired_difference(self.arms[to].accuracies, self.arms[arm].accuracies, groups=groups)

    def crossed(self, arm: str, to: str = "before") -> tuple[list[str], list[str]]:
        """Ids of the cases that the arm solves and ``to`` does not, and the other way round."""
        pairs = [
            (case.case_id, old, new)
            for case, old, new in zip(self.measured, self.arms[to].accuracies, self.arms[arm].accuracies, strict=True)
            if old is not None and new is not None
        ]
        gains = [key for key, old, new in pairs if old < SOLVED <= new]
        return gains, [key for key, old, new in pairs if new < SOLVED <= old]

    def citing(self, arm: str = "drafts") -> list[str]:
        """Ids of the measured cases whose reply cites an accepted draft."""
        return [case.case_id for case, cited in zip(self.measured, self.arms[arm].cited, strict=True) if cited]

    def compared(self) -> list[tuple[str, str]]:
        """Which arms are compared: (after, before)."""
        pairs = [(name, "before") for name in self.arms if name != "before"]
        besides = [("mined and drafts", "mined"), ("drafts", "unrelated drafts")]
        return [*pairs, *(pair for pair in besides if {*pair} <= self.arms.keys())]

    def record(self) -> dict[str, Any]:
        """As JSON data."""
        return {
            "knowledge_until": self.until.isoformat(),
            "drafts_from_cases_until": self.drafts_until.isoformat(),
            "folds": self.folds or None,
            "documents_hidden_as_later": self.documents_later,
            "window": {"cases": len(self.window), "failed": self.failed, "gaps": len(self.gaps)},
            "drafts": {
                "made": len(self.drafts),
                "auto_accepted": len(self.accepted),
                "refused": dict(self.refused),
                "rule": RULE,
                "accepted": [
                    {
                        "id": draft.article.id,
                        "title": draft.article.title,
                        "body": draft.article.body,
                        "drafted_by": draft.drafted_by,
                        "written_from": [source.case_id for source in draft.written_from],
                    }
                    for draft in self.accepted
                ],
            },
            "measured": {"cases": len(self.measured), "threshold": SOLVED, "marked_apart": list(self.marked)},
            "arms": {name: _estimate(self.estimate(name), self.citing(name)) for name in self.arms},
            "comparisons": [self._compared(name, to) for name, to in self.compared()],
            "control_draws": self.controls,
            "cases": [
                {"case_id": case.case_id, **{n: _rounded(arm.accuracies[i]) for n, arm in self.arms.items()}}
                for i, case in enumerate(self.measured)
            ],
        }

    def _compared(self, name: str, to: str) -> dict[str, Any]:
        difference, (gains, losses) = self.difference(name, to), self.crossed(name, to)
        return {
            "after": name,
            "before": to,
            "mean": difference.mean,
            "interval": [difference.low, difference.high],
            "pairs": difference.pairs,
            "unpaired": difference.unpaired,
            "smallest_detectable": difference.detectable,
            "gains": gains,
            "regressions": losses,
        }


def _estimate(estimate: Estimate, citing: Sequence[str]) -> dict[str, Any]:
    return {
        "accuracy": estimate.mean,
        "interval": [estimate.low, estimate.high],
        "scored": estimate.scored,
        "unscored": estimate.unscored,
        "replies_citing_drafts": list(citing),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
