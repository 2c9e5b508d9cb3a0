"""Whether a line asks something: FAQ titles and first lines do, names and headings do not."""

from __future__ import annotations

import re

from assistant.text import fold

_ASKS = re.compile(
    r"[?？]\s*$|吗|呢$|怎么|怎样|如何|为什么|为何|什么|多久|多少|几天|几个|哪里|哪个|哪些|哪儿|何时|是否|能否|可否|能不能|可不可以|"
    r"要不要|需不需要|会不会|有没有|怎么办|咋|^(?:how|what|when|where|why|who|whom|which|can|could|do|does|did|is|are|"
    r"will|would|should|may|am)\b",
    re.IGNORECASE,
)
_LABEL = re.compile(r"^(?:#+\s*)?(?:q(?:uestion)?\s*\d*|问题?|客户问)\s*[:：.、]\s*", re.IGNORECASE)
_LONGEST = 120
_MARKUP = " \t\n*_#>`"


def asks(line: str) -> bool:
    """Whether this one line is a question as customers would read it."""
    return bool(_ASKS.search(fold(line)))


def leading_question(body: str) -> str | None:
    """The question that a text opens with, where an answer follows it; else None."""
    first, _, rest = body.strip().partition("\n")
    match = re.match(r"(.{4,120}?[?？])\s*(.*)", first)
    if match is not None:
        first, tail = match.group(1), match.group(2)
        rest = tail.strip(_MARKUP) or rest
    elif not _LABEL.match(first):
        return None
    question = _LABEL.sub("", first.strip(_MARKUP)).strip(_MARKUP)
    return question if rest.strip(_MARKUP) and 4 <= len(question) <= _LONGEST else None
