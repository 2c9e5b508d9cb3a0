"""Nearest neighbours over mapped vectors; in a large workspace they lie in lists, of which the nearest are scanned."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assistant.ports import Vectors
from assistant.store.codes import Codes, encode, products_of, step_of

LISTED_FROM = 20_000  # rows; below, Chroma finds 99 % and a scan of everything would do as well
ROUNDS = 6
SAMPLE_A_LIST = 32
SPREAD = 0.15  # what a list's spread adds to the product with its centre: a wide one reaches further
SCANNED = 60  # times the square root of the rows, for each probe
_GAP = 100  # rows: to scan so many costs less than another call
_SPARE = 3
_BLOCK = 8_192
_SEED = 7

Rows = NDArray[np.int64]
Scores = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Pull:
    """What a direction has in common with each row (in units of the step of the codes) and with each list's centre."""

    rows: Scores
    lists: Scores


@dataclass(frozen=True, slots=True)
class Lists:
    """An inverted file over unit vectors: rows of list ``l`` are ``start[l]:start[l+1]``.

    ``centres`` is (lists, dimensions), the mean of each; ``spread`` how far its rows lie from it, root mean square.
    """

    centres: Vectors
    start: Rows
    spread: Scores
    codes: Codes
    step: float

    @staticmethod
    def of(centres: Vectors, start: Rows) -> Lists:
        """The spread follows from the centres: the mean of unit vectors is the shorter the more they differ."""
        spread = np.sqrt(np.maximum(0, 1 - np.einsum("ij,ij->i", centres, centres)))
        return Lists(centres, start, spread, encode(centres), step_of(centres))

    def nearest(
        self,
        codes: Codes,
        probe: Scores,
        allowed: NDArray[np.bool_],
        limit: int,
        pulls: Sequence[Pull | None] = (None,),
        *,
        scan: int | None = None,
    ) -> Rows:
        """Rows that may be shown, the ``limit`` of those scanned whose codes are nearest to ``probe`` (dimensions,).

        So many for each of ``pulls``, which is taken off the products. ``scan`` rows are looked at for each,
        ``SCANNED`` √rows where it is None; more, up to all, where too few of them may be shown. docs/benchmarks.md
        tells how many of the ten nearest are among them.
        """
        scan = scan or int(SCANNED * math.sqrt(len(codes)))
        sizes = np.diff(self.start)
        near = self.step * products_of(self.codes, probe, *_all(self.codes)) + np.float32(SPREAD) * self.spread
        while True:
            chosen = [_lists(near if pull is None else near - pull.lists, sizes, scan) for pull in pulls]
            first, size = self._runs(np.unique(np.concatenate(chosen)))
            scores = _without(products_of(codes, probe, first, size), pulls, first, size)
            found = _best_shown(scores, first, size, allowed, limit)
            if found is not None:
                return found
            rows = ranges(first, size)
            shown = np.flatnonzero(allowed[rows])
            if scan >= len(codes) or len(shown) >= limit:
                return _best(rows[shown], scores[:, shown], limit)
            scan *= 4

    def _runs(self, lists: Rows) -> tuple[Rows, Rows]:
        """(first row, rows) of each run of these lists; what lies between two is scanned too where it is short."""
        starts, ends = self.start[lists], self.start[lists + 1]
        new = np.flatnonzero(starts[1:] - ends[:-1] > _GAP) + 1
        first = starts[np.concatenate([[0], new])]
        return first, ends[np.concatenate([new - 1, [len(lists) - 1]])] - first


def nearest_of_all(
    codes: Codes, probe: Scores, allowed: NDArray[np.bool_], limit: int, pulls: Sequence[Pull | None] = (None,)
) -> Rows:
    """Rows that may be shown, the ``limit`` nearest to ``probe`` (dimensions,) by code, for each of ``pulls``."""
    rows = np.flatnonzero(allowed)
    if len(rows) <= limit:
        return rows
    scores = _without(products_of(codes, probe, *_all(codes)), pulls, *_all(codes))
    return _best(rows, scores.take(rows, axis=1), limit)


def pull_of(codes: Codes, lists: Lists | None, towards: Scores) -> Pull:
    """What ``towards`` (dimensions,) has in common with everything there is; ``lists`` of a large workspace."""
    none = np.zeros(0, dtype=np.float32)
    return Pull(products_of(codes, towards, *_all(codes)), none if lists is None else lists.centres @ towards)


def _all(codes: Codes) -> tuple[Rows, Rows]:
    return np.zeros(1, dtype=np.int64), np.array([len(codes)])


def _lists(near: Scores, sizes: Rows, scan: int) -> Rows:
    """The nearest lists that together hold ``scan`` rows, all where they hold fewer."""
    order = np.argsort(-near)
    return order[: int(np.searchsorted(np.cumsum(sizes[order]), scan)) + 1]


def _without(scores: Scores, pulls: Sequence[Pull | None], first: Rows, size: Rows) -> Vectors:
    """(pulls, scores) of the rows of these ranges, each without its pull."""
    out = np.tile(scores, (len(pulls), 1))
    ranged = list(zip(first.tolist(), (first + size).tolist(), strict=True))
    for row, pull in zip(out, pulls, strict=True):
        if pull is not None:
            row -= np.concatenate([pull.rows[start:end] for start, end in ranged])
    return out


def _best_shown(scores: Vectors, first: Rows, size: Rows, allowed: NDArray[np.bool_], limit: int) -> Rows | None:
    """The ``limit`` best rows by each of ``scores`` that may be shown, or None where too few of the best may.

    Nearly always most may be: to look at some more of the best costs less than to ask of every row scanned.
    """
    looked_at = _SPARE * limit
    if scores.shape[1] <= looked_at:
        return None
    ends = np.cumsum(size)
    found = []
    for each in scores:
        best = np.argpartition(each, len(each) - looked_at)[-looked_at:]
        run = np.searchsorted(ends, best, side="right")
        rows = best + (first - ends + size)[run]
        shown = allowed[rows]
        if np.count_nonzero(shown) < limit:
            return None
        rows, held = rows[shown], each[best[shown]]
        found.append(rows[np.argpartition(held, len(held) - limit)[-limit:]])
    return np.unique(np.concatenate(found))


def _best(rows: Rows, scores: Vectors, limit: int) -> Rows:
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
