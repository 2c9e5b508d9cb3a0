"""猜你想问: what this user will probably ask, from their state and from what was just talked about."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from assistant.domain.knowledge import Passage
from assistant.domain.state import UserState
from assistant.language import Locale
from assistant.suggestions import Suggestion, merge, suggest_from_state
from assistant.text import fold

LIMIT = 3


def suggest(
    state: UserState | None,
    passages: Sequence[Passage],
    *,
    asked: str,
    locale: Locale,
    now: datetime,
    limit: int = LIMIT,
) -> tuple[str, ...]:
    """At most ``limit`` questions, never the one just asked; those on passages name articles that answer them."""
    from_state = suggest_from_state(state, locale=locale, now=now, limit=limit + 1) if state is not None else []
    near = [
        Suggestion(text=passage.title, reason="related_article", weight=passage.score)
        for passage in passages[1:]
        if passage.article_id is not None and passage.locale.startswith(locale) and passage.score >= 0.15
    ]
    said = fold(asked).casefold()
    merged = merge(near, from_state, limit=limit + 1) if asked else merge(from_state, near, limit=limit + 1)
    return tuple(s.text for s in merged if fold(s.text).casefold() != said)[:limit]
