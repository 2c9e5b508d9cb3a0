"""One source with its time budget, retries, breaker and cache around it: it answers in time or says that it cannot."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt, wait_random

from assistant.domain.state import Outcome, SourceReport, UserState
from assistant.errors import SourceFailed, StateUnavailable
from assistant.ports import StateSource
from assistant.state.sources.breaker import Breaker

_RETRY_WAIT_S = (0.01, 0.05)
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    """How long and how often, in seconds. ``stale_s`` counts from when it was read."""

    budget_s: float = 0.25
    cache_s: float = 15.0
    stale_s: float = 600.0
    cache_users: int = 10_000
    tries: int = 2


class GuardedSource:
    """A StateSource that gives up within its budget; a state that it read before stands in, with its age.

    Its states carry one SourceReport with ``name``. The cache is this object's own, so it belongs to one source of one
    workspace. Raises SourceFailed.
    """

    def __init__(
        self,
        inner: StateSource,
        name: str,
        limits: Limits | None = None,
        *,
        labels: Mapping[str, str] | None = None,
        kinds: tuple[str, ...] = (),
        breaker: Breaker | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.name = name
        self.labels = labels or {}
        self.kinds = kinds
        self.limits = limits or Limits()
        self.breaker = breaker or Breaker()
        self._inner = inner
        self._now = now
        self._cache: OrderedDict[str, UserState] = OrderedDict()
        self._answered = 0.0
        self._abandoned: set[asyncio.Task[UserState]] = set()

    async def fetch(self, user_id: str, as_of: datetime | None = None) -> UserState:
        """Read now, or read less than ``cache_s`` ago, or, when it fails, less than ``stale_s`` ago."""
        if as_of is not None:
            return self._named(await self._inner.fetch(user_id, as_of), "read")
        kept = self._cache.get(user_id)
        age = self._now() - kept.as_of if kept is not None else None
        if kept is not None and age is not None and age < timedelta(seconds=self.limits.cache_s):
            self._cache.move_to_end(user_id)
            return kept
        try:
            state = await self._in_time(user_id)
        except SourceFailed as exc:
            _log.warning("state source %s: %s", self.name, exc)
            if kept is not None and age is not None and age < timedelta(seconds=self.limits.stale_s):
                return self._named(kept, "stale", str(exc))
            raise
        if state.sources[0].outcome == "read" and self.limits.cache_s + self.limits.stale_s > 0:
            self._cache[user_id] = state
            self._cache.move_to_end(user_id)
            while len(self._cache) > self.limits.cache_users:
                self._cache.popitem(last=False)
        return state

    def report(self, outcome: Outcome, as_of: datetime | None, detail: str) -> SourceReport:
        """A report on this source."""
        return SourceReport(self.name, outcome, as_of, self.labels, self.kinds, detail)

    def forget(self, user_id: str) -> None:
        """Read this user anew next time: something of theirs was just changed."""
        self._cache.pop(user_id, None)

    async def close(self) -> None:
        """End what still runs and close the source."""
        for task in list(self._abandoned):
            task.cancel()
        if self._abandoned:
            await asyncio.wait(self._abandoned, timeout=1)
        close = getattr(self._inner, "close", None)
        if close is not None:
            await close()

    async def _in_time(self, user_id: str) -> UserState:
        if not self.breaker.allows():
            raise SourceFailed("is left alone after it failed again and again", counts=False)
        deadline = time.monotonic() + self.limits.budget_s
        task = asyncio.ensure_future(self._tries(user_id, deadline))
        try:
            # Not wait_for: that waits for the cancelled task to end, which a stuck driver may never do.
            done, _ = await asyncio.wait({task}, timeout=self.limits.budget_s)
        except asyncio.CancelledError:
            self._abandon(task)
            self.breaker.dropped()  # whoever asked went away, which says nothing about the source
            raise
        if not done:
            self._abandon(task)
            # others were answered meanwhile: this one stood in a queue, and the source is busy, not down
            busy = self._answered > deadline - self.limits.budget_s
            self.breaker.dropped() if busy else self.breaker.failed()
            raise SourceFailed(f"did not answer within {self.limits.budget_s * 1000:.0f} ms")
        try:
            state = task.result()
        except SourceFailed as exc:
            self.breaker.failed() if exc.counts else self.breaker.dropped()
            raise
        except StateUnavailable as exc:
            self.breaker.failed()
            raise SourceFailed(str(exc)) from exc
        except Exception as exc:  # a source is foreign ground: whatever it throws, the reply goes on without it
            self.breaker.failed()
            _log.exception("state source %s", self.name)
            raise SourceFailed(f"failed unexpectedly ({type(exc).__name__})") from exc
        if state.user_id != user_id:
            self.breaker.failed()
            raise SourceFailed("answered for another user")
        self._answered = time.monotonic()
        self.breaker.done()
        report = state.sources[0] if state.sources else SourceReport("", "read", state.as_of)
        if report.detail:
            _log.warning("state source %s: %s", self.name, report.detail)
        return self._named(state, report.outcome, report.detail)

    async def _tries(self, user_id: str, deadline: float) -> UserState:
        def worth_it(exc: BaseException) -> bool:
            return isinstance(exc, SourceFailed) and exc.again and time.monotonic() + _RETRY_WAIT_S[1] < deadline

        async for attempt in AsyncRetrying(
            retry=retry_if_exception(worth_it),
            stop=stop_after_attempt(self.limits.tries),
            wait=wait_random(*_RETRY_WAIT_S),
            reraise=True,
        ):
            with attempt:
                return await self._inner.fetch(user_id)
        raise AssertionError("unreachable: the last attempt's exception is raised")

    def _abandon(self, task: asyncio.Task[UserState]) -> None:
        task.cancel()
        self._abandoned.add(task)
        task.add_done_callback(self._forget)

    def _forget(self, task: asyncio.Task[UserState]) -> None:
        self._abandoned.discard(task)
        if not task.cancelled():
            task.exception()

    def _named(self, state: UserState, outcome: Outcome, detail: str = "") -> UserState:
        return replace(state, sources=(self.report(outcome, state.as_of, detail),))
