"""Vectors in a byte a component: a quarter of the memory to read. They choose whom exact products then rank."""

from __future__ import annotations

import numpy as np
from numkong import cdist
from numpy.typing import NDArray

from assistant.ports import Vectors

Codes = NDArray[np.int8]

_STEPS = 127
_BLOCK = 8_192


def step_of(vectors: Vectors) -> float:
    """What a code of 1 stands for: a 127th of the greatest component."""
    blocks = (np.abs(vectors[at : at + _BLOCK]).max() for at in range(0, len(vectors), _BLOCK))
    return float(max(blocks, default=0.0)) / _STEPS or 1.0


def encode(vectors: Vectors) -> Codes:
    """(n, dimensions) as they were given, all in one step, so that their products with a probe compare."""
    step = np.float32(step_of(vectors))
    codes = np.empty(vectors.shape, dtype=np.int8)
    for at in range(0, len(vectors), _BLOCK):
        codes[at : at + _BLOCK] = np.rint(vectors[at : at + _BLOCK] / step)
    return codes


def products_of(
    codes: Codes, probe: NDArray[np.float32], first: NDArray[np.int64], size: NDArray[np.int64]
) -> NDArray[np.float32]:
    """(rows,) products for the rows of the ranges ``first[i] … first[i] + size[i]``, one after the other.

    In units of the step of the codes; the probe is coded too. The sums are exact up to 1,040 dimensions.
    """
    step = np.float32(np.abs(probe).max() / _STEPS or 1.0)
    asked = np.rint(probe[None] / step).astype(np.int8)
    products = np.empty(int(size.sum()), dtype=np.float32)
    at = 0
    for start, count in zip(first.tolist(), size.tolist(), strict=True):
        if count:
            cdist(asked, codes[start : start + count], "dot", out=products[None, at : at + count])
            at += count
    products *= step
    return products
