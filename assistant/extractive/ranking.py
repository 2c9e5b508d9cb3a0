"""Scores every unit of the passages against the question; embeds only the likeliest texts, in one batch.

Words, the kind of answer and the measures asked for come first; a vector stands for a whole table, procedure or short
paragraph. The opening of an article is its own answer to its title, so it wins unless the question names a section.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assistant.domain.knowledge import DocumentKind, Passage
from assistant.errors import EmbeddingFailed
from assistant.extractive import relevance
from assistant.extractive.reading import Block, Unit, cells, is_steps, label_of, opening_end, read, section_labels
from assistant.extractive.resolutions import is_action, is_general, is_private
from assistant.ports import Embedder
from assistant.text import fold

MAX_EMBEDDED = 12
_COSINE, _COVERAGE, _KIND, _PASSAGE = 0.45, 0.3, 0.2, 0.15
_REACH = 0.35  # a text worth less than the best by more than this is not lifted above it by its vector
_SPREAD = 0.06  # cosines of this width fill 0–1: nearer ones tell little apart
_NEAR, _TITLE, _ITS_TITLE = 0.85, 0.7, 0.35
_TITLE_TERM = 0.4  # of its weight keeps a term that the title holds: it tells the parts of the article not apart
_UNFOUND = 0.3  # of its weight counts a term found nowhere, so that one chance word does not decide
_OPENING, _SECTION, _CONDITION, _AFTER = 0.14, 0.12, 0.1, 0.3
_MEASURED = 0.35  # for each measure of the question that a row holds, at most two
_LONGEST = 260  # characters of a text that is embedded
_WHOLE = 170  # characters of a paragraph that one vector stands for
_DETAIL = re.compile(r"注意|说明|其他|补充|small print|\bnotes?\b|good to know", re.IGNORECASE)
_LATER = re.compile(
    r"后\W*$|^[*_ “「]*(?:如果|要是|若|超过|过了|显示|还是|还没|万一|确实)|连不上|"
    r"^[*_ ]*(?:if|once|after|when|still|doesn't|if we)\b",
    re.IGNORECASE,
)
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
    own: float = 0.0  # share of the question's terms that the unit says itself


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


def score_units(question: str, passages: Sequence[Passage], embedder: Embedder | None) -> Reading:
    """Every usable unit, scored; of mined resolutions only what holds for anyone, or, failing that, what was done.

    Without an embedder words alone rank.
    """
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
    asked_terms = relevance.terms(question)
    weight = relevance.weights(asked_terms, [a | b for a, b in zip(own, around, strict=True)])
    titles = {passage.id: relevance.terms(f"{passage.title} {passage.heading}") for passage in passages}
    unfound = [
        term for term in asked_terms if term not in weight and not any(term in title for title in titles.values())
    ]
    scale = {passage.id: _scale(weight, titles[passage.id], unfound) for passage in passages}
    coverages = [
        _covered(mine, near, titles[place[0].id], *scale[place[0].id], place[0].kind is DocumentKind.RESOLUTION)
        for place, mine, near in zip(places, own, around, strict=True)
    ]
    kinds = [
        _kind(unit, blocks[passage.id][index], asked)
        + _named_row(
            unit, blocks[passage.id][index], weight, relevance.names_nothing(passage.title), question, "how" in asked
        )
        for passage, index, unit, _ in places
    ]
    fitting = [_measured(question, unit, blocks[passage.id][index]) for passage, index, unit, _ in places]
    top = max((p.score for p in passages if p.kind is DocumentKind.ARTICLE), default=0.0)
    sections = {
        p.id: _sections(p, blocks[p.id], {t: w for t, w in weight.items() if t not in titles[p.id]}, top)
        for p in passages
    }
    codes = _codes(question)
    wrong = [bool(codes) and _names_another(codes, f"{unit.text} {context}") for _, _, unit, context in places]
    cheap = [
        _PASSAGE * place[0].score
        + _COVERAGE * cover
        + _KIND * kind
        + _MEASURED * fits
        + sections[place[0].id][place[1]]
        - _WRONG_CODE * other
        - _CONDITION * _unasked_condition(place[2], asked_terms)
        for place, cover, kind, fits, other in zip(places, coverages, kinds, fitting, wrong, strict=True)
    ]
    vector, cosines, vectors = _cosines(question, places, blocks, cheap, embedder)
    scores = [value + _COSINE * cosine for value, cosine in zip(cheap, cosines, strict=True)]
    units = [
        Scored(place[0], place[1], place[2], score, cover, kind, vectors.get(number), relevance.coverage(weight, mine))
        for number, (place, score, cover, kind, mine) in enumerate(
            zip(places, scores, coverages, kinds, own, strict=True)
        )
    ]
    return Reading(blocks, units, asked, weight, vector)


def _scale(weight: dict[str, float], title: frozenset[str], unfound: Sequence[str]) -> tuple[dict[str, float], float]:
    """Weights of the terms in one document, and of all that was asked for."""
    own = {term: value * (_TITLE_TERM if term in title else 1.0) for term, value in weight.items()}
    return own, sum(own.values()) + _UNFOUND * len(unfound)


def _covered(
    mine: frozenset[str],
    near: frozenset[str],
    title: frozenset[str],
    weight: dict[str, float],
    whole: float,
    resolution: bool,
) -> float:
    """Share of what was asked for that a unit covers, less where only its surroundings do.

    The title of a resolution is another customer's question: that it is alike does not make the reply an answer.
    """
    held = (mine, 1.0), (mine | near, _NEAR), (mine | near | title, _ITS_TITLE if resolution else _TITLE)
    if not whole:
        return 0.0
    return max(share * sum(v for term, v in weight.items() if term in terms) for terms, share in held) / whole


def _measured(question: str, unit: Unit, block: Block) -> float:
    if block.kind != "table" or not any(c.isdigit() for c in question):
        return 0.0
    hits = relevance.row_hits(question, cells(block.header), cells(unit.text))
    return min(2.0, hits) if hits >= 1 else 0.0


def _sections(passage: Passage, blocks: Sequence[Block], weight: dict[str, float], top: float) -> list[float]:
    """For each block what its place is worth: sections that the question names, else the opening, over later ones.

    ``weight`` is of the question's terms that the title does not hold.
    """
    labels = section_labels(blocks)
    named = [relevance.coverage(weight, relevance.terms(label)) if label else 0.0 for label in labels]
    best = max(named, default=0.0)
    end = 0 if passage.heading else opening_end(blocks, labels)
    values = []
    near = (passage.score / top) ** 2 if top > 0 else 1.0  # the opening of a lesser document answers another title
    for index, (label, share) in enumerate(zip(labels, named, strict=True)):
        if label is None:
            values.append(_OPENING * near * (0.4 if best >= 0.25 else 1.0 if weight else 1.5) if index < end else 0.0)
        else:
            later = _AFTER if share == 0 and _LATER.search(label) else 0.0
            detail = 0.05 if share == 0 and _DETAIL.search(label) else 0.0
            values.append(_SECTION * share - max(later, detail))
    return values


def stands_later(reading: Reading, passage: Passage, index: int) -> bool:
    """Whether a block stands under a later case, such as "once it is lost", that the question does not name."""
    label = section_labels(reading.blocks[passage.id])[index]
    return bool(label and _LATER.search(label)) and not relevance.terms(label or "") & reading.weight.keys()


def _unasked_condition(unit: Unit, asked: frozenset[str]) -> bool:
    """Whether a sentence begins with a case that the question does not name."""
    clause = re.split(r"[，,：:]", unit.text, maxsplit=1)[0]
    return bool(_LATER.match(clause)) and not relevance.terms(clause) & asked


def _kind(unit: Unit, block: Block, asked: frozenset[str]) -> float:
    """Whether the unit is the kind of answer asked for; how to do a thing is best told by steps."""
    held = relevance.holds(unit.text, asked)
    if "how" in asked:
        return 1.0 if is_steps(block) else 0.5 * held
    return held


def _named_row(
    unit: Unit, block: Block, weight: dict[str, float], title: frozenset[str], question: str, how: bool
) -> float:
    """A bonus for the row that the question names: a table is keyed by what people ask about."""
    if block.kind != "table":
        return 0.0
    return (
        (0.25 if how else 0.5)
        if relevance.coverage(weight, relevance.key_terms(cells(unit.text)[0], question) - title) >= 0.08
        else 0.0
    )


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
    parts = (block.section, lead, label_of(block), " ".join(cells(block.header)) if block.header else "")
    return " ".join(part for part in parts if part)


def _cosines(
    question: str,
    places: Sequence[tuple[Passage, int, Unit, str]],
    blocks: dict[str, list[Block]],
    cheap: Sequence[float],
    embedder: Embedder | None,
) -> tuple[NDArray[np.float32] | None, list[float], dict[int, NDArray[np.float32]]]:
    """Nearness 0–1 of each unit by its own vector or its block's, at most ``MAX_EMBEDDED`` of them; 0 for the rest."""
    flat = [0.0] * len(places)
    groups: dict[tuple[str, int, int], list[int]] = {}
    for number in sorted(range(len(places)), key=lambda number: -cheap[number]):
        passage, index, unit, _ = places[number]
        whole = _as_one(passage, blocks[passage.id][index])
        groups.setdefault((passage.id, index, -1 if whole else unit.start), []).append(number)
    within = max(cheap, default=0.0) - _REACH
    chosen = [members for members in groups.values() if cheap[members[0]] >= within][:MAX_EMBEDDED]
    if not chosen or embedder is None:
        return None, flat, {}
    texts = []
    for members in chosen:
        passage, _, _, context = places[members[0]]
        said = " ".join(_spoken(places[number][2]) for number in sorted(members))
        texts.append(fold(f"{passage.title} {context} {said}")[:_LONGEST])
    try:
        query = embedder.embed_queries([fold(question)])[0]
        rows = embedder.embed_passages(texts)
    except EmbeddingFailed:
        return None, flat, {}
    cosine = rows @ query
    high = float(cosine.max())
    width = max(high - float(cosine.min()), _SPREAD)
    vectors: dict[int, NDArray[np.float32]] = {}
    for members, value, row in zip(chosen, cosine, rows, strict=True):
        for number in members:
            flat[number] = 1 - (high - float(value)) / width
            vectors[number] = row
    return query, flat, vectors


def _as_one(passage: Passage, block: Block) -> bool:
    """Whether one vector stands for the block: it is shown whole, or its parts are told apart by their words."""
    if passage.kind is DocumentKind.RESOLUTION:
        return False
    if block.kind == "list":
        return is_steps(block) or len(block.units) <= 3
    return block.kind == "table" or (len(block.units) > 1 and block.end - block.start <= _WHOLE)


def _spoken(unit: Unit) -> str:
    return " ".join(cells(unit.text)) if "|" in unit.text else unit.text.replace("**", "")
