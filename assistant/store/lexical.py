"""BM25 over index entries, scored as coverage of the question so that it compares with cosine on one scale."""

from __future__ import annotations

import json
import math
from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assistant.ports import TextSegmenter

K1 = 1.2
B = 0.75
WHOLE_BELOW = 200_000  # entries; up to here every posting of every term is read, which at 100,000 costs a quarter
_READ = 60_000  # postings read to find candidates in a larger index
_COMPLETED = 5  # times the candidates wanted: so many are scored with all terms

Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question's terms in one index: (first posting, one past the last, times asked) of each known one.

    ``ceiling`` is the most that all its terms could score; ``sums`` (entries,) what they do, None in a large index.
    """

    known: tuple[tuple[int, int, int], ...]
    ceiling: float
    sums: NDArray[np.float64] | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Postings:
    """An inverted index as arrays. ``rows[indptr[t]:indptr[t+1]]`` are the entries holding term ``t``."""

    vocabulary: dict[str, int]
    indptr: NDArray[np.int64]
    rows: NDArray[np.int32]
    impacts: NDArray[np.float32]
    idf: NDArray[np.float32]
    size: int
    _spare: list[NDArray[np.float32]] = field(default_factory=list, repr=False, compare=False)

    def coverage(self, terms: Sequence[str]) -> NDArray[np.float32]:
        """(size,) BM25 of each entry over the most these terms could reach, 0–1.

        Terms the index never saw count in the ceiling with the idf of a term found nowhere; so a question in a language
        the entries are not written in has coverage near 0 everywhere, and fusion knows that BM25 is blind.
        BM25: Robertson & Zaragoza 2009, with idf = ln(1 + (N - n + 0.5) / (n + 0.5)).
        """
        asked = self.ask(terms)
        sums = self._sums(asked.known) if asked.sums is None else asked.sums
        return (sums / (asked.ceiling or 1.0)).astype(np.float32)

    def _sums(self, known: Sequence[tuple[int, int, int]]) -> NDArray[np.float64]:
        if not known:
            return np.zeros(self.size)
        rows = [self.rows[start:stop] for start, stop, _ in known]
        weights = [self.impacts[start:stop] * np.float32(times) for start, stop, times in known]
        held, weighed = np.concatenate(rows, dtype=np.intp), np.concatenate(weights, dtype=np.float64)
        sums = np.bincount(held, weights=weighed, minlength=self.size)
        return np.asarray(sums, dtype=np.float64)

    def ask(self, terms: Sequence[str]) -> Asked:
        """The terms looked up, for ``best`` and ``coverage_of``."""
        unseen_idf = math.log(1 + (self.size + 0.5) / 0.5)
        known: list[tuple[int, int, int]] = []
        ceiling = 0.0
        for term, count in Counter(terms).items():
            index = self.vocabulary.get(term)
            times = min(count, 2)
            ceiling += times * (unseen_idf if index is None else float(self.idf[index]))
            if index is not None:
                known.append((int(self.indptr[index]), int(self.indptr[index + 1]), times))
        sums = self._sums(known) if self.size < WHOLE_BELOW else None
        return Asked(tuple(known), ceiling * (K1 + 1), sums)

    def best(self, asked: Asked, allowed: NDArray[np.bool_], limit: int) -> Rows:
        """The rows of highest coverage above 0 that may be shown, at most ``limit``, in no order.

        In an index of ``WHOLE_BELOW`` entries or more the rarest terms, ``_READ`` postings together but one term at
        least, choose ``_COMPLETED`` times as many, and all terms rank these: a text that shares only words that are
        everywhere may be missed.
        """
        if asked.sums is not None:
            held = np.flatnonzero((asked.sums > 0) & allowed)
            return held[_highest(asked.sums[held], limit)]
        known = sorted(asked.known, key=lambda each: each[1] - each[0])
        read = np.cumsum([stop - start for start, stop, _ in known])
        chosen = known[: max(1, int(np.searchsorted(read, _READ, side="right")))]
        if not chosen:
            return np.zeros(0, dtype=np.int64)
        rows, partial = self._touched(chosen)
        few = rows[_highest(partial * allowed[rows], _COMPLETED * limit)]
        return few[_highest(self.coverage_of(asked, few), limit)]

    def coverage_of(self, asked: Asked, entries: Rows) -> NDArray[np.float32]:
        """(len(entries),) what ``coverage`` says of these entries, without looking at the others."""
        if asked.sums is not None:
            return (asked.sums[entries] / (asked.ceiling or 1.0)).astype(np.float32)
        scores = np.zeros(len(entries))
        order = entries.argsort(kind="stable")
        wanted = entries[order].astype(self.rows.dtype)
        for start, stop, times in asked.known:
            holders = self.rows[start:stop]  # ascending
            place = holders.searchsorted(wanted)
            held = (holders.take(place, mode="clip") == wanted).nonzero()[0]
            scores[held] += self.impacts[start:stop][place[held]] * np.float32(times)
        out = np.empty(len(entries), dtype=np.float32)
        out[order] = scores / (asked.ceiling or 1.0)
        return out

    def _touched(self, chosen: Sequence[tuple[int, int, int]]) -> tuple[Rows, NDArray[np.float32]]:
        """(rows, scores) of the entries that hold any of these terms, without an array of all that is zeroed anew."""
        try:
            scores = self._spare.pop()
        except IndexError:
            scores = np.zeros(self.size, dtype=np.float32)
        for start, stop, times in chosen:
            scores[self.rows[start:stop]] += self.impacts[start:stop] * np.float32(times)
        rows, values = [], []
        for start, stop, _ in chosen:
            held = self.rows[start:stop]
            of = scores[held]
            new = of > 0  # else it was met in an earlier term
            rows.append(held[new])
            values.append(of[new])
            scores[held] = 0  # clean again for the next question
        self._spare.append(scores)
        return np.concatenate(rows).astype(np.int64), np.concatenate(values)


def build_postings(texts: Sequence[str], groups: Sequence[str], segmenter: TextSegmenter) -> Postings:
    """Index ``texts``; length is normalised within each of ``groups`` (the entry's field)."""
    counts = [Counter(segmenter.terms(text)) for text in texts]
    lengths = np.array([sum(c.values()) for c in counts], dtype=np.float64)
    average = dict.fromkeys(groups, 1.0)
    group_array = np.array(groups, dtype=object)
    for group in average:
        average[group] = max(1.0, float(lengths[group_array == group].mean()))
    norm = K1 * (1 - B + B * lengths / np.array([average[g] for g in groups])) if len(texts) else lengths
    vocabulary: dict[str, int] = {}
    term_of, row_of, frequency = array("i"), array("i"), array("i")  # 4 bytes each: there are millions
    for row, counter in enumerate(counts):
        for term, times in counter.items():
            term_of.append(vocabulary.setdefault(term, len(vocabulary)))
            row_of.append(row)
            frequency.append(times)
    terms, rows, times_in = (np.array(column, dtype=np.int32) for column in (term_of, row_of, frequency))
    return weigh_postings(vocabulary, terms, rows, times_in, norm)


def weigh_postings(
    vocabulary: dict[str, int],
    terms: NDArray[np.int32],
    rows: NDArray[np.int32],
    frequency: NDArray[np.int32],
    norm: NDArray[np.float64],
) -> Postings:
    """The index from (term, row, frequency), rows ascending; ``norm`` is K1 (1 - B + B length/average) by row."""
    tf = frequency.astype(np.float64)
    held_by = np.bincount(terms, minlength=len(vocabulary)).astype(np.float64)
    idf = np.log(1 + (len(norm) - held_by + 0.5) / (held_by + 0.5))
    impacts = idf[terms] * tf * (K1 + 1) / (tf + norm[rows]) if len(norm) else tf
    order = np.argsort(terms, kind="stable")
    indptr = np.concatenate([[0], np.cumsum(held_by)]).astype(np.int64)
    return Postings(
        vocabulary, indptr, rows[order], impacts[order].astype(np.float32), idf.astype(np.float32), len(norm)
    )


def save_postings(postings: Postings, folder: Path) -> None:
    """Write the arrays so that ``load_postings`` can map them."""
    np.save(folder / "indptr.npy", postings.indptr)
    np.save(folder / "rows.npy", postings.rows)
    np.save(folder / "impacts.npy", postings.impacts)
    np.save(folder / "idf.npy", postings.idf)
    vocabulary = {"size": postings.size, "terms": list(postings.vocabulary)}
    (folder / "vocabulary.json").write_text(json.dumps(vocabulary, ensure_ascii=False), encoding="utf-8")


def load_postings(folder: Path) -> Postings:
    """Map what ``save_postings`` wrote. Raises OSError or ValueError when it is incomplete."""
    vocabulary = json.loads((folder / "vocabulary.json").read_text(encoding="utf-8"))
    return Postings(
        {term: index for index, term in enumerate(vocabulary["terms"])},
        np.load(folder / "indptr.npy"),
        np.asarray(np.load(folder / "rows.npy", mmap_mode="r")),  # a plain array over the mapping: slices cost less
        np.asarray(np.load(folder / "impacts.npy", mmap_mode="r")),
        np.load(folder / "idf.npy"),
        int(vocabulary["size"]),
    )


def _highest(scores: NDArray[np.floating[Any]], limit: int) -> Rows:
    """Places of the ``limit`` highest scores above 0, in no order."""
    held = np.flatnonzero(scores > 0)
    if len(held) <= limit:
        return held
    return held[np.argpartition(scores[held], len(held) - limit)[len(held) - limit :]]
