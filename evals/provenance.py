"""Which conversations an article was written from: kept as tags, so that it goes with the article wherever it goes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from assistant.domain.knowledge import Article

SOURCE_TAG = "from:"


def sources_of(article: Article) -> frozenset[str]:
    """The conversations that an article says it was written from."""
    return _told(article.tags)


def provenance(articles: Iterable[Mapping[str, Any]]) -> dict[str, frozenset[str]]:
    """Article id → conversations, of the canonical articles that name any."""
    told = {str(article["id"]): _told(article.get("tags") or ()) for article in articles}
    return {article: conversations for article, conversations in told.items() if conversations}


def _told(tags: Iterable[str]) -> frozenset[str]:
    return frozenset(tag[len(SOURCE_TAG) :] for tag in tags if tag.startswith(SOURCE_TAG))
