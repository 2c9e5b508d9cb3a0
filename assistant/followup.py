"""What to search for: the question, and what of the turns before it the question leans on."""

from __future__ import annotations

import re
from collections.abc import Sequence

from assistant.domain.conversation import Turn
from assistant.text import fold

_LEANS = re.compile(
    r"^(?:那|那么|那如果|还有|然后|所以|这个|那个|它|这样|如果是|要是|为什么呢?$|怎么办|多久|多少|可以吗)"
    r"|^(?:and|what about|how about|then|so|but|why|it|that|this|also|ok(?:ay)?,? (?:and|but|so))\b"
    r"|(?:呢|的话呢)[?？]?$|\b(?:it|they|them|one|there)\b",
    re.IGNORECASE,
)
_SHORT_HAN = 9
_SHORT_WORDS = 4
_LONGEST = 400


def standalone(text: str, history: Sequence[Turn]) -> str:
    """The text to search with, at most 400 characters of earlier customer turns put before it.

    Messages that the customer sent in a row are one question. An earlier question is carried over only where this
    one leans on it: it is very short, or begins or ends as a continuation does.
    """
    row: list[str] = []
    rest = list(history)
    while rest and rest[-1].role == "customer":
        row.insert(0, rest.pop().text)
    if row:
        return fold(" ".join(row)[-_LONGEST:] + " " + text)
    if not leans(text):
        return text
    earlier = [turn.text for turn in rest if turn.role == "customer" and len(turn.text.strip()) > 3]
    return f"{earlier[-1][-_LONGEST:]} {text}" if earlier else text


def leans(text: str) -> bool:
    """Whether the text needs what was said before to be understood."""
    bare = text.strip()
    size = len(re.findall(r"[\u3400-\u9fff]", bare))
    words = len(re.findall(r"[A-Za-z0-9]+", bare))
    short = size + words <= _SHORT_HAN if size else words <= _SHORT_WORDS
    return (short and size + words <= _SHORT_HAN and bool(_LEANS.search(bare))) or (size + words <= 4)
