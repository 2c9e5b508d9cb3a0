"""Reads a batch of independent questions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from assistant.errors import InputRejected
from evals.jsonl import read_lines
from ingest.sources.fields import unstorable
from ingest.sources.schemas import unknown_key

_KEYS = ("id", "text", "user_id")


@dataclass(frozen=True, slots=True)
class BatchQuestion:
    """One question; ``user_id`` is whose live state may be used."""

    id: str
    text: str
    user_id: str | None = None


def read_questions(path: Path) -> Iterator[BatchQuestion | InputRejected]:
    """The questions in order, a rejection in place of each wrong one. Raises InputRejected for a missing file."""
    seen: dict[str, int] = {}
    for each in read_lines(path):
        if isinstance(each, InputRejected):
            yield each
        else:
            line, value = each
            unknown = [key for key in value if key not in _KEYS]
            name, text, user = value.get("id"), value.get("text"), value.get("user_id")
            if unknown:
                yield InputRejected(str(path), unknown_key(unknown[0], _KEYS), line)
            elif not isinstance(name, str) or not name:
                yield InputRejected(str(path), 'key "id" must be a text that is not empty', line)
            elif not isinstance(text, str):
                yield InputRejected(str(path), 'key "text" must be a text', line)
            elif unstorable(name) or unstorable(text) or unstorable(str(user)):
                yield InputRejected(str(path), "holds half a character (a lone surrogate) or NUL", line)
            elif user is not None and not isinstance(user, str):
                yield InputRejected(str(path), 'key "user_id" must be a text or null', line)
            elif name in seen:
                yield InputRejected(str(path), f'id "{name}" is already taken by line {seen[name]}', line)
            else:
                seen[name] = line
                yield BatchQuestion(name, text, user)
