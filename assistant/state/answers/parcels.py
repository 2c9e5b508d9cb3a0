"""Where the user's parcels are, and which are late."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from assistant.domain.state import Entity, UserState
from assistant.state.answers.choosing import choices, linked, select
from assistant.state.answers.model import Case, Locale, StateAnswer
from assistant.state.answers.statuses import NOT_SHIPPED, ON_THE_WAY, OVER, phase, status_word
from assistant.state.answers.topics import DISPATCH, FASTER, LATE, LIST_ALL, NOT_RECEIVED, SIGNED_FOR, WHEN
from assistant.state.answers.wording import day, deadline, join, moment_of, title
from assistant.text import simplify

_SIGNED = re.compile(r"签收|代收|妥投|\b(?:signed|delivered|locker|collected)\b", re.IGNORECASE)
_SHIPPED_ONLY = re.compile(r"快递|包裹|物流|送到|\bparcel|\bpackage|\btracking|\bdelivery")


@dataclass(frozen=True, slots=True)
class Delivery:
    """An order and the shipment that tells where it is; either may be missing."""

    order: Entity | None
    shipment: Entity | None

    @property
    def entity(self) -> Entity:
        """The one the user knows it by: the order, where there is one."""
        found = self.order or self.shipment
        assert found is not None
        return found

    @property
    def ids(self) -> tuple[str, ...]:
        """Ids of both."""
        return tuple(e.id for e in (self.shipment, self.order) if e is not None)

    def stage(self, now: datetime) -> str:
        """The phase of the way; ``late`` also when the due time has passed and it is not delivered."""
        if self.order is not None and phase(self.order) in OVER | {"unpaid"}:
            return phase(self.order)
        stage = phase(self.shipment or self.entity)
        if self.shipment is not None and stage in ("moving", "open") and self._overdue(now):
            return "late"
        return stage

    def _overdue(self, now: datetime) -> bool:
        return self.shipment is not None and self.shipment.due_at is not None and self.shipment.due_at < now


def deliveries(state: UserState) -> list[Delivery]:
    """One for each order with its latest shipment (each shipment on its way where there are several); newest first."""
    found: list[Delivery] = []
    shipments = list(state.of_kind("shipment"))
    for order in state.of_kind("order"):
        own = [s for s in shipments if linked(s, order)]
        shipments = [s for s in shipments if s not in own]
        moving = [s for s in own if phase(s) in ("moving", "late", "open")]
        for shipment in moving or own[:1]:
            found.append(Delivery(order, shipment))
        if not own:
            found.append(Delivery(order, None))
    found.extend(Delivery(None, shipment) for shipment in shipments)
    return found


def is_late(delivery: Delivery, now: datetime) -> bool:
    """Late or lost."""
    return delivery.stage(now) in ("late", "lost")


def parcel(case: Case) -> StateAnswer:
    """Where it is; a choice where several are plausible; that there is none, or that it has arrived already."""
    everything = deliveries(case.state)
    selection = select(
        case, [d.entity for d in everything] + [d.shipment for d in everything if d.order and d.shipment]
    )
    if selection.pointed and selection.entities:
        chosen = [d for d in everything if d.entity in selection.entities or d.shipment in selection.entities]
        way = [d for d in chosen if d.stage(case.now) not in OVER]
        if not case.named_by_id and len(chosen) > 1 and way:
            chosen = way
        if len(chosen) > 1 and not case.named:
            return _which(case, chosen)
        return _told(case, chosen)
    active = [d for d in everything if d.stage(case.now) in ON_THE_WAY | {"before"}]
    arrived = [d for d in everything if d.stage(case.now) == "done"]
    if SIGNED_FOR.search(case.text) and NOT_RECEIVED.search(case.text) and arrived:
        return _told(case, _latest(arrived)[:1])
    if LIST_ALL.search(case.text) and active:
        return _told(case, active)
    waiting = [d for d in active if d.stage(case.now) == "before"]
    if DISPATCH.search(case.text) and (LATE.search(case.text) or WHEN.search(case.text)) and waiting:
        active = waiting
    elif LATE.search(case.text) and (late := [d for d in active if is_late(d, case.now)]):
        active = late
    elif _SHIPPED_ONLY.search(case.text) and (sent := [d for d in active if d.stage(case.now) != "before"]):
        active = sent
    if len(active) > 1:
        return _which(case, active)
    if active:
        return _told(case, active)
    return _nothing(case, everything)


def _latest(found: Sequence[Delivery]) -> list[Delivery]:
    """The last to change first, as far as that is known."""

    def when(delivery: Delivery) -> float:
        entity = delivery.shipment or delivery.entity
        moment = moment_of(entity, "status_since") or entity.due_at or entity.occurred_at
        return moment.timestamp() if moment else 0.0

    return sorted(found, key=when, reverse=True)


def _which(case: Case, found: Sequence[Delivery]) -> StateAnswer:
    entities = list(dict.fromkeys(d.order.id if d.order else d.ids[0] for d in found))
    chosen = [e for key in entities for e in case.state.entities if e.id == key]
    if len(chosen) == 1:
        return _told(case, found)
    return choices(
        case, chosen, "您有 {n} 个进行中的订单，请问是哪一个？", "You have {n} open orders. Which one do you mean?"
    )


def _told(case: Case, found: Sequence[Delivery]) -> StateAnswer:
    lines = tuple(describe(d, case.state, case.now, case.locale) for d in found)
    used = tuple(dict.fromkeys(key for d in found for key in d.ids))
    stages = {d.stage(case.now) for d in found}
    asks_more = bool(FASTER.search(case.text)) or (bool(NOT_RECEIVED.search(case.text)) and "done" in stages)
    no_date = bool(WHEN.search(case.text)) and any(
        d.stage(case.now) not in OVER and not (d.shipment and d.shipment.due_at) for d in found
    )
    text = "\n".join(f"- {line}" for line in lines) if len(lines) > 1 else lines[0]
    return StateAnswer(
        text,
        used,
        confidence=0.95,
        topic="parcel",
        facts=lines,
        sufficient=not (asks_more or no_date or stages & {"late", "lost", "unpaid", "off"}),
    )


def _nothing(case: Case, everything: Sequence[Delivery]) -> StateAnswer:
    unpaid = [d for d in everything if d.stage(case.now) == "unpaid"]
    done = [d for d in everything if d.stage(case.now) == "done"]
    if not everything or not (unpaid or done):
        said = case.say(
            "在您的账户里没有看到在途的包裹或订单。", "I see no parcel on its way and no open order in your account."
        )
        return StateAnswer(said, confidence=0.7, topic="parcel", facts=(said,), sufficient=False)
    told = _told(case, unpaid[:1] or _latest(done)[:1])
    lead = case.say("目前没有在途的包裹。", "There is no parcel on its way at the moment.")
    own = case.say("最近的一单：", "Your latest order: ")
    text = join((lead, own + told.text), case.locale)
    late = bool(LATE.search(case.text))
    return StateAnswer(
        text, told.used, confidence=0.8, topic="parcel", facts=told.facts, sufficient=told.sufficient and not late
    )


def scan(shipment: Entity) -> str:
    """The carrier's last line, unless it contradicts a status which says that the parcel is still on its way."""
    line = shipment.attribute("last_scan")
    return "" if _SIGNED.search(simplify(line)) else line


