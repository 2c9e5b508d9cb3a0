"""Asks every configured source once, for a user that does not exist: reachable, permitted, and do the queries run?"""

from __future__ import annotations

import asyncio
from pathlib import Path

from assistant.errors import SourceFailed
from assistant.state.sources.build import build_sources

PROBE_S = 3.0
# Digits only, so that a numeric column takes it; no business has this user.
NOBODY = "0"


def probe(path: Path, user_id: str = NOBODY) -> list[tuple[str, str, str]]:
    """(source, what is wrong or empty, what to look at) in the file's order.

    Raises ConfigurationError where the file is wrong.
    """
    return asyncio.run(_ask_all(path, user_id))


async def _ask_all(path: Path, user_id: str) -> list[tuple[str, str, str]]:
    composite = build_sources(path, PROBE_S)
    found: list[tuple[str, str, str]] = []
    try:
        for source in composite.sources:
            try:
                state = await source.fetch(user_id)
                found.append((source.name, "; ".join(r.detail for r in state.sources if r.detail), ""))
            except SourceFailed as exc:
                # "no such user" is a healthy answer to this question, but a wrong path may answer the same
                found.append((source.name, str(exc), "") if exc.counts else (source.name, "", str(exc)))
    finally:
        await composite.close()
    return found
