"""What the live replies of one workspace were made from, articles cited or only given, and what the model took."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, select

from assistant.domain.knowledge import DocumentKind
from assistant.domain.reply import TokenUsage
from assistant.metering import Spent, spent
from assistant.store import tables as t


@dataclass(frozen=True, slots=True)
class ArticleUse:
    """How many stored replies cited an article and were given it, and when one last was."""

    cited: int = 0
    given: int = 0
    last: datetime | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """Over how many replies since when, and by article id."""

    replies: int
    since: datetime | None
    articles: Mapping[str, ArticleUse]


class UsageRecords:
    """Reads the stored replies; blocking."""

    def __init__(self, engine: Engine, workspace: str) -> None:
        self._engine = engine
        self._workspace = workspace

    def spent(self) -> Spent:
        """What the chat model took for all stored replies and drafts that asked it."""
        usages: list[TokenUsage] = []
        cached = 0
        with self._engine.connect() as connection:
            for table in (t.turns, t.drafts):
                for row in connection.execute(select(table.c.reply).where(table.c.workspace == self._workspace)):
                    kept = row.reply or {}
                    cached += bool(kept.get("cached"))
                    if kept.get("usage"):
                        usages.append(TokenUsage(**kept["usage"]))
        return spent(usages, cached=cached)

    def articles(self) -> Usage:
        """The use of every article that a reply was given or cites."""
        tu = t.turns
        query = (
            select(tu.c.at, tu.c.reply)
            .where(tu.c.workspace == self._workspace, tu.c.role == "assistant")
            .order_by(tu.c.at)
        )
        replies, since = 0, None
        used: dict[str, ArticleUse] = {}
        with self._engine.connect() as connection:
            for row in connection.execute(query):
                if not row.reply:
                    continue
                replies, since = replies + 1, since or row.at
                cited = {c.get("article_id") for c in row.reply.get("citations", ())} - {None}
                passages = row.reply.get("passages", ())
                given = {p["document_id"] for p in passages if p.get("kind") == DocumentKind.ARTICLE}
                for article in cited | given:
                    old = used.get(article, ArticleUse())
                    used[article] = ArticleUse(old.cited + (article in cited), old.given + (article in given), row.at)
        return Usage(replies, since, used)
