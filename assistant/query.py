"""What is asked: the question, what was said before it, and the thing that is meant."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assistant.domain.knowledge import Audience, DocumentKind
from assistant.fusion import Features
from assistant.spelling import read_as
from assistant.store.snapshot import EntryTable, Snapshot
from assistant.subjects import NONE, last_named, named_in
from assistant.text import fold

SUBJECT_DISTANCE = 0.3  # between documents on the thing that is meant and those on another
MOST_CARRIED = 3


@dataclass(frozen=True, slots=True)
class Query:
    """What to look for. ``exclude_conversations`` keeps an evaluation from seeing its own case.

    ``context`` is what was said just before: the question is also read after it, and both readings count.
    ``earlier`` are earlier messages, latest first: where ``text`` names no subject, the last one named there is meant.
    ``as_typed`` leaves slips in ``text`` as they are.
    """

    text: str
    k: int = 5
    audience: Audience = "public"
    locale: str | None = None
    exclude_conversations: frozenset[str] = frozenset()
    only: DocumentKind | None = None
    earlier: tuple[str, ...] = ()
    context: str = ""
    as_typed: bool = False


@dataclass(frozen=True, slots=True)
class Meant:
    """A question as it is searched: its own text, what it is read after, and numbers of the subjects it is about.

    ``carried``: the question names none of them, an earlier message does.
    """

    text: str
    context: str
    subjects: frozenset[int]
    carried: bool = False

    @property
    def readings(self) -> list[str]:
        return [self.text, f"{self.context} {self.text}"] if self.context else [self.text]


def meant_by(query: Query, snapshot: Snapshot) -> Meant:
    """What is searched, slips mended: where it names no subject, the last one named before it is its context."""
    text, table = fold(query.text), snapshot.table
    text = text if query.as_typed else read_as(text, snapshot.lexicon)
    asked = frozenset(named_in(text, table.subjects))
    if asked:
        return Meant(text, fold(query.context), asked)
    carried = last_named(query.earlier, table.subjects)
    if not 1 <= len(carried) <= MOST_CARRIED:  # a list of all that there is names nothing in particular
        return Meant(text, fold(query.context), frozenset())
    return Meant(text, " ".join(table.subjects[number] for number in sorted(carried)), carried, carried=True)


def about(table: EntryTable, text: str, features: Features) -> NDArray[np.float64]:
    """(chunks,) what the raw score of documents on another subject than the question names loses."""
    return against_others(table, Meant(text, "", frozenset(named_in(text, table.subjects))), features)


def against_others(table: EntryTable, meant: Meant, features: Features) -> NDArray[np.float64]:
    """(chunks,) against documents on another named subject than those that are meant.

    Where the question names its subject itself, its words prefer that one enough, and documents on no subject stay
    where they are: how any card is closed is said once for all cards. A carried name is not in the words: half of
    the distance is added to documents on it.
    """
    subject = table.subject_of[features.document]
    if not meant.subjects:
        return np.zeros(len(subject))
    own = np.isin(subject, list(meant.subjects))
    added = SUBJECT_DISTANCE / 2 if meant.carried else 0.0
    return np.asarray(added * own - (SUBJECT_DISTANCE - added) * ((subject != NONE) & ~own), dtype=np.float64)
