"""How the user's service tickets stand, until when a warranty runs, when a subscription comes next."""

from __future__ import annotations

from assistant.domain.state import Entity
from assistant.state.answers.choosing import choices, select
from assistant.state.answers.model import Case, StateAnswer
from assistant.state.answers.statuses import OVER, phase, status_key, status_word
from assistant.state.answers.wording import day, deadline, join, moment_of, money, title


def ticket(case: Case) -> StateAnswer:
    """The ticket meant, else the open one; a choice of several; else the latest."""
    selection = select(
        case, case.state.of_kind("ticket", "refund") if "退货" in case.text else case.state.of_kind("ticket")
    )
    found = selection.entities
    if not found:
        return _none(case, selection.elsewhere, "售后单", "service ticket")
    live = tuple(t for t in found if phase(t) not in OVER)
    if len(live) > 1 and not case.named:
        return choices(
            case, live, "您有 {n} 个处理中的售后单，请问是哪一个？", "You have {n} open tickets. Which one do you mean?"
        )
    chosen = (live or found)[0]
    since = moment_of(chosen, "status_since") or chosen.occurred_at
    when = day(since, case.now, case.locale) if since else ""
    word = status_word(chosen, case.locale)
    parts = [
        case.say(
            f"「{title(chosen)}」（售后单 {chosen.id}）目前：{word}{'（' + when + '起）' if when else ''}。",
            f"“{title(chosen)}” (ticket {chosen.id}) is {word}{' since ' + when if when else ''}.",
        )
    ]
    if chosen.due_at and phase(chosen) not in OVER:
        due = deadline(chosen.due_at, case.now, case.locale)
        parts.append(case.say(f"预计 {due} 前有结果。", f"A result is due by {due}."))
    return _said(case, (chosen,), parts)


def warranty(case: Case) -> StateAnswer:
    """Until when the warranty runs; a choice of several; for a thing without a record, when it was bought."""
    selection = select(case, case.state.of_kind("warranty"))
    found = selection.entities
    if not found:
        return _none(case, selection.elsewhere, "保修记录", "warranty record")
    if len(found) > 1 and not case.named:
        return choices(
            case, found, "您有 {n} 条保修记录，请问是哪一件？", "You have {n} warranties. Which one do you mean?"
        )
    chosen = found[0]
    over = phase(chosen) in OVER or (chosen.due_at is not None and chosen.due_at < case.now)
    until = day(chosen.due_at, case.now, case.locale) if chosen.due_at else ""
    if over:
        said = case.say(
            f"{title(chosen)}（{chosen.id}）已经过保{'，到期日是 ' + until if until else ''}。",
            f"{title(chosen)} ({chosen.id}) has run out{', on ' + until if until else ''}.",
        )
    else:
        said = case.say(
            f"{title(chosen)}（{chosen.id}）还在保修期内{'，到 ' + until + ' 为止' if until else ''}。",
            f"{title(chosen)} ({chosen.id}) is still valid{', until ' + until if until else ''}.",
        )
    return _said(case, (chosen,), [said], sufficient=bool(until))


def subscription(case: Case) -> StateAnswer:
    """When each running subscription comes next."""
    selection = select(case, case.state.of_kind("subscription"))
    found = tuple(s for s in selection.entities if phase(s) not in OVER) or selection.entities
    if not found:
        return _none(case, selection.elsewhere, "订阅", "subscription")
    parts = []
    for entity in found:
        amount = money(entity.amount, entity.currency, case.locale)
        inside = case.say("，", ", ").join(p for p in (entity.id, amount) if p)
        running = status_key(entity) == "active"
        coming = ""
        if running and entity.due_at:
            when = day(entity.due_at, case.now, case.locale)
            coming = case.say(f"，下一次是 {when}", f"; the next one is on {when}")
        word = status_word(entity, case.locale)
        parts.append(
            case.say(f"{title(entity)}（{inside}）{word}{coming}。", f"{title(entity)} ({inside}) is {word}{coming}.")
        )
    return _said(case, found, parts, sufficient=any(e.due_at for e in found))


def _said(case: Case, used: tuple[Entity, ...], parts: list[str], sufficient: bool = True) -> StateAnswer:
    return StateAnswer(
        join(parts, case.locale),
        tuple(e.id for e in used),
        confidence=0.95,
        topic=case.topic,
        facts=tuple(parts),
        sufficient=sufficient,
    )


def _none(case: Case, named: tuple[Entity, ...], zh: str, en: str) -> StateAnswer:
    if named:
        entity = named[0]
        bought = day(entity.occurred_at, case.now, case.locale) if entity.occurred_at else ""
        word = status_word(entity, case.locale)
        zh_bought, en_bought = (f"于 {bought}下单，", f" of {bought}") if bought else ("", "")
        said = case.say(
            f"没有看到 {title(entity)} 的{zh}；订单 {entity.id}{zh_bought}状态：{word}。",
            f"I see no {en} for {title(entity)}; order {entity.id}{en_bought} is {word}.",
        )
    else:
        said = case.say(f"在您的账户里没有看到{zh}。", f"I see no {en} in your account.")
    used = tuple(e.id for e in named[:1])
    return StateAnswer(said, used, confidence=0.7, topic=case.topic, facts=(said,), sufficient=False)
