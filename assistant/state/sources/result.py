"""What the SQL and the HTTP source share: which question they take and what they hand back."""

from __future__ import annotations

import re
from datetime import datetime

from assistant.domain.state import SourceReport, UserState
from assistant.errors import SourceFailed
from assistant.state.sources.mapping import Found

LONGEST_USER = 200
# Escaped it is harmless to us, but a proxy on the way may unescape and follow it.
_CLIMBS = re.compile(r"(?:^|[/\\])\.{1,2}(?:$|[/\\])")


def must_be_live(as_of: datetime | None) -> None:
    """Raises SourceFailed for a past moment: business systems tell only how things stand now."""
    if as_of is not None:
        raise SourceFailed("a live source cannot tell the past", counts=False)


def must_be_usable(user_id: str) -> None:
    """Raises SourceFailed for an id that no system could hold, or that would change a path."""
    if not user_id.strip() or len(user_id) > LONGEST_USER or not user_id.isprintable() or _CLIMBS.search(user_id):
        raise SourceFailed("this is no usable user id", counts=False)


def as_state(found: Found, user_id: str, now: datetime) -> UserState:
    """The state; partial where something was left out, unknown where accounts were asked for and none was there.

    The one report in ``sources`` has no name yet: who asked knows it.
    """
    known = not found.asked_profile or found.rows > 0
    outcome = SourceReport("", "partial" if found.problems else "read", now, detail="; ".join(found.problems))
    # a lying source's "no such account" is not to be believed
    return UserState(
        user_id, now, found.profile, tuple(found.entities), known=known or bool(found.problems), sources=(outcome,)
    )
