"""Turns of a word or two that answer the assistant: "好的", "that's all", "the second one". They ask nothing new."""

# ruff: noqa: E501  (a pattern reads best as the list of words it is)
from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from assistant.domain.conversation import Turn
from assistant.domain.live import Question
from assistant.phrases import choices_in, which_one
from assistant.text import fold

Said = Literal["noted", "done", "no"]

_LONGEST = 40
_MARKS = re.compile(r"[\s,，.。!！~～、…]+|[\U0001f000-\U0001faff\u2600-\u27bf\ufe0f]+")
_BY_HAN = re.compile(r"(?<=[\u3400-\u9fff]) | (?=[\u3400-\u9fff])")
_TAIL = r"(?:的|吧|啦|了|呀|哦|噢|喔|哈|啊|嘞|滴|呢|谢谢您?|多谢|辛苦了?|您|亲)*"
_NOTED = re.compile(
    rf"(?:(?:那)?(?:好|嗯+|恩+|哦+|噢+|喔+|行|可以|知道|明白|了解|懂|收到|清楚|晓得|是|对|没错|妥|成|中|ok(?:ay)?){_TAIL})+"
    r"|(?:(?:yes|yeah|yep|yup|sure|ok(?:ay)?|k|alright|all right|right|fine|good|great|perfect|cool|got it|gotcha|i see|understood|noted|makes sense|fair enough|correct|that helps|thanks|thank you|then|now|oh|ah) ?)+"
)
_DONE = re.compile(
    rf"(?:(?:好|嗯+|行|ok)?{_TAIL}(?:没有(?!解)|没了|没事|没事儿|没别的|没其他的?|没别的事|没其他问题|没问题|不用|不需要|不麻烦|就这样|就这些|先这样|先这些|(?<!没)(?<!没有)(?<!未)(?:已经)?解决了|算了|暂时没有|暂时不用|不问){_TAIL})+(?<!了没)(?<!没)"
    r"|(?:(?:ok(?:ay)?|no|nope|nah|well|then|for now|right now) ?)*(?:no (?:thanks|thank you|thx)|nothing(?: else)?|that'?s (?:all|it|everything)|that is (?:all|everything)|i'?m (?:good|all set|done|all good)|all (?:good|set|done)|never ?mind|no more questions|no need|not right now)(?: (?:thanks|thank you|for now|then|now))*"
)
_NO = re.compile(
    rf"(?:(?:都|也|还是?|问题)?(?:不|不是|不对|否|不行|都不是|没用|没帮助|没有?解决|未解决){_TAIL})+"
    r"|(?:(?:no|nope|nah|wait|not really|don'?t|neither|none(?: of (?:them|these|those|the above))?|wrong|not (?:that|it|those)|that'?s (?:not (?:it|right)|wrong)) ?)+"
)
_NUMBERS = {
    "一": 1,
    "二": 2,
    "三": 3,
    "1st": 1,
    "2nd": 2,
    "3rd": 3,
    "first": 1,
    "second": 2,
    "third": 3,
    "one": 1,
    "two": 2,
    "three": 3,
}
_PICKS = re.compile(
    r"(?:我?(?:选|要|问的?是|想问的?是?|是)?)(?:第(?P<nth>[一二三123])(?:个|项|条|种)?|(?P<zh>[一二三123]))(?:吧|的|呢|啊|谢谢|多谢)*"
    r"|(?:the |number |no |option |# ?|answer )*(?P<en>[123]|1st|2nd|3rd|first|second|third|one|two|three)(?: (?:one|option|please|thanks))*"
)
_NUMBERED = re.compile(
    r"\d{1,2}|.{0,6}第[一二三四五六七八九十\d].{0,12}|两个(?:都要)?|都要|both(?: of them)?|all(?: of them)?"
)
_TOPIC = re.compile(r"[\u3400-\u9fff]{2,4}|[a-z][a-z'-]{2,20}(?: [a-z][a-z'-]{2,20})?")
_OFFERED = re.compile(r"要我现在帮您办的话，回复“([^”]+)”就行。$|I can do this for you now: just say “([^”]+)”\.$")
_LISTED = re.compile(r"^\d+\. ", re.MULTILINE)
_LAST = re.compile(r"(?:是|选)?最后(?:那|一)?(?:个|项|条)?|(?:the )?last(?: one)?")


def said_by(text: str) -> Said | None:
    """What a turn says that says nothing else: it was noted, nothing more is wanted, or no. None for all others."""
    bare = _bare(text)
    if not bare or len(bare) > _LONGEST or re.search(r"[?？]", text):
        return None
    kinds: tuple[tuple[Said, re.Pattern[str]], ...] = (("done", _DONE), ("no", _NO), ("noted", _NOTED))
    return next((kind for kind, pattern in kinds if pattern.fullmatch(bare)), None)


def picked(text: str, choices: Sequence[str]) -> int | None:
    """The place, from 0, of the choice that a turn names by its number, or by a plain yes where there is but one."""
    bare = _bare(re.sub(r"[?？()（）\[\]【】]", " ", text))
    if not choices or not bare or len(bare) > _LONGEST:
        return None
    if _LAST.fullmatch(bare):
        return len(choices) - 1
    match = _PICKS.fullmatch(bare)
    if match:
        number = match["nth"] or match["zh"] or match["en"]
        place = _NUMBERS.get(number) or int(number)
        return place - 1 if place <= len(choices) else None
    return 0 if len(choices) == 1 and said_by(text) == "noted" else None


def chosen(question: Question) -> Question | None:
    """What the customer asks for by picking one of the choices offered, or by a yes to an offer; None for all else.

    A choice stands for the question asked before, as about it; an offer for the words that it asked to be said.
    """
    turns = [turn for turn in question.history if turn.role != "system"]
    while turns and turns[-1].text in (which_one("zh"), which_one("en")):
        turns = turns[:-2]  # asked again which one: the list stands before it
    if len(turns) < 2 or turns[-1].role != "assistant" or turns[-2].role != "customer":
        return None
    offered = _OFFERED.search(turns[-1].text)
    if offered is not None and said_by(question.text) == "noted" and not question.misses:
        return replace(question, text=offered[1] or offered[2])
    choices = choices_in(turns[-1].text)
    place = picked(question.text, choices)
    if place is None:
        return None
    return replace(question, text=f"{choices[place]} {turns[-2].text}", history=tuple(turns[:-2]))


def is_numbered(text: str) -> bool:
    """Whether a turn is a number or an ordinal with little beside it, or wants several: a choice that was not read."""
    return bool(_NUMBERED.fullmatch(_bare(re.sub(r"[?？()（）\[\]【】]", " ", text))))


def is_bare_no(text: str) -> bool:
    """Whether a turn is "no" and nothing more, which after "anything else?" means that there is nothing."""
    return _bare(text) in ("no", "nope", "nah", "不", "不了", "没有")


def topic_in(text: str) -> str | None:
    """The topic where a turn is one Chinese word or one or two English ones, and no more; None for all others."""
    bare = _bare(re.sub("[?？]", " ", text))
    return bare if _TOPIC.fullmatch(bare) and said_by(text) is None else None


def asks_which(history: Sequence[Turn]) -> bool:
    """Whether the last thing said was the assistant's numbered list."""
    last = next((turn for turn in reversed(history) if turn.role != "system"), None)
    return last is not None and last.role == "assistant" and bool(_LISTED.search(last.text))


def _bare(text: str) -> str:
    said = " ".join(_MARKS.sub(" ", fold(text).casefold().replace("’", "'")).split())
    return _BY_HAN.sub("", said)
