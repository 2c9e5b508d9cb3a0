"""Where two replies differ in facts: clauses with figures that the other lacks, and the human's figures each holds."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape

from evals.answer_metrics.facts import content_figures
from evals.answer_metrics.figures import Figure, agree, figures

_CLAUSE = re.compile(r"(?<=[，。！？；\n])|(?<=[.!?;,])(?=\s)")
_NUMBERED = re.compile(r"^\s*\d{1,2}[.、)）]\s*", re.MULTILINE)
_NO_FACTS = frozenset({"code", "id"})  # product names and this customer's numbers


@dataclass(frozen=True, slots=True)
class Held:
    """How many of the human's figures a reply holds."""

    held: int
    wanted: int


def marked(text: str, other: str) -> str:
    """The text as HTML, each clause with a figure that ``other`` has not inside ``<mark>``."""
    theirs = _figures(other)
    out = []
    for clause in _CLAUSE.split(text):
        differs = any(not _among(own, theirs) for own in _figures(clause))
        lead = clause[: len(clause) - len(clause.lstrip())]
        out.append(f"{lead}<mark>{escape(clause.lstrip())}</mark>" if differs else escape(clause))
    return re.sub(r"</mark>(\s*)<mark>", r"\1", "".join(out))


def differ(one: str, other: str) -> bool:
    """Whether either has a figure that the other has not."""
    a, b = _figures(one), _figures(other)
    return any(not _among(f, b) for f in a) or any(not _among(f, a) for f in b)


def held(reply: str, reference: str) -> Held:
    """The human's figures, and how many of them the reply has; names and this customer's numbers aside."""
    wanted = [f for f in content_figures(reference) if f.kind not in _NO_FACTS]
    said = _figures(reply)
    return Held(sum(_among(f, said) for f in wanted), len(wanted))


def _figures(text: str) -> set[Figure]:
    return {f for f in figures(_NUMBERED.sub("", text)) if f.kind not in _NO_FACTS}


def _among(wanted: Figure, others: Iterable[Figure]) -> bool:
    return any(agree(wanted, other) for other in others)
