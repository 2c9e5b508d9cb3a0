"""Where a reply says the opposite of the reference: another value for the same figure, or yes for no."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from assistant.text import Segmenter, fold
from evals.answer_metrics.figures import Figure, agree, figures

ALIGNED = 0.25  # agreement from which two sentences speak of the same thing
_SAME_SUBJECT = 0.55  # agreement from which opposite verdicts are about one subject
_SAME_CLAUSE = 0.4  # Jaccard similarity of two clauses' terms
_PEERLESS = frozenset({"id", "number", "code", "time"})  # other values of these stand beside each other

_NO = re.compile(
    r"不(?:能|可以|可|支持|行|会|了|允许|包|退|给|收|用|需要?|保|建议|属于|享受|算|叠加|符合|满足)|没(?:有|法|办法)?|无法|无需|未|别"
    r"|\b(?:not|no|never|none|without|unable|cannot|can't|won't|don't|doesn't|didn't|isn't|aren't"
    r"|wasn't|couldn't|n't)\b|n't\b",
    re.IGNORECASE,
)
_YES = re.compile(
    r"(?<!不)(?:可以|支持|能|会|允许|符合|享受|有的)|\b(?:can|will|is|are|does|do|yes|able|allowed|supports?"
    r"|eligible|may)\b(?! ?(?:not|n't))",
    re.IGNORECASE,
)
_MODAL = re.compile(r"可以?|支持|能|会|允许|\b(?:can|will|does|do|is|are|was|were|could|would|able)\b", re.IGNORECASE)
_DOUBLE = re.compile(
    r"不是不|没问题|不得不|不仅|不但|不用担心|不客气|不好意思|不一定|能不能|可不可以|有没有|是不是|会不会|要不要"
    r"|no problem|no worries|not only",
    re.IGNORECASE,
)
_CLAUSE = re.compile(r"[,，。;；:：!！]|(?<=[?？])|\. | but | and ")
_QUESTION = re.compile(r"[?？]|吗|没有?[呀啊]?\s*$|还是")
_LIGHT = frozenset("的了是有能可以会要给您我你他它这那到过")
_SEGMENTER = Segmenter()


@dataclass(frozen=True, slots=True)
class Contradiction:
    """``share`` 0–1: clashes ÷ what could clash. ``figures`` and ``verdicts`` are (reference, reply) pairs."""

    share: float
    figures: tuple[tuple[str, str], ...] = ()
    verdicts: tuple[tuple[str, str], ...] = ()


def contradiction(
    reply: Sequence[str],
    reference: Sequence[str],
    agreed: NDArray[np.float32],
    question: str,
) -> Contradiction:
    """Clashes between content sentences; ``agreed`` is (reference, reply) agreement 0–1.

    A figure clashes when its sentence's nearest counterpart has the same kind of figure with a value that stands
    nowhere in reference or question, while the reference's value stands nowhere in the reply. A verdict clashes when
    the counterpart, clearly on the same subject, is all yes where the reference is all no, or the other way round; or
    when two clauses share most of their words and one denies what the other affirms. A denial in wholly different
    words is not seen.
    """
    if not reply or not reference:
        return Contradiction(0.0)
    in_reply = {f for sentence in reply for f in figures(sentence)}
    told = {f for sentence in reference for f in figures(sentence)} | figures(question)
    checked = 0
    clashes: list[tuple[str, str]] = []
    flips: list[tuple[str, str]] = []
    for row, sentence in enumerate(reference):
        nearest = int(np.argmax(agreed[row]))
        if agreed[row, nearest] < ALIGNED:
            continue
        other = reply[nearest]
        theirs = {f for f in figures(other) if not _among(f, told)}
        for figure in sorted(figures(sentence), key=lambda f: (f.kind, f.value)):
            if figure.kind in _PEERLESS:
                continue
            rivals = sorted(f.value for f in theirs if f.kind == figure.kind)
            held = _among(figure, in_reply)
            checked += held or bool(rivals)
            if rivals and not held:
                clashes.append((f"{figure.kind} {figure.value}", rivals[0]))
        mine, counterpart = verdict(sentence), verdict(other)
        if mine and counterpart and agreed[row, nearest] >= _SAME_SUBJECT:
            checked += 1
            if mine != counterpart:
                flips.append((sentence, other))
    flips += [pair for pair in _flipped_clauses(reply, reference) if not any(_inside(pair, known) for known in flips)]
    checked = max(checked, len(clashes) + len(flips))
    wrong = len(clashes) + len(flips)
    return Contradiction(wrong / checked if checked else 0.0, tuple(clashes), tuple(flips))


def verdict(sentence: str) -> int:
    """1 for a sentence that only allows or affirms, -1 for one that only denies, 0 for both or neither."""
    plain = _DOUBLE.sub(" ", sentence)
    no = len(_NO.findall(plain))
    yes = len(_YES.findall(_NO.sub(" ", plain)))
    return 0 if bool(no) == bool(yes) else (-1 if no else 1)


@dataclass(frozen=True, slots=True)
class _Clause:
    text: str
    denies: bool
    terms: frozenset[str]
    denied: frozenset[str]  # what the denial is about: characters, or English words


def _flipped_clauses(reply: Sequence[str], reference: Sequence[str]) -> list[tuple[str, str]]:
    theirs = [clause for sentence in reply for clause in _clauses(sentence)]
    found = []
    for clause in (clause for sentence in reference for clause in _clauses(sentence)):
        alike = [
            (len(clause.terms & other.terms) / len(clause.terms | other.terms), _opposite(clause, other), other.text)
            for other in theirs
            if len(clause.terms & other.terms) >= 2
        ]
        if not alike:
            continue
        nearness, opposite, text = max(alike)
        if opposite and nearness >= _SAME_CLAUSE and not any(n >= 0.8 * _SAME_CLAUSE and not o for n, o, _ in alike):
            found.append((clause.text, text))
    return found


def _opposite(one: _Clause, other: _Clause) -> bool:
    """One denies what the other affirms: the denied words themselves stand in the other."""
    if one.denies == other.denies:
        return False
    denying, affirming = (one, other) if one.denies else (other, one)
    plain = fold(affirming.text).casefold()
    return any(word in plain for word in denying.denied)


@lru_cache(maxsize=50_000)
def _clauses(sentence: str) -> tuple[_Clause, ...]:
    found = []
    for clause in _CLAUSE.split(sentence):
        if _QUESTION.search(clause):
            continue
        plain = _DOUBLE.sub(" ", clause)
        bare = _MODAL.sub(" ", _NO.sub(" ", plain))
        terms = frozenset(t for t in _SEGMENTER.terms(bare) if len(t) > 1 and not any(c.isdigit() for c in t))
        denials = list(_NO.finditer(plain))
        denied = {word for match in denials for word in _denied(plain, match)}
        if len(terms) >= 2:
            found.append(_Clause(clause.strip(), len(denials) % 2 == 1, terms, frozenset(denied)))
    return tuple(found)


def _denied(clause: str, match: re.Match[str]) -> list[str]:
    after = clause[match.end() :]
    around = clause[max(0, match.start() - 2) : match.start()] if match.group().endswith("了") else after[:3]
    inside = match.group()[1:] if len(match.group()) > 1 else ""  # 不支持, 不包: the verb is part of the denial
    han = [c for c in inside + around if "\u3400" <= c <= "\u9fff" and c not in _LIGHT]
    return han or [word.casefold() for word in re.findall(r"[A-Za-z]{3,}", after)[:2]]


def _inside(pair: tuple[str, str], known: tuple[str, str]) -> bool:
    return pair[0] in known[0] and pair[1] in known[1]


def _among(figure: Figure, others: Iterable[Figure]) -> bool:
    return any(agree(figure, other) for other in others)
