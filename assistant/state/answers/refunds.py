"""How far the user's refund is and when the money arrives, as far as the state tells."""

from __future__ import annotations

import re

from assistant.domain.state import Entity
from assistant.state.answers.choosing import choices, select
from assistant.state.answers.model import Case, StateAnswer
from assistant.state.answers.statuses import OVER, phase, status_key, status_word
from assistant.state.answers.topics import FASTER, LIST_ALL, WHEN
from assistant.state.answers.wording import day, deadline, join, method, moment_of, money, title

_PROGRESS = re.compile(r"进度|状态|审核|处理|\bstatus\b|\bprogress\b|\bprocess")
_NOT_THERE = re.compile(r"没到|没收到|还没|怎么还|\bnot\b|\bstill\b|\byet\b|\bmissing\b")


def refund(case: Case) -> StateAnswer:
    """The refund meant: the one named, else the one under way; a choice of several; else the latest."""
    refunds = case.state.of_kind("refund")
    selection = select(case, refunds)
    if not selection.entities:
        return _none(case, selection.elsewhere)
    under_way = [r for r in selection.entities if phase(r) not in OVER | {"failed"}]
    if LIST_ALL.search(case.text) and len(selection.entities) > 1:
        return _told(case, list(selection.entities))
    if len(under_way) > 1 and not case.named:
        return choices(
            case,
            under_way,
            "您有 {n} 笔进行中的退款，请问是哪一笔？",
            "You have {n} refunds under way. Which one do you mean?",
        )
    return _told(case, under_way or list(selection.entities[:1]))


def _told(case: Case, found: list[Entity]) -> StateAnswer:
    lines = tuple(_line(case, r) for r in found)
    done = all(phase(r) == "done" for r in found)
    dated = all(r.due_at for r in found)
    asks_when = bool(WHEN.search(case.text)) and not dated
    asks_more = (
        FASTER.search(case.text) or (done and _NOT_THERE.search(case.text)) or any(phase(r) == "failed" for r in found)
    )
    text = "\n".join(f"- {line}" for line in lines) if len(lines) > 1 else lines[0]
    return StateAnswer(
        text,
        tuple(r.id for r in found),
        confidence=0.95,
        topic="refund",
        facts=lines,
        sufficient=not (asks_when or asks_more) and (done or dated or _PROGRESS.search(case.text) is not None),
    )


def _none(case: Case, named: tuple[Entity, ...]) -> StateAnswer:
    if named:
        said = case.say(
            f"没有看到 {title(named[0])}（{named[0].id}）的退款记录，目前状态：{status_word(named[0], 'zh')}。",
            f"I see no refund for {title(named[0])} ({named[0].id}); it is {status_word(named[0], 'en')}.",
        )
    else:
        said = case.say("在您的账户里没有看到退款记录。", "I see no refund in your account.")
    used = tuple(e.id for e in named[:1])
    return StateAnswer(said, used, confidence=0.7, topic="refund", facts=(said,), sufficient=False)


def _line(case: Case, entity: Entity) -> str:
    amount = money(entity.amount, entity.currency, case.locale)
    way = method(entity.attribute("method"), case.locale) if entity.attribute("method") else ""
    word = status_word(entity, case.locale)
    since = moment_of(entity, "status_since")
    on = day(since, case.now, case.locale) if since else ""
    arrives = ""
    if entity.due_at and phase(entity) not in OVER:
        when = deadline(entity.due_at, case.now, case.locale)
        arrives = case.say(f"预计 {when} 前到账。", f"The money is expected by {when}.")
    if case.zh:
        inside = "，".join(p for p in (entity.id, amount) if p)
        to = f"，退回{way}" if way else ""
        if status_key(entity) == "refunded":
            return f"{title(entity)}（{inside}）{'已于 ' + on if on else '已'}退款{to}。"
        return join((f"{title(entity)}（{inside}）目前：{word}{'（' + on + '）' if on else ''}{to}。", arrives), "zh")
    inside = ", ".join(p for p in (entity.id, amount) if p)
    to = f", to {way}" if way else ""
    if status_key(entity) == "refunded":
        return f"{title(entity)} ({inside}) was refunded{' on ' + on if on else ''}{to}."
    return join((f"{title(entity)} ({inside}): {word}{' (since ' + on + ')' if on else ''}{to}.", arrives), "en")
