"""A Reranker that needs no model: how many letters of the question a passage shares."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


class SharedLetters:
    """The test double of the port; it keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, list[str]]] = []

    @property
    def name(self) -> str:
        return "shared letters"

    def scores(self, question: str, passages: Sequence[str]) -> NDArray[np.float32]:
        self.asked.append((question, list(passages)))
        wanted = set(question)
        shares = [len(wanted & set(text)) / (1 + len(wanted)) for text in passages]
        return np.array(shares, dtype=np.float32)
