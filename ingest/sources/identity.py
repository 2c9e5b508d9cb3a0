"""Whether a record changed, and whether its id was already taken in this run."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime
from decimal import Decimal

from assistant.domain.conversation import Transcript
from assistant.domain.knowledge import Article
from assistant.errors import InputRejected
from ingest.sources.items import SourceItem
from ingest.sources.schemas import UserStateRecord

_OF_ARTICLE = tuple(field.name for field in dataclasses.fields(Article))


def canonical(record: Article | Transcript) -> str:
    """JSON that is the same for equal content: sorted keys, times in UTC, nothing of where it was read."""
    if isinstance(record, Article):  # flat: no copy of what lies deeper is needed, and there are many
        values = {name: getattr(record, name) for name in _OF_ARTICLE}
    else:
        values = dataclasses.asdict(record)
    state = values.get("user_state")
    if state is not None:
        # how a live fetch went is no part of the format, and what is written here is read again by it
        values["user_state"] = {name: state[name] for name in UserStateRecord.model_fields}
    return json.dumps(values, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=_plain)


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no canonical form")


class DuplicateGuard:
    """Remembers every id of a run; articles and conversations are counted apart."""

    def __init__(self) -> None:
        self._places: dict[tuple[type, str], str] = {}

    def admit(self, item: SourceItem) -> InputRejected | None:
        """None for an id seen the first time; else a rejection that names the first one's place."""
        record = item.record
        name = record.id if isinstance(record, Article) else record.conversation_id
        first = self._places.setdefault((type(record), name), item.place)
        if first == item.place:
            return None
        key = "id" if isinstance(record, Article) else "conversation_id"
        return InputRejected(item.source, f'{key} "{name}" is already taken by {first}', item.line)
