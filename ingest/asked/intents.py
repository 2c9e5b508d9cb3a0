"""Groups what was asked into intents: by the article that answers it, else by likeness of the questions."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from assistant.domain.knowledge import DocumentKind
from assistant.ports import Embedder, Vectors
from assistant.query import Query
from assistant.retrieval import Retriever
from assistant.store.snapshot import Snapshot
from assistant.text import fold

SUPPORTED = 0.25  # of question and answer together, from which an article is taken to be the one that answers
TWIN = 0.86  # cosine from which two articles in two languages are one (see docs/suggestions.md)
ALIKE = 0.91  # cosine from which two questions without an article are one
_DEPTH = 30


@dataclass(frozen=True, slots=True)
class Grouping:
    """``intent`` of each question, in their order; ``members`` of each intent; ``twins`` article → its group's name."""

    intent: tuple[str, ...]
    articles: Mapping[str, tuple[str, ...]]
    twins: Mapping[str, str]
    vectors: Vectors


def article_groups(snapshot: Snapshot) -> dict[str, str]:
    """Article → name of its group: an article and its translation share one, found by their vectors alone.

    Two articles are a pair where each is the other's nearest in the other language, at least ``TWIN`` alike; distances
    are corrected for hubs (CSLS, Conneau et al. 2018, "Word translation without parallel data").
    """
    table = snapshot.table
    number = [d for d in range(len(table.document_ids)) if table.is_article[table.document == d].any()]
    if not number:
        return {}
    rows = np.stack([_mean(np.asarray(snapshot.vectors[table.document == d])) for d in number])
    chinese = np.array([bool(table.chinese[table.document == d].mean() >= 0.5) for d in number])
    names = [table.document_ids[d] for d in number]
    group = {name: name for name in names}
    zh, en = np.flatnonzero(chinese), np.flatnonzero(~chinese)
    if len(zh) and len(en):
        near = rows[zh] @ rows[en].T
        # articles on like matters are hubs: what counts is being nearer than either is to others (CSLS)
        adjusted = 2 * near - _crowd(near, 1)[:, None] - _crowd(near, 0)[None, :]
        for i, place in enumerate(zh):
            j = int(adjusted[i].argmax())
            if int(adjusted[:, j].argmax()) == i and near[i, j] >= TWIN:
                group[names[int(en[j])]] = names[int(place)]
    return group


def group_questions(
    texts: Sequence[str],
    answers: Sequence[str],
    recorded: Sequence[Sequence[str]],
    retriever: Retriever,
    embedder: Embedder,
    twins: Mapping[str, str],
    now: datetime,
    advance: Callable[[int], None] | None = None,
    *,
    supported: float = SUPPORTED,
) -> Grouping:
    """An intent for each question. What the agent noted decides where retrieval finds it too; else the article that
    question and answer together find, where it is supported.

    A question that no article supports joins the nearest such question, or starts an intent of its own.
    """
    intents: list[str] = []
    vectors = (
        embedder.embed_queries([fold(text) for text in texts])
        if texts
        else np.zeros((0, embedder.dimensions), dtype=np.float32)
    )
    heads: list[int] = []
    names: list[str] = []
    articles: dict[str, tuple[str, ...]] = {}
    for number, (text, answer, noted) in enumerate(zip(texts, answers, recorded, strict=True)):
        chosen = _article(text, answer, noted, vectors[number], retriever, twins, now, supported)
        if chosen is not None:
            name = twins.get(chosen, chosen)
            intents.append(f"a:{name}")
            articles[f"a:{name}"] = tuple(sorted(a for a, g in twins.items() if g == name)) or (name,)
        else:
            intents.append(_joined(number, vectors, heads, names, text))
        if advance is not None:
            advance(number + 1)
    return Grouping(tuple(intents), articles, twins, vectors)


def _article(
    text: str,
    answer: str,
    noted: Sequence[str],
    vector: NDArray[np.float32],
    retriever: Retriever,
    twins: Mapping[str, str],
    now: datetime,
    supported: float,
) -> str | None:
    """The article that answers: of those the agent noted the best ranked, else the first where it is supported."""
    if noted:
        wanted = {twins.get(a, a) for a in noted}
        query = Query(text, k=_DEPTH, only=DocumentKind.ARTICLE, audience="internal")
        ranked = retriever.rank_documents(query, now=now, vector=vector)
        return next((name for name, _ in ranked if twins.get(name, name) in wanted), None)
    both = Query(f"{text}\n{answer}".strip(), k=1, only=DocumentKind.ARTICLE)
    found = retriever.search(both, now=now).best
    return found.document_id if found is not None and found.score >= supported else None


def _joined(number: int, vectors: Vectors, heads: list[int], names: list[str], text: str) -> str:
    if heads:
        near = np.asarray(vectors[heads]) @ vectors[number]
        best = int(near.argmax())
        if near[best] >= ALIKE:
            return names[best]
    heads.append(number)
    names.append(f"q:{hashlib.sha256(fold(text).encode()).hexdigest()[:12]}")
    return names[-1]


def _crowd(near: NDArray[np.float32], axis: int) -> NDArray[np.float32]:
    """Mean similarity of each article to its nearest few in the other language."""
    few = min(5, near.shape[axis])
    return np.asarray(np.sort(near, axis=axis).take(range(-few, 0), axis=axis).mean(axis=axis), dtype=np.float32)


def _mean(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    middle = rows.mean(axis=0)
    return np.asarray(middle / max(float(np.linalg.norm(middle)), 1e-9), dtype=np.float32)
