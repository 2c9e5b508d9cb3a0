"""Words left in pinyin because the input method was off: "我要tuikuan", "zenme tuikuan"."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from assistant.spelling.latin import COMMON, english
from assistant.spelling.lexicon import SHORTEST, Lexicon
from assistant.spelling.sounds import alike
from assistant.text import has_han

LONGEST = 30  # letters of one word's pinyin
MOST_TYPED = 80
_CHOICES = 8
_SINGLE = 1.6  # what a single character costs beside a word: words are meant where there are any
_PARTICLES = "de le ma ne ba wo ni ta bu mei zai you yao hai dao shi na ge jiu dou ye".split(" ")  # noqa: SIM905
"""Single characters that stand in every sentence: wo de tuikuan dao le ma is one word of the trade between them."""
_TYPED = re.compile(r"(?<![A-Za-z0-9_.@/#'-])[A-Za-z]{2,}(?: [A-Za-z]{1,})*(?![A-Za-z0-9_@/#'-])")


def mended(text: str, lexicon: Lexicon) -> str:
    """The text with letters as Chinese words where they are the pinyin of the workspace's words and no word themselves.

    Where there is no Chinese at all, only if every word of it is pinyin.
    """
    chinese = has_han(text)

    def right(match: re.Match[str]) -> str:
        tokens = match.group().casefold().split(" ")
        foreign = any(_word(t, lexicon) and not (len(tokens) > 1 and _borrowed(t, lexicon)) for t in tokens)
        whole = None if foreign else _spelt("".join(tokens), text, match, lexicon)
        if whole is not None or not chinese:
            return whole or match.group()
        made = [None if _word(t, lexicon) else _spelt(t, text, match, lexicon) for t in tokens]
        return " ".join(m or t for m, t in zip(made, match.group().split(" "), strict=True))

    made = _TYPED.sub(right, text)
    return made if chinese or not re.search(r"[A-Za-z]{2,}", made) else text


def _word(token: str, lexicon: Lexicon) -> bool:
    return len(token) >= SHORTEST and (token in lexicon.latin or english().get(token, 0.0) >= COMMON)


def _borrowed(token: str, lexicon: Lexicon) -> bool:
    """A word that its English texts have in pinyin: fapiao."""
    return token in lexicon.by_typed and english().get(token, 0.0) < COMMON


def _spelt(letters: str, text: str, match: re.Match[str], lexicon: Lexicon) -> str | None:
    """The Chinese words that these letters are the pinyin of, or None."""
    if not 4 <= len(letters) <= MOST_TYPED:
        return None
    before, after = text[max(0, match.start() - 1) : match.start()], text[match.end() : match.end() + 1]
    keys = _cut(letters, lexicon)
    if keys is None:
        sound = alike(letters)  # a slip by ear in the pinyin itself
        found = lexicon.by_sound.get(sound, ())
        return _fitting(found, before, after, lexicon) if found else None
    out = ""
    for place, key in enumerate(keys):
        following = after if place + 1 == len(keys) else ""
        out += _fitting(lexicon.by_typed[key], out[-1:] or before, following, lexicon)
    return out


def _cut(letters: str, lexicon: Lexicon) -> list[str] | None:
    """The fewest words whose pinyin these letters are; None where rare single characters make up half of them."""
    best: list[tuple[float, int, int]] = [(0.0, 0, 0)] + [(math.inf, 0, 0)] * len(letters)
    for end in range(1, len(letters) + 1):
        for start in range(max(0, end - LONGEST), end):
            cost, _, single = best[start]
            words = lexicon.by_typed.get(letters[start:end]) if cost < math.inf else None
            if words:
                alone = len(words[0]) == 1
                cost += _SINGLE if alone else 1.0
                if cost < best[end][0]:
                    counts = alone and letters[start:end] not in _PARTICLES
                    best[end] = (cost, start, single + (end - start if counts else 0))
    cost, end, single = best[-1][0], len(letters), best[-1][2]
    if cost == math.inf or 2 * single >= len(letters):
        return None
    keys = list[str]()
    while end:
        keys.append(letters[best[end][1] : end])
        end = best[end][1]
    return keys[::-1] if any(len(lexicon.by_typed[key][0]) > 1 for key in keys) else None


def _fitting(words: Sequence[str], before: str, after: str, lexicon: Lexicon) -> str:
    """Of words that sound alike, used most first, the one that stands beside its neighbours elsewhere too."""
    return max(
        words[:_CHOICES],
        key=lambda word: lexicon.together(before + word[0]) + lexicon.together(word[-1] + after),
    )
