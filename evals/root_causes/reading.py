"""An independent reader of a passage: what the customer's words alone pick out of it, without the answering step."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from assistant.drafting import split_turns
from assistant.followup import standalone
from assistant.text import fold
from evals.answer_metrics.semantic import SentenceVectors
from evals.cases import ReplyCase

_ROOM = {"zh": 160, "en": 400}  # characters that are read out


def asked(case: ReplyCase) -> tuple[str, ...]:
    """What the customer asks, as it would be searched for, and the last message by itself."""
    text, _, history = split_turns(case.turns)
    return tuple(dict.fromkeys((fold(standalone(text, history)), fold(text))))


def read_out(case: ReplyCase, held: Sequence[str], vectors: SentenceVectors) -> str:
    """The passage's sentences nearest to what is asked, as many as have room, in order. Raises EmbeddingFailed."""
    if not held:
        return ""
    nearness = (vectors.of(asked(case)) @ vectors.of(held).T).max(axis=0)
    room = _ROOM["zh" if case.locale.startswith("zh") else "en"]
    chosen: list[int] = []
    for n in np.argsort(-nearness, kind="stable").tolist():
        room -= len(held[n])
        if chosen and room < 0:
            break
        chosen.append(n)
    return "\n".join(held[n] for n in sorted(chosen))
