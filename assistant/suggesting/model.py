"""What users of a situation went on to ask: counts mined from transcripts, small enough to be read in no time."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from assistant.domain.state import UserState
from assistant.state.answers.wording import item_names
from assistant.suggesting.rules import RuleBook

FORMAT = 1
LATER = 0.5


@dataclass(frozen=True, slots=True)
class Smoothing:
    """Strengths of the estimates, in asked questions.

    ``even`` is spread over all intents, ``signal`` pulls what a signal tells towards the whole, ``rule`` is the weight
    of a rule against its record, ``trust`` (0–1) how far several signals are taken as independent, ``next_share`` how
    much of what follows a reply comes from what followed other replies, ``previous`` pulls a transition towards that.
    Chosen on weeks 1–6 of the demo (docs/suggestions.md).
    """

    half_life_days: float = 30.0
    even: float = 5.0
    signal: float = 12.0
    rule: float = 6.0
    trust: float = 1.0
    next_share: float = 0.5
    previous: float = 3.0


@dataclass(frozen=True, slots=True)
class SuggestedIntent:
    """A group of questions that one piece of knowledge answers.

    ``texts`` are by language, only those that the knowledge was found to answer; ``documents`` answer it.
    """

    id: str
    texts: Mapping[str, str] = field(default_factory=dict)
    documents: tuple[str, ...] = ()
    support: Mapping[str, float] = field(default_factory=dict)
    valid_from: float | None = None
    valid_until: float | None = None

    def valid(self, now: datetime) -> bool:
        """Whether the knowledge holds at this moment."""
        moment = now.timestamp()
        return (self.valid_from is None or self.valid_from <= moment) and (
            self.valid_until is None or moment < self.valid_until
        )


@dataclass(frozen=True, slots=True)
class IntentModel:
    """Faded counts; ``*_by`` is signal or previous intent → intent → count, ``fired`` rule → (asked, fired).

    ``fired_next`` is the same for what followed a reply. ``documents`` leads from a document to the intent it answers,
    ``rule_intents`` from a rule to the intent of its question, ``pages`` from a page's path or an article's id to the
    article.
    """

    intents: Mapping[str, SuggestedIntent]
    first: Mapping[str, float]
    following: Mapping[str, float]
    signals: Mapping[str, float]
    first_by: Mapping[str, Mapping[str, float]]
    previous: Mapping[str, float]
    following_by: Mapping[str, Mapping[str, float]]
    fired: Mapping[str, tuple[float, float]]
    fired_next: Mapping[str, tuple[float, float]]
    documents: Mapping[str, str]
    rule_intents: Mapping[str, str]
    pages: Mapping[str, str] = field(default_factory=dict)
    learned_at: str = ""
    generation: int = 0
    rules_digest: str = ""
    conversations: int = 0
    smoothing: Smoothing = Smoothing()

    def opening(self, signals: Iterable[str]) -> dict[str, float]:
        """Intent → chance that a user with these signals asks it first; sums to 1. Empty without intents.

        Naive Bayes with every likelihood ratio shrunk towards 1 (Zhang 2004, "The Optimality of Naive Bayes"; the
        shrinking is Dirichlet smoothing), ratios damped by ``trust`` because situations overlap.
        """
        s = self.smoothing
        base = _spread(self.first, self.intents, s.even)
        scores = dict(base)
        for name in signals:
            total = self.signals.get(name, 0.0)
            by = self.first_by.get(name, {})
            for intent, share in base.items():
                likely = (by.get(intent, 0.0) + s.signal * share) / (total + s.signal)
                scores[intent] *= (likely / share) ** s.trust
        return _normal(scores)

    def after(self, previous: str | None, signals: Iterable[str]) -> dict[str, float]:
        """Intent → chance that it is asked next after ``previous``, which itself is left out; sums to 1."""
        s = self.smoothing
        opening = self.opening(signals)
        usual = _spread(self.following, self.intents, s.even)
        base = {i: s.next_share * usual[i] + (1 - s.next_share) * opening[i] for i in opening}
        if previous is not None:
            total, by = self.previous.get(previous, 0.0), self.following_by.get(previous, {})
            base = {i: (by.get(i, 0.0) + s.previous * p) / (total + s.previous) for i, p in base.items()}
            base.pop(previous, None)
        return _normal(base)

    def chance(self, rule: str, weight: float, *, later: bool = False) -> float:
        """The chance that a rule's question is asked where it holds: its weight, corrected by what was seen.

        ``later`` is after a reply to something else, when it is less likely: ``LATER`` of the weight before evidence.
        """
        asked, fired = (self.fired_next if later else self.fired).get(rule, (0.0, 0.0))
        prior = weight * (LATER if later else 1.0)
        return (asked + self.smoothing.rule * prior) / (fired + self.smoothing.rule)


def signals_of(state: UserState | None, book: RuleBook, now: datetime, fired: Sequence[str] | None = None) -> list[str]:
    """What is known of the user, as names: rules that hold, tier, and products they have."""
    if state is None:
        return ["visitor"]
    names = fired if fired is not None else [rule.name for rule, _ in book.fired(state, now)]
    found = [f"rule:{name}" for name in names]
    if tier := state.profile.get("tier"):
        found.append(f"tier:{tier}")
    products = {name for order in state.of_kind("order")[:3] for name in item_names(order)}
    return found + sorted(f"has:{name}" for name in products)


def save_model(model: IntentModel, path: Path) -> None:
    """Write beside, then switch by one rename: a reader sees the old model or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, beside = tempfile.mkstemp(prefix=".suggestions-", dir=path.parent)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump({"format": FORMAT, **asdict(model)}, file, ensure_ascii=False)
    os.replace(beside, path)


def load_model(path: Path) -> IntentModel | None:
    """The model in this file; None where it is missing, damaged or of another format: it is derived and relearnt."""
    try:
        raw: dict[str, Any] = json.loads(path.read_text("utf-8"))
        if raw.pop("format") != FORMAT:
            return None
        intents = {key: SuggestedIntent(**_tupled(value)) for key, value in raw.pop("intents").items()}
        fired, fired_next = (
            {key: (float(a), float(b)) for key, (a, b) in raw.pop(name).items()} for name in ("fired", "fired_next")
        )
        smoothing = Smoothing(**raw.pop("smoothing"))
        return IntentModel(intents=intents, fired=fired, fired_next=fired_next, smoothing=smoothing, **raw)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _tupled(value: dict[str, Any]) -> dict[str, Any]:
    return {**value, "documents": tuple(value["documents"])}


def _spread(counts: Mapping[str, float], names: Iterable[str], even: float) -> dict[str, float]:
    names = list(names)
    total = sum(counts.get(name, 0.0) for name in names) + even
    return {name: (counts.get(name, 0.0) + even / len(names)) / total for name in names}


def _normal(scores: Mapping[str, float]) -> dict[str, float]:
    total = sum(scores.values())
    return {name: score / total for name, score in scores.items()} if total > 0 else dict(scores)
