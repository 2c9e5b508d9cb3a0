"""From a question and the user's state to a reply, or to None when the question is not about the user's own things."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from assistant.domain.conversation import Turn
from assistant.domain.state import Entity, UserState
from assistant.state.answers.benefits import coupons, points, tier
from assistant.state.answers.choosing import PRONOUN, chosen_from_list, meant_before
from assistant.state.answers.goods import named_by_product
from assistant.state.answers.identifiers import find_ids
from assistant.state.answers.missing import cannot_tell, missing_for, unknown_account
from assistant.state.answers.model import Case, Locale, StateAnswer
from assistant.state.answers.normalise import normalise
from assistant.state.answers.orders import address, cancellation, order, thing
from assistant.state.answers.parcels import parcel
from assistant.state.answers.payments import payment
from assistant.state.answers.question import Asked, is_follow_up, read
from assistant.state.answers.refunds import refund
from assistant.state.answers.service import subscription, ticket, warranty
from assistant.state.answers.statuses import OVER, phase
from assistant.state.answers.topics import BY_NAME, LATE, OTHERS
from assistant.state.answers.wording import caveats, join

_REPLIES: dict[str, Callable[[Case], StateAnswer]] = {
    "parcel": parcel,
    "payment": payment,
    "refund": refund,
    "order": order,
    "cancel": cancellation,
    "address": address,
    "coupon": coupons,
    "ticket": ticket,
    "warranty": warranty,
    "subscription": subscription,
    "points": points,
    "tier": tier,
    "thing": thing,
}
_TOPIC_OF_KIND = {
    "order": "order",
    "shipment": "parcel",
    "payment": "payment",
    "refund": "refund",
    "coupon": "coupon",
    "ticket": "ticket",
    "warranty": "warranty",
    "subscription": "subscription",
}
_KINDS_OF_TOPIC = {
    "parcel": ("order", "shipment"),
    "payment": ("payment",),
    "refund": ("refund",),
    "coupon": ("coupon",),
}
_SHORT_REST = 3
_FILLER = re.compile(
    r"[\W_]|我|的|了|吗|呢|是|这个|那个|订单|单号|号|查一?下|查|看一?下|看看|帮|请|麻烦|好|谢谢|"
    r"\b(?:my|the|it|is|this|that|here|order|number|no|please|check|look|up|for|me|thanks?|hi|hello|about|can|you)\b"
)


def answer_from_state(
    question: str, state: UserState, *, locale: Locale, now: datetime, history: Sequence[Turn] = ()
) -> StateAnswer | None:
    """What the user's own state says to the question; None when it is not about the user's own things.

    ``now`` is aware. Only ``state`` is ever read: an id that is not in it is said not to be visible in this account,
    whether or not it exists.
    """
    mentions = find_ids(question, state)
    text = normalise(mentions.rest)
    if OTHERS.search(text) and not mentions.own:
        return _only_own(locale)
    picked = () if mentions.own else chosen_from_list(text, history, state)
    product = bool(named_by_product(text, state.entities, state))
    before = () if mentions.own or picked or product else meant_before(text, history, state)
    owns = product or (bool(before) and PRONOUN.search(text) is not None)
    asked = read(text, owns=owns, has_id=bool(mentions.own or mentions.foreign))
    if not state.known and (mentions.foreign or (asked is not None and asked.strength != "open")):
        return unknown_account(locale)
    if mentions.foreign and not mentions.own:
        return cannot_tell(state, None, locale) if missing_for(state, None) else _not_yours(mentions.foreign, locale)
    named = mentions.own or picked
    if asked is None and named:
        asked = _topic_of_named(text, named, history, picked=bool(picked))
    if asked is None and history and product and is_follow_up(text):
        asked = _asked_before(history, state)
    if asked is None:
        return None
    named = named or before
    if asked.strength == "open" and not named and not _under_way(asked.topic, state):
        return None
    case = Case(
        topic=asked.topic,
        text=text,
        state=state,
        locale=locale,
        now=now,
        named=named,
        named_by_id=bool(mentions.own),
        certain=asked.strength != "open",
    )
    reply = _REPLIES[asked.topic](case)
    if not reply.used and missing_for(state, asked.topic):
        return cannot_tell(state, asked.topic, locale)
    foreign = _foreign_note(mentions.foreign, locale) if mentions.foreign else ""
    notes = [note for note in (foreign, caveats(state, now, locale)) if note]
    if notes:
        separator = "\n" if reply.decision == "clarify" or "\n" in reply.text else ("" if locale == "zh" else " ")
        reply = replace(reply, text=separator.join([reply.text, join(notes, locale)]))
    if reply.sufficient and _of_two_matters(text):
        reply = replace(reply, sufficient=False)
    if not case.certain:
        reply = replace(reply, confidence=min(reply.confidence, 0.6), sufficient=False)
    return reply


def needs_sign_in(question: str, locale: Locale) -> StateAnswer | None:
    """Asks a visitor who is not signed in, and who asks about their own things, to sign in; else None."""
    mentions = find_ids(question, None)
    text = normalise(mentions.rest)
    asked = read(text, has_id=bool(mentions.foreign))
    if not mentions.foreign and (asked is None or asked.strength == "open"):
        return None
    said = (
        "这需要查看您本人的订单和账户信息，请先登录，登录后我马上为您查询。"
        if locale == "zh"
        else "I need to see your own orders and account for this. Please sign in, then I can look it up for you."
    )
    return StateAnswer(said, topic="sign_in", confidence=0.9)


def _topic_of_named(text: str, named: tuple[Entity, ...], history: Sequence[Turn], *, picked: bool) -> Asked | None:
    if picked:
        before = _customer_topic(history)
        if before is not None:
            return before
    topic = _TOPIC_OF_KIND.get(named[0].kind, "thing")
    if topic == "order" and LATE.search(text):
        topic = "parcel"
    more = len(_FILLER.sub("", text)) > _SHORT_REST
    return Asked(topic, "open" if more and not picked else "certain")


def _asked_before(history: Sequence[Turn], state: UserState) -> Asked | None:
    for turn in reversed(history):
        if turn.role == "customer":
            mentions = find_ids(turn.text, state)
            before = normalise(mentions.rest)
            owns = bool(named_by_product(before, state.entities, state))
            return read(before, owns=owns, has_id=bool(mentions.own))
    return None


def _customer_topic(history: Sequence[Turn]) -> Asked | None:
    for turn in reversed(history):
        if turn.role == "customer":
            asked = read(normalise(turn.text), owns=True)
            if asked is not None:
                return Asked(asked.topic, "certain")
    return None


def _of_two_matters(text: str) -> bool:
    """Whether it speaks of a refund and a coupon, of points and a refund…: how these go together is knowledge."""
    return (
        sum(re.search(BY_NAME[name].subject, text) is not None for name in ("refund", "coupon", "points", "warranty"))
        > 1
    )


def _under_way(topic: str, state: UserState) -> bool:
    kinds = _KINDS_OF_TOPIC.get(topic, (topic,))
    return any(phase(entity) not in OVER for entity in state.of_kind(*kinds))


def _not_yours(ids: Sequence[str], locale: Locale) -> StateAnswer:
    policy = (
        "为保护隐私，我只能查询当前登录账户自己的订单。请核对一下单号，或用下单时的账户登录后再查。"
        if locale == "zh"
        else "For privacy I can only look up orders of the account that is signed in. "
        "Please check the number, or sign in with the account that placed the order."
    )
    note = _foreign_note(ids, locale)
    return StateAnswer(join((note, policy), locale), topic="not_yours", confidence=0.95, facts=(note,))


def _foreign_note(ids: Sequence[str], locale: Locale) -> str:
    listed = ("、" if locale == "zh" else ", ").join(ids)
    return f"在您当前登录的账户里看不到 {listed}。" if locale == "zh" else f"I can't see {listed} in this account."


def _only_own(locale: Locale) -> StateAnswer:
    said = (
        "为保护隐私，我只能查询当前登录账户自己的订单。别人的订单请由下单人本人登录后查询。"
        if locale == "zh"
        else "For privacy I can only look up orders of the account that is signed in. "
        "The person who placed the order can look it up after signing in."
    )
    return StateAnswer(said, topic="not_yours", confidence=0.9)
