"""The lines of live state given to a chat model: what is needed to answer, most relevant first, nothing more."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from assistant.domain.state import Entity, UserState
from assistant.state.answers.choosing import linked, order_of
from assistant.state.answers.identifiers import plain
from assistant.state.answers.model import Locale
from assistant.state.answers.parcels import scan
from assistant.state.answers.payments import unresolved
from assistant.state.answers.statuses import OVER, kind_word, phase, status_word
from assistant.state.answers.wording import caveats, day, deadline, method, money, title

MOST_LINES = 12
_URGENT = {"failed": 0, "late": 0, "lost": 0, "unpaid": 1, "moving": 2, "open": 2, "before": 2, "done": 4, "off": 5}
_SHOWN = ("order_id", "refund_id", "carrier", "tracking_no", "failure_reason", "threshold", "scope", "reason")
_OLD = timedelta(days=60)


def state_facts(state: UserState, *, locale: Locale, now: datetime, focus: Sequence[str] = ()) -> tuple[str, ...]:
    """At most twelve lines of kind, id, title, status, amount and dates; what ``focus`` (ids) names comes first.

    No name, phone or address is in them: only a short list of attributes is shown.
    """
    wanted = {plain(key) for key in focus}
    focused = [e for e in state.entities if plain(e.id) in wanted]

    def rank(entity: Entity) -> tuple[int, int, float]:
        near = 0 if entity in focused else 1 if any(linked(entity, f) for f in focused) else 2
        urgency = _URGENT.get(_phase(entity, state, now), 3)
        age = (now - entity.occurred_at).total_seconds() if entity.occurred_at else 0.0
        return near, urgency, age

    kept = [
        e for e in state.entities if e in focused or not _stale(e, state, now) or any(linked(e, f) for f in focused)
    ]
    notes = [note] if (note := caveats(state, now, locale)) else []
    lines = [_line(entity, state, now, locale) for entity in sorted(kept, key=rank)[: MOST_LINES - len(notes)]]
    return tuple(notes + lines)


def _phase(entity: Entity, state: UserState, now: datetime) -> str:
    stage = phase(entity)
    order = order_of(entity, state)
    if order is not None and order != entity and phase(order) in OVER and entity.kind in ("shipment", "payment"):
        return "done"  # a failed payment or a lost parcel of an order that has come right since
    if entity.kind == "payment" and stage == "failed" and entity not in unresolved(state):
        return "done"
    overdue = entity.due_at is not None and entity.due_at < now
    return "late" if entity.kind == "shipment" and stage == "moving" and overdue else stage


def _stale(entity: Entity, state: UserState, now: datetime) -> bool:
    kept = entity.kind in ("warranty", "subscription") or _phase(entity, state, now) not in OVER
    return not kept and entity.occurred_at is not None and now - entity.occurred_at > _OLD


def _line(entity: Entity, state: UserState, now: datetime, locale: Locale) -> str:
    zh = locale == "zh"
    word = status_word(entity, locale)
    if _phase(entity, state, now) == "late" and phase(entity) != "late":
        word += "，已超过预计时间" if zh else ", past its expected date"
    parts = [
        f"{kind_word(entity.kind, locale)} {entity.id}",
        title((entity.kind == "shipment" and order_of(entity, state)) or entity),
        word,
        money(entity.amount, entity.currency, locale),
    ]
    if entity.occurred_at:
        parts.append(("日期 " if zh else "dated ") + day(entity.occurred_at, now, locale))
    if entity.due_at:
        parts.append(("到期/预计 " if zh else "due ") + deadline(entity.due_at, now, locale))
    if entity.attribute("method"):
        parts.append(method(entity.attribute("method"), locale))
    if entity.kind == "shipment" and phase(entity) not in OVER:
        parts.append(scan(entity))
    parts += [f"{name}={entity.attribute(name)}" for name in _SHOWN if entity.attribute(name) not in ("", entity.id)]
    return " · ".join(part for part in parts if part)
