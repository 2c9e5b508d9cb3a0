"""Rules by which an earlier question's answer could be given to a later one, and what each of them would have given."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from assistant.answering.answer_cache import normal_form
from assistant.answering.asked_form import asked_form
from assistant.answering.composing import WORTH_SHOWING, supporting
from assistant.domain.knowledge import Passage
from assistant.extractive import ExtractiveAnswerer
from assistant.extractive.relevance import asked_for, terms
from assistant.figures import figures
from assistant.ports import Embedder
from assistant.query import Query
from assistant.retrieval import Retriever
from assistant.text import has_han, language_of

THRESHOLDS = (0.95, 0.97, 0.98, 0.99)
_NOT = re.compile(r"[不没未无非别]|除了|\b(?:not|no|never|without|cannot|un\w+)\b|n't\b")
_TURNING = re.compile(
    r"[前后内外只仅都也上下多少高低大小]|\b(?:before|after|from|to|only|over|under|more|less|on|off|by|if|unless|until"
    r"|since|again|in|out)\b"
)
_LEAD = re.compile(
    r"\b(?:how|why|when|where|who|what|which|whose|can|is|do|does|are|was|were|will|did|should|could|may)\b"
)
_LATIN = re.compile(r"[a-z0-9]+(?:[-_.'][a-z0-9]+)*")


@dataclass(frozen=True)
class Met:
    """A question with what the service found for it; two with a common ``label`` may share an answer."""

    text: str
    labels: frozenset[str]
    reading: str
    vector: NDArray[np.float32]
    passages: tuple[Passage, ...]

    @cached_property
    def shown(self) -> tuple[tuple[str, str], ...]:
        """The passages that a model would be given, in order."""
        return tuple((passage.id, passage.text) for passage in self.passages)

    @cached_property
    def form(self) -> str:
        """The form by which answers are remembered."""
        return asked_form(normal_form(self.reading))

    @cached_property
    def said(self) -> tuple[object, ...]:
        """Figures, negations, turning words, kinds of answer; in Chinese its Latin words, else the question word."""
        text = normal_form(self.reading)
        numbers = sorted((f.dimension or "", f.number) for f in figures(self.reading))
        names = sorted(_LATIN.findall(text)) if has_han(text) else _LEAD.findall(text)[:1]
        return (numbers, sorted(_NOT.findall(text)), sorted(_TURNING.findall(text)), asked_for(self.reading), names)

    @cached_property
    def terms(self) -> frozenset[str]:
        """Terms of the question."""
        return terms(self.reading)

    @cached_property
    def passage_terms(self) -> frozenset[str]:
        """Terms of the passages and their titles."""
        return frozenset[str]().union(*(terms(f"{p.title} {p.text}") for p in self.passages))


@dataclass(frozen=True, slots=True)
class Hits:
    """Of ``questions`` in a row, how many an earlier one would have answered, and how many of those of no common label.

    ``wrong`` is the least that is wrong: two questions of one label need not be the same question.
    """

    questions: int
    hits: int
    wrong: int


Rule = Callable[[Met, Met], bool]


def meet(
    asked: Sequence[tuple[str, frozenset[str]]], retriever: Retriever, embedder: Embedder, now: datetime
) -> list[Met]:
    """Every question as the service would read it, with the passages that it would show to a model."""
    out = []
    for text, labels in asked:
        reading = retriever.reading(text)
        found = retriever.search(Query(text), now=now)
        shown = tuple(supporting(found.passages, WORTH_SHOWING))
        out.append(Met(text, labels, reading, embedder.embed_queries([reading])[0], shown))
    return out


def rules_by_meaning(embedder: Embedder, now: datetime) -> dict[str, Rule]:
    """Names of rules, each with all before it: nearness, the same passages, words that turn a question, evidence."""
    extractive = ExtractiveAnswerer()
    quoted: dict[int, frozenset[tuple[str, str]]] = {}

    def evidence(one: Met) -> frozenset[tuple[str, str]]:
        if id(one) not in quoted:
            locale = "zh" if language_of(one.text) == "zh" else "en"
            answer = extractive.answer(one.reading, one.passages, locale=locale, embedder=embedder, now=now)  # type: ignore[arg-type]
            quoted[id(one)] = frozenset((cited.passage_id, cited.quote) for cited in answer.citations)
        return quoted[id(one)]

    steps: list[tuple[str, Rule]] = [
        ("cosine", lambda one, other: True),
        ("and the same passages", lambda one, other: one.shown == other.shown),
        ("and figures, negations, turning words, question words", lambda one, other: one.said == other.said),
        ("and the same sentences quoted", lambda one, other: evidence(one) == evidence(other)),
        (
            "and no word of one alone in the passages",
            lambda one, other: not (one.terms ^ other.terms) & one.passage_terms,
        ),
    ]
    return dict(accumulate(steps, lambda before, step: (step[0], _both(before[1], step[1]))))


def _both(one: Rule, other: Rule) -> Rule:
    return lambda a, b: one(a, b) and other(a, b)


RULES_BY_FORM: dict[str, Rule] = {
    "same words (decision 25)": lambda one, other: normal_form(one.text) == normal_form(other.text),
    "same words as read": lambda one, other: normal_form(one.reading) == normal_form(other.reading),
    "same asked form": lambda one, other: one.form == other.form,
    "same asked form and passages (in use)": lambda one, other: one.form == other.form and one.shown == other.shown,
}


def in_a_row(met: Sequence[Met], rule: Rule, threshold: float) -> Hits:
    """A hit is the nearest earlier question with a cosine of at least ``threshold`` that the rule allows."""
    cosines = np.stack([one.vector for one in met]) @ np.stack([one.vector for one in met]).T
    hits = wrong = 0
    for i in range(1, len(met)):
        for j in np.argsort(-cosines[i, :i]):
            if cosines[i, j] < threshold:
                break
            if rule(met[i], met[j]):
                hits += 1
                wrong += not met[i].labels & met[j].labels
                break
    return Hits(len(met), hits, wrong)
