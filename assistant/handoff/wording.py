"""Clauses, terms and lines of what people write, as the rules look at them."""

from __future__ import annotations

import re
from typing import Literal

from assistant.text import fold

Locale = Literal["zh", "en"]


def folded(text: str) -> str:
    """The text in one form: Simplified, half width, lower case, straight apostrophes."""
    return fold(text).casefold().replace("’", "'")


def clauses(text: str) -> list[str]:
    """Parts between punctuation; a space beside a Chinese character parts clauses too."""
    parts = re.split(r"[,，。!?;:、…~\n()（）]|\.(?=\s|$|\.)|(?<=[\u3400-\u9fff])\s+|\s+(?=[\u3400-\u9fff])", text)
    return [part.strip() for part in parts if part.strip()]


def sentences(text: str) -> list[str]:
    """The text cut behind each sentence; joined they are the text again."""
    return re.findall(r"[^。！？!?\n.]*(?:\.(?=\S)[^。！？!?\n.]*)*(?:[。！？!?\n]+|\.\s*|$)", text)


def line(text: str, longest: int = 80) -> str:
    """The text on one line without Markdown, cut to ``longest`` characters."""
    flat = " ".join(re.sub(r"\*\*|^#+ |^[-*] |\|", " ", text, flags=re.MULTILINE).split())
    return flat if len(flat) <= longest else flat[: longest - 1] + "…"


def terms(text: str) -> set[str]:
    """Two-character shingles of Chinese, words of English without the commonest."""
    lowered = folded(text)
    han = re.findall(r"(?=([\u3400-\u9fff]{2}))", lowered)
    return {*han, *(w for w in re.findall(r"[a-z0-9']{2,}", lowered) if w not in _STOP)}


def overlap(left: str, right: str) -> float:
    """Shared terms over the smaller set of terms, 0–1."""
    a, b = terms(left), terms(right)
    return len(a & b) / min(len(a), len(b)) if a and b else 0.0


def any_of(*patterns: str) -> re.Pattern[str]:
    """One pattern that matches where any of these does."""
    return re.compile("|".join(patterns))


# fmt: off
_STOP = frozenset(
    ["the", "is", "it", "to", "of", "in", "on", "my", "me", "you", "your", "and", "for", "do", "can", "how", "what",
     "this", "that", "are", "was", "i'm", "it's"]
)
# fmt: on
