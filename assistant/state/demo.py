"""Live state of the demo's users, worked out from the histories in one file."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from assistant.domain.state import UserState
from assistant.errors import InputRejected
from assistant.state.history import state_at
from assistant.state.records import check_history, parse_state


class HistoryStateSource:
    """A StateSource over ``users.json`` (user id → user with histories), which is read and checked once.

    An unknown user's state is empty and not ``known``. ``changes`` puts over a state what was done since the file was
    written (the demo shop's tasks). Each entity tells in ``attributes["status_since"]`` when it came to its status.
    Raises InputRejected when the file is not such a file.
    """

    def __init__(
        self,
        path: Path,
        now: Callable[[], datetime] | None = None,
        changes: Callable[[UserState], UserState] | None = None,
    ) -> None:
        self._now = now or (lambda: datetime.now(UTC))
        self._changes = changes
        try:
            users = json.loads(path.read_text("utf-8"))
        except (OSError, ValueError) as exc:
            raise InputRejected(path.name, f"cannot be read as JSON: {exc}") from exc
        if not isinstance(users, dict):
            raise InputRejected(path.name, "must be an object of user id to user")
        for user_id, user in users.items():
            check_history(user, f"{path.name}: {user_id}")
        self._users: dict[str, dict[str, Any]] = users

    async def fetch(self, user_id: str, as_of: datetime | None = None) -> UserState:
        """State of this user now, or as of any moment."""
        moment = as_of or self._now()
        user = self._users.get(user_id)
        if user is None:
            return UserState(user_id, moment, known=False)
        raw = state_at(user, moment)
        since = {(e["kind"], e["id"]): _since(e, moment) for e in user.get("entities", ())}
        changes_later = {(e["kind"], e["id"]) for e in user.get("entities", ()) if _changes_after(e, moment)}
        for entity in raw["entities"]:
            entity.setdefault("status", "")
            reached = since[entity["kind"], entity["id"]]
            if reached is not None:
                entity["attributes"] = {**entity.get("attributes", {}), "status_since": reached}
            if (entity["kind"], entity["id"]) in changes_later:
                entity["attributes"].pop("last_scan", None)  # it tells of the last status, which is yet to come
        state = parse_state(raw, user_id)
        return state if self._changes is None else await asyncio.to_thread(self._changes, state)


def _changes_after(entity: dict[str, Any], moment: datetime) -> bool:
    return any(datetime.fromisoformat(s["at"]) > moment for s in entity.get("history", ()))


def _since(entity: dict[str, Any], moment: datetime) -> str | None:
    reached: list[str] = [s["at"] for s in entity.get("history", ()) if datetime.fromisoformat(s["at"]) <= moment]
    return reached[-1] if reached else None
