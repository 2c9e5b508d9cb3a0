"""The user's coupons, points and tier."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

from assistant.domain.state import Entity
from assistant.state.answers.choosing import select
from assistant.state.answers.model import Case, StateAnswer
from assistant.state.answers.statuses import OVER, phase, status_word
from assistant.state.answers.topics import UNUSABLE
from assistant.state.answers.wording import deadline, money, title

_LISTED = 6
_RULE = re.compile(r"一起|叠加|同时|能用在|可以用在|会员价|\bcombine|\btogether\b|\bstack|\bwith\b|\bcan i use\b")
_TIERS = {
    "regular": ("普通会员", "regular"),
    "silver": ("银卡会员", "silver"),
    "gold": ("金卡会员", "gold"),
    "platinum": ("白金会员", "platinum"),
    "black": ("黑金会员", "black"),
}
_POINTS = ("points", "points_balance", "积分")
_TIER = ("tier", "level", "membership", "membership_level", "会员等级")


def usable(case: Case) -> list[Entity]:
    """Coupons that can be used now, the first to expire first."""
    live = [c for c in case.state.of_kind("coupon") if phase(c) not in OVER and not (c.due_at and c.due_at < case.now)]
    return sorted(live, key=lambda c: (c.due_at is None, c.due_at or case.now))


def coupons(case: Case) -> StateAnswer:
    """Which coupons there are and until when; of one that cannot be used, what the state tells of it."""
    live = usable(case)
    if case.named and (chosen := [c for c in case.state.of_kind("coupon") if c in case.named]):
        return _of(case, chosen, lead="")
    if UNUSABLE.search(case.text):
        selection = select(case, case.state.of_kind("coupon"))
        found = list(selection.entities) if selection.pointed and selection.entities else live
        if found:
            return _of(case, found, lead="")
    if not live:
        gone = case.state.of_kind("coupon")[:2]
        said = case.say(
            "您账户里目前没有可用的优惠券。", "There is no coupon you can use in your account at the moment."
        )
        lines = tuple(_line(case, c) for c in gone)
        text = "\n".join([said, *(f"- {line}" for line in lines)])
        return StateAnswer(text, tuple(c.id for c in gone), confidence=0.85, topic="coupon", facts=(said, *lines))
    return _of(
        case,
        live,
        lead=case.say(
            f"您有 {len(live)} 张可用的优惠券：", f"You have {len(live)} coupon{'s' * (len(live) > 1)} to use:"
        ),
    )


def _of(case: Case, found: list[Entity], lead: str) -> StateAnswer:
    lines = tuple(_line(case, c) for c in found[:_LISTED])
    if len(lines) == 1 and not lead:
        text = lines[0]
    elif len(lines) == 1:
        text = lead + ("" if case.zh else " ") + lines[0]
    else:
        text = "\n".join([*([lead] if lead else []), *(f"- {line}" for line in lines)])
    asks_rule = UNUSABLE.search(case.text) or _RULE.search(case.text)
    explains = asks_rule is not None and any(phase(c) not in OVER for c in found)
    return StateAnswer(
        text, tuple(c.id for c in found[:_LISTED]), confidence=0.9, topic="coupon", facts=lines, sufficient=not explains
    )


def _line(case: Case, coupon: Entity) -> str:
    over = phase(coupon) in OVER or (coupon.due_at is not None and coupon.due_at < case.now)
    word = status_word(coupon, case.locale)
    if over and phase(coupon) not in OVER:
        word = case.say("已过期", "expired")
    parts = [money(coupon.amount, coupon.currency, case.locale)]
    threshold = coupon.attribute("threshold")
    parts.append(_threshold(case, threshold, coupon.currency))
    parts.append(coupon.attribute("scope"))
    parts.append(word)
    if coupon.due_at and not over:
        when = deadline(coupon.due_at, case.now, case.locale)
        parts.append(case.say(f"{when}到期", f"valid until {when}"))
    inside = ("，" if case.zh else ", ").join(p for p in parts if p)
    return f"{title(coupon)}（{coupon.id}）：{inside}。" if case.zh else f"{title(coupon)} ({coupon.id}): {inside}."


def _threshold(case: Case, raw: str, currency: str | None) -> str:
    try:
        amount = Decimal(raw)
    except InvalidOperation:
        return raw
    if amount == 0:
        return case.say("无门槛", "no minimum")
    least = money(amount, currency, case.locale)
    return case.say(f"满 {least} 可用", f"on orders from {least}")


def points(case: Case) -> StateAnswer:
    """The points balance, where the profile has it."""
    value = _profile(case, _POINTS)
    if not value:
        said = case.say("这里看不到您的积分余额。", "I can't see your points balance here.")
        return StateAnswer(said, confidence=0.6, topic="points", facts=(said,), sufficient=False)
    said = case.say(f"您目前有 {value} 积分。", f"You have {value} points.")
    return StateAnswer(said, confidence=0.95, topic="points", facts=(said,))


def tier(case: Case) -> StateAnswer:
    """The membership tier, where the profile has it."""
    value = _profile(case, _TIER)
    if not value:
        said = case.say("这里看不到您的会员等级。", "I can't see your membership tier here.")
        return StateAnswer(said, confidence=0.6, topic="tier", facts=(said,), sufficient=False)
    word = _TIERS.get(value.casefold(), (value, value))[0 if case.zh else 1]
    until = case.state.profile.get("tier_until")
    said = case.say(f"您目前是{word}。", f"Your membership tier is {word}.")
    if isinstance(until, str) and until:
        said += case.say(f"有效期到 {until}。", f" It is valid until {until}.")
    return StateAnswer(said, confidence=0.95, topic="tier", facts=(said,))


def _profile(case: Case, names: tuple[str, ...]) -> str:
    for name in names:
        value = case.state.profile.get(name)
        if isinstance(value, str | int | Decimal) and not isinstance(value, bool) and str(value):
            return str(value)
    return ""
