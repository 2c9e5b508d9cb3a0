"""What a workspace knows to be right: its articles' own questions, and resolved cases whose article was noted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from assistant.domain.knowledge import Chunk, DocumentKind, EntryField, IndexEntry
from assistant.drafting import split_turns
from assistant.followup import standalone
from assistant.text import fold
from evals.cases import ReplyCase

ARTICLE_QUESTION, RESOLVED_CASE = "article question", "resolved case"


@dataclass(frozen=True, slots=True)
class Lesson:
    """A question and the articles that answer it; lessons of one ``group`` are never on both sides of a split.

    The question itself is hidden from the index while it is asked, so that no question finds itself.
    """

    text: str
    right: frozenset[str]
    group: str
    source: str
    at: datetime | None = None


def lessons_of_articles(
    chunks: Sequence[Chunk], entries: Iterable[IndexEntry], twins: Mapping[str, str] | None = None
) -> list[Lesson]:
    """A lesson for each question of a public article that has two and more.

    ``twins`` is article → name of its group: the translation of an article answers as well as the article.
    """
    article = {c.id: c.document_id for c in chunks if c.kind is DocumentKind.ARTICLE and c.audience == "public"}
    asked: dict[str, dict[str, str]] = defaultdict(dict)
    for entry in entries:
        if entry.field is EntryField.QUESTION and entry.chunk_id in article:
            asked[article[entry.chunk_id]].setdefault(fold(entry.text), entry.text)
    alike = _groups(twins or {})
    return [
        Lesson(text, alike.get(name, frozenset({name})), f"question:{key}", ARTICLE_QUESTION)
        for name, texts in asked.items()
        if len(texts) > 1
        for key, text in texts.items()
    ]


def lessons_of_cases(cases: Iterable[ReplyCase], twins: Mapping[str, str] | None = None) -> list[Lesson]:
    """A lesson for each case whose articles were noted, asked as a draft for an agent would ask."""
    alike = _groups(twins or {})
    made = []
    for case in cases:
        if not case.article_ids:
            continue
        text, _, history = split_turns(case.turns)
        asked = standalone(text, history)
        right = frozenset().union(*(alike.get(name, frozenset({name})) for name in case.article_ids))
        if asked.strip():
            made.append(Lesson(asked, right, f"conversation:{case.conversation_id}", RESOLVED_CASE, case.at))
    return made


def _groups(twins: Mapping[str, str]) -> dict[str, frozenset[str]]:
    members: dict[str, set[str]] = defaultdict(set)
    for name, group in twins.items():
        members[group].add(name)
    return {name: frozenset(members[group]) for name, group in twins.items()}
