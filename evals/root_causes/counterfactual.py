"""What if the passage said what the human said? Its clashing figures are replaced, or the human's words stand alone."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial

import numpy as np
from numpy.typing import NDArray

from assistant.domain.knowledge import Chunk, DocumentKind
from assistant.text import fold
from evals.answer_metrics.figures import Figure, agree, figures
from evals.cases import ReplyCase

ALIGNED = 0.1  # agreement from which a sentence may speak of what the human's clause speaks of
_LONGEST = 400  # characters of a sentence that is looked into; a page without a full stop would take minutes
_TRIED = 3  # sentences of the passage tried for each of the human's clauses
_COMPARED = ("duration", "amount", "share", "count", "measure", "number", "time")
_HAN = "零一二三四五六七八九十"
_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_TOKEN = re.compile(rf"\d+(?:\.\d+)?|[{_HAN}两]+|\b(?:{'|'.join(_WORDS)})\b", re.IGNORECASE)
_CLAUSE = re.compile(r"[,，;；。!！]|(?<=[a-z]), ")
_LISTED = re.compile(r"\W*\d{1,2}[.、)]\s+")
_FAR = 9.0  # of a number in words that says no value alone
_VALUE = re.compile(r"\d+(?:\.\d+)?")


@dataclass(frozen=True, slots=True)
class Clash:
    """A sentence of the passage in which other figures stand than the human's: as it is, and as it would have to be.

    ``nearness`` 0–1 is its agreement with the human's clause; ``pairs`` are (the human's figure, the one it replaces).
    """

    sentence: str
    mended: str
    pairs: tuple[tuple[Figure, Figure], ...]
    nearness: float


def telling_clauses(sentences: Iterable[str]) -> list[str]:
    """The human's clauses with a figure in them, and their whole sentences: either may be nearer to the passage's."""
    found: dict[str, None] = {}
    for sentence in sentences:
        if _compared(sentence):
            found[sentence] = None
            found |= {
                part.strip(): None for part in _CLAUSE.split(sentence) if len(part.strip()) > 3 and _compared(part)
            }
    return list(found)


def clashes(clauses: Sequence[str], held: Sequence[str], agreed: NDArray[np.float32], told: str) -> list[Clash]:
    """Where a figure would have to be another one for the passage to say what the human says, nearest first.

    ``agreed`` is (clauses, held) agreement 0–1; ``told`` is all that human and customer said. A number that they said
    is left as it is: it stands for something else. Each of the human's figures is put in once, where it is nearest.
    """
    kept = figures(told)
    wanted = [
        (float(agreed[row, n]), figure, n)
        for row, clause in enumerate(clauses)
        for figure in _compared(clause)
        for n in np.argsort(-agreed[row], kind="stable")[:_TRIED].tolist()
        if agreed[row, n] >= ALIGNED and len(held[n]) <= _LONGEST and not _among(figure, figures(held[n]))
    ]
    wanted.sort(key=lambda item: (-item[0], item[1].kind, item[1].value, item[2]))
    mended: dict[int, str] = {}
    put: dict[int, list[tuple[Figure, Figure]]] = {}
    nearness: dict[int, float] = {}
    done: set[Figure] = set()
    for near, figure, n in wanted:
        if _among(figure, done):
            continue
        made = with_figure(mended.get(n, held[n]), figure, (*kept, *done))
        if made is None:
            continue
        done.add(figure)
        others = [m for m, text in enumerate(held) if m != n and len(text) <= _LONGEST]
        for m in (n, *(m for m in others if made.lost in figures(mended.get(m, held[m])))):
            other = made if m == n else with_figure(mended.get(m, held[m]), figure, (*kept, *done), made.lost)
            if other is not None:  # the same figure wherever the passage gives it
                mended[m] = other.text
                put.setdefault(m, []).append((figure, other.lost))
                nearness[m] = max(near, nearness.get(m, 0.0))
    found = [Clash(held[n], text, tuple(put[n]), nearness[n]) for n, text in mended.items()]
    return sorted(found, key=lambda clash: (-clash.nearness, clash.sentence))


@dataclass(frozen=True, slots=True)
class Swap:
    """A sentence with another figure, the figure that it lost for it, and how far apart the two numbers are."""

    text: str
    lost: Figure
    far: float


def with_figure(
    sentence: str, wanted: Figure, kept: Collection[Figure] = (), instead_of: Figure | None = None
) -> Swap | None:
    """The sentence with this figure in place of its nearest comparable one; None where none can be made it.

    Figures that are ``kept`` are not replaced; with ``instead_of`` only that one is.
    """
    before = figures(sentence)
    if _among(wanted, before):
        return None
    start = match.end() if (match := _LISTED.match(sentence)) else 0
    listed, rest = sentence[:start], sentence[start:]
    best: Swap | None = None
    for token, unit in dict.fromkeys((m.group(), _unit(rest, m)) for m in _TOKEN.finditer(rest)):
        old = _number(token)
        for number, written in _written(wanted, token):
            changed = listed + _TOKEN.sub(partial(_swapped, token=token, unit=unit, written=written), rest)
            after = figures(changed)
            lost = sorted((f for f in before if not _among(f, after)), key=lambda f: (f.kind, f.value))
            if not lost or not _among(wanted, after) or any(_among(f, kept) for f in lost):
                continue
            if instead_of is not None and instead_of not in lost:
                continue
            far = abs(math.log((number + 0.5) / (old + 0.5))) if old is not None else _FAR
            if best is None or far < best.far:
                best = Swap(changed, instead_of or lost[0], far)
    return best


def mended(chunk: Chunk, found: Iterable[Clash]) -> Chunk:
    """The chunk as it would read had it the human's figures."""
    text = "\n".join(fold(line) for line in chunk.text.splitlines())
    for clash in found:
        text = text.replace(clash.sentence, clash.mended)
    return replace(chunk, text=text)


