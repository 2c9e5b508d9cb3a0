"""How well requests for a person and moods are heard: ``python -m evals.handoff.measure [TAU2_FOLDER…]``.

Prints one JSON object. Shares come with Wilson's 95 % interval (Wilson 1927). A folder is one of tau2-banking or
tau2-retail; its tasks say whether the reference solution transfers the customer.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from assistant.bootstrap import build
from assistant.handoff import TurnReader, asks_for_person, decide_handoff, packaged_rules, sentiment
from assistant.ports import Embedder, Vectors
from assistant.settings import Settings
from evals.handoff.turns import Half, ask_turns, mood_turns
from evals.statistics import wilson

HALVES: tuple[Half, ...] = ("test", "second", "third")
MOODS = ("negative", "neutral", "positive")
_WORDS = re.compile(r"人工|真人|客服|转接|\b(?:human|agent|person|representative|operator|supervisor|manager)\b", re.I)


def share(hits: int, of: int) -> list[float] | None:
    """Share with its 95 % interval as [share, low, high], to three places; None where there is nothing to count."""
    found = wilson(hits, of)
    if found.mean is None or found.low is None or found.high is None:
        return None
    return [round(found.mean, 3), round(found.low, 3), round(found.high, 3)]


def precision_recall(truth: Sequence[bool], said: Sequence[bool]) -> dict[str, Any]:
    """Precision and recall with intervals, and the counts behind them."""
    both = sum(t and s for t, s in zip(truth, said, strict=True))
    return {
        "precision": share(both, sum(said)),
        "recall": share(both, sum(truth)),
        "hits": both,
        "said": sum(said),
        "wanted": sum(truth),
        "of": len(truth),
    }


def macro_f1(truth: Sequence[str], said: Sequence[str]) -> float:
    """Mean F1 of the three moods; a mood never found counts 0."""
    scores = []
    for mood in MOODS:
        both = sum(t == s == mood for t, s in zip(truth, said, strict=True))
        scores.append(2 * both / max(1, sum(t == mood for t in truth) + sum(s == mood for s in said)))
    return round(sum(scores) / len(scores), 3)


def measure_asks(half: Half, reader: TurnReader) -> dict[str, Any]:
    """Requests for a person on one half of the packaged turns, beside the patterns alone and a word list."""
    turns = ask_turns(half)
    truth = [turn.asks for turn in turns]
    threshold = packaged_rules().ask_threshold
    ways: dict[str, Callable[[str], bool]] = {
        "rules_and_model": lambda text: asks_for_person(text, reader.read(text).wants_person, threshold),
        "patterns_alone": asks_for_person,
        "word_list": lambda text: bool(_WORDS.search(text)),
        "always": lambda _text: True,
        "never": lambda _text: False,
    }
    out: dict[str, Any] = {name: precision_recall(truth, [way(t.text) for t in turns]) for name, way in ways.items()}
    explicit = [turn for turn in turns if turn.asks and turn.kind != "indirect"]
    out["recall_explicit"] = share(sum(ways["rules_and_model"](t.text) for t in explicit), len(explicit))
    out["explicit"] = len(explicit)
    for locale in ("zh", "en"):
        part = [turn for turn in turns if turn.locale == locale]
        said = [ways["rules_and_model"](t.text) for t in part]
        out[f"rules_and_model_{locale}"] = precision_recall([t.asks for t in part], said)
    out["wrong"] = [t.text for t in turns if ways["rules_and_model"](t.text) != t.asks]
    return out


def measure_moods(groups: Sequence[str], reader: TurnReader) -> dict[str, Any]:
    """Macro-F1 of the mood of customers' turns, beside always the commonest and the word list."""
    turns = mood_turns(groups)
    truth = [turn.mood for turn in turns]
    common = Counter(truth).most_common(1)[0][0]
    words = [_label(sentiment(turn.text)) for turn in turns]
    return {
        "turns": len(turns),
        "majority": macro_f1(truth, [common] * len(truth)),
        "word_list": macro_f1(truth, words),
        "model": macro_f1(truth, [reader.read(turn.text).mood for turn in turns]),
    }


