"""Finds a second source that gives another figure for the same thing, and whether the newer one takes its place."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from assistant.domain.knowledge import DocumentKind, Passage
from assistant.extractive.ranking import Reading, Scored
from assistant.extractive.reading import cells
from assistant.extractive.relevance import coverage, figures, terms
from assistant.text import fold, has_han

_SUPPORT = 0.8  # of the best one's score and coverage
_SAME_SUBJECT = 0.35  # of the terms of the shorter statement
_ALL_ASKED = 0.85  # of the weight of the question's terms
_RESTATED = 0.8  # Dice over character pairs of title and statement, figures aside
_APART = timedelta(days=1)
_CHANGED = re.compile(
    r"改为|调整[为到至]|变更为|更新为|现为|不再|(?:自|从).{1,14}起|原(?:来|先|定|为)|此前|"
    r"\b(?:now|no longer|changed|instead of|as of|used to|previously|replaces?)\b",
    re.IGNORECASE,
)
_SAYS_NOTHING = re.compile(
    r"最?新(?:版|规(?![则定]))?|更新|调整|公告|通知|规则|规定|政策|说明|须知|指南|细则|时间|时效|期限?|标准|常见|问题|关于|活动|要求|"
    r"多久|多长|怎么办?|如何|几天|什么时候|多少|可以|[吗呢？?]|"
    r"\b(?:new|updated?|polic(?:y|ies)|rules?|notices?|guide|faq|about|times?|terms?|period|our|how|long|does|take)\b",
    re.IGNORECASE,
)
_MONTHS = "January February March April May June July August September October November December".split()  # noqa: SIM905


@dataclass(frozen=True, slots=True)
class Disagreement:
    """Two units that give another figure for one thing, the newer reviewed one first.

    ``superseded``: the second is an earlier version of the first, so the first holds.
    """

    first: Scored
    second: Scored
    superseded: bool


def disagreement(reading: Reading, best: Scored) -> Disagreement | None:
    """What the best unit and the best one of another document disagree on, or None.

    The same subject: each covers nearly all of the question, or they share terms and cover it alike; and their
    vectors are nearer each other than the worse of them is to the question. Two articles must hold what the other's
    title names: two products' warranties differ rightly. Only statements in one language are compared, and only such
    kinds of figure as both give: a day count against a day count.
    """
    other = _rival(reading, best)
    if other is None:
        return None
    first, second = sorted((best, other), key=_newest_reviewed_first)
    return Disagreement(first, second, _supersedes(first, second))


def _rival(reading: Reading, best: Scored) -> Scored | None:
    if not reading.asked & {"duration", "amount", "date", "size"} and not re.search(r"\d", best.unit.text):
        return None
    mine = figures(best.unit.text)
    if not mine or best.vector is None or reading.question is None:
        return None
    about = _subject(best)
    for other in sorted(reading.units, key=lambda item: -item.score):
        if _related(best.passage, other.passage) or other.vector is None or other.passage.locale != best.passage.locale:
            continue
        if other.passage.score < _SUPPORT * best.passage.score or other.coverage < _SUPPORT * best.coverage:
            continue
        if "|" in other.unit.text and not coverage(reading.weight, terms(cells(other.unit.text)[0])):
            continue  # a row is about its key, not about all it mentions
        theirs = figures(other.unit.text)
        shared = mine.keys() & theirs.keys()
        if not shared or any(mine[kind] & theirs[kind] for kind in shared):
            continue
        if not (_named_in(best.passage, other.passage) and _named_in(other.passage, best.passage)):
            continue
        subject = _subject(other)
        alike = len(about & subject) / max(1, min(len(about), len(subject)))
        mutual = float(best.vector @ other.vector)
        to_question = min(float(best.vector @ reading.question), float(other.vector @ reading.question))
        covered = sorted((coverage(reading.weight, about), coverage(reading.weight, subject)))
        same = covered[0] >= _ALL_ASKED or (alike >= _SAME_SUBJECT and covered[1] - covered[0] <= 0.25)
        if same and mutual >= to_question:
            return other
    return None


def _supersedes(newer: Scored, older: Scored) -> bool:
    """Whether the one is the other's later version.

    Both are reviewed and dated, and the newer has the same title, says the same but for the figures, or says that the
    rule is another now.
    """
    mine, theirs = newer.passage, older.passage
    if mine.kind is not DocumentKind.ARTICLE or theirs.kind is not DocumentKind.ARTICLE:
        return False
    if mine.updated_at is None or theirs.updated_at is None or mine.updated_at - theirs.updated_at < _APART:
        return False
    return (
        (_names(mine) == _names(theirs) != frozenset())
        or _dice(f"{mine.title} {newer.unit.text}", f"{theirs.title} {older.unit.text}") >= _RESTATED
        or bool(_CHANGED.search(f"{mine.title} {newer.unit.text}"))
    )


def _named_in(passage: Passage, other: Passage) -> bool:
    """Whether the other article holds what this one's title names; the title of an agent's reply is a customer's."""
    if DocumentKind.RESOLUTION in (passage.kind, other.kind):
        return True
    text = fold(f"{other.title} {other.heading} {other.text}").casefold()
    held = terms(text)  # Chinese by its characters: where words end depends on what stands around them
    return all(name in text if has_han(name) else name in held for name in _names(passage))


def _names(passage: Passage) -> frozenset[str]:
    """The words of the title that say what it is about."""
    words = terms(_SAYS_NOTHING.sub(" ", fold(passage.title)))
    return frozenset(w for w in words if w[0] != "#" and len(w) > 1 and not re.search(r"\d", w))


def _dice(left: str, right: str) -> float:
    pairs: list[set[str]] = []
    for text in (left, right):
        plain = re.sub(r"[\W\d_]+", "", fold(text))
        pairs.append({plain[i : i + 2] for i in range(len(plain) - 1)})
    total = sum(map(len, pairs))
    return 2 * len(pairs[0] & pairs[1]) / total if total else 0.0


def _newest_reviewed_first(item: Scored) -> tuple[bool, float]:
    moment = item.passage.updated_at
    return item.passage.kind is DocumentKind.RESOLUTION, -(moment.timestamp() if moment else 0.0)


def dated(passage: Passage, locale: Literal["zh", "en"]) -> str:
    """The date of the passage's last change as people write it; empty when it is unknown."""
    moment = passage.updated_at
    if moment is None:
        return ""
    if locale == "zh":
        return f"{moment.year}年{moment.month}月{moment.day}日"
    return f"{moment.day} {_MONTHS[moment.month - 1]} {moment.year}"


def _related(left: Passage, right: Passage) -> bool:
    """Slices of one document, its other language, or one conversation."""
    families = {re.sub(r"-(?:en|zh)$", "", passage.document_id) for passage in (left, right)}
    return len(families) == 1 or (left.conversation_id is not None and left.conversation_id == right.conversation_id)


def _subject(item: Scored) -> frozenset[str]:
    """Terms of the statement and its title without figures."""
    return frozenset(t for t in terms(f"{item.passage.title} {item.unit.text}") if not re.search(r"\d", t))
