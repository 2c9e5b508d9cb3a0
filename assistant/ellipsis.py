"""Completes "那被子呢" and "what about the kettle?": the question before it, asked about another thing."""

from __future__ import annotations

import re
from collections.abc import Sequence

from assistant.domain.conversation import Turn
from assistant.domain.knowledge import Passage
from assistant.guardrails import classify
from assistant.short_replies import said_by
from assistant.text import cut, fold, has_han

MOST_WAYS = 3
_ZH = re.compile(
    r"^(?:那|那么|还有|然后)?(?:(?P<if>如果|要是|假如)是?)?(?P<thing>[^，,。？?]{1,14}?)(?:的)?(?:呢|的话呢?|怎么样|也(?:是|一样|可以|行)?吗)\W*$"
)
_EN = re.compile(
    r"^(?:and |ok(?:ay)?,? |so )?(?:(?:what|how) about|and for|and with|and) "
    r"(?:the |a |an |my |your )?(?P<thing>[a-z0-9][\w' -]{1,40}?)\W*$",
    re.IGNORECASE,
)
_ASKING_ZH = re.compile(
    r"怎么|如何|什么|多久|多少|哪里|几天|可以|能不能|能否|是否|是不是|有没有|请问|需要|你们|我们|一下|时候|大概|知道"
)
_ASKING_EN = (  # noqa: SIM905
    "how what when where which who why long much many is are do does did can could will would should may the a an my "
    "your our i you we it of to for in on at with and or have has get be there if this that please tell me about know"
).split(" ")


def completed(text: str, history: Sequence[Turn]) -> tuple[str, tuple[str, ...]]:
    """(the thing that is newly named, ways to read the text as a question of its own); empty where it is complete.

    Each way leaves one word out of the question before, which may be the thing that the new one takes the place of; a
    new condition leaves none out. The best found is to be taken.
    """
    match = _match(text)
    before = _before(history) if match is not None else None
    if match is None or before is None:
        return "", ()
    thing = match["thing"].strip()
    said = fold(before).strip(" ?？。.!！")
    if match.groupdict().get("if"):
        return thing, (f"{said} {thing}",)
    words = _content(said)
    if not words:
        return thing, (f"{thing} {said}",)
    return thing, tuple(_joined(thing, said, word) for word in words[:MOST_WAYS])


def speaks_of(thing: str, passage: Passage) -> bool:
    """Whether the passage says the thing or a word of it, or its title half the thing's characters: 羽绒被 for 被子."""
    said = fold(f"{passage.title} {passage.heading} {passage.text}").casefold()
    words = [word.casefold() for word in (cut(thing) if has_han(thing) else thing.split())]
    if any(word in said for word in words if word not in _ASKING_EN and (len(word) > 1 or len(thing) == 1)):
        return True
    held = [character in passage.title for character in thing if has_han(character)]
    return bool(held) and 2 * sum(held) >= len(held)


def _match(text: str) -> re.Match[str] | None:
    said = fold(text).strip()
    if len(said) > 60:
        return None
    return (_ZH if has_han(said) else _EN).match(said)


def _before(history: Sequence[Turn]) -> str | None:
    """The customer's last question that is itself complete."""
    for turn in reversed(history):
        if turn.role == "agent":
            return None
        if turn.role != "customer" or classify(turn.text, "zh").reply is not None or said_by(turn.text):
            continue
        if _match(turn.text) is None:
            return turn.text if len(turn.text) <= 120 else None
    return None


def _content(question: str) -> list[str]:
    """The words of a question that may be its thing, longest first, as they stand in it."""
    if has_han(question):
        words = [word for word in cut(question) if len(word) > 1 and not _ASKING_ZH.search(word)]
    else:
        words = [word for word in re.findall(r"[A-Za-z0-9'-]+", question) if word.casefold() not in _ASKING_EN]
    whole = [word for word in words if not any(word != other and word in other for other in words)]
    return sorted(dict.fromkeys(whole), key=lambda word: -len(word))


def _joined(thing: str, question: str, left_out: str) -> str:
    """The question with the thing in the place of a word; in its place words stay in order."""
    return " ".join(question.replace(left_out, f" {thing} " if not has_han(question) else thing, 1).split())
