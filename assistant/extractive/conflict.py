"""Finds a second source that gives another figure for the same thing."""

from __future__ import annotations

import re
from typing import Literal

from assistant.domain.knowledge import Passage
from assistant.extractive.ranking import Reading, Scored
from assistant.extractive.reading import cells
from assistant.extractive.relevance import coverage, figures, terms

_SUPPORT = 0.8  # of the best one's score and coverage
_SAME_SUBJECT = 0.35  # of the terms of the shorter statement
_ALL_ASKED = 0.85  # of the weight of the question's terms
_MONTHS = "January February March April May June July August September October November December".split()  # noqa: SIM905


def conflicting(reading: Reading, best: Scored) -> Scored | None:
    """The best unit of another document about the same subject with a different figure of the same kind, or None.

    The same subject: each covers nearly all of the question, or they share terms and cover it alike; and their
    vectors are nearer each other than the worse of them is to the question. Only statements in one language are
    compared, and only such kinds of figure as both give: a day count against a day count.
    """
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
        subject = _subject(other)
        alike = len(about & subject) / max(1, min(len(about), len(subject)))
        mutual = float(best.vector @ other.vector)
        to_question = min(float(best.vector @ reading.question), float(other.vector @ reading.question))
        covered = sorted((coverage(reading.weight, about), coverage(reading.weight, subject)))
        same = covered[0] >= _ALL_ASKED or (alike >= _SAME_SUBJECT and covered[1] - covered[0] <= 0.25)
        if same and mutual >= to_question:
            return other
    return None


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
