"""The corpus of the speed bench: 100,000 real passages cut from the public sets, their vectors kept in a folder."""

from __future__ import annotations

import csv
import hashlib
import json
import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from assistant.ports import Embedder, Vectors
from assistant.text import fold

SEED = 20_240
SHORTEST, LONGEST = 8, 300  # characters
_PART = 2_000  # texts embedded between two writes to the folder
_SENTENCE = re.compile(r"(?<=[。！？!?；;])\s*|(?<=\.)\s+|\n+")


@dataclass(frozen=True, slots=True)
class ScaleCorpus:
    """Distinct texts, the number of the document that each was cut from, and questions that are not among them."""

    texts: Sequence[str]
    documents: Sequence[int]
    questions: Sequence[str]
    sentences: int
    windows: int


def corpus(data: Path, size: int = 100_000, questions: int = 300) -> ScaleCorpus:
    """Sentences first, then the shortest windows of two neighbouring sentences, until there are ``size``; shuffled.

    Sources: paragraphs of cmrc2018, xquad-zh and xquad-en, tau2's bank articles, tasks and shop policy, ecom-bench's
    wiki, tasks and shop data, dstc11's FAQs, reviews and dialogue turns, banking77's training questions. The questions
    are those of cmrc2018, xquad and banking77's test part. Raises ValueError where the sources hold fewer texts.
    """
    cut = [[s.strip() for s in _SENTENCE.split(text) if s and s.strip()] for text in _sources(data)]
    found: dict[str, tuple[str, int]] = {}
    counts = []
    for length in (1, 2):
        pieces = [
            (fold(" ".join(sentences[start : start + length])), number)
            for number, sentences in enumerate(cut)
            for start in range(len(sentences) - length + 1)
        ]
        for text, number in pieces if length == 1 else sorted(pieces, key=lambda piece: len(piece[0])):
            if SHORTEST <= len(text) <= LONGEST and len(found) < size:
                found.setdefault(text.casefold(), (text, number))
        counts.append(len(found))
    if len(found) < size:
        raise ValueError(f"{data} holds only {len(found)} distinct texts of the {size} wanted")
    chosen = list(found.values())
    random.Random(SEED).shuffle(chosen)
    asked = [text for text in dict.fromkeys(map(fold, _questions(data))) if text.casefold() not in found]
    random.Random(SEED).shuffle(asked)
    return ScaleCorpus(
        [text for text, _ in chosen], [n for _, n in chosen], asked[:questions], counts[0], counts[1] - counts[0]
    )


def vectors_of(
    texts: Sequence[str], embedder: Embedder, cache: Path, tell: Callable[[int, int], None] = lambda done, total: None
) -> Vectors:
    """(texts, dimensions) rows, read from ``cache`` where an earlier run left them; an interrupted run goes on."""
    key = hashlib.sha256("\0".join([embedder.fingerprint, *texts]).encode()).hexdigest()[:16]
    whole, part, progress = (cache / f"scale-{key}{end}" for end in (".npy", ".part.npy", ".json"))
    if whole.exists():
        return np.asarray(np.load(whole, mmap_mode="r"))
    cache.mkdir(parents=True, exist_ok=True)
    shape = (len(texts), embedder.dimensions)
    done = int(json.loads(progress.read_text(encoding="utf-8"))["done"]) if progress.exists() and part.exists() else 0
    rows = np.lib.format.open_memmap(part, mode="r+" if done else "w+", dtype=np.float32, shape=shape)
    for start in range(done, len(texts), _PART):
        stop = min(start + _PART, len(texts))
        rows[start:stop] = embedder.embed_passages(texts[start:stop])
        rows.flush()
        progress.write_text(json.dumps({"done": stop}), encoding="utf-8")
        tell(stop, len(texts))
    del rows
    part.replace(whole)
    progress.unlink(missing_ok=True)
    return np.asarray(np.load(whole, mmap_mode="r"))


def _sources(data: Path) -> Iterator[str]:
    for name in ("cmrc2018-dev-zh", "xquad-zh", "xquad-en"):
        yield from (line["text"] for line in _lines(data / name / "corpus.jsonl"))
    yield from (line["body"] for line in _lines(data / "tau2-banking/articles.jsonl"))
    yield (data / "tau2-retail/policy.md").read_text(encoding="utf-8")
    yield (data / "ecom-bench/wiki.md").read_text(encoding="utf-8")
    tasks = [data / f"{name}/tasks.json" for name in ("tau2-banking", "tau2-retail", "ecom-bench")]
    for path in [*sorted((data / "ecom-bench/data").glob("*.json")), *tasks]:
        yield from _strings(_json(path))
    for domain in _json(data / "dstc11-track5/knowledge.json").values():
        for entity in domain.values():
            yield from (f"{faq['question']} {faq['answer']}" for faq in entity["faqs"].values())
            yield from (" ".join(review["sentences"].values()) for review in entity["reviews"].values())
    for conversation in _json(data / "dstc11-track5/logs.json"):
        yield "\n".join(turn["text"] for turn in conversation)
    yield from _banking(data / "banking77/train.csv")


def _questions(data: Path) -> Iterator[str]:
    for name in ("cmrc2018-dev-zh", "xquad-zh", "xquad-en"):
        yield from (line["text"] for line in _lines(data / name / "queries.jsonl"))
    yield from _banking(data / "banking77/test.csv")


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        yield from map(json.loads, file)


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _strings(each)
    elif isinstance(value, list):
        for each in value:
            yield from _strings(each)


def _banking(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from (row["text"] for row in csv.DictReader(file))