def measure_tau2(folder: Path, embedder: Embedder) -> dict[str, Any]:
    """Whether a transfer is expected, guessed from what the task tells the customer to do.

    ``opening``: the first words the customer is to say, or the reason for the call. ``script``: any of the words put in
    the customer's mouth, or where there are none any sentence of the instructions. Neither knows what the assistant
    will be able to do, which is what decides most of these transfers.
    """
    truth, openings, scripts, words = _told(folder)
    reader = TurnReader(_Ahead(embedder, [*openings, *(line for lines in scripts for line in lines)]))
    opening = [_hands_over(first, reader) for first in openings]
    script = [any(_hands_over(line, reader) for line in lines) for lines in scripts]
    return {
        "opening": precision_recall(truth, opening),
        "opening_rules_alone": measure_openings(folder),
        "script": precision_recall(truth, script),
        "word_list": precision_recall(truth, words),
        "always": precision_recall(truth, [True] * len(truth)),
        "never": precision_recall(truth, [False] * len(truth)),
    }


def measure_openings(folder: Path) -> dict[str, Any]:
    """The ``opening`` part of ``measure_tau2`` by the rules without the model: needs no embedder and a second."""
    truth, openings, _, _ = _told(folder)
    return precision_recall(truth, [_hands_over(text, TurnReader(None)) for text in openings])


def _told(folder: Path) -> tuple[list[bool], list[str], list[list[str]], list[bool]]:
    """Of each task: is a transfer expected, the first words, all words, and does the word list find something."""
    tasks = json.loads((folder / "tasks.json").read_text(encoding="utf-8"))
    truth: list[bool] = []
    openings: list[str] = []
    scripts: list[list[str]] = []
    words: list[bool] = []
    for task in tasks:
        actions = task["evaluation_criteria"]["actions"] or []
        truth.append(any(action["name"].startswith("transfer_to_human") for action in actions))
        told = task["user_scenario"]["instructions"]
        text = told if isinstance(told, str) else f"{told['reason_for_call']} {told['task_instructions']}"
        quoted = re.findall(r"[\"“]([^\"“”]{12,}?)[\"”]", text)
        first = (quoted[0] if quoted else text[:300]) if isinstance(told, str) else told["reason_for_call"]
        lines = quoted or [part for part in re.split(r"(?<=[.!?])\s+|\n", text) if part.strip()]
        openings.append(first)
        scripts.append(lines)
        words.append(bool(_WORDS.search(text)))
    return truth, openings, scripts, words


class _Ahead:
    """The embedder with these texts embedded ahead in batches, ten times as fast as one by one."""

    def __init__(self, embedder: Embedder, texts: Sequence[str]) -> None:
        self._embedder = embedder
        self.fingerprint = embedder.fingerprint
        self.dimensions = embedder.dimensions
        distinct = list(dict.fromkeys(texts))
        self._known = dict(zip(distinct, embedder.embed_queries(distinct), strict=True))

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """(n, dimensions) rows, those embedded ahead from memory."""
        rows = [self._known[t] if t in self._known else self._embedder.embed_queries([t])[0] for t in texts]
        return np.stack(rows)

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """As the embedder itself."""
        return self._embedder.embed_passages(texts)


def _hands_over(text: str, reader: TurnReader) -> bool:
    return decide_handoff(text, [], locale="en", profile={}, confidence=None, reader=reader) is not None


def _label(score: float) -> str:
    return "negative" if score <= -0.2 else "positive" if score >= 0.3 else "neutral"


def main(folders: Sequence[str], embedder: Embedder) -> dict[str, Any]:
    """All measures; folders of tau2 that are absent are named as such."""
    texts = [turn.text for half in HALVES for turn in ask_turns(half)]
    reader = TurnReader(_Ahead(embedder, texts + [turn.text for turn in mood_turns("abcd")]))
    out: dict[str, Any] = {"asks": {half: measure_asks(half, reader) for half in HALVES}}
    out["moods"] = {"held_out_c_d": measure_moods(("c", "d"), reader), "fitted_a_b": measure_moods(("a", "b"), reader)}
    for name in folders:
        folder = Path(name)
        found = (folder / "tasks.json").exists()
        out[folder.name] = measure_tau2(folder, embedder) if found else "skipped: no tasks.json there"
    return out


if __name__ == "__main__":
    found = main(sys.argv[1:], build(Settings()).embedder)
    sys.stdout.write(json.dumps(found, ensure_ascii=False, indent=1) + "\n")
