"""Review records in memory: the shipped test double, under the same contract tests as the SQL ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from assistant.domain.review import GIVEN_UP, ArticleFlag, ReviewEvent, ReviewItem, ReviewStatus
from assistant.errors import Conflict, NotFound


class MemoryReviewRecords:
    """One workspace's reviews and flags; not safe for several threads."""

    def __init__(self) -> None:
        self._items: dict[str, ReviewItem] = {}
        self._flags: dict[str, ArticleFlag] = {}

    def add(self, item: ReviewItem) -> None:
        """As ReviewStore promises."""
        for other in self._items.values():
            if other.id == item.id or (other.gap_id == item.gap_id and other.status not in GIVEN_UP):
                raise Conflict(f"gap {item.gap_id} already has the review item {other.id}")
        self._items[item.id] = item

    def get(self, item_id: str) -> ReviewItem:
        """As ReviewStore promises."""
        if item_id not in self._items:
            raise NotFound(f"no review item {item_id!r}; `teachback review list`")
        return self._items[item_id]

    def items(self, statuses: Sequence[ReviewStatus] = ()) -> list[ReviewItem]:
        """As ReviewStore promises."""
        found = [replace(i, history=()) for i in self._items.values() if not statuses or i.status in statuses]
        return sorted(found, key=lambda item: (item.created_at, item.id))

    def change(self, before: ReviewItem, after: ReviewItem, event: ReviewEvent) -> ReviewItem:
        """As ReviewStore promises."""
        now = self.get(before.id)
        if (now.status, now.touched_at) != (before.status, before.touched_at):
            raise Conflict(f"review item {before.id} was changed meanwhile: it is {now.status} now; look at it again")
        self._items[before.id] = replace(after, history=(*now.history, event))
        return self._items[before.id]

    def flag(self, flag: ArticleFlag) -> None:
        """As ReviewStore promises."""
        self._flags[flag.id] = flag

    def flags(self, article_id: str | None = None, *, settled: bool = False) -> list[ArticleFlag]:
        """As ReviewStore promises."""
        found = [
            flag
            for flag in self._flags.values()
            if article_id in (None, flag.article_id) and (settled or flag.settled_at is None)
        ]
        return sorted(found, key=lambda flag: (flag.at, flag.id))

    def settle_flag(self, flag_id: str, *, who: str, at: datetime) -> None:
        """As ReviewStore promises."""
        if flag_id not in self._flags:
            raise NotFound(f"no flag {flag_id!r}")
        flag = self._flags[flag_id]
        if flag.settled_at is None:
            self._flags[flag_id] = replace(flag, settled_at=at, settled_by=who)
