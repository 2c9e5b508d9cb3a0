"""What an agent changed in a draft, as kinds that someone can act on: a wrong figure is not a warmer tone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher
from typing import Literal

from assistant.text import fold
from evals.answer_metrics.facts import Weights, content_figures, facts_recall, names
from evals.answer_metrics.figures import Figure, agree
from evals.answer_metrics.sentences import content_sentences

EditKind = Literal["figure_changed", "entity_fixed", "fact_added", "fact_removed", "rewritten", "tone_only"]
EDIT_KINDS: tuple[EditKind, ...] = (
    "figure_changed",
    "entity_fixed",
    "fact_added",
    "fact_removed",
    "rewritten",
    "tone_only",
)
SAME = 0.6  # likeness from which two sentences say one thing in other words
REWRITTEN = 0.35  # likeness of all that is said below which the draft was put aside
_ENTITIES = frozenset({"id", "code"})
_NUMBER = re.compile(r"(?<![A-Za-z0-9])(?=[A-Za-z0-9]*[A-Za-z])(?=(?:[A-Za-z]*\d){3})[A-Za-z0-9]{4,}(?![A-Za-z0-9])")


def edit_kinds(draft: str, sent: str) -> tuple[EditKind, ...]:
    """The kinds of change between the two, in the order of ``EDIT_KINDS``; empty where only space differs.

    A figure, number or name that gives way to another of its kind was changed; one without a counterpart was added or
    removed, and so was a sentence that nothing on the other side resembles (``SequenceMatcher`` ratio below 0.6).
    Where all that is said has a ratio below 0.35 the reply was rewritten, whatever else changed. Greetings, thanks and
    wording alone are tone.
    """
    if draft.strip() == sent.strip():
        return ()
    found: set[EditKind] = set()
    before, after = content_sentences(draft), content_sentences(sent)
    gone, new = _unmatched(content_figures(draft), content_figures(sent))
    swapped = {figure.kind for figure in gone} & {figure.kind for figure in new}
    if swapped & _ENTITIES:
        found.add("entity_fixed")
    if swapped - _ENTITIES:
        found.add("figure_changed")
    named, renamed = names(draft) | _numbers(draft), names(sent) | _numbers(sent)
    names_gone, names_new = named - renamed, renamed - named
    if names_gone and names_new:
        found.add("entity_fixed")
    if any(f.kind not in swapped for f in new) or (names_new and not names_gone) or _unlike(after, before):
        found.add("fact_added")
    if any(f.kind not in swapped for f in gone) or (names_gone and not names_new) or _unlike(before, after):
        found.add("fact_removed")
    if before and after and _likeness(_plain(before), _plain(after)) < REWRITTEN:
        found.add("rewritten")
    return tuple(kind for kind in EDIT_KINDS if kind in found) or ("tone_only",)


def facts_kept(draft: str, sent: str, weights: Weights) -> float | None:
    """Share of the draft's facts (figures, names, words of content) in what was sent; None where it has none."""
    return facts_recall(sent, draft, "", weights) if content_sentences(draft) else None


def _numbers(text: str) -> set[str]:
    """Order numbers and the like: letters and at least three digits in one word, whatever a shop's look like."""
    return {match.group().upper() for match in _NUMBER.finditer(fold(text))}


def _unmatched(a: Iterable[Figure], b: Iterable[Figure]) -> tuple[list[Figure], list[Figure]]:
    left, right = list(a), list(b)
    return (
        [figure for figure in left if not any(agree(figure, other) for other in right)],
        [figure for figure in right if not any(agree(figure, other) for other in left)],
    )


def _unlike(sentences: Sequence[str], others: Sequence[str]) -> bool:
    """Whether one of the sentences resembles none of the others, nor stands in them."""
    whole = _plain(others)
    plain = [_plain([other]) for other in others]
    for sentence in map(_plain, ([s] for s in sentences)):
        if sentence and sentence not in whole and all(_likeness(sentence, other) < SAME for other in plain):
            return True
    return False


def _likeness(a: str, b: str) -> float:
    return SequenceMatcher(None, a, b, autojunk=False).ratio()


def _plain(texts: Iterable[str]) -> str:
    """Letters alone, numbers as one sign: figures are compared apart."""
    return re.sub(r"\d+", "0", re.sub(r"[\W_]+", "", fold("".join(texts)).casefold()))
