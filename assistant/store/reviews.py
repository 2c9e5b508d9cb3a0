"""Drafted articles under review and flags on articles, of one workspace."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Engine, Row, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from assistant.domain.knowledge import Article
from assistant.domain.review import (
    GIVEN_UP,
    ArticleFlag,
    ReplayPrediction,
    ReviewEvent,
    ReviewItem,
    ReviewStatus,
    WrittenFrom,
)
from assistant.errors import Conflict, NotFound
from assistant.store import tables as t

_MOMENTS = ("updated_at", "valid_from", "valid_until")


class ReviewRecords:
    """Every method is blocking and one transaction; two reviewers of one item cannot both win."""

    def __init__(self, engine: Engine, workspace: str) -> None:
        self._engine = engine
        self._workspace = workspace

    def add(self, item: ReviewItem) -> None:
        """A new item with its events. Raises Conflict where its id is taken, or its gap by an item not given up."""
        r = t.review_items
        same_gap = (r.c.gap_id == item.gap_id) & r.c.status.not_in(GIVEN_UP)
        try:
            with self._engine.begin() as connection:
                taken = connection.execute(
                    select(r.c.id).where(r.c.workspace == self._workspace, (r.c.id == item.id) | same_gap)
                ).first()
                if taken is not None:
                    raise Conflict(f"gap {item.gap_id} already has the review item {taken.id}")
                connection.execute(insert(r).values(workspace=self._workspace, **_item_row(item)))
                for event in item.history:
                    self._append(connection, item.id, event)
        except IntegrityError as exc:  # another process was quicker
            raise Conflict(f"gap {item.gap_id} already has the review item {item.id}") from exc

    def get(self, item_id: str) -> ReviewItem:
        """The item with its history. Raises NotFound."""
        r = t.review_items
        with self._engine.connect() as connection:
            row = connection.execute(select(r).where(r.c.workspace == self._workspace, r.c.id == item_id)).one_or_none()
            if row is None:
                raise NotFound(f"no review item {item_id!r} in workspace {self._workspace!r}; `teachback review list`")
            return replace(_item(row), history=self._history(connection, item_id))

    def items(self, statuses: Sequence[ReviewStatus] = ()) -> list[ReviewItem]:
        """Items in these states, all where none is named, the oldest first; without their histories."""
        r = t.review_items
        query = select(r).where(r.c.workspace == self._workspace)
        if statuses:
            query = query.where(r.c.status.in_(statuses))
        with self._engine.connect() as connection:
            return [_item(row) for row in connection.execute(query.order_by(r.c.created_at, r.c.id))]

    def change(self, before: ReviewItem, after: ReviewItem, event: ReviewEvent) -> ReviewItem:
        """Keep ``after`` and its event, if the item is still as ``before``. Raises Conflict, NotFound."""
        r = t.review_items
        values = _item_row(after)
        del values["id"]
        with self._engine.begin() as connection:
            done = connection.execute(
                update(r)
                .where(
                    r.c.workspace == self._workspace,
                    r.c.id == before.id,
                    r.c.status == before.status,
                    r.c.touched_at == before.touched_at,
                )
                .values(**values)
            ).rowcount
            if done:
                self._append(connection, before.id, event)
        if not done:
            now = self.get(before.id)
            raise Conflict(f"review item {before.id} was changed meanwhile: it is {now.status} now; look at it again")
        return self.get(before.id)

    def flag(self, flag: ArticleFlag) -> None:
        """Keep a flag."""
        with self._engine.begin() as connection:
            connection.execute(insert(t.article_flags).values(workspace=self._workspace, **asdict(flag)))

    def flags(self, article_id: str | None = None, *, settled: bool = False) -> list[ArticleFlag]:
        """Open flags, of one article or of all, the oldest first; with ``settled`` those dealt with too."""
        f = t.article_flags
        query = select(f).where(f.c.workspace == self._workspace)
        if article_id is not None:
            query = query.where(f.c.article_id == article_id)
        if not settled:
            query = query.where(f.c.settled_at.is_(None))
        with self._engine.connect() as connection:
            rows = [dict(row._mapping) for row in connection.execute(query.order_by(f.c.at, f.c.id))]
        return [ArticleFlag(**{name: value for name, value in row.items() if name != "workspace"}) for row in rows]

    def settle_flag(self, flag_id: str, *, who: str, at: datetime) -> None:
        """Mark a flag as dealt with; twice keeps the first. Raises NotFound."""
        f = t.article_flags
        mine = (f.c.workspace == self._workspace) & (f.c.id == flag_id)
        with self._engine.begin() as connection:
            if connection.execute(select(f.c.id).where(mine)).one_or_none() is None:
                raise NotFound(f"no flag {flag_id!r} in workspace {self._workspace!r}")
            connection.execute(update(f).where(mine & f.c.settled_at.is_(None)).values(settled_at=at, settled_by=who))

    def _append(self, connection: Connection, item_id: str, event: ReviewEvent) -> None:
        e = t.review_events
        last = connection.execute(
            select(func.max(e.c.seq)).where(e.c.workspace == self._workspace, e.c.item_id == item_id)
        ).scalar()
        connection.execute(
            insert(e).values(
                workspace=self._workspace,
                item_id=item_id,
                seq=0 if last is None else int(last) + 1,
                action=event.action,
                who=event.who,
                at=event.at,
                note=event.note,
                article=None if event.article is None else article_record(event.article),
            )
        )

    def _history(self, connection: Connection, item_id: str) -> tuple[ReviewEvent, ...]:
        e = t.review_events
        rows = connection.execute(
            select(e).where(e.c.workspace == self._workspace, e.c.item_id == item_id).order_by(e.c.seq)
        )
        return tuple(
            ReviewEvent(row.action, row.who, row.at, row.note, None if row.article is None else _article(row.article))
            for row in rows
        )


def new_id(kind: str) -> str:
    """An id that nobody can guess, such as ``rv_…``."""
    return f"{kind}_{secrets.token_hex(6)}"


def article_record(article: Article) -> dict[str, Any]:
    """All keys of the article format, as JSON data."""
    plain = asdict(article)
    for name in _MOMENTS:
        plain[name] = None if plain[name] is None else plain[name].isoformat()
    return {name: list(value) if isinstance(value, tuple) else value for name, value in plain.items()}


def prediction_record(prediction: ReplayPrediction) -> dict[str, Any]:
    """As JSON data."""
    return {**asdict(prediction), "at": prediction.at.isoformat()}


def _article(plain: Mapping[str, Any]) -> Article:
    values: dict[str, Any] = {n: tuple(value) if isinstance(value, list) else value for n, value in plain.items()}
    for name in _MOMENTS:
        values[name] = None if values[name] is None else datetime.fromisoformat(values[name])
    return Article(**values)


def _item_row(item: ReviewItem) -> dict[str, Any]:
    return {
        "id": item.id,
        "gap_id": item.gap_id,
        "gap_name": item.gap_name,
        "article": article_record(item.article),
        "written_from": [asdict(source) for source in item.written_from],
        "drafted_by": item.drafted_by,
        "status": item.status,
        "prediction": None if item.prediction is None else prediction_record(item.prediction),
        "created_at": item.created_at,
        "touched_at": item.touched_at,
    }


def _item(row: Row[Any]) -> ReviewItem:
    return ReviewItem(
        id=row.id,
        gap_id=row.gap_id,
        gap_name=row.gap_name,
        article=_article(row.article),
        written_from=tuple(WrittenFrom(**source) for source in row.written_from),
        drafted_by=row.drafted_by,
        status=row.status,
        created_at=row.created_at,
        touched_at=row.touched_at,
        prediction=None if row.prediction is None else _prediction(row.prediction),
    )


def _prediction(plain: Mapping[str, Any]) -> ReplayPrediction:
    values: dict[str, Any] = {n: tuple(value) if isinstance(value, list) else value for n, value in plain.items()}
    values["contradictions"] = tuple((str(a), str(b), str(c)) for a, b, c in plain["contradictions"])
    at = datetime.fromisoformat(plain["at"])
    return ReplayPrediction(**{**values, "at": at if at.tzinfo else at.replace(tzinfo=UTC)})
