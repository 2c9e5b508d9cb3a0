"""Whether the user's payment went through, why not, and until when it can still be made."""

from __future__ import annotations

import re

from assistant.domain.state import Entity, UserState
from assistant.state.answers.choosing import linked, order_of, select
from assistant.state.answers.model import Case, StateAnswer
from assistant.state.answers.statuses import phase, status_word
from assistant.state.answers.topics import HOW
from assistant.state.answers.wording import day_and_time, deadline, failure_reason, join, method, money, title

_TWICE = re.compile(r"两次|2次|两笔|两条|重复|多扣|\btwice\b|\bdouble\b|\bduplicate")
_CANNOT = re.compile(r"付款?不了|付不|不能付|can not (?:pay|complete|finish)")
_FAILED = re.compile(r"失败|不了|不上|没成功|不成功|\bfail|\bdeclin|\breject")


def unresolved(state: UserState) -> list[Entity]:
    """Payments that failed or hang, newest first, unless paid since or the order is over; then orders without one."""
    payments = state.of_kind("payment")
    succeeded = [p for p in payments if phase(p) == "done"]
    found = [p for p in payments if phase(p) in ("failed", "open", "unpaid") and _still_open(p, succeeded, state)]
    for order in state.of_kind("order"):
        if phase(order) == "unpaid" and not any(linked(p, order) for p in found):
            found.append(order)
    return found


def _still_open(payment: Entity, succeeded: list[Entity], state: UserState) -> bool:
    order = order_of(payment, state)
    if order is not None and phase(order) != "unpaid":
        return False
    later = [p for p in succeeded if linked(p, payment)]
    return not any(
        p.occurred_at is None or payment.occurred_at is None or p.occurred_at >= payment.occurred_at for p in later
    )


def payment(case: Case) -> StateAnswer:
    """The state of the payment meant: the one named, else the latest that did not go through, else the latest."""
    waiting = unresolved(case.state)
    payments = list(case.state.of_kind("payment"))
    selection = select(case, [*waiting, *(p for p in payments if p not in waiting)])
    if selection.pointed and not selection.entities:
        return _of_order(case, selection.elsewhere[0])
    chosen = selection.entities[0] if selection.entities else None
    if chosen is None:
        said = case.say("在您的账户里没有看到付款记录。", "I see no payment in your account.")
        return StateAnswer(said, confidence=0.7, topic="payment", facts=(said,), sufficient=False)
    if _TWICE.search(case.text):
        return _each(case, [p for p in payments if linked(p, chosen)] or [chosen])
    if chosen in waiting:
        return _open(case, chosen)
    said = _line(case, chosen)
    lead = ""
    if _FAILED.search(case.text) and not selection.pointed:
        lead = case.say("目前没有看到未完成的失败付款。", "I see no failed payment that is still open.")
    return StateAnswer(
        join((lead, said), case.locale),
        _ids(case, chosen),
        confidence=0.9,
        topic="payment",
        facts=(said,),
        sufficient=not lead,
    )


def _open(case: Case, chosen: Entity) -> StateAnswer:
    order = order_of(chosen, case.state)
    due = chosen.due_at or (order.due_at if order else None)
    parts = [_line(case, chosen)]
    if due is not None and due > case.now:
        when = deadline(due, case.now, case.locale)
        parts.append(
            case.say(
                f"这笔可以在 {when} 前重新付款，请打开订单 {order.id if order else chosen.id} 再付一次。",
                f"You can still pay until {when}: open order {order.id if order else chosen.id} and pay again.",
            )
        )
    elif due is not None:
        when = deadline(due, case.now, case.locale)
        parts.append(case.say(f"付款期限是 {when}，已经过了。", f"It could be paid until {when}, which has passed."))
    hanging = phase(chosen) == "open"
    asks_way = HOW.search(case.text) or _CANNOT.search(case.text)
    return StateAnswer(
        join(parts, case.locale),
        _ids(case, chosen),
        confidence=0.95,
        topic="payment",
        facts=tuple(parts),
        sufficient=due is not None and due > case.now and not hanging and not asks_way,
    )


def _each(case: Case, found: list[Entity]) -> StateAnswer:
    lines = tuple(_line(case, p) for p in found)
    used = tuple(dict.fromkeys(key for p in found for key in _ids(case, p)))
    return StateAnswer("\n".join(f"- {line}" for line in lines), used, topic="payment", facts=lines, sufficient=False)


def _of_order(case: Case, order: Entity) -> StateAnswer:
    amount = money(order.amount, order.currency, case.locale)
    word = status_word(order, case.locale)
    zh = f"没有看到 {title(order)} 单独的付款记录；订单 {order.id} 状态：{word}"
    en = f"I see no separate payment for {title(order)}; order {order.id} is {word}"
    said = case.say(f"{zh}{'，金额 ' + amount if amount else ''}。", f"{en}{', ' + amount if amount else ''}.")
    return StateAnswer(said, (order.id,), confidence=0.75, topic="payment", facts=(said,), sufficient=False)


def _line(case: Case, entity: Entity) -> str:
    order = order_of(entity, case.state)
    name = title(order or entity)
    amount = money(entity.amount, entity.currency, case.locale)
    when = day_and_time(entity.occurred_at, case.now, case.locale) if entity.occurred_at else ""
    word, reason = status_word(entity, case.locale), failure_reason(entity.attribute("failure_reason"), case.locale)
    way = method(entity.attribute("method"), case.locale) if entity.attribute("method") else ""
    failed = phase(entity) == "failed"
    if entity.kind == "order":
        return case.say(
            f"{name}（订单 {entity.id}，{amount}）还没有付款。",
            f"{name} (order {entity.id}, {amount}) is not paid yet.",
        )
    if case.zh:
        inside = "，".join(p for p in (f"订单 {order.id}" if order else entity.id, amount, way, when) if p)
        told = f"付款{word}" if failed or word == "成功" else f"的付款状态：{word}"
        return f"{name}（{inside}）{told}" + (f"，原因：{reason}。" if failed and reason else "。")
    inside = ", ".join(p for p in (f"order {order.id}" if order else entity.id, amount, way, when) if p)
    told = "failed" if failed else ("went through" if word == "successful" else f"is {word}")
    return f"The payment for {name} ({inside}) {told}" + (f"; reason: {reason}." if failed and reason else ".")


def _ids(case: Case, entity: Entity) -> tuple[str, ...]:
    order = order_of(entity, case.state)
    return tuple(dict.fromkeys([entity.id, *([order.id] if order else [])]))
