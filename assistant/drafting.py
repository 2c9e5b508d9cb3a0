"""Draft replies for agents: what similar resolved cases agree on, or the article that answers, for this customer."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assistant.domain.conversation import Turn
from assistant.domain.knowledge import Passage
from assistant.retrieval import SimilarCases

NEIGHBOURS = 30
SHARPNESS = 6.0
NEARNESS = 0.35
_PLACEHOLDER = re.compile(
    r"\[(?:订单|单号|电话|邮箱|证件号|银行卡|地址|姓名|账号|"
    r"order|number|phone|email|id number|card|address|name|account)[^\]]*\]"
)


@dataclass(frozen=True, slots=True)
class ChosenCase:
    """The old case whose reply the others agree with most. ``agreement`` is 0–1."""

    passage: Passage
    agreement: float


def split_turns(turns: Sequence[Turn]) -> tuple[str, str, tuple[Turn, ...]]:
    """(what the customer says last, what the customer said before, the turns before the last block)."""
    history = list(turns)
    last: list[str] = []
    while history and history[-1].role in ("customer", "system"):
        turn = history.pop()
        if turn.role == "customer":
            last.insert(0, turn.text)
    before = " ".join(turn.text for turn in history if turn.role == "customer")
    return " ".join(last), before, tuple(history)


def choose_case(cases: SimilarCases) -> ChosenCase | None:
    """The case to draft from: near to the question, and answered as the other near ones were.

    Each neighbour votes with weight ``softmax(SHARPNESS * similarity)``; an answer's agreement is the weighted mean of
    its cosine with all answers, less the cosine that any two answers here have. Courtesy was dropped when mining, so
    it carries no weight.
    """
    if not cases.passages:
        return None
    similarity = cases.similarity.astype(np.float64)
    weights = np.exp(SHARPNESS * (similarity - similarity.max()))
    weights /= weights.sum()
    cosine = cases.answers @ cases.answers.T
    agreement = _above_background(cosine.astype(np.float64)) @ weights
    spread = max(float(similarity.max() - similarity.min()), 1e-6)
    score = agreement + NEARNESS * (similarity - similarity.min()) / spread
    best = int(np.argmax(score))
    return ChosenCase(cases.passages[best], float(np.clip(agreement[best], 0.0, 1.0)))


def adapt(text: str, locale: str) -> str:
    """The old reply without anything of the other customer: placeholders become neutral words."""
    neutral = "您的订单" if locale.startswith("zh") else "your order"

    def word(match: re.Match[str]) -> str:
        inside = match.group()
        return neutral if inside[1:3] in ("订单", "单号") or inside.startswith("[order") else ""

    return re.sub(r"[ \t]{2,}", " ", _PLACEHOLDER.sub(word, text)).strip()


def _above_background(cosine: NDArray[np.float64]) -> NDArray[np.float64]:
    if len(cosine) < 3:
        return cosine
    background = float(np.median(cosine[~np.eye(len(cosine), dtype=bool)]))
    return np.clip((cosine - background) / max(1.0 - background, 1e-6), 0.0, 1.0)
