"""What is said where the state cannot tell: a source is missing, or nobody knows the account."""

from __future__ import annotations

from assistant.domain.state import UserState
from assistant.state.answers.model import Locale, StateAnswer
from assistant.state.answers.wording import join, missing_note

UNKNOWN_ACCOUNT = "unknown_account"
STATE_MISSING = "state_missing"
CANNOT_TELL = (UNKNOWN_ACCOUNT, STATE_MISSING)
_KINDS_OF_TOPIC = {
    "parcel": frozenset({"order", "shipment"}),
    "address": frozenset({"order", "shipment"}),
    "cancel": frozenset({"order"}),
    "tier": frozenset({"profile"}),
    "points": frozenset({"profile"}),
}
_WITH_IDS = frozenset({"order", "shipment", "payment", "refund", "ticket", "coupon", "invoice", "subscription"})


def missing_for(state: UserState, topic: str | None) -> bool:
    """Whether a source that may tell of this topic (None: of anything with a number) is missing or partial."""
    wanted = _WITH_IDS if topic is None else _KINDS_OF_TOPIC.get(topic, frozenset({topic}))
    kinds = {report.name: report.kinds for report in state.sources}
    return any(not kinds.get(name) or wanted & set(kinds[name]) for name in state.unavailable)


def cannot_tell(state: UserState, topic: str | None, locale: Locale) -> StateAnswer:
    """Names what is missing instead of saying that the user has no such thing."""
    later = (
        "请稍后再问一次，或回复“转人工”由同事帮您查。"
        if locale == "zh"
        else "Please ask again in a moment, or say “agent” and a colleague will look it up."
    )
    note = missing_note(state, locale)
    text = join((note, later), locale)
    return StateAnswer(text, confidence=0.6, topic=STATE_MISSING, facts=(note,), sufficient=topic is None)


def unknown_account(locale: Locale) -> StateAnswer:
    """No account has the signed-in user's id: that is not the same as an account without orders."""
    said = (
        "我们的系统里找不到您当前登录的账户，所以查不到订单等信息。请确认登录的是下单时用的账户，或回复“转人工”由同事帮您核对。"
        if locale == "zh"
        else "I can't find the account you are signed in with, so I can't look up orders or anything else of yours. "
        "Please check that it is the account you ordered with, or say “agent” and a colleague will look into it."
    )
    return StateAnswer(said, topic=UNKNOWN_ACCOUNT, confidence=0.8, facts=(said,))
