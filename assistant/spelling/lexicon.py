"""The words that a workspace uses, ordered so that a misspelt one finds the one that was meant."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Mapping
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from assistant.dictionary.names import MARK
from assistant.spelling.sounds import readings, sounds
from assistant.text import fold

MOST = 60_000  # words kept of each script: the rarer ones of a large workspace are slips themselves
SHORTEST, LONGEST = 4, 24
_LATIN = re.compile(r"[a-z]+")
_HAN = re.compile(r"[\u4e00-\u9fff]")
_PAIR = re.compile(r"#[\u4e00-\u9fff]{2}")
_PAIRED_FROM, _PAIRED = 3, 0.3
_HAN_WORD = re.compile(r"[\u4e00-\u9fff]{2,6}")
_NAME = re.compile(rf"{MARK}[\u4e00-\u9fff]{{3,6}}")
_LONG_NAME = re.compile(rf"{MARK}.{{4,}}")


def latin_words(texts: Iterable[str]) -> dict[str, int]:
    """Latin words of four letters and more with how often they stand in the texts; at most ``MOST``."""
    counted: Counter[str] = Counter()
    for text in texts:
        counted.update(w for w in _LATIN.findall(fold(text).casefold()) if SHORTEST <= len(w) <= LONGEST)
    return dict(counted.most_common(MOST))


class Lexicon:
    """The words of one index. Immutable; what is derived from them is made when first needed, and may be made twice."""

    def __init__(self, latin: Mapping[str, int], terms: Mapping[str, int], held_by: NDArray[np.int64]) -> None:
        """``latin`` from ``latin_words``; ``terms`` numbers the index terms, ``held_by`` entries each."""
        self.latin = latin
        self._terms = terms
        self._held_by = held_by
        self.latin_total = max(1, sum(latin.values()))

    def together(self, pair: str) -> bool:
        """Whether these two characters stand side by side anywhere."""
        return "#" + pair in self._terms

    @property
    def stems(self) -> Container[str]:
        """All index terms, Latin words as their stems among them."""
        return self._terms

    @cached_property
    def han(self) -> Mapping[str, int]:
        """Chinese words of two to six characters with how many entries hold them; at most ``MOST``.

        Names of the workspace's dictionary from three characters on: two that sound alike are no evidence of a name.
        """
        return {**self._most(_HAN_WORD), **{term[1:]: count for term, count in self._most(_NAME).items()}}

    @cached_property
    def pairs(self) -> Mapping[str, int]:
        """Two characters each that mostly stand together, but are no word of the dictionary, with their count.

        Many are words of the trade, and many are not: enough to know pinyin by, too little to change a character for.
        """
        found = {term[1:]: count for term, count in self._most(_PAIR).items() if count >= _PAIRED_FROM}
        first, second = Counter[str](), Counter[str]()
        for pair, count in found.items():
            first[pair[0]] += count
            second[pair[1]] += count
        return {p: n for p, n in found.items() if p not in self.han and n >= _PAIRED * max(first[p[0]], second[p[1]])}

    @cached_property
    def han_total(self) -> int:
        """Sum of the counts of ``han``."""
        return max(1, sum(self.han.values()))

    @cached_property
    def by_sound(self) -> Mapping[str, tuple[str, ...]]:
        """Chinese words by how they sound (``sounds``), those used most first."""
        return _grouped((key, word) for word in self.han for key in sounds(word))

    @cached_property
    def by_typed(self) -> Mapping[str, tuple[str, ...]]:
        """Chinese words by their pinyin as it is typed, tones aside, those used most first, single characters last."""
        return _grouped((key, word) for word in [*self.han, *self.pairs, *self._most(_HAN)] for key in readings(word))

    @cached_property
    def by_rest(self) -> Mapping[str, tuple[str, ...]]:
        """Chinese words of three characters and more by what is left of them where one is missing."""
        return _grouped((w[:i] + w[i + 1 :], w) for w in self.han if len(w) > 2 for i in range(len(w)))

    @cached_property
    def by_head(self) -> Mapping[str, tuple[str, ...]]:
        """Names of four characters and more by their first two, the longest first."""
        return _grouped((name[:2], name) for name in self._names)

    @cached_property
    def by_tail(self) -> Mapping[str, tuple[str, ...]]:
        """The same by their last two."""
        return _grouped((name[-2:], name) for name in self._names)

    @cached_property
    def _names(self) -> list[str]:
        return sorted((t[1:] for t in self._terms if _LONG_NAME.fullmatch(t)), key=lambda name: (-len(name), name))

    @cached_property
    def by_start(self) -> Mapping[str, tuple[str, ...]]:
        """Latin words by their first letter, those used most first."""
        return _grouped((word[0], word) for word in self.latin)

    def _most(self, pattern: re.Pattern[str]) -> dict[str, int]:
        found = Counter({t: int(self._held_by[number]) for t, number in self._terms.items() if pattern.fullmatch(t)})
        return dict(found.most_common(MOST))


def _grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    groups: dict[str, dict[str, None]] = defaultdict(dict)
    for key, word in pairs:
        groups[key][word] = None
    return {key: tuple(words) for key, words in groups.items()}
