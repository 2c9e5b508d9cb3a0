"""Finds the workspace's names in a text by the pairs that they begin with, however many names there are."""

from __future__ import annotations

import re
from collections.abc import Iterable

from assistant.ports import TextSegmenter
from assistant.text import fold, has_han

MARK = "@"  # before a name among index terms; no text yields a term that begins so
MOST = 20_000  # names of one workspace
_LOOSE = re.compile(r"(?<=[\u4e00-\u9fff]) (?=[a-z0-9])|(?<=[a-z0-9]) (?=[\u4e00-\u9fff])")
_LETTER = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")


def squeezed(text: str) -> str:
    """Folded, in small letters, without the space that some put between Chinese and Latin: "清岚 A3" as "清岚a3"."""
    return _LOOSE.sub("", fold(text).casefold())


class Names:
    """The names of one workspace. Immutable."""

    def __init__(self, names: Iterable[str]) -> None:
        """``names`` are ``squeezed``; those of one character are left out."""
        self._names = frozenset(name for name in names if len(name) > 1)
        starts: dict[str, set[int]] = {}
        for name in self._names:
            starts.setdefault(name[:2], set()).add(len(name))
        self._starts = {pair: tuple(sorted(lengths)) for pair, lengths in starts.items()}  # a brand may begin thousands

    @classmethod
    def among(cls, terms: Iterable[str]) -> Names:
        """The names that are marked among the terms of an index."""
        return cls(term[1:] for term in terms if term[0] == MARK)

    def __len__(self) -> int:
        return len(self._names)

    def found(self, text: str) -> list[str]:
        """The names that the text says, in order and with repeats, also those within a longer one."""
        return [name for _, name in self.places(squeezed(text))] if self._starts and has_han(text) else []

    def places(self, said: str) -> list[tuple[int, str]]:
        """(place, name) in a text that is ``squeezed``."""
        out = []
        for pair in self._starts.keys() & set(map(str.__add__, said, said[1:])):
            at = said.find(pair)
            while at >= 0:
                for length in self._starts[pair]:
                    name = said[at : at + length]
                    if len(name) == length and name in self._names and _whole(said, at, at + len(name)):
                        out.append((at, name))
                at = said.find(pair, at + 1)
        return sorted(out)

    def beside(self, segmenter: TextSegmenter) -> NamingSegmenter:
        """``segmenter`` with these names as further terms."""
        return NamingSegmenter(segmenter, self)


class NamingSegmenter:
    """Index terms as another segmenter gives them, and each name as one term beside its pieces."""

    def __init__(self, segmenter: TextSegmenter, names: Names) -> None:
        self._segmenter, self._names = segmenter, names

    def terms(self, text: str) -> list[str]:
        """Terms in order with repeats, names at the end, marked."""
        return [*self._segmenter.terms(text), *(MARK + name for name in self._names.found(text))]


def _whole(said: str, start: int, end: int) -> bool:
    """Whether no Latin word or number is cut at either end."""
    before = start > 0 and said[start] in _LETTER and said[start - 1] in _LETTER
    return not before and not (end < len(said) and said[end - 1] in _LETTER and said[end] in _LETTER)
