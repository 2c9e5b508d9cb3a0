"""Nearest neighbours in a large workspace: rows lie in lists of like vectors, of which the nearest are scanned."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assistant.ports import Vectors

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

    @staticmethod
    def of(centres: Vectors, start: Rows) -> Lists:
        """The spread follows from the centres: the mean of unit vectors is the shorter the more they differ."""
        return Lists(centres, start, np.sqrt(np.maximum(0, 1 - np.einsum("ij,ij->i", centres, centres))))

    def nearest(
        self, vectors: Vectors, probes: Vectors, allowed: NDArray[np.bool_], limit: int, *, scan: int | None = None
    ) -> Rows:
        """Rows that may be shown, the ``limit`` nearest to each of ``probes`` (n, dimensions) by exact product.

        ``scan`` rows are looked at for each probe, ``SCANNED`` √rows where it is None; more, up to all, where too few
        of them are allowed. docs/benchmarks.md tells how many of the ten nearest are among them.
        """
        scan = scan or int(SCANNED * math.sqrt(len(vectors)))
        ranked = np.argsort(-products(self.centres, probes) - SPREAD * self.spread, axis=1, kind="stable")
        sizes = np.diff(self.start)
        reach = np.cumsum(sizes[ranked], axis=1)
        while True:
            near = [order[: int(np.searchsorted(held, scan)) + 1] for order, held in zip(ranked, reach, strict=True)]
            lists = np.unique(np.concatenate(near))
            rows = ranges(self.start[lists], sizes[lists])
            usable = allowed[rows]
            if scan >= len(vectors) or int(usable.sum()) >= min(limit, len(rows)):
                break
            scan *= 4
        scores = np.empty((len(probes), len(rows)), dtype=np.float32)
        at = 0
        for first, size in zip(self.start[lists].tolist(), sizes[lists].tolist(), strict=True):
            np.einsum("ij,kj->ki", vectors[first : first + size], probes, out=scores[:, at : at + size])
            at += size
        rows, scores = rows[usable], scores[:, usable]
        if len(rows) <= limit:
            return rows
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
    nearest = _assign(vectors, centres)
    start = np.concatenate([[0], np.cumsum(np.bincount(nearest, minlength=lists))]).astype(np.int64)
    return np.argsort(nearest, kind="stable"), Lists.of(centres, start)


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
