"""What this user will probably ask (猜你想问): rules over their state, and follow-ups to what was just answered."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from assistant.domain.state import Entity, UserState
from assistant.state.answers.choosing import order_of
from assistant.state.answers.model import Locale
from assistant.state.answers.parcels import Delivery, deliveries, is_late
from assistant.state.answers.payments import unresolved
from assistant.state.answers.statuses import OVER, phase
from assistant.state.answers.wording import item_names, moment_of, title
from assistant.text import fold

SOON = timedelta(days=7)
RECENT = timedelta(days=7)
_STILL_MATTERS = timedelta(days=3)
_EXTRAS = re.compile(r"\s*[×x]\s?\d+.*$|（[^）]*）|\([^)]*\)")
_AFTER = re.compile(
    r"\s*(?:的)?(?:七天无理由|质量问题|取消|预售)?\s*(?:退款|付款|支付|尾款|退货|的包裹).*$|\s+(?:refund|payment)$",
    re.IGNORECASE,
)
_LONGEST_NAME = 24


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A question as the customer would type it. ``reason`` names the rule, ``weight`` is 0–1, higher first."""

    text: str
    reason: str
    weight: float
    entity_id: str | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """When ``find`` gives entities, these questions are likely; ``{name}`` is the product, ``topic`` what they ask."""

    reason: str
    topic: str
    weight: float
    zh: tuple[str, ...]
    en: tuple[str, ...]
    find: Callable[[UserState, datetime], Sequence[Entity]]


def _failed(state: UserState, now: datetime) -> list[Entity]:
    return [p for p in unresolved(state) if not _long_past(p, now) and phase(p) == "failed"]


def _unpaid(state: UserState, now: datetime) -> list[Entity]:
    return [p for p in unresolved(state) if not _long_past(p, now) and phase(p) == "unpaid"]


def _ways(state: UserState, wanted: Callable[[Delivery], bool]) -> list[Entity]:
    return [d.entity for d in deliveries(state) if wanted(d)]


def _late(state: UserState, now: datetime) -> list[Entity]:
    return _ways(state, lambda d: is_late(d, now))


def _moving(state: UserState, now: datetime) -> list[Entity]:
    return _ways(state, lambda d: d.stage(now) == "moving")


def _not_sent(state: UserState, now: datetime) -> list[Entity]:
    return _ways(state, lambda d: d.stage(now) == "before")


def _delivered(state: UserState, now: datetime) -> list[Entity]:
    def recently(delivery: Delivery) -> bool:
        known = [moment_of(e, "status_since") for e in (delivery.shipment, delivery.order) if e]
        dues = [delivery.shipment.due_at] if delivery.shipment else []
        when = next((moment for moment in (*known, *dues, delivery.entity.occurred_at) if moment), None)
        return delivery.stage(now) == "done" and when is not None and timedelta() <= now - when <= RECENT

    return _ways(state, recently)


def _refunds(state: UserState, now: datetime) -> list[Entity]:
    return [r for r in state.of_kind("refund") if phase(r) == "open"]


def _coupons(state: UserState, now: datetime) -> list[Entity]:
    live = [c for c in state.of_kind("coupon") if phase(c) == "open" and c.due_at and now <= c.due_at <= now + SOON]
    return sorted(live, key=lambda c: c.due_at or now)


def _tickets(state: UserState, now: datetime) -> list[Entity]:
    return [t for t in state.of_kind("ticket") if phase(t) not in OVER]


def _subscriptions(state: UserState, now: datetime) -> list[Entity]:
    return [s for s in state.of_kind("subscription") if s.due_at and now <= s.due_at <= now + SOON]


def _long_past(payment: Entity, now: datetime) -> bool:
    end = payment.due_at or payment.occurred_at
    return end is not None and now - end > _STILL_MATTERS


