"""The knowledge looked through: what is flagged, out of date, contradicted, repeated or never used, with evidence."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

import numpy as np

from assistant.bootstrap import Service
from assistant.domain.knowledge import Chunk, DocumentKind
from assistant.domain.review import ArticleFlag
from assistant.ports import Progress
from assistant.text import fold, language_of
from evals.answer_metrics.contradiction import contradiction
from evals.answer_metrics.figures import figures
from evals.answer_metrics.semantic import Background, SentenceVectors, agreements
from evals.answer_metrics.sentences import content_sentences
from evals.caching_embedder import CachingEmbedder
from evals.knowledge_view import Knowledge, knowledge_of
from evals.loop.review_record import flag_record
from evals.loop.shadow import duplicates
from evals.root_causes.parts import says_changed

OLD = timedelta(days=365)
_SAME_WORDS = 0.6  # of two articles' statements with their titles, figures aside
_NEAREST = 3  # articles looked at for each resolution, and for each article


@dataclass(frozen=True, slots=True)
class Clash:
    """Two texts that give another figure for the same thing; ``other`` is a conversation or an article.

    ``at`` is when the other was said, ``changed`` whether its words tell that the rule is another now.
    """

    article_id: str
    other: str
    ours: str
    theirs: str
    sentence: str
    at: datetime | None = None
    changed: bool = False


@dataclass(frozen=True)
class Stocktake:
    """What was found, by kind. ``never_used`` is None where too few replies are stored to tell.

    ``contradicted`` are articles that agents contradicted after the article's last change; the most often first.
    """

    at: datetime
    articles: int
    titles: Mapping[str, str]
    flagged: Sequence[ArticleFlag]
    expired: Sequence[tuple[str, datetime]]
    old: Sequence[tuple[str, datetime]]
    contradicted: Mapping[str, Sequence[Clash]]
    contradictory: Sequence[Clash]
    duplicates: Sequence[tuple[str, str]]
    never_used: Sequence[str] | None
    replies: int
    replies_since: datetime | None

    def record(self) -> dict[str, Any]:
        """As JSON data."""
        return {
            "at": self.at.isoformat(),
            "articles": self.articles,
            "flagged": [flag_record(flag) for flag in self.flagged],
            "expired": [{"article_id": key, "valid_until": at.isoformat()} for key, at in self.expired],
            "old": [{"article_id": key, "updated_at": at.isoformat()} for key, at in self.old],
            "contradicted_by_agents": [
                {
                    "article_id": key,
                    "title": self.titles.get(key, ""),
                    "conversations": sorted({clash.other for clash in clashes}),
                    "evidence": [_clash_record(clash) for clash in clashes],
                }
                for key, clashes in self.contradicted.items()
            ],
            "contradictory": [_clash_record(clash) for clash in self.contradictory],
            "duplicates": [list(pair) for pair in self.duplicates],
            "never_used": None if self.never_used is None else list(self.never_used),
            "usage": {
                "replies": self.replies,
                "since": None if self.replies_since is None else self.replies_since.isoformat(),
            },
        }


FEWEST_REPLIES = 200
"""Stored replies below which "never used" would only say that few have asked."""


def take_stock(service: Service, workspace: str, progress: Progress | None = None) -> Stocktake:
    """Look through the workspace's articles. Raises EmbedderMismatch, EmbeddingFailed."""
    records, now = service.records(workspace), service.clock.now()
    knowledge = knowledge_of(records, service.keeper(workspace))
    articles = [chunk for chunk in knowledge.chunks if chunk.kind is DocumentKind.ARTICLE]
    titles = {chunk.document_id: chunk.title for chunk in articles}
    usage = service.usage(workspace).articles()
    contradicted, contradictory = clashes_in(knowledge, CachingEmbedder(service.embedder), progress)
    dated = {c.document_id: c.updated_at for c in articles if c.updated_at is not None}
    ended = {c.document_id: c.valid_until for c in articles if c.valid_until is not None and c.valid_until < now}
    pairs = {tuple(sorted(pair)) for pair in duplicates(articles, articles)}
    return Stocktake(
        at=now,
        articles=len(titles),
        titles=titles,
        flagged=service.reviews(workspace).flags(),
        expired=sorted(ended.items(), key=lambda pair: pair[1]),
        old=sorted(((k, at) for k, at in dated.items() if now - at > OLD), key=lambda pair: pair[1]),
        contradicted=contradicted,
        contradictory=contradictory,
        duplicates=sorted((a, b) for a, b in pairs),
        never_used=sorted(set(titles) - set(usage.articles)) if usage.replies >= FEWEST_REPLIES else None,
        replies=usage.replies,
        replies_since=usage.since,
    )


