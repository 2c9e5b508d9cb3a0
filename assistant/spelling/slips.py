"""How many slips lie between two words."""

from __future__ import annotations

from symspellpy.editdistance import DistanceAlgorithm, EditDistance


def slips(word: str, other: str, most: int) -> int:
    """Letters too many, too few, wrong or swapped with the next, or ``most + 1`` where there are more.

    The restricted Damerau–Levenshtein distance.
    """
    if abs(len(word) - len(other)) > most:
        return most + 1
    comparer = EditDistance(DistanceAlgorithm.DAMERAU_OSA)  # one each: it keeps its rows in itself, threads would mix
    found = comparer.compare(word, other, most)
    return found if found >= 0 else most + 1