# The table of rules; the weight orders them, and each further entity of the same rule counts for less.
RULES = (
    Rule(
        "payment_failed",
        "payment",
        1.0,
        ("{name}付款失败了，怎么重新付款？", "为什么我付款失败了？"),
        ("My payment for the {name} failed, how do I pay now?", "Why did my payment fail?"),
        _failed,
    ),
    Rule(
        "parcel_late",
        "parcel",
        0.95,
        ("我的{name}怎么还没到？", "快递延误了怎么办？"),
        ("Why hasn't my {name} arrived yet?", "What can I do about a late parcel?"),
        _late,
    ),
    Rule(
        "payment_waiting",
        "payment",
        0.85,
        ("{name}的订单会保留到什么时候？",),
        ("Until when can I pay for my {name} order?",),
        _unpaid,
    ),
    Rule(
        "refund_under_way",
        "refund",
        0.8,
        ("{name}的退款什么时候到账？",),
        ("When will my refund for the {name} arrive?",),
        _refunds,
    ),
    Rule(
        "ticket_open",
        "ticket",
        0.75,
        ("我的售后处理到哪一步了？",),
        ("How is my service request going?",),
        _tickets,
    ),
    Rule("parcel_moving", "parcel", 0.7, ("我的{name}什么时候能送到？",), ("When will my {name} arrive?",), _moving),
    Rule(
        "delivered_recently",
        "product",
        0.62,
        ("{name}怎么使用和保养？", "{name}不合适可以退换吗？"),
        ("How do I use and care for the {name}?", "Can I return or exchange the {name}?"),
        _delivered,
    ),
    Rule("not_sent", "parcel", 0.6, ("我的{name}什么时候发货？",), ("When will my {name} ship?",), _not_sent),
    Rule(
        "coupon_expiring",
        "coupon",
        0.58,
        ("我的优惠券什么时候过期？", "快到期的优惠券能用在哪些商品上？"),
        ("When do my coupons expire?", "What can I use my expiring coupon on?"),
        _coupons,
    ),
    Rule(
        "subscription_soon",
        "subscription",
        0.5,
        ("我的{name}下次什么时候送？",),
        ("When is my next {name} delivery?",),
        _subscriptions,
    ),
)
NEWCOMER = (
    (
        "newcomer",
        0.5,
        ("新人有什么优惠？", "第一次下单包邮吗？"),
        ("Is there a gift for new customers?", "Is delivery free?"),
    ),
)
# After an answer on a topic: what is usually asked next.
FOLLOW_UPS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "parcel": (
        ("快递一直没更新怎么办？", "还能改收货地址吗？", "显示签收了但我没收到怎么办？"),
        (
            "What if tracking does not update?",
            "Can I still change the address?",
            "It says delivered but I have nothing",
        ),
    ),
    "payment": (
        ("支持哪些付款方式？", "付款失败钱被扣了怎么办？", "可以分期付款吗？"),
        ("What payment methods do you accept?", "What if I was charged but it failed?", "Can I pay in instalments?"),
    ),
    "refund": (
        ("退款会退到哪里？", "退款后优惠券会退回吗？", "退货运费谁出？"),
        ("Where does the refund go?", "Do I get my coupon back after a refund?", "Who pays for return postage?"),
    ),
    "order": (
        ("我的订单可以取消吗？", "怎么开发票？", "可以改收货地址吗？"),
        ("Can I cancel my order?", "How do I get an invoice?", "Can I change the delivery address?"),
    ),
    "cancel": (
        ("取消后多久退款？", "取消后优惠券会退回吗？"),
        ("How long does the refund take after cancelling?", "Do I get my coupon back if I cancel?"),
    ),
    "address": (("发货后还能改地址吗？",), ("Can the address be changed after shipping?",)),
    "coupon": (
        ("优惠券可以叠加使用吗？", "优惠券为什么用不了？"),
        ("Can I combine coupons?", "Why can't I use a coupon?"),
    ),
    "ticket": (
        ("维修一般要多久？", "换货运费谁出？"),
        ("How long does a repair take?", "Who pays postage for an exchange?"),
    ),
    "warranty": (
        ("保修包括哪些情况？", "送修运费谁出？"),
        ("What does the warranty cover?", "Who pays postage for a repair?"),
    ),
    "subscription": (("怎么修改或暂停订阅？",), ("How do I change or pause my subscription?",)),
    "points": (("积分怎么用？", "积分会过期吗？"), ("How do I use my points?", "Do points expire?")),
    "tier": (
        ("会员等级有什么权益？", "怎么升级会员？"),
        ("What are the benefits of each tier?", "How do I move up a tier?"),
    ),
}


