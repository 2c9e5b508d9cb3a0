"""Replies that cost nothing or that only a person can give: between them an answer metric has to spread.

A metric that a constant reply wins measures nothing, so each figure is shown beside these.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from assistant.ports import Embedder
from assistant.store.lexical import build_postings
from assistant.text import Segmenter, fold
from evals.cases import Prediction, ReplyCase, asked_by

COURTESY = {
    "zh": "亲，非常抱歉给您带来不便，我马上为您核实处理，请您稍等。",
    "en": "I'm very sorry for the inconvenience. I'll look into this for you right away, please bear with me.",
}


def against_first(cases: Sequence[ReplyCase]) -> list[ReplyCase]:
    """The cases with only their first reference, so that the second human is judged as any other reply is."""
    return [replace(case, references=case.references[:1]) for case in cases]


def constant_courtesy(cases: Sequence[ReplyCase]) -> list[Prediction]:
    """The same apology for every case, in the case's language."""
    return [Prediction(case.case_id, COURTESY[_language(case)], confidence=1.0) for case in cases]


def random_human(cases: Sequence[ReplyCase], seed: int = 0) -> list[Prediction]:
    """A human's reply to some other conversation in the same language; no prediction where there is none."""
    lenders: dict[str, list[ReplyCase]] = {}
    own: dict[tuple[str, str], list[int]] = {}  # places among the lenders of a language, by conversation
    for case in cases:
        if case.references:
            row = lenders.setdefault(_language(case), [])
            own.setdefault((_language(case), case.conversation_id), []).append(len(row))
            row.append(case)
    made = []
    for case in cases:
        language = _language(case)
        row, passed_over = lenders.get(language, []), own.get((language, case.conversation_id), [])
        others = len(row) - len(passed_over)
        if others:
            place = random.Random(f"{seed} {case.case_id}").choice(range(others))
            for taken in passed_over:
                place += taken <= place
            made.append(Prediction(case.case_id, row[place].references[0]))
    return made


def nearest_reply(cases: Sequence[ReplyCase], embedder: Embedder, *, earlier_only: bool = False) -> list[Prediction]:
    """The human's reply to the case whose customer turns are nearest by cosine, never of the same conversation.

    ``earlier_only`` lends from earlier cases alone, as it would have been on the day; cases without one then have no
    prediction. Raises EmbeddingFailed.
    """
    vectors = embedder.embed_queries([fold(asked_by(case)) for case in cases])
    return _lent(cases, vectors @ vectors.T, earlier_only)


def bm25_reply(cases: Sequence[ReplyCase], *, earlier_only: bool = False) -> list[Prediction]:
    """As ``nearest_reply``, with BM25 over the customer turns."""
    segmenter = Segmenter()
    asked = [asked_by(case) for case in cases]
    postings = build_postings(asked, ["question"] * len(asked), segmenter)
    scores = (
        np.stack([postings.coverage(segmenter.terms(text)) for text in asked])
        if asked
        else np.zeros((0, 0), np.float32)
    )
    return _lent(cases, scores, earlier_only)


def second_human(cases: Sequence[ReplyCase]) -> list[Prediction]:
    """The second reference, where a case has one; score it with ``against_first``."""
    return [Prediction(case.case_id, case.references[1]) for case in cases if len(case.references) > 1]


def _lent(cases: Sequence[ReplyCase], scores: NDArray[np.float32], earlier_only: bool) -> list[Prediction]:
    numbers: dict[str, int] = {}
    conversation = np.array([numbers.setdefault(c.conversation_id, len(numbers)) for c in cases], dtype=np.int64)
    tells = np.array([bool(case.references) for case in cases], dtype=np.bool_)
    made = []
    for row, case in enumerate(cases):
        allowed = tells & (conversation != conversation[row])
        if earlier_only:
            allowed &= np.array([_is_earlier(other, case) for other in cases], dtype=np.bool_)
        if allowed.any():
            best = int(np.argmax(np.where(allowed, scores[row], -np.inf)))
            made.append(Prediction(case.case_id, cases[best].references[0]))
    return made


def _is_earlier(other: ReplyCase, case: ReplyCase) -> bool:
    return other.at is not None and case.at is not None and other.at < case.at


def _language(case: ReplyCase) -> str:
    return "en" if case.locale.lower().startswith("en") else "zh"
