"""Thresholds between answer, clarify and handoff from what each costs, in place of taste."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from assistant.errors import ConfigurationError
from assistant.settings import Settings
from assistant.yaml_lines import Document

STEP = 0.001


@dataclass(frozen=True, slots=True)
class Costs:
    """What a wrong answer, a question asked back and a handoff cost, all in one unit of the owner's choice."""

    wrong_answer: float
    clarify: float
    handoff: float


@dataclass(frozen=True, slots=True)
class Nearness:
    """The chance q that the right article is among the three that a question back names, from the top one's chance p.

    ``logit q = intercept + slope * logit p``. Fitted on the demo shop's FAQ questions, each held out of the index,
    381 of them, and 262 out-of-scope questions.
    """

    intercept: float = 1.6
    slope: float = 1.6

    def of(self, p: float) -> float:
        """q for p, 0–1."""
        p = min(max(p, 1e-9), 1 - 1e-9)
        return 1 / (1 + math.exp(-(self.intercept + self.slope * math.log(p / (1 - p)))))


@dataclass(frozen=True, slots=True)
class Thresholds:
    """From ``answer`` on a passage answers; from ``clarify`` on the question back names articles. Both 0–1."""

    answer: float
    clarify: float
    chosen_by: str


def expected(costs: Costs, p: float, near: Nearness | None = None) -> dict[str, float]:
    """What each decision costs on average where the top passage supports an answer with chance p.

    An answer costs its chance to be wrong; asking back costs the question, and a handoff where none of the articles
    that it names is the right one.
    """
    missed = 1 - (near or Nearness()).of(p)
    return {
        "answer": (1 - p) * costs.wrong_answer,
        "clarify": costs.clarify + missed * costs.handoff,
        "handoff": costs.handoff,
    }


def thresholds(costs: Costs, near: Nearness | None = None) -> Thresholds:
    """Where the least expected cost changes sides (Bayes decision rule; Chow 1970 for answering or refusing).

    ``answer`` is the least p from which answering is never dearer than the better of the other two, in steps of 0.001;
    ``clarify`` the least from which asking back is no dearer than a handoff, at most ``answer``.
    """
    steps = [number * STEP for number in range(round(1 / STEP) + 1)]
    cost = [expected(costs, p, near) for p in steps]
    dear = [n for n, c in enumerate(cost) if c["answer"] > min(c["clarify"], c["handoff"])]
    answer = steps[min(dear[-1] + 1, len(steps) - 1)] if dear else 0.0
    asked = next((p for p, c in zip(steps, cost, strict=True) if c["clarify"] <= c["handoff"]), 1.0)
    return Thresholds(round(answer, 3), round(min(asked, answer), 3), "costs")


class _CostFile(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    wrong_answer: float = Field(gt=0)
    clarify: float = Field(gt=0)
    handoff: float = Field(gt=0)


def load_costs(path: Path) -> Costs:
    """The costs of a YAML file. Raises ConfigurationError naming the file, the line and the key."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigurationError(f"the costs {path} cannot be read (TEACHBACK_COSTS): {exc}") from exc
    document = Document(text, str(path))
    if not isinstance(document.data, dict):
        raise ConfigurationError(
            f"{path}: a mapping of wrong_answer, clarify and handoff is wanted; see docs/confidence.md"
        )
    try:
        given = _CostFile.model_validate(document.data)
    except ValidationError as exc:
        told = [f"{path}:{document.line(e['loc'])}: {'.'.join(map(str, e['loc']))}: {e['msg']}" for e in exc.errors()]
        raise ConfigurationError("the costs are wrong (TEACHBACK_COSTS):\n" + "\n".join(told)) from exc
    return Costs(given.wrong_answer, given.clarify, given.handoff)


def thresholds_in_force(settings: Settings, workspace: str) -> Thresholds:
    """The workspace's thresholds: as set, else by its costs, else the defaults. Raises ConfigurationError.

    A path of costs with ``{workspace}`` in it may lead to no file: that workspace then has the defaults.
    """
    named = settings.costs
    found = Thresholds(settings.answer_threshold, settings.clarify_threshold, "defaults")
    path = Path(str(named).replace("{workspace}", workspace)).expanduser() if named is not None else None
    if path is not None and (path == (named or path).expanduser() or path.exists()):
        found = thresholds(load_costs(path))
    given = settings.model_fields_set & {"answer_threshold", "clarify_threshold"}
    if given:
        explicit = {name.partition("_")[0]: getattr(settings, name) for name in given}
        found = replace(found, **explicit, chosen_by=f"settings ({', '.join(sorted(explicit))}), {found.chosen_by}")
    return found
