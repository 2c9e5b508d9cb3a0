"""Rules over a user's state: which situations hold, of which things, and what is likely asked there."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from assistant.domain.state import Entity, UserState
from assistant.language import Locale
from assistant.state.answers.choosing import order_of
from assistant.state.answers.parcels import Delivery, deliveries
from assistant.state.answers.payments import unresolved
from assistant.state.answers.statuses import OVER, phase, status_key
from assistant.state.answers.wording import item_names, moment_of, title

PARCEL = "parcel"  # an order with its shipment
_EXTRAS = re.compile(r"\s*[×x]\s?\d+.*$|（[^）]*）|\([^)]*\)")
_AFTER = re.compile(
    r"\s*(?:的)?(?:七天无理由|质量问题|取消|预售)?\s*(?:退款|付款|支付|尾款|退货|的包裹).*$|\s+(?:refund|payment)$",
    re.IGNORECASE,
)
_LONGEST_NAME = 24


@dataclass(frozen=True, slots=True)
class Days:
    """A span of days, both ends included; an open end is None."""

    least: float | None = None
    most: float | None = None

    def holds(self, span: timedelta | None) -> bool:
        """False where the span is not known."""
        if span is None:
            return False
        days = span.total_seconds() / 86_400
        return (self.least is None or days >= self.least) and (self.most is None or days <= self.most)


@dataclass(frozen=True, slots=True)
class Situation:
    """When a rule holds: for a thing of the user (``entity``), or for the user as a whole; all parts must hold.

    ``ended_days`` is how long ago the thing was due, or else happened; ``since_days`` how long it has its status;
    ``due_days`` how long until it is due.
    """

    entity: str | None = None
    any_of: tuple[str, ...] = ()
    none_of: tuple[str, ...] = ()
    unresolved: bool = False
    since_days: Days | None = None
    ended_days: Days | None = None
    due_days: Days | None = None
    attributes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    profile: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    registered_days: Days | None = None
    without: tuple[str, ...] = ()
    without_open: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """A situation and the questions it brings, by language; ``weight`` is their chance before any evidence, 0–1.

    ``matter`` says the same in general words, for finding what the knowledge says of it.
    """

    name: str
    when: Situation
    weight: float = 0.0
    answered_by: str = "state"
    zh: tuple[str, ...] = ()
    en: tuple[str, ...] = ()
    matter: tuple[str, ...] = ()

    def texts(self, locale: Locale) -> tuple[str, ...]:
        """The questions as templates with ``{name}``."""
        return self.zh if locale == "zh" else self.en


@dataclass(frozen=True, slots=True)
class RuleBook:
    """All rules, in their order; ``digest`` changes with any of them."""

    rules: tuple[Rule, ...]
    digest: str

    def fired(self, state: UserState, now: datetime) -> list[tuple[Rule, tuple[Entity, ...]]]:
        """The rules that hold, with the things they hold for, newest first; none for a rule about the user."""
        found: list[tuple[Rule, tuple[Entity, ...]]] = []
        parcels = deliveries(state)
        for rule in self.rules:
            if not _user_fits(rule.when, state, now):
                continue
            if rule.when.entity is None:
                found.append((rule, ()))
            elif things := _things(rule.when, state, parcels, now):
                found.append((rule, things))
        return found


def _user_fits(when: Situation, state: UserState, now: datetime) -> bool:
    if any(str(state.profile.get(key)) not in values for key, values in when.profile.items()):
        return False
    if when.registered_days is not None and not when.registered_days.holds(_registered(state, now)):
        return False
    if any(state.of_kind(kind) for kind in when.without):
        return False
    return not any(phase(e) not in OVER and phase(e) != "failed" for e in state.of_kind(*when.without_open))


def _things(when: Situation, state: UserState, parcels: Sequence[Delivery], now: datetime) -> tuple[Entity, ...]:
    if when.entity == PARCEL:
        return tuple(d.entity for d in parcels if _parcel_fits(when, d, now))
    candidates = unresolved(state) if when.unresolved else list(state.of_kind(when.entity or ""))
    return tuple(e for e in candidates if _thing_fits(when, e, now))


def _thing_fits(when: Situation, entity: Entity, now: datetime) -> bool:
    ended = entity.due_at or entity.occurred_at
    return _fits(
        when,
        {phase(entity), status_key(entity)},
        entity,
        _age(moment_of(entity, "status_since") or entity.occurred_at, now),
        # what cannot be dated may still matter; what ended long ago does not
        timedelta(0) if ended is None else max(timedelta(0), now - ended),
        None if entity.due_at is None else entity.due_at - now,
    )


def _parcel_fits(when: Situation, delivery: Delivery, now: datetime) -> bool:
    known = [moment_of(e, "status_since") for e in (delivery.shipment, delivery.order) if e]
    due = delivery.shipment.due_at if delivery.shipment else None
    since = next((moment for moment in (*known, due, delivery.entity.occurred_at) if moment), None)
    names = {delivery.stage(now)} | {status_key(e) for e in (delivery.shipment, delivery.order) if e}
    return _fits(when, names, delivery.entity, _age(since, now), None, None if due is None else due - now)


def _fits(
    when: Situation,
    names: set[str],
    entity: Entity,
    since: timedelta | None,
    ended: timedelta | None,
    due: timedelta | None,
) -> bool:
    if when.any_of and not names & set(when.any_of):
        return False
    if names & set(when.none_of):
        return False
    spans = ((when.since_days, since), (when.ended_days, ended), (when.due_days, due))
    if any(wanted is not None and not wanted.holds(span) for wanted, span in spans):
        return False
    return all(entity.attribute(key) in values for key, values in when.attributes.items())


def _age(moment: datetime | None, now: datetime) -> timedelta | None:
    return None if moment is None or moment > now else now - moment


def _registered(state: UserState, now: datetime) -> timedelta | None:
    try:
        since = datetime.fromisoformat(str(state.profile.get("registered_at", "")))
    except ValueError:
        return None
    return None if since.tzinfo is None else _age(since, now)


def product_name(entity: Entity, state: UserState) -> str:
    """The product as a customer calls it: the first item's name, else the title without size, count and ending."""
    order = order_of(entity, state)
    for source in (entity, order):
        if source is not None and (names := item_names(source)):
            return names[0] if len(names[0]) <= _LONGEST_NAME else ""
    name = _AFTER.sub("", _EXTRAS.sub("", title(order or entity))).strip()
    return name if name and name != entity.id and len(name) <= _LONGEST_NAME else ""


def filled(text: str, name: str) -> str:
    """The text with the product; with a plain word for it where its name is not known or too long."""
    if "{name}" not in text:
        return text
    plain = "订单" if any("\u4e00" <= c <= "\u9fff" for c in text) else "order"
    whole = text.replace("{name}", name or plain)
    return whole.replace("订单的订单", "订单").replace("order order", "order")
