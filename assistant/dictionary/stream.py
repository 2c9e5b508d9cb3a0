"""Counts what stands together in the Chinese texts of a workspace, in arrays: there may be 100,000 passages."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LONGEST = 8  # characters; a Latin word or number counts as one
HAN = "[\u4e00-\u9fff]"
LATIN = r"[a-z0-9]+(?:[.\-_'][a-z0-9]+)*"
_BESIDE = re.compile(rf"(?<={HAN}){LATIN}|(?<![a-z0-9.\-_']){LATIN}(?={HAN})")
_PRIVATE = re.compile("[\U000f0000-\U0010ffff]")
_OWN, _OWN_LAST = 0xF0000, 0x10FFFD  # private characters: each stands for one Latin word or number beside Chinese

Numbers = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Together:
    """Some neighbouring characters: how many documents hold them, and how they stand there.

    ``cohesion`` is the pointwise mutual information of the two parts, in nats, at the cut where it is least;
    ``before`` and ``after`` are the entropies, in nats, of what stands on either side.
    """

    text: str
    documents: int
    cohesion: float
    before: float
    after: float


class Stream:
    """Texts as one row of characters; a break stands between texts and in place of all that is no Chinese."""

    def __init__(self, texts: Sequence[str], documents: Sequence[int]) -> None:
        """``texts`` are ``squeezed``; ``documents`` numbers the document of each."""
        latin: dict[str, str] = {}

        def one(match: re.Match[str]) -> str:
            known = latin.get(match.group())
            if known is None:
                if _OWN + len(latin) > _OWN_LAST:
                    return " "
                known = latin[match.group()] = chr(_OWN + len(latin))
            return known

        rows = [_BESIDE.sub(one, _PRIVATE.sub(" ", text)) + "\n" for text in texts]
        self.latin = {character: word for word, character in latin.items()}
        codes = np.frombuffer("".join(rows).encode("utf-32-le", "replace"), dtype=np.uint32).astype(np.int64)
        self._codes = codes
        self._document = np.repeat(np.asarray(documents, dtype=np.int64), [len(row) for row in rows])
        kept = ((codes >= 0x4E00) & (codes <= 0x9FFF)) | (codes >= _OWN)
        _, numbered = np.unique(codes, return_inverse=True)
        self._single = np.where(kept, numbered, -1)

    def together(self, documents: int, cohesion: float, freedom: float) -> Iterator[Together]:
        """What is held by so many documents at least, and whose ``cohesion`` and both entropies are as high."""
        ids = [self._single]
        counts = [np.bincount(ids[0][ids[0] >= 0])] if (ids[0] >= 0).any() else []
        total = int((self._single >= 0).sum())
        for size in range(2, LONGEST + 1):
            left, right = ids[-1][:-1], ids[-1][1:]
            at = np.flatnonzero((left >= 0) & (right >= 0)) if counts else np.zeros(0, dtype=np.int64)
            if not len(at):
                return
            keys, number = np.unique(left[at] * (int(ids[-1].max()) + 1) + right[at], return_inverse=True)
            held = self._documents(number, at, len(keys))
            frequent = held >= documents
            renumbered = np.where(frequent, np.cumsum(frequent) - 1, -1)
            here = np.full(len(self._single), -1, dtype=np.int64)
            here[at] = renumbered[number]
            ids.append(here)
            at = at[here[at] >= 0]
            if not len(at):
                return
            counts.append(np.bincount(here[at]))
            seen = np.zeros(len(counts[-1]), dtype=np.int64)
            seen[here[at]] = at  # one place of each
            parts = [
                np.log(counts[-1] * float(total))
                - np.log(counts[cut - 1][ids[cut - 1][seen]].astype(np.float64))
                - np.log(counts[size - cut - 1][ids[size - cut - 1][seen + cut]].astype(np.float64))
                for cut in range(1, size)
            ]
            bound = np.min(parts, axis=0)
            good = bound >= cohesion
            at = at[good[here[at]]]
            before = self._entropy(here[at], np.where(at > 0, self._single[at - 1], -1), counts[-1])
            after = self._entropy(here[at], self._single[np.minimum(at + size, len(self._single) - 1)], counts[-1])
            kept_held = held[frequent]
            for one in np.flatnonzero(good & (before >= freedom) & (after >= freedom)):
                yield Together(
                    self._read(int(seen[one]), size),
                    int(kept_held[one]),
                    float(bound[one]),
                    float(before[one]),
                    float(after[one]),
                )

    def _documents(self, number: Numbers, at: Numbers, size: int) -> Numbers:
        pairs = np.unique(number * (int(self._document.max()) + 1) + self._document[at])
        return np.bincount(pairs // (int(self._document.max()) + 1), minlength=size)

    def _entropy(self, of: Numbers, neighbour: Numbers, counts: Numbers) -> Floats:
        """(len(counts),) in nats; each break counts as a neighbour of its own, for there anything might stand."""
        out = np.zeros(len(counts))
        total = counts.astype(np.float64)
        broken = of[neighbour < 0]
        np.add.at(out, broken, np.log(total[broken]) / total[broken])
        inside = neighbour >= 0
        if inside.any():
            width = int(neighbour.max()) + 1
            pairs, times = np.unique(of[inside] * width + neighbour[inside], return_counts=True)
            share = times / total[pairs // width]
            np.add.at(out, pairs // width, -share * np.log(share))
        return out

    def _read(self, start: int, size: int) -> str:
        return "".join(self.latin.get(chr(code), chr(code)) for code in self._codes[start : start + size].tolist())