def human_words(case: ReplyCase, said: Sequence[str]) -> Chunk:
    """An article that says what the human said and nothing else: what the answering step can do at its best."""
    return Chunk(
        id=f"said:{case.case_id}",
        document_id=f"said:{case.case_id}",
        kind=DocumentKind.ARTICLE,
        position=0,
        title=case.question[:60],
        heading="",
        text="\n".join(said),
        locale=case.locale,
        audience="public",
    )


def _swapped(match: re.Match[str], token: str, unit: str, written: str) -> str:
    same = match.group() == token and _unit(match.string, match) == unit
    return written if same else match.group()


def _unit(text: str, match: re.Match[str]) -> str:
    """The letter after a number: of 一年 and 一次 only one is meant."""
    return text[match.end() :].lstrip()[:1]


@lru_cache(maxsize=20_000)
def _compared(text: str) -> tuple[Figure, ...]:
    found = (f for f in figures(text) if f.kind.startswith(_COMPARED))
    return tuple(sorted(found, key=lambda f: (f.kind, f.value)))


def _written(figure: Figure, token: str) -> list[tuple[float, str]]:
    """The figure's number in the units that it may be told in, each written as the token is."""
    match = _VALUE.search(figure.value)
    if match is None or (figure.kind == "time" and not figure.value.endswith(":00")):
        return []
    value = float(match.group())
    scales: tuple[float, ...] = (1.0,)
    if figure.kind == "duration":
        scales = (1.0, 1 / 12) if figure.value.endswith("mo") else (1.0, 1 / 24, 1 / 168, 60.0)
    elif figure.kind == "share":
        value_of_discount = (100 - value) / 10  # 85 折 is 15 percent off
        return [(v, _plain(v)) for v in (value, value_of_discount, 10 * value_of_discount)]
    made = [(value * scale, _as_token(value * scale, token)) for scale in scales]
    return [(number, written) for number, written in made if written is not None]


def _as_token(value: float, token: str) -> str | None:
    if token[0].isdigit() or value != int(value):
        return _plain(value)
    if token.casefold() in _WORDS:
        return _WORDS[int(value)] if value <= 12 else _plain(value)
    return _HAN[int(value)] if value <= 10 else _plain(value)


def _number(token: str) -> float | None:
    if token[0].isdigit():
        return float(token)
    if token.casefold() in _WORDS:
        return float(_WORDS.index(token.casefold()))
    return float(_HAN.index(token)) if len(token) == 1 and token in _HAN else None


def _plain(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _among(figure: Figure, others: Collection[Figure]) -> bool:
    return any(agree(figure, other) for other in others)