def suggest_from_state(
    state: UserState, *, locale: Locale, now: datetime, limit: int, answered: str | None = None
) -> list[Suggestion]:
    """Likely questions, best first, at most ``limit``. ``answered`` is the topic just answered: its follow-ups come
    first and its own rules are left out.
    """
    found: list[Suggestion] = follow_ups(answered, locale=locale) if answered else []
    share = 0.7 if answered else 1.0
    for rule in RULES:
        if rule.topic == answered:
            continue
        texts = rule.zh if locale == "zh" else rule.en
        for rank, entity in enumerate(rule.find(state, now)):
            name = product_name(entity, state)
            for place, text in enumerate(texts):
                weight = rule.weight * share * 0.8**rank * 0.75**place
                found.append(Suggestion(_filled(text, name), rule.reason, round(weight, 4), entity.id))
    if not state.of_kind("order") and state.profile and _is_new(state, now):
        for reason, weight, zh, en in NEWCOMER:
            found += [
                Suggestion(text, reason, round(weight * 0.75**place, 4))
                for place, text in enumerate(zh if locale == "zh" else en)
            ]
    return merge(found, limit=limit)


def follow_ups(topic: str, *, locale: Locale) -> list[Suggestion]:
    """What is usually asked after an answer on this topic; empty for a topic without any."""
    zh, en = FOLLOW_UPS.get(topic, ((), ()))
    return [
        Suggestion(text, f"after_{topic}", round(0.9**place, 4))
        for place, text in enumerate(zh if locale == "zh" else en)
    ]


def merge(*ranked: Sequence[Suggestion], limit: int) -> list[Suggestion]:
    """One list by weight, at most ``limit``; of equal texts the heaviest stays, of equal weights the earlier list's."""
    everything = [suggestion for suggestions in ranked for suggestion in suggestions]
    best: dict[str, Suggestion] = {}
    for suggestion in sorted(everything, key=lambda s: -s.weight):  # stable: earlier lists win
        best.setdefault(_key(suggestion.text), suggestion)
    return list(best.values())[: max(0, limit)]


def product_name(entity: Entity, state: UserState) -> str:
    """The product as a customer calls it: the first item's name, else the title without size, count and ending."""
    order = order_of(entity, state)
    for source in (entity, order):
        if source is not None and (names := item_names(source)):
            return names[0]
    name = _AFTER.sub("", _EXTRAS.sub("", title(order or entity))).strip()
    return name if name and name != entity.id and len(name) <= _LONGEST_NAME else ""


def _filled(text: str, name: str) -> str:
    """The text with the product; with a plain word for it where its name is not known or too long."""
    if "{name}" not in text:
        return text
    zh = any("\u4e00" <= c <= "\u9fff" for c in text)
    return (
        text.format(name=name or ("订单" if zh else "order"))
        .replace("订单的订单", "订单")
        .replace("order order", "order")
    )


def _is_new(state: UserState, now: datetime) -> bool:
    try:
        since = datetime.fromisoformat(str(state.profile.get("registered_at", "")))
    except ValueError:
        return False
    return since.tzinfo is not None and timedelta() <= now - since <= timedelta(days=30)


def _key(text: str) -> str:
    return re.sub(r"\W+", "", fold(text).casefold())
