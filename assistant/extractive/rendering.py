"""Turns chosen units into light Markdown, and remembers which words of the passage they are."""

# ruff: noqa: E501  (a pattern reads best as the list of words it is)
from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from assistant.domain.knowledge import Passage
from assistant.extractive import relevance
from assistant.extractive.ranking import Reading, Scored
from assistant.extractive.reading import Block, Unit, cells, is_steps, plain

_LONG = {"zh": 170, "en": 480}  # characters of a paragraph that is still taken whole
_ROWS = 7
_CONDITION = re.compile(
    r"^[*_ ]*(?:但|不过|除外|除非|仅限|只限|注意|如果|若|要是|超过|另外|其中|不含|不包括|以上|例外|需要注意|but\b|unless\b|except\b|however\b|only\b|note\b|if\b|otherwise\b|after that\b|this does(?:n't| not)\b)",
    re.IGNORECASE,
)
_CONDITION_INSIDE = re.compile(r"除外|仅限|不包括|不含|\bexcept\b|\bunless\b|\bexclud", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of the reply and the span of the passage that it shows. ``quotes`` are (start, end) offsets."""

    passage: Passage
    block: int
    text: str
    quotes: tuple[tuple[int, int], ...]


def render(reading: Reading, passage: Passage, index: int, question: str) -> Piece:
    """The units of one block that answer the question, shown as what they are: sentences, steps, items or rows."""
    block = reading.blocks[passage.id][index]
    scored = reading.of_block(passage, index)
    if block.kind == "table":
        return _table(reading, passage, index, block, scored, question)
    if block.kind == "list":
        return _list(passage, index, block, scored, reading.asked)
    return sentences(passage, index, block, _paragraph(block, scored))


def sentences(passage: Passage, index: int, block: Block, chosen: Sequence[Unit]) -> Piece:
    """Sentences in their order; neighbours are shown with what stands between them."""
    spans = _spans(block, chosen)
    glue = "" if passage.locale.startswith("zh") else " "
    return Piece(passage, index, glue.join(plain(passage.text[a:b]) for a, b in spans), tuple(spans))


def _paragraph(block: Block, scored: Sequence[Scored]) -> list[Unit]:
    usable = [item.unit for item in scored]
    longest = _LONG["zh" if re.search(r"[\u3400-\u9fff]", block.units[0].text) else "en"]
    if len(usable) <= 5 and sum(len(unit.text) for unit in usable) <= longest:
        return usable
    best = max(scored, key=lambda item: item.score)
    good = sorted((item for item in scored if item.score >= 0.8 * best.score), key=lambda item: -item.score)[:3]
    keep = {item.unit for item in good}
    for left, right in pairwise(usable):
        if left in keep and len(keep) < 5 and (_CONDITION.match(right.text) or _CONDITION_INSIDE.search(right.text)):
            keep.add(right)
        elif right in keep and right not in keep and _CONDITION.match(right.text):
            keep.add(left)
    first = next(i for i, unit in enumerate(usable) if unit in keep)
    if first and _CONDITION.match(usable[first].text) and len(keep) < 5:
        keep.add(usable[first - 1])  # "but …" says nothing without what it limits
    return [unit for unit in usable if unit in keep]


def _list(passage: Passage, index: int, block: Block, scored: Sequence[Scored], asked: frozenset[str]) -> Piece:
    whole = is_steps(block) or ("how" in asked and block.ordered) or len(block.units) <= 3
    best = max((item.score for item in scored), default=0.0)
    near = sorted((item for item in scored if item.score >= 0.85 * best), key=lambda item: -item.score)[:3]
    chosen = (
        [item.unit for item in scored] if whole else sorted((item.unit for item in near), key=lambda unit: unit.start)
    )
    if len(chosen) == 1 and not block.section:
        return Piece(passage, index, chosen[0].text, ((chosen[0].start, chosen[0].end),))
    lines = [
        f"{number}. {unit.text}" if block.ordered and whole else f"- {unit.text}"
        for number, unit in enumerate(chosen, 1)
    ]
    return Piece(passage, index, "\n".join([*_headline(block), *lines]), tuple(_spans(block, chosen)))


def _table(
    reading: Reading, passage: Passage, index: int, block: Block, scored: Sequence[Scored], question: str
) -> Piece:
    header = cells(block.header)
    rows = _rows(reading, passage, header, scored, question)
    body = [cells(passage.text[row.start : row.end]) for row in rows]
    if len(rows) <= 2:
        if len(header) == 2:
            lines = [
                f"- {row[0]}：{row[1]}" if _zh(passage) else f"- {row[0]}: {row[1]}" for row in body if len(row) > 1
            ]
        else:
            colon, comma = ("：", "；") if _zh(passage) else (": ", "; ")
            lines = [
                "- " + comma.join(f"{title}{colon}{cell}" for title, cell in zip(header, row, strict=False) if cell)
                for row in body
            ]
    else:
        lines = ["| " + " | ".join(header) + " |", "|" + " --- |" * len(header)]
        lines += ["| " + " | ".join(row) + " |" for row in body]
    quotes = tuple(_spans(block, rows)) if len(rows) < len(block.units) else ((block.start, block.end),)
    return Piece(passage, index, "\n".join([*_headline(block), *lines]), quotes)


def one_row(reading: Reading, passage: Passage, block: Block, question: str) -> bool:
    """Whether the question names or measures into some rows of a table and not into others."""
    if block.kind != "table":
        return False
    scored = reading.of_block(passage, reading.blocks[passage.id].index(block))
    return len(_rows(reading, passage, cells(block.header), scored, question)) < len(block.units)


def _rows(
    reading: Reading, passage: Passage, header: Sequence[str], scored: Sequence[Scored], question: str
) -> list[Unit]:
    """Rows that the question names or measures into; the whole table where it names none and it is short."""
    hits = [relevance.row_hits(question, header, cells(item.unit.text)) for item in scored]
    if max(hits, default=0.0) >= 0.5:
        return [item.unit for item, hit in zip(scored, hits, strict=True) if hit == max(hits)][:3]
    keys = [relevance.key_terms(cells(item.unit.text)[0], question) for item in scored]
    shared = frozenset.intersection(*keys) if len(keys) > 1 else frozenset()
    shared |= relevance.names_nothing(passage.title)
    named = [relevance.coverage(reading.weight, key - shared) for key in keys]
    if max(named, default=0.0) >= 0.08:
        return [item.unit for item, value in zip(scored, named, strict=True) if value >= 0.7 * max(named)]
    if len(scored) <= _ROWS:
        return [item.unit for item in scored]
    best = sorted(scored, key=lambda item: -item.score)[:4]
    return sorted((item.unit for item in best), key=lambda unit: unit.start)


def _headline(block: Block) -> list[str]:
    return [f"**{block.section.replace('**', '')}**"] if block.section else []


def _spans(block: Block, chosen: Sequence[Unit]) -> list[tuple[int, int]]:
    """Spans of the chosen units; those next to each other joined."""
    spans: list[tuple[int, int]] = []
    previous = -2
    for place, unit in enumerate(block.units):
        if unit not in chosen:
            continue
        if place == previous + 1:
            spans[-1] = (spans[-1][0], unit.end)
        else:
            spans.append((unit.start, unit.end))
        previous = place
    return spans


def _zh(passage: Passage) -> bool:
    return passage.locale.startswith("zh")
