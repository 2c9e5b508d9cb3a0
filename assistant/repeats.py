"""Gives texts that say the same one place among the passages, so that five passages are five different ones."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache

from assistant.domain.knowledge import DocumentKind, Passage
from assistant.text import fold, has_han

SAME = 0.9
"""Share of the longer text's characters, in whole sentences, that two texts must have in common to be the same."""
_SENTENCE = re.compile(r"[。！？!?；;\n]+|\.(?=\s|$)")
_FIGURE = re.compile(r"\d+(?:[.,:]\d+)*")
_GLANCE = 200
_OLD = datetime(1, 1, 1, tzinfo=UTC)


def add_unless_said(passages: list[Passage], new: Passage) -> None:
    """Append ``new``, unless one there says the same: then whichever is to be cited has that one's place and score.

    An article is cited rather than a transcript, then the newer; ``passages`` are best first, so that on a tie the
    earlier stays. Two articles, or two parts of one, are the same only under the same title and heading: the same
    steps for another product are another answer.
    """
    for place, there in enumerate(passages):
        if _same(there, new):
            if _worth(new) > _worth(there):
                passages[place] = replace(new, score=there.score, dense=there.dense, lexical=there.lexical)
            return
    passages.append(new)


def _worth(passage: Passage) -> tuple[bool, datetime]:
    written = passage.updated_at or _OLD
    return passage.kind is DocumentKind.ARTICLE, written if written.tzinfo else written.replace(tzinfo=UTC)


def _same(one: Passage, other: Passage) -> bool:
    longer, shorter = max(len(one.text), len(other.text)), min(len(one.text), len(other.text))
    if shorter < 0.5 * longer or not _near(_glance(one.text), _glance(other.text)):
        return False
    reviewed = one.kind is DocumentKind.ARTICLE and other.kind is DocumentKind.ARTICLE
    if reviewed and _bare(f"{one.title} {one.heading}") != _bare(f"{other.title} {other.heading}"):
        return False
    (said, figures), (repeated, others) = _read(one.text), _read(other.text)
    if figures != others:  # "7 days" beside "15 days" is a contradiction to be shown, not a repetition
        return False
    shared = sum(len(sentence) * times for sentence, times in (said & repeated).items())
    return shared > 0 and shared >= SAME * max(_size(said), _size(repeated))


def _near(one: frozenset[str], other: frozenset[str]) -> bool:
    """Whether reading the two is worth it: markup and script may differ, and still most of the pieces are the same."""
    return 2 * len(one & other) >= max(len(one), len(other))


@lru_cache(maxsize=4096)
def _glance(text: str) -> frozenset[str]:
    """The first words; of Chinese the first characters."""
    text = text[:_GLANCE]
    return frozenset(text if has_han(text) else text.split())


@lru_cache(maxsize=4096)
def _read(text: str) -> tuple[Counter[str], frozenset[str]]:
    """(sentences with their number, figures) of a text, without case, width, script, marks and spaces."""
    sentences = [_bare(sentence) for sentence in _SENTENCE.split(text)]
    return Counter(sentence for sentence in sentences if sentence), frozenset(_FIGURE.findall(fold(text)))


@lru_cache(maxsize=4096)
def _bare(text: str) -> str:
    return "".join(c for c in fold(text).casefold() if c.isalnum())


def _size(sentences: Counter[str]) -> int:
    return sum(len(sentence) * times for sentence, times in sentences.items())
