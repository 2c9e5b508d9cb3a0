"""What the user ordered, what it cost and how it stands; whether it has left, for cancelling and changing."""

from __future__ import annotations

from collections.abc import Sequence

from assistant.domain.state import Entity
from assistant.state.answers.choosing import choice_line, choices, select
from assistant.state.answers.model import Case, StateAnswer
from assistant.state.answers.parcels import deliveries
from assistant.state.answers.statuses import NOT_SHIPPED, OVER, kind_word, phase, status_word
from assistant.state.answers.topics import AMOUNT, LIST_ALL
from assistant.state.answers.wording import day, money, title

_LISTED = 5


def order(case: Case) -> StateAnswer:
    """Status and amount of the order meant, or the list of what was ordered; newest first."""
    orders = case.state.of_kind("order")
    selection = select(case, orders)
    if not selection.entities:
        return _none(case, selection.elsewhere)
    found = selection.entities
    live = tuple(o for o in found if phase(o) not in OVER)
    lists = LIST_ALL.search(case.text) or "什么" in case.text or "what did i" in case.text or "what have i" in case.text
    if not selection.pointed and lists:
        return _list(case, found)
    if len(found) > 1 and not case.named:
        if (
            "最近" in case.text
            or "上次" in case.text
            or " last" in case.text
            or "latest" in case.text
            or "recent" in case.text
        ):
            found = found[:1]
        else:
            found = live or found
            if len(found) > 1:
                return choices(
                    case, found, "您有 {n} 个订单，请问是哪一个？", "You have {n} orders. Which one do you mean?"
                )
    return _told(case, found)


def cancellation(case: Case) -> StateAnswer:
    """How the order stands as to cancelling; whether the shop allows it is for the knowledge to say."""
    return _before_leaving(case, "您想取消哪一个订单？", "Which order do you want to cancel?")


def address(case: Case) -> StateAnswer:
    """How the order stands as to changing its address; the rest is for the knowledge to say."""
    return _before_leaving(case, "您想修改哪一个订单的地址？", "For which order do you want to change the address?")


def thing(case: Case) -> StateAnswer:
    """Status of a thing of a kind that has no reply of its own."""
    return _told(case, case.named[:_LISTED])


def _before_leaving(case: Case, zh: str, en: str) -> StateAnswer:
    orders = case.state.of_kind("order")
    selection = select(case, orders)
    found = selection.entities
    if not found:
        return _none(case, selection.elsewhere)
    live = tuple(o for o in found if phase(o) not in OVER)
    if not case.named and len(live or found) > 1:
        early = tuple(o for o in live if phase(o) in NOT_SHIPPED)
        if selection.pointed or len(early) != 1 or len(live) > 1:
            return choices(case, live or found[:3], zh, en)
    chosen = (live or found)[0]
    said = _standing(case, chosen)
    return StateAnswer(said, (chosen.id,), confidence=0.9, topic=case.topic, facts=(said,), sufficient=False)


def _standing(case: Case, entity: Entity) -> str:
    way = next((d for d in deliveries(case.state) if d.order == entity), None)
    stage = way.stage(case.now) if way else phase(entity)
    word = status_word(entity, case.locale)
    head = case.say(f"{title(entity)}（订单 {entity.id}）", f"{title(entity)} (order {entity.id})")
    if stage in NOT_SHIPPED:
        return case.say(f"{head}目前{word}，还没有发出。", f"{head} is {word}; it has not left yet.")
    if stage == "off":
        return case.say(f"{head}{word}。", f"{head} is {word}.")
    if stage == "done":
        return case.say(f"{head}{word}，已经送达。", f"{head} is {word}: it has arrived already.")
    if stage in ("moving", "late", "lost"):
        return case.say(f"{head}{word}，已经在路上了。", f"{head} is {word}: it is already on its way.")
    return case.say(f"{head}目前状态：{word}。", f"{head} is {word}.")


def _told(case: Case, found: Sequence[Entity]) -> StateAnswer:
    lines = tuple(_line(case, e) for e in found)
    text = "\n".join(f"- {line}" for line in lines) if len(lines) > 1 else lines[0]
    return StateAnswer(text, tuple(e.id for e in found), confidence=0.95, topic=case.topic, facts=lines)


def _line(case: Case, entity: Entity) -> str:
    amount = money(entity.amount, entity.currency, case.locale)
    when = day(entity.occurred_at, case.now, case.locale) if entity.occurred_at else ""
    word, kind = status_word(entity, case.locale), kind_word(entity.kind, case.locale)
    shipment = next((d.shipment for d in deliveries(case.state) if d.order == entity and d.shipment), None)
    if shipment is not None and phase(entity) not in OVER:
        detail = status_word(shipment, case.locale)
        word = word if detail == word else case.say(f"{word}（包裹{detail}）", f"{word} (parcel {detail})")
    if case.zh:
        parts = [
            f"{when}下单" if when and entity.kind == "order" else when,
            f"金额 {amount}" if amount else "",
            f"状态：{word}",
        ]
        return f"{title(entity)}（{kind} {entity.id}）：" + "，".join(p for p in parts if p) + "。"
    parts = [f"ordered on {when}" if when and entity.kind == "order" else when, amount, word]
    return f"{title(entity)} ({kind} {entity.id}): " + ", ".join(p for p in parts if p) + "."


def _list(case: Case, found: Sequence[Entity]) -> StateAnswer:
    shown = found[:_LISTED]
    lines = tuple(
        choice_line(case, e) + (f" {money(e.amount, e.currency, case.locale)}" if AMOUNT.search(case.text) else "")
        for e in shown
    )
    lead = case.say("您最近的订单：", "Your latest orders:")
    rest = len(found) - len(shown)
    more = [case.say(f"另有 {rest} 个更早的订单。", f"There are {rest} earlier orders.")] if rest else []
    text = "\n".join([lead, *(f"{n}. {line}" for n, line in enumerate(lines, 1)), *more])
    return StateAnswer(text, tuple(e.id for e in shown), confidence=0.9, topic="order", facts=lines)


def _none(case: Case, named: tuple[Entity, ...]) -> StateAnswer:
    if named:
        return _told(case, named[:1])
    said = case.say("在您的账户里没有看到订单。", "I see no order in your account.")
    return StateAnswer(said, confidence=0.7, topic=case.topic, facts=(said,), sufficient=False)
