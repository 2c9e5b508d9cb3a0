"""How often a question near an earlier one is another question: why answers are remembered for the same words only.

``python -m evals.near_questions banking77/test.csv`` prints one JSON object.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from assistant.answering.answer_cache import normal_form
from assistant.bootstrap import build
from assistant.figures import figures
from assistant.ports import Vectors
from assistant.settings import Settings
from assistant.text import fold
from evals.halves import half_of

THRESHOLDS = (0.9, 0.92, 0.94, 0.95, 0.96, 0.97, 0.98, 0.99)


@dataclass(frozen=True, slots=True)
class Hits:
    """Of ``questions`` in a row, how many an earlier one would have answered, and how many of those of another intent.

    ``wrong`` is the least that is wrong: two questions of one intent need not be the same question.
    """

    questions: int
    hits: int
    wrong: int


def by_cosine(texts: Sequence[str], intents: Sequence[str], rows: Vectors, threshold: float) -> Hits:
    """A hit is the nearest earlier question with the same figures and a cosine of at least ``threshold``."""
    numbers = [sorted((f.dimension or "", f.number) for f in figures(text)) for text in texts]
    hits = wrong = 0
    for i in range(1, len(texts)):
        near = rows[:i] @ rows[i]
        near[[numbers[j] != numbers[i] for j in range(i)]] = -1
        best = int(np.argmax(near))
        if near[best] >= threshold:
            hits += 1
            wrong += intents[best] != intents[i]
    return Hits(len(texts), hits, wrong)


def by_form(texts: Sequence[str], intents: Sequence[str]) -> Hits:
    """A hit is an earlier question with the same normal form."""
    seen: dict[str, str] = {}
    hits = wrong = 0
    for text, intent in zip(texts, intents, strict=True):
        form = normal_form(text)
        if form in seen:
            hits += 1
            wrong += seen[form] != intent
        seen[form] = intent
    return Hits(len(texts), hits, wrong)


def main(path: Path) -> None:
    """Both ways on two halves by a digest of the text."""
    with path.open(encoding="utf-8", newline="") as stream:
        read = [(row["text"], row["category"]) for row in csv.DictReader(stream)]
    embedder = build(Settings()).batch_embedder
    rows = embedder.embed_queries([fold(text) for text, _ in read])
    half = [half_of(text) for text, _ in read]
    found: dict[str, object] = {}
    for name in ("A", "B"):
        own = [i for i, h in enumerate(half) if h == name]
        texts, intents = [read[i][0] for i in own], [read[i][1] for i in own]
        cosine = {str(t): asdict(by_cosine(texts, intents, rows[own], t)) for t in THRESHOLDS}
        found[f"half {name}"] = {"same form": asdict(by_form(texts, intents)), "cosine": cosine}
    sys.stdout.write(f"{json.dumps(found, indent=1)}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
