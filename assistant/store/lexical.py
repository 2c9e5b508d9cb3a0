"""BM25 over index entries, scored as coverage of the question so that it compares with cosine on one scale."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assistant.ports import TextSegmenter

K1 = 1.2
B = 0.75


@dataclass(frozen=True, slots=True)
class Postings:
    """An inverted index as arrays. ``rows[indptr[t]:indptr[t+1]]`` are the entries holding term ``t``."""

    vocabulary: dict[str, int]
    indptr: NDArray[np.int64]
    rows: NDArray[np.int32]
    impacts: NDArray[np.float32]
    idf: NDArray[np.float32]
    size: int

    def coverage(self, terms: Sequence[str]) -> NDArray[np.float32]:
        """(size,) BM25 of each entry over the most these terms could reach, 0–1.

        Terms the index never saw count in the ceiling with the idf of a term found nowhere; so a question in a language
        the entries are not written in has coverage near 0 everywhere, and fusion knows that BM25 is blind.
        BM25: Robertson & Zaragoza 2009, with idf = ln(1 + (N - n + 0.5) / (n + 0.5)).
        """
        if self.size == 0 or not terms:
            return np.zeros(self.size, dtype=np.float32)
        unseen_idf = math.log(1 + (self.size + 0.5) / 0.5)
        ceiling = 0.0
        rows: list[NDArray[np.int32]] = []
        weights: list[NDArray[np.float32]] = []
        for term, count in Counter(terms).items():
            index = self.vocabulary.get(term)
            times = min(count, 2)
            if index is None:
                ceiling += times * unseen_idf
                continue
            ceiling += times * float(self.idf[index])
            start, stop = self.indptr[index], self.indptr[index + 1]
            rows.append(self.rows[start:stop])
            weights.append(self.impacts[start:stop] * np.float32(times))
        if not rows:
            return np.zeros(self.size, dtype=np.float32)
        scores = np.bincount(np.concatenate(rows), weights=np.concatenate(weights), minlength=self.size)
        return (scores / (ceiling * (K1 + 1))).astype(np.float32)


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
    term_of: list[int] = []
    row_of: list[int] = []
    frequency: list[int] = []
    for row, counter in enumerate(counts):
        for term, times in counter.items():
            term_of.append(vocabulary.setdefault(term, len(vocabulary)))
            row_of.append(row)
            frequency.append(times)
    terms = np.array(term_of, dtype=np.int64)
    rows = np.array(row_of, dtype=np.int32)
    tf = np.array(frequency, dtype=np.float64)
    held_by = np.bincount(terms, minlength=len(vocabulary)).astype(np.float64)
    idf = np.log(1 + (len(texts) - held_by + 0.5) / (held_by + 0.5))
    impacts = idf[terms] * tf * (K1 + 1) / (tf + norm[rows]) if len(texts) else tf
    order = np.argsort(terms, kind="stable")
    indptr = np.concatenate([[0], np.cumsum(held_by)]).astype(np.int64)
    return Postings(
        vocabulary, indptr, rows[order], impacts[order].astype(np.float32), idf.astype(np.float32), len(texts)
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
        np.load(folder / "rows.npy", mmap_mode="r"),
        np.load(folder / "impacts.npy", mmap_mode="r"),
        np.load(folder / "idf.npy"),
        int(vocabulary["size"]),
    )
