"""How much of the reference's facts a reply holds: figures, names and paths, and the words that carry its content."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from assistant.text import Segmenter, fold, language_of
from evals.answer_metrics.figures import Figure, agree, figures
from evals.answer_metrics.sentences import content_sentences

_SEGMENTER = Segmenter()
_NAMED = re.compile(
    r"[【「『《“\"]([^】」』》”\"]{2,20})[】」』》”\"]|([\u3400-\u9fffA-Za-z ]{2,8})(?=\s*(?:→|>|—>|->))|(?:→|>"
    r"|->)\s*([\u3400-\u9fffA-Za-z ]{2,8})"
)
FIGURES_SHARE = 0.6  # of the facts, where there are figures or names; the rest are words
ID_WEIGHT = 0.2  # this customer's numbers: known from live state, seldom the point
ASKED_WEIGHT = 0.3  # what the customer said already is little merit to repeat
WORDS_BY_LUCK, WORDS_ENOUGH = 0.04, 0.5  # share of words that unrelated replies have; two humans reach a third


@dataclass(frozen=True, slots=True)
class Weights:
    """Inverse document frequencies over a set of replies, so that words every agent uses weigh little."""

    idf: Mapping[str, float]
    unseen: float

    def of(self, term: str) -> float:
        """The term's idf; a term in no reply weighs most."""
        return self.idf.get(term, self.unseen)


def weights_of(texts: Iterable[str]) -> Weights:
    """idf = ln((N + 1) / (n + 0.5)), not below 0.1, over the content sentences of these texts."""
    count = 0
    holding: Counter[str] = Counter()
    for text in texts:
        count += 1
        holding.update(set(content_terms(text)))
    idf = {term: max(0.1, math.log((count + 1) / (n + 0.5))) for term, n in holding.items()}
    return Weights(idf, max(0.1, math.log((count + 1) / 0.5)))


@lru_cache(maxsize=20_000)
def content_terms(text: str) -> tuple[str, ...]:
    """Index terms of the content sentences; numbers are left to the figures."""
    terms = _SEGMENTER.terms(" ".join(content_sentences(text)))
    return tuple(term for term in terms if not any(letter.isdigit() for letter in term))


def names(text: str) -> set[str]:
    """Quoted names and the steps of menu paths."""
    found = {part.strip().casefold() for match in _NAMED.finditer(fold(text)) for part in match.groups() if part}
    return {part for name in found for part in re.split(r"\s*(?:→|->|>)\s*", name) if len(part) > 1}


def content_figures(text: str) -> set[Figure]:
    """The figures of the content sentences."""
    return {figure for sentence in content_sentences(text) for figure in figures(sentence)}


def facts_recall(reply: str, reference: str, question: str, weights: Weights) -> float:
    """Share of the reference's facts that the reply holds, 0–1.

    0.6 · figures and names + 0.4 · words; whichever the reference lacks leaves its share to the other. Words are
    weighted by idf and scaled from what luck gives to half of them, for no two people choose the same words. Where
    the two are in different languages words cannot match: figures and names alone count.
    """
    hard = _figures_held(reply, reference, question)
    same = _language(reply) == _language(reference)
    soft = _words_held(reply, reference, question, weights) if same or hard is None else None
    if hard is None or soft is None:
        return next((part for part in (hard, soft) if part is not None), 0.0)
    return FIGURES_SHARE * hard + (1 - FIGURES_SHARE) * soft


def _figures_held(reply: str, reference: str, question: str) -> float | None:
    said, asked = figures(reply), figures(question)
    wanted = []
    for figure in content_figures(reference):
        weight = ID_WEIGHT if figure.kind == "id" else 1.0
        weight *= ASKED_WEIGHT if any(agree(figure, other) for other in asked) else 1.0
        wanted.append((weight, any(agree(figure, other) for other in said)))
    wanted += [(1.0, name.replace(" ", "") in _plain(reply)) for name in names(reference)]
    return _share(wanted)


def _words_held(reply: str, reference: str, question: str, weights: Weights) -> float | None:
    held, echoed = _term_set(reply), _asked_terms(question)
    share = _share(
        [
            (weights.of(term) * (ASKED_WEIGHT if term in echoed else 1.0), term in held)
            for term in sorted(_term_set(reference))
        ]
    )
    if share is None:
        return None
    return min(1.0, max(0.0, (share - WORDS_BY_LUCK) / (WORDS_ENOUGH - WORDS_BY_LUCK)))


def _share(wanted: Sequence[tuple[float, bool]]) -> float | None:
    """Of the weight that is wanted, the share that is held; ``fsum``, for facts come from sets, in no fixed order."""
    total = math.fsum(weight for weight, _ in wanted)
    return math.fsum(weight for weight, hit in wanted if hit) / total if total else None


# Run by run the same few texts meet each other: a passage every human's reply, a human's reply every passage.


@lru_cache(maxsize=20_000)
def _term_set(text: str) -> frozenset[str]:
    return frozenset(content_terms(text))


@lru_cache(maxsize=5_000)
def _asked_terms(question: str) -> frozenset[str]:
    return frozenset(_SEGMENTER.terms(question))


@lru_cache(maxsize=20_000)
def _language(text: str) -> str:
    return language_of(" ".join(content_sentences(text)))


@lru_cache(maxsize=20_000)
def _plain(text: str) -> str:
    return re.sub(r"\s+", "", fold(text).casefold())