def describe(delivery: Delivery, state: UserState, now: datetime, locale: Locale) -> str:
    """One or two sentences: what, its status, carrier and number, last scan, when it is due."""
    stage, shipment, entity = delivery.stage(now), delivery.shipment, delivery.entity
    zh = locale == "zh"
    name = title(entity)
    head = f"{name}（订单 {entity.id}）" if zh else f"{name} (order {entity.id})"
    if delivery.order is None:
        head = name if entity.id in name else (f"{name}（{entity.id}）" if zh else f"{name} ({entity.id})")
    telling = entity if stage in OVER | {"unpaid"} or shipment is None else shipment
    word = status_word(telling, locale)
    since = moment_of(telling, "status_since")
    if stage == "late" and phase(telling) != "late":
        word = f"{word}，已超过预计时间" if zh else f"{word} and past its expected date"
    if stage == "done" and since:
        word = (
            f"已于 {day(since, now, locale)} {word.removeprefix('已')}"
            if zh
            else f"{word} on {day(since, now, locale)}"
        )
    if zh:
        parts = [f"{head}{'目前' if stage not in OVER else ''}{'' if word.startswith('已于') else '状态：'}{word}"]
    else:
        parts = [f"{head} {'was' if stage == 'done' and since else 'is'} {word}"]
    if stage == "unpaid":
        parts.append("付款后才会发货" if zh else "it ships once it is paid")
    if shipment is not None and stage not in NOT_SHIPPED | {"off"}:
        number = shipment.attribute("tracking_no") or shipment.id
        carrier = shipment.attribute("carrier")
        parts.append(f"{carrier} {number}".strip() if zh else f"{carrier} tracking number {number}".strip())
        if stage != "done" and (last := scan(shipment)):
            parts.append(f"最新物流：{last}" if zh else f"last scan: {last}")
        if stage != "done" and shipment.due_at:
            due = deadline(shipment.due_at, now, locale)
            if stage in ("late", "lost"):
                parts.append(f"原预计 {due} 前送达" if zh else f"it was expected by {due}")
            else:
                parts.append(f"预计 {due} 前送达" if zh else f"expected by {due}")
    elif entity.attribute("tracking_no"):
        parts.append(("运单号 " if zh else "tracking number ") + entity.attribute("tracking_no"))
    return ("，" if zh else "; ").join(parts) + ("。" if zh else ".")
