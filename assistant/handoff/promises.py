"""A promise of a transfer is either kept or taken out of the text."""

# ruff: noqa: E501  (a pattern reads best as the list of words it is)
from __future__ import annotations

from assistant.domain.reply import Handoff
from assistant.handoff.wording import Locale, any_of, folded, sentences, terms


def fix_promises(text: str, handoff: Handoff | None, locale: Locale) -> str:
    """The text without any promise of a transfer that nobody makes; unchanged when there is a handoff."""
    if handoff is not None:
        return text
    kept = [part for part in sentences(text) if not _promises(part)]
    fixed = "".join(kept).strip()
    if fixed == text.strip():
        return text
    if len(terms(fixed)) >= 2:
        return fixed
    if locale == "zh":
        return "这个问题我暂时没有可靠的答案。需要人工客服时，回复“转人工”即可。"
    return "I have no reliable answer to this. If you would like a person, just reply “agent”."


def _promises(sentence: str) -> bool:
    said = folded(sentence)
    return bool(_PROMISE.search(said)) and not _OFFER.search(said)


# fmt: off
_PROMISE = any_of(r"(?:为|帮|给|替)?(?:您|你)?.{0,6}(?:转接|转到|转至|转给|接通|呼叫|接入)(?:至|到|给|了)?.{0,6}(?:人工|客服|专员|同事|主管|专人)|(?:为|帮|给)(?:您|你)转(?:接|人工|客服)",
    r"(?:安排|请|让).{0,4}(?:人工|客服|专员|同事|主管|专人).{0,8}(?:联系|处理|跟进|回复|回电|为您)|(?:人工|客服|专员|同事).{0,2}(?:马上|稍后|即将|很快|正在|会尽快|立即).{0,8}(?:您|你|接入|跟进|处理)|正在.{0,6}(?:转接|接通)",
    r"\b(?:i'?ll|i will|i'?m|i am|we'?ll|we will|we are|we'?re|let me|i'?ve|i have|going to|now)\b.{0,24}\b(?:transfer\w*|connect\w*|hand(?:ing|ed)? (?:you|this|it|over)|escalat\w+|put(?:ting)? you through|pass(?:ing|ed)? (?:you|this|it)|forward(?:ing|ed)? (?:you|this))\b",
    r"\b(?:an?|our|the|one of our|my) (?:human )?(?:agent|colleague|representative|specialist|advisor|supervisor)s? (?:will|is going to) (?:contact|be with|join|call|get back|reach out|take over|help|assist|follow)",
    r"\b(?:transferring|connecting) you\b|\byou (?:are|will) be(?:ing)? (?:transferred|connected)")
_OFFER = any_of(r"可以.{0,10}(?:转|联系|回复|找)|需要.{0,16}(?:吗|请|时)|是否|要不要|如果|如需|若|想.{0,4}的话|回复.{0,3}转人工|[吗?？]\s*$",
    r"\bif (?:you|the|this|it)\b|\bwould you like|\bshall i|\bdo you want|\bi can\b|\bcan ask\b|\breply .{0,3}agent|\?\s*$")
# fmt: on
