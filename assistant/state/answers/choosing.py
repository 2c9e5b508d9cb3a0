"""Which of the user's things is meant: by id, by product, by what was said before; else the user is asked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from assistant.domain.conversation import Turn
from assistant.domain.state import Entity, UserState
from assistant.state.answers.goods import named_by_product
from assistant.state.answers.identifiers import find_ids, plain
from assistant.state.answers.model import Case, StateAnswer
from assistant.state.answers.statuses import kind_word, status_word
from assistant.state.answers.topics import LIST_ALL
from assistant.state.answers.wording import day, title

MOST_CHOICES = 5
_CHOICE = re.compile(r"^\s*(\d+)[.、)]\s*(.+)$", re.MULTILINE)
ORDINALS = {
    "一": 1,
    "二": 2,
    "两": 2,
    "三": 3,
    "四": 4,
    "五": 5,
    "first": 1,
    "second": 2,
    "third": 3,
    "fourth": 4,
    "fifth": 5,
}
_ORDINAL = re.compile(
    r"第\s*([一二两三四五\d])\s*(?:个|单|笔|件|张|条|项)?|^(?:no\.?|number|option|#)?\s*(\d)[.。]?$|\b(first|second|third|fourth|fifth|(\d)(?:st|nd|rd|th))\b"
)
_LAST = re.compile(r"最后(?:一)?(?:个|单|笔|件|张)|最下面|\b(?:the )?last(?: one)?\b|\bbottom\b")
_ALL = re.compile(r"都(?:是|要|看|查)|全部|所有|\b(?:both|all)\b")
PRONOUN = re.compile(r"它|这个|那个|这单|那单|这笔|那笔|这件|那件|\b(?:it|this|that|they|them)\b")
_LATEST = re.compile(
    r"最近(?:的)?(?:一|那)(?:单|笔|个|次)|上一(?:单|个|笔)|最新的?(?:一|那)?(?:单|笔|个?订单)|"
    r"\b(?:last|latest|most recent) (?:one|order|payment|refund|purchase|parcel|package)\b"
)
_SHORT = 40
_LOOK_BACK = 4


@dataclass(frozen=True, slots=True)
class Selection:
    """The candidates meant. ``elsewhere`` holds what the user named when no candidate belongs to it."""

    entities: tuple[Entity, ...]
    pointed: bool = False
    elsewhere: tuple[Entity, ...] = ()


def order_key(entity: Entity) -> str:
    """The order an entity belongs to, comparable; its own id for an order; empty without one."""
    return plain(entity.id) if entity.kind == "order" else plain(entity.attribute("order_id"))


def order_of(entity: Entity, state: UserState) -> Entity | None:
    """The order it belongs to, itself for an order."""
    key = order_key(entity)
    return next((e for e in state.entities if e.kind == "order" and key and plain(e.id) == key), None)


def linked(a: Entity, b: Entity) -> bool:
    """Whether both are one thing or of one order, or one refers to the other."""
    if a == b or (order_key(a) and order_key(a) == order_key(b)):
        return True
    references = {
        plain(str(v)) for e in (a, b) for k, v in e.attributes.items() if k.endswith("_id") and k != "product_id"
    }
    return bool({plain(a.id), plain(b.id)} & references)


def select(case: Case, candidates: Sequence[Entity]) -> Selection:
    """The candidates (newest first) that the question points at; all of them where it points at none."""
    if case.named:
        exact = tuple(c for c in candidates if c in case.named)
        chosen = exact or tuple(c for c in candidates if any(linked(c, n) for n in case.named))
        return Selection(chosen, True, () if chosen else case.named)
    chosen = named_by_product(case.text, candidates, case.state)
    if chosen:
        return Selection(chosen, True)
    orders = named_by_product(case.text, case.state.of_kind("order"), case.state)
    if orders:
        return Selection((), True, orders)
    if candidates and _LATEST.search(case.text) and not LIST_ALL.search(case.text):
        return Selection(tuple(candidates[:1]), True)
    return Selection(tuple(candidates))


def choices(case: Case, entities: Sequence[Entity], zh: str, en: str) -> StateAnswer:
    """A clarifying question with a numbered list of title, id, date and status; the ids let the next turn choose."""
    shown = entities[:MOST_CHOICES]
    lines = [f"{n}. {choice_line(case, entity)}" for n, entity in enumerate(shown, 1)]
    text = "\n".join([case.say(zh, en).format(n=len(entities)), *lines])
    return StateAnswer(
        text, tuple(e.id for e in shown), "clarify", 0.85, case.topic, tuple(line.split(". ", 1)[1] for line in lines)
    )


def choice_line(case: Case, entity: Entity) -> str:
    """``听雨 2 加湿器 ×1（订单 SQ…，11月15日，运输中）``."""
    parts = [f"{kind_word(entity.kind, case.locale)} {entity.id}"]
    if entity.occurred_at:
        parts.append(day(entity.occurred_at, case.now, case.locale))
    parts.append(status_word(_telling(case, entity), case.locale))
    inside = ("，" if case.zh else ", ").join(parts)
    return f"{title(entity)}（{inside}）" if case.zh else f"{title(entity)} ({inside})"


def _telling(case: Case, entity: Entity) -> Entity:
    """For an order on its way, its shipment tells more."""
    if entity.kind != "order" or case.topic != "parcel":
        return entity
    shipments = [s for s in case.state.of_kind("shipment") if linked(s, entity)]
    return shipments[0] if shipments else entity


def chosen_from_list(text: str, history: Sequence[Turn], state: UserState) -> tuple[Entity, ...]:
    """What a short reply picks from the numbered list in the last assistant turn; empty when it picks nothing."""
    last = next((turn for turn in reversed(history) if turn.role in ("assistant", "agent")), None)
    if last is None or len(text) > _SHORT:
        return ()
    offered = [(int(n), find_ids(line, state).own[:1]) for n, line in _CHOICE.findall(last.text)]
    offered = [(n, entities) for n, entities in offered if entities]
    if not offered:
        return ()
    ordinal = _ORDINAL.search(text)
    if ordinal:
        raw = next(group for group in reversed(ordinal.groups()) if group)
        number = ORDINALS.get(raw) or (int(raw) if raw.isdigit() else 0)
        return next((entities for n, entities in offered if n == number), ())
    if _LAST.search(text):
        return offered[-1][1]
    everything = tuple(entity for _, entities in offered for entity in entities)
    if _ALL.search(text):
        return everything
    named = named_by_product(text, everything, state)
    return named if len(named) == 1 else ()


def meant_before(text: str, history: Sequence[Turn], state: UserState) -> tuple[Entity, ...]:
    """The thing last spoken of, where the question leans on it ("什么时候到", "can it be cancelled"); else empty."""
    if not (PRONOUN.search(text) or len(text) <= 12):
        return ()
    for turn in list(reversed(history))[:_LOOK_BACK]:
        own = find_ids(turn.text, state).own
        orders = {order_key(e) or plain(e.id) for e in own}
        if len(orders) == 1:
            return own
        if len(orders) > 1:
            return ()
    return ()
