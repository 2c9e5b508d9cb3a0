"""A chat model kept within its server's rate: requests are spaced, and a refusal for haste is waited out.

For long batch work. A live reply does not wait: there the extract takes over at once.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any, cast

from aiolimiter import AsyncLimiter

from assistant.errors import RateLimited
from assistant.ports import ChatDelta, ChatMessage, ChatModel

_log = logging.getLogger(__name__)
_TRIES = 6
_FIRST_WAIT_S, _LONGEST_WAIT_S = 1.0, 60.0


class PacedChat:
    """A ChatModel over another. After six refusals in a row it raises RateLimited as the one below does.

    ``requests_per_minute`` spaces the starts of requests evenly (no burst); None leaves the pace to the server's
    refusals. One refused request holds back all: the limit is the key's, not the request's.
    """

    def __init__(self, model: ChatModel, requests_per_minute: float | None = None) -> None:
        self._model = model
        self._limiter = AsyncLimiter(1, 60 / requests_per_minute) if requests_per_minute else None
        self._not_before = 0.0
        self.refused = 0

    @property
    def name(self) -> str:
        """The model's name."""
        return self._model.name

    async def stream(self, messages: Sequence[ChatMessage]) -> AsyncGenerator[ChatDelta, None]:
        """Pieces of one completion. Raises ModelUnavailable as the model below does, RateLimited among them."""
        for attempt in range(1, _TRIES + 1):
            await self._turn()
            begun = False
            try:
                async with aclosing(cast("AsyncGenerator[ChatDelta, Any]", self._model.stream(messages))) as deltas:
                    async for delta in deltas:
                        begun = True
                        yield delta
                return
            except RateLimited as exc:
                self.refused += 1
                if begun or attempt == _TRIES:
                    raise
                asked = exc.retry_after_s
                wait = min(_LONGEST_WAIT_S, asked if asked is not None else _FIRST_WAIT_S * 2 ** (attempt - 1))
                _log.info("%s asks to slow down; waiting %.1f s", self.name, wait)
                loop = asyncio.get_running_loop()
                self._not_before = max(self._not_before, loop.time() + wait)

    async def _turn(self) -> None:
        loop = asyncio.get_running_loop()
        if (wait := self._not_before - loop.time()) > 0:
            await asyncio.sleep(wait)
        if self._limiter is not None:
            await self._limiter.acquire()
