"""The user's live state: what the business systems know of this user now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Literal

Outcome = Literal["read", "partial", "stale", "missing"]


@dataclass(frozen=True, slots=True)
class Entity:
    """An order, payment, shipment, refund, coupon, subscription, ticket, … of one user."""

    kind: str
    id: str
    status: str
    title: str = ""
    amount: Decimal | None = None
    currency: str | None = None
    occurred_at: datetime | None = None
    due_at: datetime | None = None
    attributes: Mapping[str, object] = field(default_factory=dict)

    def attribute(self, name: str) -> str:
        """The attribute as text; empty when it is absent."""
        value = self.attributes.get(name)
        return "" if value is None else str(value)


@dataclass(frozen=True, slots=True)
class SourceReport:
    """How one source did for this state: when it was read, and whether that is all, a part, old, or nothing.

    ``labels`` are its names in replies by language; empty where the source's own name must do. ``kinds`` are those of
    the entities it tells of; empty where that is not known.
    """

    name: str
    outcome: Outcome
    as_of: datetime | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    kinds: tuple[str, ...] = ()
    detail: str = ""


@dataclass(frozen=True, slots=True)
class UserState:
    """One user's state as of a moment. ``unavailable`` names the sources that did not answer, or not wholly.

    ``known`` is False where a source that holds the accounts says that there is none with this id.
    """

    user_id: str
    as_of: datetime
    profile: Mapping[str, object] = field(default_factory=dict)
    entities: tuple[Entity, ...] = ()
    unavailable: tuple[str, ...] = ()
    known: bool = True
    sources: tuple[SourceReport, ...] = ()

    def of_kind(self, *kinds: str) -> tuple[Entity, ...]:
        """Entities of these kinds, newest first; those without a date last."""
        chosen = [entity for entity in self.entities if entity.kind in kinds]
        return tuple(
            sorted(chosen, key=lambda e: (e.occurred_at is not None, e.occurred_at or self.as_of), reverse=True)
        )

    def find(self, entity_id: str) -> Entity | None:
        """The entity with this id, whatever its kind, compared without case and leading ``#``."""
        wanted = entity_id.lstrip("#").casefold()
        return next((e for e in self.entities if e.id.lstrip("#").casefold() == wanted), None)
