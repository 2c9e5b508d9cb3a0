"""What to search for: the question as it stands, and what was said just before it, which a follow-up leans on."""

from __future__ import annotations

import re
from collections.abc import Sequence

from assistant.domain.conversation import Turn
from assistant.guardrails import classify
from assistant.needs import knowledge_needed
from assistant.text import fold

_LEANS = re.compile(
    r"^(?:那|那么|那如果|还有|然后|所以|这个|那个|它|这样|如果是|要是|为什么呢?$|怎么办|多久|多少|可以吗)"
    r"|^(?:and|what about|how about|then|so|but|why|it|that|this|also|ok(?:ay)?,? (?:and|but|so))\b"
    r"|(?:呢|的话呢)[?？]?$|\b(?:it|they|them|one|there)\b",
    re.IGNORECASE,
)
# says that something is meant which was named before
_REFERS = re.compile(
    r"\b(?:it|its|they|them|their|there|this|that|these|those|the|one|ones|same|other|both|either)\b|[它这那该其]|一样|同款",
    re.IGNORECASE,
)
_SHORT_HAN = 9
_SHORT_WORDS = 4
LONGEST = 400
EACH_SIDE = 150
LOOK_BACK = 8
NEEDED = 0.5  # of ``knowledge_needed``: from here on a turn asks something of its own


def asked_after(text: str, history: Sequence[Turn]) -> tuple[str, str]:
    """(the question, what was said before it; empty at the beginning).

    Messages that the customer sent in a row are one question. Before it stand the customer's last message that is no
    mere courtesy and the reply to it, the first 150 characters of each. Whether the question leans on them need not be
    decided: the retriever reads it both ways and both count, so that a change of subject costs little and "and for
    size 42?" is understood.
    """
    row: list[str] = []
    rest = [turn for turn in history if turn.role != "system"]
    while rest and rest[-1].role == "customer":
        row.insert(0, rest.pop().text)
    question = fold(" ".join(row)[-LONGEST:] + " " + text) if row else text
    at = next(
        (i for i in reversed(range(len(rest))) if rest[i].role == "customer" and not _courtesy(rest[i].text)), None
    )
    if at is None:
        return question, ""
    before = [rest[at].text, *(turn.text for turn in rest[at + 1 :][-1:] if turn.role != "customer")]
    return question, fold(" ".join(part[:EACH_SIDE] for part in before if part.strip()))


def earlier_texts(history: Sequence[Turn]) -> tuple[str, ...]:
    """What either side said in the last eight turns, latest first: where the thing that is meant was named.

    It ends with the last thing that the customer asked anew, pointing at nothing said before: what was named before
    such a change of subject is no longer meant.
    """
    said: list[str] = []
    for turn in reversed(history[-LOOK_BACK:]):
        if turn.role == "system":
            continue
        said.append(turn.text)
        if turn.role == "customer" and asks_anew(turn.text):
            break
    return tuple(said)


def asks_anew(text: str) -> bool:
    """Whether the text asks what an article answers, in words that point at nothing said before."""
    said = text[:LONGEST]
    return not _REFERS.search(said) and not leans(said) and knowledge_needed(said) >= NEEDED


def standalone(text: str, history: Sequence[Turn]) -> str:
    """The text with at most 400 characters of earlier customer turns before it: what a reader of it alone would need.

    Messages that the customer sent in a row are one question. An earlier question is carried over only where this
    one leans on it: it is very short, or begins or ends as a continuation does.
    """
    row: list[str] = []
    rest = list(history)
    while rest and rest[-1].role == "customer":
        row.insert(0, rest.pop().text)
    if row:
        return fold(" ".join(row)[-LONGEST:] + " " + text)
    if not leans(text):
        return text
    earlier = [turn.text for turn in rest if turn.role == "customer" and len(turn.text.strip()) > 3]
    return f"{earlier[-1][-LONGEST:]} {text}" if earlier else text


def leans(text: str) -> bool:
    """Whether the text needs what was said before to be understood."""
    bare = text.strip()
    size = len(re.findall(r"[\u3400-\u9fff]", bare))
    words = len(re.findall(r"[A-Za-z0-9]+", bare))
    short = size + words <= _SHORT_HAN if size else words <= _SHORT_WORDS
    return (short and size + words <= _SHORT_HAN and bool(_LEANS.search(bare))) or (size + words <= 4)


def _courtesy(text: str) -> bool:
    return classify(text, "zh").kind in ("small_talk", "thanks")
