"""What was changed at the demo shop, in a SQLite file: an effect and its idempotency key in one transaction."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from assistant.domain.state import Entity, UserState

_SCHEMA = """
create table if not exists requests (
    key text primary key, user_id text not null, body text not null, status integer not null, answer text not null,
    at text not null);
create table if not exists changes (
    id integer primary key autoincrement, user_id text not null, kind text not null, subject text not null,
    data text not null, at text not null);
create index if not exists changes_user on changes (user_id);
"""
Answer = tuple[int, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Change:
    """One effect: ``kind`` of it, on which ``subject`` (an order, a coupon offer)."""

    kind: str
    subject: str
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class CouponOffer:
    """A coupon that every user may claim once; valid ``days`` from then on."""

    id: str
    zh: str
    en: str
    amount: str
    threshold: str
    days: int


OFFERS = (
    CouponOffer("OF1001", "满 199 减 15 居家券", "15 off 199, home goods", "15.00", "199.00", 14),
    CouponOffer("OF1002", "满 500 减 40 大件券", "40 off 500, large items", "40.00", "500.00", 7),
    CouponOffer("OF1003", "8 元免邮券", "8 yuan off delivery", "8.00", "0.00", 30),
)


class ShopStore:
    """Blocking; each call opens the file for itself, so any thread and any process may use it."""

    def __init__(self, path: Path, now: Callable[[], datetime]) -> None:
        self._path = path
        self._now = now

    def once(self, key: str, user_id: str, body: str, act: Callable[[], tuple[Answer, Change | None]]) -> Answer:
        """The answer to this key: a stored one where the key was seen, else ``act``'s, its change stored with it.

        A key that comes again with another user or body is refused (422), as payment services do.
        """
        with self._write() as connection:
            seen = connection.execute(
                "select user_id, body, status, answer from requests where key = ?", (key,)
            ).fetchone()
            if seen is not None:
                if (seen[0], seen[1]) != (user_id, body):
                    return 422, {"code": "key_reused", "message": "this idempotency key belongs to another request"}
                return int(seen[2]), json.loads(seen[3])
            (status, answer), change = act()
            at = self._now().isoformat()
            if change is not None:
                connection.execute(
                    "insert into changes (user_id, kind, subject, data, at) values (?, ?, ?, ?, ?)",
                    (user_id, change.kind, change.subject, json.dumps(change.data, ensure_ascii=False), at),
                )
            connection.execute(
                "insert into requests values (?, ?, ?, ?, ?, ?)",
                (key, user_id, body, status, json.dumps(answer, ensure_ascii=False), at),
            )
            return status, answer

    def changes(self, user_id: str) -> list[tuple[Change, datetime]]:
        """Everything done for this user, in order."""
        if not self._path.exists():
            return []
        with self._open() as connection:
            rows = connection.execute(
                "select kind, subject, data, at from changes where user_id = ? order by id", (user_id,)
            ).fetchall()
        return [
            (Change(kind, subject, json.loads(data)), datetime.fromisoformat(at)) for kind, subject, data, at in rows
        ]

    def overlay(self, state: UserState, *, whole: bool = False) -> UserState:
        """The state with what was changed here by its ``as_of``; with ``whole`` also what came after it was read."""
        for change, at in self.changes(state.user_id):
            if whole or at <= state.as_of:
                state = _applied(state, change, at)
        return state

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(self._path, timeout=10, isolation_level=None)
        try:
            connection.execute("pragma journal_mode=wal")
            connection.executescript(_SCHEMA)
            yield connection
        finally:
            connection.close()

    @contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        with self._open() as connection:
            connection.execute("begin immediate")
            try:
                yield connection
            except BaseException:
                connection.execute("rollback")
                raise
            connection.execute("commit")


def _applied(state: UserState, change: Change, at: datetime) -> UserState:
    data, entities = change.data, list(state.entities)

    def altered(**new: Any) -> None:
        for place, entity in enumerate(entities):
            if entity.kind == "order" and entity.id == change.subject:
                attributes = {**entity.attributes, **new.pop("attributes", {})}
                entities[place] = replace(entity, attributes=attributes, **new)

    if change.kind == "address":
        altered(attributes={"address": data["address"]})
    elif change.kind == "cancelled":
        altered(status="cancelled", attributes={"status_since": at.isoformat()})
        if data.get("refund"):
            order = next((e for e in entities if e.id == change.subject), None)
            entities.append(
                Entity(
                    "refund",
                    data["refund"],
                    "approved",
                    order.title if order else "",
                    Decimal(data["amount"]),
                    "CNY",
                    at,
                    attributes={"order_id": change.subject, "reason": data.get("reason", "")},
                )
            )
    elif change.kind == "invoice":
        attributes = {key: data[key] for key in ("order_id", "title", "tax_number", "email") if data.get(key)}
        entities.append(
            Entity("invoice", data["id"], "issued", data["title"], Decimal(data["amount"]), "CNY", at, None, attributes)
        )
    elif change.kind == "coupon":
        attributes = {"threshold": data["threshold"], "offer_id": change.subject}
        due = at + timedelta(days=int(data["days"]))
        entities.append(
            Entity(
                "coupon", data["id"], "available", data["title"], Decimal(data["amount"]), "CNY", at, due, attributes
            )
        )
    return replace(state, entities=tuple(entities))
