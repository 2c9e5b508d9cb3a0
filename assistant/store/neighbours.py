"""Nearest neighbours over mapped vectors; in a large workspace they lie in lists, of which the nearest are scanned."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assistant.ports import Vectors
from assistant.store.codes import Codes, encode, scores_of, step_of

LISTED_FROM = 20_000  # rows; below, Chroma finds 99 % and a scan of everything would do as well
ROUNDS = 6
SAMPLE_A_LIST = 32
SPREAD = 0.15  # what a list's spread adds to the product with its centre: a wide one reaches further
SCANNED = 40  # times the square root of the rows, for each probe
_BLOCK = 8_192
_SEED = 7

Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Lists:
    """An inverted file over unit vectors: rows of list ``l`` are ``start[l]:start[l+1]``.

    ``centres`` is (lists, dimensions), the mean of each; ``spread`` how far its rows lie from it, root mean square.
    """

    centres: Vectors
    start: Rows
    spread: NDArray[np.float32]
    codes: Codes
    step: float

    @staticmethod
    def of(centres: Vectors, start: Rows) -> Lists:
        """The spread follows from the centres: the mean of unit vectors is the shorter the more they differ."""
        spread = np.sqrt(np.maximum(0, 1 - np.einsum("ij,ij->i", centres, centres)))
        return Lists(centres, start, spread, encode(centres), step_of(centres))

    def nearest(
        self, codes: Codes, probes: Vectors, allowed: NDArray[np.bool_], limit: int, *, scan: int | None = None
    ) -> Rows:
        """Rows that may be shown, the ``limit`` of those scanned whose codes are nearest to each of ``probes``.

        ``probes`` is (n, dimensions). ``scan`` rows are looked at for each probe, ``SCANNED`` √rows where it is None;
        more, up to all, where too few of them are allowed. docs/benchmarks.md tells how many of the ten nearest are
        among them.
        """
        scan = scan or int(SCANNED * math.sqrt(len(codes)))
        ranked = np.argsort(-self._near(probes), axis=1)
        sizes = np.diff(self.start)
        reach = np.cumsum(sizes[ranked], axis=1)
        while True:
            near = [order[: int(np.searchsorted(held, scan)) + 1] for order, held in zip(ranked, reach, strict=True)]
            lists = np.unique(np.concatenate(near))
            rows = ranges(self.start[lists], sizes[lists])
            usable = np.flatnonzero(allowed[rows])
            if scan >= len(codes) or len(usable) >= min(limit, len(rows)):
                break
            scan *= 4
        if len(usable) <= limit:
            return rows[usable]
        last = np.flatnonzero(np.diff(lists, append=-1) != 1)  # of each run of lists that follow one another
        first = self.start[lists[np.concatenate([[0], last[:-1] + 1])]]
        scores = scores_of(codes, probes, first, self.start[lists[last] + 1] - first)
        return _best(rows[usable], scores.take(usable, axis=1), limit)

    def _near(self, probes: Vectors) -> Vectors:
        """(probes, lists) how near each list lies: the product with its centre, and what its spread adds."""
        steps = np.array([[self.step * step_of(probe[None])] for probe in probes], dtype=np.float32)
        whole = np.zeros(1, dtype=np.int64), np.array([len(self.codes)])
        return np.asarray(scores_of(self.codes, probes, *whole) * steps + np.float32(SPREAD) * self.spread)


def nearest_of_all(codes: Codes, probes: Vectors, allowed: NDArray[np.bool_], limit: int) -> Rows:
    """Rows that may be shown, the ``limit`` nearest to each of ``probes`` (n, dimensions) by code."""
    rows = np.flatnonzero(allowed)
    if len(rows) <= limit:
        return rows
    scores = scores_of(codes, probes, np.zeros(1, dtype=np.int64), np.array([len(codes)]))
    return _best(rows, scores.take(rows, axis=1), limit)


def _best(rows: Rows, scores: Vectors, limit: int) -> Rows:
    return rows[np.unique(np.argpartition(scores, len(rows) - limit, axis=1)[:, -limit:])]


def arrange(vectors: Vectors) -> tuple[Rows, Lists | None]:
    """(order, lists): rows taken in ``order`` lie list by list. None below ``LISTED_FROM`` rows, the order as it is.

    Lists are 4√rows, by k-means on a sample with a fixed seed: the same rows give the same lists.
    """
    count = len(vectors)
    if count < LISTED_FROM:
        return np.arange(count), None
    lists = 4 * math.isqrt(count)
    rng = np.random.default_rng(_SEED)
    sample = np.asarray(vectors[np.sort(rng.choice(count, min(count, SAMPLE_A_LIST * lists), replace=False))])
    centres = sample[rng.choice(len(sample), lists, replace=False)].copy()
    for _ in range(ROUNDS):
        nearest = _assign(sample, centres)
        held = np.bincount(nearest, minlength=lists)
        sums = np.zeros_like(centres)
        order = np.argsort(nearest, kind="stable")
        filled = np.flatnonzero(held)
        sums[filled] = np.add.reduceat(sample[order], (np.cumsum(held) - held)[filled], axis=0)
        centres[filled] = sums[filled] / held[filled, None]
    centres = centres[_chain(centres)]
    nearest = _assign(vectors, centres)
    start = np.concatenate([[0], np.cumsum(np.bincount(nearest, minlength=lists))]).astype(np.int64)
    return np.argsort(nearest, kind="stable"), Lists.of(centres, start)


def _chain(centres: Vectors) -> Rows:
    """An order in which like centres follow one another, so that the lists of a question lie in few runs."""
    unit = centres / np.maximum(np.linalg.norm(centres, axis=1, keepdims=True), 1e-9)
    alike = unit @ unit.T
    order = np.zeros(len(centres), dtype=np.int64)
    for place in range(1, len(centres)):
        alike[:, order[place - 1]] = -np.inf  # has its place
        order[place] = np.argmax(alike[order[place - 1]])
    return order


def products(rows: Vectors, probes: Vectors) -> Vectors:
    """(probes, rows) inner products, on the calling thread alone.

    BLAS would share so small a product between cores, and where these are busy its threads wait 8 ms for one another.
    """
    return np.asarray(np.einsum("ij,kj->ki", rows, probes), dtype=np.float32)


def _assign(rows: Vectors, centres: Vectors) -> Rows:
    """(rows,) the number of the nearest centre."""
    half_norms = 0.5 * np.einsum("ij,ij->i", centres, centres)
    out = np.empty(len(rows), dtype=np.int64)
    for start in range(0, len(rows), _BLOCK):
        part = slice(start, start + _BLOCK)
        out[part] = np.argmax(np.asarray(rows[part]) @ centres.T - half_norms, axis=1)
    return out


def ranges(first: Rows, size: Rows) -> Rows:
    """All numbers of the ranges ``first[i] … first[i] + size[i]``, one after the other."""
    ends = np.cumsum(size)
    total = int(ends[-1]) if len(ends) else 0
    return np.asarray(np.arange(total) + np.repeat(first - (ends - size), size), dtype=np.int64)
