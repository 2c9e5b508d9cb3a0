"""Which questions are answered from live state, on a hand-written set: a half to tune on and a half held out."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from assistant.domain.conversation import Turn
from assistant.state.answers import answer_from_state
from assistant.state.demo import HistoryStateSource
from assistant.text import language_of

DATA = Path(__file__).parents[1] / "data"
NOW = datetime.fromisoformat("2026-11-22T12:00:00+08:00")
QUESTIONS = [json.loads(line) for line in (DATA / "state_questions.jsonl").read_text("utf-8").splitlines()]


@dataclass
class Scores:
    exact: float
    precision: float
    recall: float
    wrong: list[str]


async def _kind(question: dict[str, Any], source: HistoryStateSource) -> tuple[str, set[str]]:
    state = await source.fetch(question["user"], NOW)
    history = [Turn(turn["role"], turn["text"]) for turn in question.get("history", ())]
    locale = "zh" if language_of(question["text"]) == "zh" else "en"
    answer = answer_from_state(question["text"], state, locale=locale, now=NOW, history=history)  # type: ignore[arg-type]
    if answer is None:
        return "none", set()
    return ("not_yours" if answer.topic == "not_yours" else answer.decision), set(answer.used)


async def _score(split: str) -> Scores:
    source = HistoryStateSource(DATA / "state_users.json")
    counts: Counter[str] = Counter()
    wrong = []
    for question in (q for q in QUESTIONS if q["split"] == split):
        kind, used = await _kind(question, source)
        right = kind == question["expected"] and set(question["uses"]) <= used
        counts["n"] += 1
        counts["exact"] += right
        expected, given = question["expected"] != "none", kind != "none"
        counts["hit"] += expected and given
        counts["given"] += given
        counts["expected"] += expected
        if not right:
            wrong.append(question["id"])
    return Scores(
        counts["exact"] / counts["n"], counts["hit"] / counts["given"], counts["hit"] / counts["expected"], wrong
    )


@pytest.mark.parametrize("split", ["tune", "held_out"])
async def test_state_questions_are_told_from_the_rest(split: str) -> None:
    scores = await _score(split)
    assert scores.precision >= 0.95, scores
    assert scores.recall >= 0.9, scores
    assert scores.exact >= 0.9, scores


async def test_ids_of_others_are_never_answered() -> None:
    source = HistoryStateSource(DATA / "state_users.json")
    for question in (q for q in QUESTIONS if q["expected"] == "not_yours"):
        assert await _kind(question, source) == ("not_yours", set()), question["id"]


def test_the_set_is_large_and_balanced() -> None:
    assert len(QUESTIONS) >= 120
    assert len({q["id"] for q in QUESTIONS}) == len(QUESTIONS)
    none = sum(q["expected"] == "none" for q in QUESTIONS)
    assert 0.4 <= none / len(QUESTIONS) <= 0.6
