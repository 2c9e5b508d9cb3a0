"""State as of any moment, from entities that carry the history of their status."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

# Attributes that the files keep only as they are in the end; shown for an earlier moment they would tell the future.
LATEST_ONLY = frozenset({"last_scan"})


def state_at(user: Mapping[str, Any], moment: datetime) -> dict[str, Any]:
    """The user's state in the state format at ``moment``: what existed by then, with the status it had.

    ``user`` is ``{"user_id", "profile", "entities": [{…, "history": [{"at", "status"}]}]}`` with RFC 3339 times.
    """
    entities = []
    for raw in user.get("entities", ()):
        reached = [step for step in raw.get("history", ()) if datetime.fromisoformat(step["at"]) <= moment]
        if raw.get("history") and not reached:
            continue
        entity = {key: value for key, value in raw.items() if key != "history"}
        if reached:
            entity["status"] = reached[-1]["status"]
            if len(reached) < len(raw["history"]):
                known = raw.get("attributes", {})
                entity["attributes"] = {key: value for key, value in known.items() if key not in LATEST_ONLY}
        entities.append(entity)
    return {
        "user_id": user["user_id"],
        "as_of": moment.isoformat(),
        "profile": dict(user.get("profile", {})),
        "entities": entities,
        "unavailable": [],
    }
