"""Cuts many texts into passes of a forward pass that cores take one after another."""

from __future__ import annotations

import os
from collections.abc import Sequence


def cores() -> int:
    """How many cores this process may use, or those of the machine: not every system tells."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity is not None else os.cpu_count() or 1


def batches(lengths: Sequence[int], workers: int, least: int, most: int) -> list[list[int]]:
    """Row numbers by pass, texts of like length together, longest first, so that no worker ends on a long one.

    ``lengths`` are the texts' tokens; a pass takes ``least`` to ``most`` of them, or one longer text.
    """
    room = min(most, max(least, -(-sum(lengths) // workers)))
    made: list[list[int]] = []
    free = 0
    for row in sorted(range(len(lengths)), key=lengths.__getitem__, reverse=True):
        if lengths[row] > free:
            made.append([])
            free = room
        made[-1].append(row)
        free -= lengths[row]
    return made
