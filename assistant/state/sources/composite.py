"""All of a workspace's sources as one: asked side by side, merged, and what is missing is named."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from assistant.domain.state import Entity, SourceReport, UserState
from assistant.errors import StateUnavailable
from assistant.state.sources.guarded import GuardedSource

# Left for merging and for a busy event loop, so that the whole stays within the reply's budget.
_MARGIN = 0.8


class CompositeSource:
    """A StateSource over several guarded ones. It answers within ``budget_s``, with what has come by then.

    ``unavailable`` names the sources that are missing or partial, in the order of the configuration; where two tell of
    the same thing, the first one counts. It never raises for a source that fails.
    """

    def __init__(
        self,
        sources: Sequence[GuardedSource],
        budget_s: float,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.sources = tuple(sources)
        self._budget = budget_s * _MARGIN
        self._now = now

    async def fetch(self, user_id: str, as_of: datetime | None = None) -> UserState:
        """The merged state; ``as_of`` is when the oldest part that is not stale was read."""
        tasks = [asyncio.ensure_future(source.fetch(user_id, as_of)) for source in self.sources]
        try:
            await asyncio.wait(tasks, timeout=self._budget)
        finally:
            for task in tasks:
                task.cancel()
                task.add_done_callback(_looked_at)
        return self._merged(user_id, [_state_of(task) for task in tasks])

    def forget(self, user_id: str) -> None:
        """Read this user anew next time, past every cache."""
        for source in self.sources:
            source.forget(user_id)

    async def close(self) -> None:
        """Close all sources."""
        for source in self.sources:
            await source.close()

    def _merged(self, user_id: str, parts: Sequence[UserState | str]) -> UserState:
        entities: list[Entity] = []
        profile: dict[str, object] = {}
        reports: list[SourceReport] = []
        read: list[datetime] = []
        denied = False
        for source, part in zip(self.sources, parts, strict=True):
            if isinstance(part, str):
                reports.append(source.report("missing", None, part))
                continue
            known = {(e.kind, e.id) for e in entities}
            entities.extend(e for e in part.entities if (e.kind, e.id) not in known)
            profile = {**part.profile, **profile}
            reports.extend(part.sources)
            denied = denied or not part.known
            if all(report.outcome != "stale" for report in part.sources):
                read.append(part.as_of)
        return UserState(
            user_id,
            min(read, default=self._now()),
            profile,
            tuple(entities),
            tuple(r.name for r in reports if r.outcome in ("missing", "partial")),
            known=not denied or bool(entities),
            sources=tuple(reports),
        )


def _state_of(task: asyncio.Task[UserState]) -> UserState | str:
    """The state, or why there is none."""
    if not task.done():
        return "did not answer within the reply's budget"
    try:
        return task.result()
    except StateUnavailable as exc:
        return str(exc)


def _looked_at(task: asyncio.Task[UserState]) -> None:
    if not task.cancelled():
        task.exception()
