"""From a source's rows to entities. Nothing is believed: whose a row is, its numbers and times are checked here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from assistant.domain.state import Entity
from assistant.state.sources.config import PROFILE, EntityMap
from assistant.state.sources.expressions import Expression

LONGEST_ID, LONGEST_TEXT, MOST_ITEMS = 100, 300, 50
# Outside these years a time is a placeholder (0001, 9999) or a mistake, and is not shown.
EARLIEST, LATEST = datetime(1990, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
MOST_AMOUNT = Decimal(10) ** 12
_NO_CENTS = frozenset({"JPY", "KRW", "VND", "CLP", "ISK", "PYG", "UGX", "XAF", "XOF", "XPF", "RWF"})  # ISO 4217
_MILLISECONDS = 100_000_000_000


@dataclass(slots=True)
class Found:
    """What one source's rows came to. ``problems`` are what was left out and why, without any value of a row."""

    entities: list[Entity] = field(default_factory=list)
    profile: dict[str, object] = field(default_factory=dict)
    rows: int = 0
    asked_profile: bool = False
    problems: list[str] = field(default_factory=list)

    def say(self, problem: str) -> None:
        """Note a problem once."""
        if problem not in self.problems:
            self.problems.append(problem)


def take(found: Found, rules: EntityMap, rows: Iterable[Any], user_id: str, *, owner: object = None) -> None:
    """Add what these rows say of this user. ``owner`` is whose they are, where the whole answer says so.

    A row of another user, or of nobody, is dropped; so is one without an id. A negative, infinite or missing-zone value
    is left out of its entity. Each is a problem, so that the reply can say that something is missing.
    """
    found.asked_profile = found.asked_profile or rules.kind == PROFILE
    for row in rows:
        whose = owner if owner is not None else rules.user_id.of(row)
        if not _same(whose, user_id):
            found.say(f"{rules.kind}: a row is not of the user who was asked for")
            continue
        found.rows += 1
        if rules.kind == PROFILE:
            found.profile.update(_values(rules.attributes, row))
        else:
            entity = _entity(found, rules, row)
            if entity is not None:
                found.entities.append(entity)


def _same(whose: object, user_id: str) -> bool:
    """Equal as text, to the letter; a whole number is its digits."""
    return _key(whose) == user_id


def _key(value: object) -> str | None:
    if isinstance(value, bool) or not isinstance(value, str | int | UUID):
        return None
    try:
        return str(value)
    except ValueError:  # a whole number of thousands of digits
        return None


def _entity(found: Found, rules: EntityMap, row: Any) -> Entity | None:
    def raw(expression: Expression | None) -> Any:
        return None if expression is None else expression.of(row)

    key = _id(raw(rules.id))
    if key is None:
        found.say(f"{rules.kind}: a row has no usable id")
        return None
    status = plain(raw(rules.status), LONGEST_ID)
    currency = rules.currency or plain(raw(rules.currency_from), 8).upper() or None
    zone = rules.timezone
    return Entity(
        kind=rules.kind,
        id=key,
        status=rules.statuses.get(status, status),
        title=_title(raw(rules.title)),
        amount=_padded(_amount(found, rules, raw(rules.amount)), currency),
        currency=currency,
        occurred_at=_moment(found, rules.kind, "occurred_at", raw(rules.occurred_at), zone),
        due_at=_moment(found, rules.kind, "due_at", raw(rules.due_at), zone),
        attributes=_values(rules.attributes, row),
    )


def plain(value: object, longest: int = LONGEST_TEXT) -> str:
    """One line of text without control characters, cut to length; empty for what is no text or number."""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal | float | date):
        return ""
    text = value.isoformat() if isinstance(value, date) else str(value)
    text = "".join(c if c.isprintable() else " " for c in text)
    return " ".join(text.split())[:longest]


def _id(value: object) -> str | None:
    """The id as text, or None: cut or cleaned it would be another thing's."""
    text = (_key(value) or "").strip()
    return text if 0 < len(text) <= LONGEST_ID and text.isprintable() and text == " ".join(text.split()) else None


def _title(value: object) -> str:
    if isinstance(value, list):
        return plain(", ".join(part for item in value[:MOST_ITEMS] if (part := plain(item))))
    return plain(value)


def _amount(found: Found, rules: EntityMap, value: object) -> Decimal | None:
    if value is None or value == "":
        return None
    try:
        # a float's shortest text is what the database or JSON held, not its binary expansion
        amount = Decimal(repr(value) if isinstance(value, float) else str(value).strip())
    except InvalidOperation:
        found.say(f"{rules.kind}: an amount is no number")
        return None
    if isinstance(value, bool) or not amount.is_finite() or amount < 0 or amount > MOST_AMOUNT:
        found.say(f"{rules.kind}: an amount is negative, not finite or absurd")
        return None
    return amount / rules.amount_divisor if rules.amount_divisor != 1 else amount


def _padded(amount: Decimal | None, currency: str | None) -> Decimal | None:
    """With the currency's decimals, as money is written: a database's 316.6 is $316.60. No digit is ever dropped."""
    exponent = None if amount is None else amount.as_tuple().exponent
    if amount is None or currency is None or currency in _NO_CENTS or not isinstance(exponent, int) or exponent <= -2:
        return amount
    return amount.quantize(Decimal("0.01"))


def _moment(found: Found, kind: str, name: str, value: object, zone: str | None) -> datetime | None:
    if value is None or value == "":
        return None
    moment = _read_moment(value, zone)
    if moment is None:
        found.say(f"{kind}: {name} is no time")
        return None
    if moment.tzinfo is None:
        if zone is None:
            found.say(f"{kind}: {name} has no time zone; write timezone: into the mapping")
            return None
        moment = moment.replace(tzinfo=ZoneInfo(zone))
    try:
        sane = EARLIEST <= moment <= LATEST
    except OverflowError:  # year 1 or 9999 in another zone
        sane = False
    if not sane:
        found.say(f"{kind}: {name} is outside the years 1990 to 2100")
        return None
    return moment


def _read_moment(value: object, zone: str | None) -> datetime | None:
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day)
    try:
        if isinstance(value, int | Decimal | float) and not isinstance(value, bool):
            number = float(value)
            seconds = number / (1000 if abs(number) >= _MILLISECONDS else 1)
            return datetime.fromtimestamp(seconds, ZoneInfo(zone) if zone else UTC)
        return datetime.fromisoformat(str(value).strip().replace("/", "-"))
    except (ValueError, OverflowError, OSError):
        return None


def _values(expressions: Mapping[str, Expression], row: Any) -> dict[str, object]:
    found: dict[str, object] = {}
    for name, expression in expressions.items():
        value = _bounded(expression.of(row))
        if value not in (None, "", []):
            found[name] = value
    return found


def _bounded(value: Any, depth: int = 0) -> object:
    """A value fit for a prompt: short text, few items, two levels."""
    if value is None or isinstance(value, bool) or (isinstance(value, int) and abs(value) < 10**18):
        return value
    if isinstance(value, list | tuple) and depth < 2:
        return [_bounded(item, depth + 1) for item in value[:MOST_ITEMS]]
    if isinstance(value, dict) and depth < 2:
        return {plain(k, LONGEST_ID): _bounded(v, depth + 1) for k, v in list(value.items())[:MOST_ITEMS]}
    return plain(value)
