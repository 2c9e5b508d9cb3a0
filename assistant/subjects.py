"""What documents are about, learnt from their titles: "Gold Card: fees" and "Gold Card: limits" share a subject.

A question that names one product must not be answered from the page of another whose name contains it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from assistant.text import fold, has_han

NONE = -1
_HEAD = re.compile(r"^(.{2,60}?)\s*(?:[:：|｜]|\s[-–—]+\s)\s*\S")
LONGEST = 60
_SENTENCE = re.compile(r"[?？!！。]|^(?:怎么|如何|how|what|when|where|why|can|do|does|is|are)\b")
_GENERIC = {
    "faq",
    "faqs",
    "internal",
    "note",
    "q&a",
    "policy",
    "guide",
    "how to",
    "常见问题",
    "说明",
    "通知",
    "内部",
    "教程",
}


def learn_subjects(
    titles: Sequence[str], are_articles: Sequence[bool] | None = None
) -> tuple[list[str], NDArray[np.int32]]:
    """(names, number of each title's name or -1). A name heads at least two titles, and is no mere label.

    A short title that several articles bear unchanged is a name too; those of mined resolutions are what customers
    said, and customers say the same things.
    """
    heads = [_head(title) for title in titles]
    reviewed = are_articles if are_articles is not None else [True] * len(titles)
    others = [
        _whole(title) if article and not head else ""
        for title, article, head in zip(titles, reviewed, heads, strict=True)
    ]
    shared = {title for title, count in Counter(others).items() if title and count >= 2}
    heads = [head or (title if title in shared else "") for head, title in zip(heads, others, strict=True)]
    counts = Counter(head for head in heads if head)
    names = sorted(head for head, count in counts.items() if count >= 2)
    number = {name: index for index, name in enumerate(names)}
    return names, np.array([number.get(head, NONE) for head in heads], dtype=np.int32)


def named_in(question: str, names: Sequence[str]) -> set[int]:
    """Numbers of the names that the question says, without those that are only part of a longer one it says."""
    text = fold(question).casefold()
    found = {index: name for index, name in enumerate(names) if _says(text, name)}
    return {
        index
        for index, name in found.items()
        if not any(
            name != longer and name in longer and text.count(name) <= text.count(longer) for longer in found.values()
        )
    }


def last_named(texts: Sequence[str], names: Sequence[str]) -> frozenset[int]:
    """Numbers of the names in the first of the texts that says any; empty where none does."""
    return next((frozenset(named) for named in (named_in(text, names) for text in texts) if named), frozenset())


def _whole(title: str) -> str:
    text = fold(title).casefold().strip()
    return text if 2 <= len(text) <= LONGEST and text not in _GENERIC and not _SENTENCE.search(text) else ""


def _head(title: str) -> str:
    match = _HEAD.match(fold(title))
    head = match.group(1).casefold().strip() if match else ""
    return "" if head in _GENERIC else head


def _says(text: str, name: str) -> bool:
    if has_han(name):
        return name in text
    return re.search(rf"(?<![a-z0-9]){re.escape(name)}s?(?![a-z0-9])", text) is not None if name in text else False
