"""Scores every unit of the passages against the question; embeds only the likeliest, in one batch."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assistant.domain.knowledge import DocumentKind, Passage
from assistant.errors import EmbeddingFailed
from assistant.extractive import relevance
from assistant.extractive.reading import Block, Unit, cells, is_steps, read
from assistant.extractive.resolutions import is_action, is_general, is_private
from assistant.ports import Embedder
from assistant.text import fold

MAX_EMBEDDED = 24
_LABEL = re.compile(r"\*\*([^*]{1,30})\*\*")
_COSINE, _COVERAGE, _KIND, _PASSAGE = 0.45, 0.3, 0.2, 0.15
_NEAR, _TITLE = 0.85, 0.7
_WRONG_CODE = 0.5
_CODE = re.compile(r"(?<![a-z0-9])[a-z]{1,3}-?\d{1,3}(?![a-z0-9])")


@dataclass(frozen=True, slots=True)
class Scored:
    """A unit with its place, score 0–1 and parts; ``vector`` is None where it was not embedded."""

    passage: Passage
    block: int
    unit: Unit
    score: float
    coverage: float
    kind: float
    vector: NDArray[np.float32] | None


@dataclass(frozen=True, slots=True)
class Reading:
    """The passages read and scored against one question. ``question`` is its vector, None when embedding failed."""

    blocks: dict[str, list[Block]]
    units: list[Scored]
    asked: frozenset[str]
    weight: dict[str, float]
    question: NDArray[np.float32] | None

    def of_block(self, passage: Passage, block: int) -> list[Scored]:
        """The block's usable units, in order."""
        return [u for u in self.units if u.passage.id == passage.id and u.block == block]


def score_units(question: str, passages: Sequence[Passage], embedder: Embedder) -> Reading:
    """Every usable unit, scored; of mined resolutions only what holds for anyone, or, failing that, what was done."""
    asked = relevance.asked_for(question)
    blocks = {passage.id: read(passage.text) for passage in passages}
    places = [
        (passage, index, unit, _context(blocks[passage.id], index))
        for passage in passages
        for index, block in enumerate(blocks[passage.id])
        for unit in _usable(passage, block)
    ]
    own = [relevance.terms(unit.text) for _, _, unit, _ in places]
    around = [relevance.terms(context) if context else frozenset() for _, _, _, context in places]
    weight = relevance.weights(relevance.terms(question), [a | b for a, b in zip(own, around, strict=True)])
    titles = {passage.id: relevance.terms(f"{passage.title} {passage.heading}") for passage in passages}
    coverages = [
        max(
            relevance.coverage(weight, mine),
            _NEAR * relevance.coverage(weight, mine | near),
            _TITLE * relevance.coverage(weight, mine | near | titles[place[0].id]),
        )
        for place, mine, near in zip(places, own, around, strict=True)
    ]
    kinds = [
        _kind(unit, blocks[passage.id][index], asked) + _named_row(unit, blocks[passage.id][index], weight)
        for passage, index, unit, _ in places
    ]
    codes = _codes(question)
    wrong = [bool(codes) and _names_another(codes, f"{unit.text} {context}") for _, _, unit, context in places]
    cheap = [
        _PASSAGE * place[0].score + _COVERAGE * cover + _KIND * kind - _WRONG_CODE * other
        for place, cover, kind, other in zip(places, coverages, kinds, wrong, strict=True)
    ]
    vector, cosines, vectors = _cosines(question, places, cheap, embedder)
    scores = [value + _COSINE * cosine for value, cosine in zip(cheap, cosines, strict=True)]
    units = [
        Scored(place[0], place[1], place[2], score, cover, kind, vectors.get(number))
        for number, (place, score, cover, kind) in enumerate(zip(places, scores, coverages, kinds, strict=True))
    ]
    return Reading(blocks, units, asked, weight, vector)


def _kind(unit: Unit, block: Block, asked: frozenset[str]) -> float:
    """Whether the unit is the kind of answer asked for; how to do a thing is best told by steps."""
    held = relevance.holds(unit.text, asked)
    if "how" in asked:
        return 1.0 if is_steps(block) else 0.5 * held
    return held


def _named_row(unit: Unit, block: Block, weight: dict[str, float]) -> float:
    """A bonus for the row that the question names: a table is keyed by what people ask about."""
    if block.kind != "table":
        return 0.0
    return 0.5 if relevance.coverage(weight, relevance.terms(cells(unit.text)[0])) >= 0.08 else 0.0


def _codes(text: str) -> frozenset[str]:
    """Error codes and models, such as E2 or C5."""
    return frozenset(_CODE.findall(fold(text).casefold()))


def _names_another(codes: frozenset[str], text: str) -> bool:
    """Whether a text is about another code of the same series, E2 for E3."""
    held = _codes(text)
    series = {re.sub(r"\d+", "", code) for code in codes}
    return not held & codes and any(re.sub(r"\d+", "", code) in series for code in held)


def _usable(passage: Passage, block: Block) -> list[Unit]:
    if passage.kind is not DocumentKind.RESOLUTION:
        return list(block.units)
    general = [unit for unit in block.units if is_general(unit.text)]
    return general or [unit for unit in block.units if is_action(unit.text) and not is_private(unit.text)]


def _context(blocks: Sequence[Block], index: int) -> str:
    """What a unit says less clearly alone: its section, its lead-in or bold label, its table's header."""
    block = blocks[index]
    lead = blocks[index - 1].units[-1].text if index and blocks[index - 1].leads_on else ""
    label = _LABEL.match(block.units[0].text)
    parts = (block.section, lead, label[1] if label else "", " ".join(cells(block.header)) if block.header else "")
    return " ".join(part for part in parts if part)


def _cosines(
    question: str,
    places: Sequence[tuple[Passage, int, Unit, str]],
    cheap: Sequence[float],
    embedder: Embedder,
) -> tuple[NDArray[np.float32] | None, list[float], dict[int, NDArray[np.float32]]]:
    """Cosines spread over 0–1 between the farthest and the nearest unit embedded; 0 for the rest."""
    chosen = sorted(range(len(places)), key=lambda number: -cheap[number])[:MAX_EMBEDDED]
    flat = [0.0] * len(places)
    if not chosen:
        return None, flat, {}
    texts = [fold(f"{places[n][0].title} {places[n][3]} {_spoken(places[n][2])}") for n in chosen]
    try:
        query = embedder.embed_queries([fold(question)])[0]
        rows = embedder.embed_passages(texts)
    except EmbeddingFailed:
        return None, flat, {}
    cosine = rows @ query
    low, high = float(cosine.min()), float(cosine.max())
    for place, value in zip(chosen, cosine, strict=True):
        flat[place] = (float(value) - low) / (high - low) if high - low > 1e-6 else 1.0
    return query, flat, dict(zip(chosen, rows, strict=True))


def _spoken(unit: Unit) -> str:
    return " ".join(cells(unit.text)) if "|" in unit.text else unit.text.replace("**", "")
