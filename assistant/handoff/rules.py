"""Which rule passes a turn to a person, in the order of their weight."""

# ruff: noqa: E501  (a pattern reads best as the list of words it is)
from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from assistant.domain.conversation import Turn
from assistant.guardrails import classify
from assistant.handoff.asking import asks_for_person, declines_person
from assistant.handoff.hours import OpeningHours
from assistant.handoff.loops import is_loop
from assistant.handoff.mood import COMPLAINT, INSULT
from assistant.handoff.reading import TurnReader
from assistant.handoff.wording import Locale, any_of, clauses, folded

_THANKS = re.compile(r"(?:好的?|嗯+|行|ok(?:ay)?)[, ，]*(?:谢谢|多谢|感谢|谢[了啦]|thanks?|thank you)[^?？]{0,4}")
_LAPSE = timedelta(hours=12)  # whoever comes back later has a new matter, or has slept over the old one


@dataclass(frozen=True, slots=True)
class HandoffDecision:
    """Why a person takes over: ``reason`` is one of ``HANDOFF_REASONS``, ``rule`` names what fired."""

    reason: str
    rule: str


@dataclass(frozen=True, slots=True)
class Topic:
    """What only a person may speak on: a clause with ``pattern`` and without ``unless``."""

    reason: str
    name: str
    pattern: re.Pattern[str]
    unless: re.Pattern[str] | None = None


@dataclass(frozen=True, slots=True)
class HandoffRules:
    """What a shop may set, see ``rules.yaml``. ``topics`` None: the packaged ones. ``off`` names rules not in force."""

    vip_tiers: frozenset[str] = frozenset({"black"})
    low_confidence: float = 0.3
    upset_now: float = -0.6
    upset_before: float = -0.3
    ask_threshold: float = 0.55
    loop_likeness: float = 0.88
    clarify_first: int = 1
    tool_failures: int = 2
    topics: tuple[Topic, ...] | None = None
    hours: OpeningHours | None = None
    off: frozenset[str] = frozenset()


def decide_handoff(
    turn_text: str,
    history: Sequence[Turn],
    *,
    locale: Locale,
    profile: Mapping[str, object],
    confidence: float | None,
    rules: HandoffRules | None = None,
    reader: TurnReader | None = None,
    tool_failures: int = 0,
) -> HandoffDecision | None:
    """Why this turn goes to a person, or None. ``history`` are the turns before it; ``confidence`` None: not known yet.

    ``tool_failures`` counts the replies in a row, this one with them, that lacked records they needed. ``locale`` changes
    nothing: people switch languages, so the rules of both are tried. Without ``reader`` the word lists stand alone.
    """
    rules = rules or HandoffRules()
    reader = reader or TurnReader(None)
    text = folded(turn_text)
    for topic in _topics(rules):
        if any(topic.pattern.search(c) and not (topic.unless and topic.unless.search(c)) for c in clauses(text)):
            return HandoffDecision(topic.reason, topic.name)
    reading = reader.read(turn_text)
    if "asked_for_person" not in rules.off and asks_for_person(turn_text, reading.wants_person, rules.ask_threshold):
        return HandoffDecision("customer_request", "asked_for_person")
    live = live_part(history)
    if declines_person(turn_text) or has_declined(live):
        return None
    before = [reader.read(turn.text).mood_score for turn in live if turn.role == "customer"][-3:]
    repeated = any(score <= rules.upset_before for score in before)
    if "upset" not in rules.off:
        if reading.mood_score <= rules.upset_now and repeated:
            return HandoffDecision("upset", "negative_repeated")
        if INSULT.search(text) and (COMPLAINT.search(text) or repeated):
            return HandoffDecision("upset", "insult_and_complaint")
    if "vip" not in rules.off and profile.get("tier") in rules.vip_tiers and _NEEDS_PERSON.search(text):
        return HandoffDecision("vip", "vip_needs_person")
    if "loop" not in rules.off and is_loop(turn_text, live, reader.likeness, rules.loop_likeness):
        return HandoffDecision("loop", "same_issue_three_times")
    if "tool_failure" not in rules.off and tool_failures >= rules.tool_failures:
        return HandoffDecision("tool_failure", "records_unavailable")
    if "low_confidence" not in rules.off and confidence is not None and confidence < rules.low_confidence:
        return HandoffDecision("low_confidence", "confidence")
    return None


def live_part(history: Sequence[Turn]) -> Sequence[Turn]:
    """The turns since the matter was last settled: since an agent spoke, a customer took leave, or 12 hours of silence.

    A conversation that was resolved and is opened again starts anew: old anger and old circles are not counted.
    """
    for at in range(len(history) - 1, -1, -1):
        turn = history[at]
        if turn.role == "agent" or (turn.role == "customer" and _takes_leave(turn.text)):
            return history[at + 1 :]
        later = history[at + 1] if at + 1 < len(history) else None
        if later is not None and turn.at is not None and later.at is not None and later.at - turn.at > _LAPSE:
            return history[at + 1 :]
    return history


def _takes_leave(text: str) -> bool:
    return bool(_THANKS.fullmatch(folded(text))) or classify(text, "zh").kind in ("thanks", "bye")


def has_declined(history: Sequence[Turn]) -> bool:
    """Whether the customer turned a transfer down and has not asked for a person since."""
    for turn in reversed(history):
        if turn.role == "customer":
            if declines_person(turn.text):
                return True
            if asks_for_person(turn.text):
                return False
    return False


def _topics(rules: HandoffRules) -> tuple[Topic, ...]:
    if rules.topics is not None:
        return rules.topics
    from assistant.handoff.rule_file import packaged_rules  # it reads its file into this module's types

    return packaged_rules().topics or ()


# fmt: off
_NEEDS_PERSON = any_of(r"(?:帮|给|替)我.{0,12}(?:取消|退|换|改|修|查|催|补|开|拦|处理|安排|申请|看)|(?:我?要|想|需要)(?:取消|退|换|改|修|投诉|补偿|赔)|没收到|没到账|还没(?:到|退|发)|坏了|破损|少发|漏发|发错|扣了两次|重复扣|拦截|上门取",
    r"\b(?:cancel|refund|return|exchange|change|redirect|repair|fix|chase|track|complain|compensat\w+|intercept)\b.{0,20}\b(?:my|this|it|order|parcel)\b|\b(?:not|never|hasn'?t|haven'?t) (?:arrived|received|come|been)|\b(?:broken|damaged|missing|charged twice|wrong (?:item|size))\b")
# fmt: on
