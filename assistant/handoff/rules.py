"""Which rule passes a turn to a person, in the order of their weight."""

# ruff: noqa: E501  (a pattern reads best as the list of words it is)
from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from assistant.domain.conversation import Turn
from assistant.handoff.asking import asks_for_person
from assistant.handoff.loops import is_loop
from assistant.handoff.mood import COMPLAINT, INSULT, sentiment
from assistant.handoff.wording import Locale, any_of, clauses, folded


@dataclass(frozen=True, slots=True)
class HandoffDecision:
    """Why a person takes over: ``reason`` is one of ``HANDOFF_REASONS``, ``rule`` names what fired."""

    reason: str
    rule: str


@dataclass(frozen=True, slots=True)
class HandoffRules:
    """What a shop may set. ``low_confidence`` is the confidence under which nothing is asked back any more."""

    vip_tiers: frozenset[str] = frozenset({"black"})
    low_confidence: float = 0.3
    upset_now: float = -0.6
    upset_before: float = -0.3


def decide_handoff(
    turn_text: str,
    history: Sequence[Turn],
    *,
    locale: Locale,
    profile: Mapping[str, object],
    confidence: float | None,
    rules: HandoffRules | None = None,
) -> HandoffDecision | None:
    """Why this turn goes to a person, or None. ``history`` are the turns before it; ``confidence`` None: not known yet.

    ``locale`` changes nothing: people switch languages, so the rules of both are tried.
    """
    rules = rules or HandoffRules()
    text = folded(turn_text)
    for reason, rule, pattern, veto in _TOPICS:
        if any(pattern.search(clause) and not (veto and veto.search(clause)) for clause in clauses(text)):
            return HandoffDecision(reason, rule)
    if asks_for_person(turn_text):
        return HandoffDecision("customer_request", "asked_for_person")
    mood = sentiment(turn_text)
    before = [sentiment(turn.text) for turn in history if turn.role == "customer"][-3:]
    if mood <= rules.upset_now and any(score <= rules.upset_before for score in before):
        return HandoffDecision("upset", "negative_repeated")
    if INSULT.search(text) and (COMPLAINT.search(text) or any(score <= rules.upset_before for score in before)):
        return HandoffDecision("upset", "insult_and_complaint")
    if profile.get("tier") in rules.vip_tiers and _NEEDS_PERSON.search(text):
        return HandoffDecision("vip", "vip_needs_person")
    if is_loop(turn_text, history):
        return HandoffDecision("loop", "same_issue_three_times")
    if confidence is not None and confidence < rules.low_confidence:
        return HandoffDecision("low_confidence", "confidence")
    return None


# fmt: off
# -- topics nobody but a person may speak on: (reason, rule, pattern, what makes it harmless) --
_TOPICS: tuple[tuple[str, str, re.Pattern[str], re.Pattern[str] | None], ...] = (
    ("forbidden_topic", "injury_or_safety", any_of(r"受伤|烫伤|烧伤|烫到|触电|电到|漏电|起火|着火|自燃|冒烟|冒火|爆炸|炸了|炸开|过敏|流血|中毒|住院|划伤|割伤|骨折|送医|急诊|起泡|不想活|自杀",
            r"\b(?:injur\w+|electrocut\w+|electric shock|caught (?:on )?fire|on fire|explod\w+|allergic|bleeding|hospital|poison\w*|suicid\w+|kill myself)\b"
            r"|\bburn(?:ed|t) (?:my|me|his|her|our|himself|herself)|\bsmok(?:e|ing) (?:from|coming|out)|\b(?:is|was|started|it'?s) smoking\b|\bspark(?:s|ed|ing)\b|\bshocked (?:me|my)"),
        any_of(r"会不会|会.{0,8}[吗么]|防|怕|抗|避免|预防|以免|不会|是否|容易",
            r"\b(?:will it|does it|could it|anti|hypo|proof|avoid|prevent|safe|in case|might)\b")),
    ("forbidden_topic", "fraud_or_account_theft", any_of(r"诈骗|被骗了?[\d一-龥]{0,4}钱|盗刷|冒充|盗号|账号被盗|被盗用|钓鱼|洗钱",
            r"\b(?:fraud\w*|scamm?ed|stolen card|card was stolen|hacked|phishing|identity theft|impersonat\w+)\b|\bunauthori[sz]ed (?:charge|payment|transaction|order)"),
        any_of(r"防诈|反诈")),
    ("forbidden_topic", "legal_or_press_threat", any_of(r"12315|12345|工商局?(?:投诉|举报)|消协|消费者协会|市场监管|曝光|媒体|记者|新闻|律师(?!事务所)|起诉|法院|告你们?|法律途径|报警|举报|(?:发|挂)(?:到|上|去)?(?:网上|微博|抖音|小红书|朋友圈)",
            r"\b(?:lawyers?|attorney|solicitor|legal action|lawsuit|journalist|newspaper|the media|trading standards|small claims|chargeback|the police|regulator|consumer (?:protection|rights|council))\b",
            r"\bsu(?:e|ing) (?:you|your|the)|\bto court\b|\bgo(?:ing)? to the press|\bexpose you|\breport you\b|\bgo(?:ing)? public\b"),
        any_of(r"(?:得|有|返|领|可以)[^,，]{0,6}(?:券|积分|奖)|晒单")),
    ("upset", "complaint", any_of(r"(?:我?要|想|我去|必须|打算|准备)投诉|投诉你们?|\b(?:make|file|raise|lodge|submit) a (?:formal )?complaint\b|\bwant to complain\b"), None),
)

_NEEDS_PERSON = any_of(r"(?:帮|给|替)我.{0,12}(?:取消|退|换|改|修|查|催|补|开|拦|处理|安排|申请|看)|(?:我?要|想|需要)(?:取消|退|换|改|修|投诉|补偿|赔)|没收到|没到账|还没(?:到|退|发)|坏了|破损|少发|漏发|发错|扣了两次|重复扣|拦截|上门取",
    r"\b(?:cancel|refund|return|exchange|change|redirect|repair|fix|chase|track|complain|compensat\w+|intercept)\b.{0,20}\b(?:my|this|it|order|parcel)\b|\b(?:not|never|hasn'?t|haven'?t) (?:arrived|received|come|been)|\b(?:broken|damaged|missing|charged twice|wrong (?:item|size))\b")
# fmt: on
