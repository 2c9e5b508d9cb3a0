"""The values that need more than a type: times, names, lists of texts, and text that a database can hold."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator
from pydantic_core import PydanticCustomError

_TIME = re.compile(
    r"(\d{4}-\d{2}-\d{2})(?:[Tt ](\d{2}:\d{2}:\d{2})(?:[.,](\d{1,9}))?\s?([Zz]|[+-]\d{2}:?\d{2})?)?", re.ASCII
)
_LOCALE = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})*", re.ASCII)
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f]")
LONGEST_ID = 512


def _wrong(message: str) -> PydanticCustomError:
    return PydanticCustomError("wrong_value", message)


def _time(value: object) -> datetime | None:
    """RFC 3339; a date alone is midnight UTC and a time without a zone is UTC, because exports often lack it."""
    if value is None or isinstance(value, datetime):
        return value if value is None or value.tzinfo is not None else value.replace(tzinfo=UTC)
    if not isinstance(value, str):
        raise _wrong("must be a time as text, like 2026-03-01T09:30:00+08:00")
    match = _TIME.fullmatch(value.strip())
    if match is None:
        raise _wrong(f"is not an RFC 3339 time: {_quoted(value)}")
    day, clock, fraction, zone = match.groups()
    zone = "+00:00" if zone is None or zone in "Zz" else zone
    try:
        return datetime.fromisoformat(f"{day}T{clock or '00:00:00'}.{(fraction or '0')[:6]:0<6}{zone}")
    except ValueError as exc:
        raise _wrong(f"is not a time that exists: {_quoted(value)}") from exc


def _filled(value: str) -> str:
    text = value.strip()
    if not text:
        raise _wrong("is empty")
    return text


def _identifier(value: str) -> str:
    name = _filled(value)
    if len(name) > LONGEST_ID:
        raise _wrong(f"is longer than {LONGEST_ID} characters")
    if _UNPRINTABLE.search(name):
        raise _wrong("holds a line break or control character")
    return name


def _locale(value: str | None) -> str | None:
    if value is None or not value.strip():
        return None
    if _LOCALE.fullmatch(value.strip()) is None:
        raise _wrong(f'is not a language like "zh" or "en": {_quoted(value)}')
    return value.strip().replace("_", "-")


def _web_address(value: str | None) -> str | None:
    if value is None or not value.strip():
        return None
    if re.match(r"https?://|/(?!/)", value.strip(), re.IGNORECASE) is None:
        raise _wrong("must begin with http://, https:// or /")
    return value.strip()


def _texts(value: object) -> object:
    return () if value is None else value


def _without_blanks(values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text.strip() for text in values if text.strip()))


def _quoted(value: str) -> str:
    return f'"{value if len(value) <= 40 else value[:39] + "…"}"'


def unstorable(value: object, path: str = "") -> str | None:
    """Where a parsed value holds a NUL or half a surrogate pair, said as a reason; None where it holds neither."""
    if isinstance(value, str):
        where = f'"{path}"' if path else "the text"
        if "\x00" in value:
            return f"{where} holds a NUL character"
        try:
            value.encode()
        except UnicodeEncodeError:
            return f"{where} holds half a surrogate pair, which is no character"
        return None
    if isinstance(value, dict):
        parts = [(str(key), f"{path}.{key}" if path else str(key), child) for key, child in value.items()]
        for key, inner, child in parts:
            found = unstorable(key) or unstorable(child, inner)
            if found:
                return found
    elif isinstance(value, list):
        for index, child in enumerate(value):
            found = unstorable(child, f"{path}[{index}]")
            if found:
                return found
    return None


Time = Annotated[datetime | None, BeforeValidator(_time)]
Identifier = Annotated[str, AfterValidator(_identifier)]
FilledText = Annotated[str, AfterValidator(_filled)]
Locale = Annotated[str | None, AfterValidator(_locale)]
WebAddress = Annotated[str | None, AfterValidator(_web_address)]
Texts = Annotated[tuple[str, ...], BeforeValidator(_texts), AfterValidator(_without_blanks)]