def clashes_in(
    knowledge: Knowledge, embedder: CachingEmbedder, progress: Progress | None = None
) -> tuple[dict[str, list[Clash]], list[Clash]]:
    """Articles whose figures agents contradicted later, the most conversations first; and pairs of articles that clash.

    An agent's word counts where it was said after the article's last change, and either says that the rule has
    changed or is borne out by another conversation with the same figure.
    """
    articles = [chunk for chunk in knowledge.chunks if chunk.kind is DocumentKind.ARTICLE]
    told = [chunk for chunk in knowledge.chunks if chunk.kind is DocumentKind.RESOLUTION]
    vectors = SentenceVectors(embedder)
    pool = [(s, c.document_id) for c in (*articles, *told) for s in content_sentences(c.text)]
    vectors.prepare(sentence for sentence, _ in pool)
    background = Background(pool, vectors)
    by_agents: dict[str, list[Clash]] = defaultdict(list)
    between: dict[tuple[str, str], Clash] = {}
    chunks = [*told, *articles]
    for number, (chunk, near) in enumerate(zip(chunks, _nearest(chunks, articles, vectors), strict=True), 1):
        for article in near:
            if chunk.kind is DocumentKind.RESOLUTION and not _after(chunk, article):
                continue
            if chunk.kind is DocumentKind.RESOLUTION:
                by_agents[article.document_id] += _clashes(article, chunk, vectors, background)
            elif (clash := _restated(article, chunk)) is not None:
                first, second = sorted((article.document_id, chunk.document_id))
                between.setdefault((first, second), clash)
        if progress is not None:
            progress.advance("comparing", number, len(chunks))
    borne_out = {key: _borne_out(found) for key, found in by_agents.items()}
    ranked = sorted(
        ((key, found) for key, found in borne_out.items() if found),
        key=lambda pair: (-len({clash.other for clash in pair[1]}), pair[0]),
    )
    return dict(ranked), list(between.values())


def _borne_out(clashes: Sequence[Clash]) -> list[Clash]:
    said: dict[str, set[str]] = defaultdict(set)
    for clash in clashes:
        said[clash.theirs].add(clash.other)
    return [clash for clash in clashes if clash.changed or len(said[clash.theirs]) > 1]


def _after(chunk: Chunk, article: Chunk) -> bool:
    return article.updated_at is None or (chunk.updated_at is not None and chunk.updated_at > article.updated_at)


def _nearest(chunks: Sequence[Chunk], articles: Sequence[Chunk], vectors: SentenceVectors) -> list[list[Chunk]]:
    """For each chunk the articles' chunks nearest in meaning, in its language and of another document."""
    said = [(vectors.of(content_sentences(article.text)), article) for article in articles]
    said = [(rows, article) for rows, article in said if len(rows)]
    if not said:
        return [[] for _ in chunks]
    table = np.vstack([rows for rows, _ in said])
    starts = np.cumsum([0, *(len(rows) for rows, _ in said[:-1])])
    held = [article for _, article in said]
    languages = [language_of(article.text) for article in held]
    found: list[list[Chunk]] = []
    for chunk in chunks:
        mine, language = vectors.of(content_sentences(chunk.text)), language_of(chunk.text)
        if not len(mine):
            found.append([])
            continue
        alike = np.maximum.reduceat(mine @ table.T, starts, axis=1).mean(axis=0)
        order = (int(number) for number in np.argsort(-alike, kind="stable"))
        fitting = (held[n] for n in order if languages[n] == language and held[n].document_id != chunk.document_id)
        found.append(list(islice(fitting, _NEAREST)))
    return found


def _clashes(article: Chunk, other: Chunk, vectors: SentenceVectors, background: Background) -> list[Clash]:
    ours, theirs = content_sentences(article.text), content_sentences(other.text)
    if not ours or not theirs:
        return []
    agreed = np.asarray(agreements(theirs, ours, vectors, background, other.document_id))
    found = contradiction(ours, theirs, agreed, other.title).figures
    return [
        Clash(
            article.document_id,
            other.conversation_id or other.document_id,
            ours=said,
            theirs=instead,
            sentence=next((s for s in theirs if instead in s), theirs[0]),
            at=other.updated_at,
            changed=says_changed(other.text),
        )
        for instead, said in found
    ]


def _restated(article: Chunk, other: Chunk) -> Clash | None:
    """The first statement of the one that the other makes in nearly the same words, with another figure of one kind.

    Nearness in meaning is not enough between articles: two products' warranties are near, and differ rightly. So the
    titles count too: a line like "2 years" names no subject.
    """
    for ours in content_sentences(article.text):
        for theirs in content_sentences(other.text):
            if _alike(f"{article.title} {ours}", f"{other.title} {theirs}") < _SAME_WORDS:
                continue
            left, right = figures(ours), figures(theirs)
            for kind in sorted({figure.kind for figure in left} & {figure.kind for figure in right}):
                said = {figure.value for figure in left if figure.kind == kind}
                instead = {figure.value for figure in right if figure.kind == kind}
                if said != instead and len(said) == len(instead):
                    return Clash(
                        article.document_id,
                        other.document_id,
                        " ".join(sorted(said - instead)),
                        " ".join(sorted(instead - said)),
                        theirs,
                        other.updated_at,
                    )
    return None


def _alike(left: str, right: str) -> float:
    """Dice's coefficient over character pairs of the words without digits, 0–1."""
    pairs = []
    for text in (left, right):
        plain = re.sub(r"[\W\d_]+", "", fold(text))
        pairs.append({plain[i : i + 2] for i in range(len(plain) - 1)})
    total = len(pairs[0]) + len(pairs[1])
    return 2 * len(pairs[0] & pairs[1]) / total if total else 0.0


def _clash_record(clash: Clash) -> dict[str, Any]:
    return {**asdict(clash), "at": None if clash.at is None else clash.at.isoformat()}
