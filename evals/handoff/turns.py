"""Labelled turns: requests for a person, and the moods and requests of the demo's transcripts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Literal

Half = Literal["train", "dev", "test", "second", "third"]


@dataclass(frozen=True, slots=True)
class AskTurn:
    """A turn and whether it asks for a person; ``kind`` says how (``direct``, ``indirect``, ``typo``, ``refuse``…)."""

    text: str
    locale: str
    asks: bool
    kind: str = ""


@dataclass(frozen=True, slots=True)
class MoodTurn:
    """A customer's turn of the demo with its labelled mood and whether it asks for a person."""

    conversation_id: str
    text: str
    mood: str
    asks: bool


def ask_turns(half: Half) -> list[AskTurn]:
    """The packaged turns of one half; ``second`` and ``third`` were each written after the rules were frozen.

    What was missed was mended afterwards, so that only the first figure on each, in docs/handoff.md, was held out.
    """
    return [
        AskTurn(row["text"], row["locale"], row["asks"], row.get("kind", ""))
        for row in _rows((files("evals.handoff") / "data" / f"asks_{half}.jsonl").read_text(encoding="utf-8"))
    ]


def mood_turns(groups: Sequence[str]) -> list[MoodTurn]:
    """Labelled customer turns of these groups (``a`` to ``d``) of the demo's transcripts."""
    samples = files("ingest") / "samples"
    out: list[MoodTurn] = []
    for group in groups:
        name = f"group-{group}.jsonl"
        talks = {
            row["conversation_id"]: row["turns"]
            for row in _rows((samples / "transcripts" / name).read_text(encoding="utf-8"))
        }
        for label in _rows((samples / "labels" / name).read_text(encoding="utf-8")):
            turns = talks[label["conversation_id"]]
            asking = set(label["asked_for_person_turns"])
            for number, mood in label["sentiment"].items():
                text = turns[int(number)]["text"]
                out.append(MoodTurn(label["conversation_id"], text, mood, int(number) in asking))
    return out


def _rows(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines() if line.strip()]
