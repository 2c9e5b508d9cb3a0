"""What routes work with: the desk of the caller's workspace, and the limits of the service."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Protocol

from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool

from api.auth import AnyCaller
from assistant.agent_drafts import AgentDrafts
from assistant.agent_queue import AgentQueue
from assistant.domain.feedback import Rating
from assistant.domain.knowledge import Audience, Passage
from assistant.domain.live import Conversation, Question, ReplyEvent


class DeskLike(Protocol):
    """The use cases that the API calls; ``assistant.desk.Desk`` is the real one."""

    workspace: str

    @property
    def agent_drafts(self) -> AgentDrafts:
        """Drafts for agents."""
        ...

    @property
    def agent_queue(self) -> AgentQueue:
        """Conversations that are with people."""
        ...

    async def open_conversation(self, *, user_id: str | None, channel: str) -> Conversation:
        """A new conversation of this user, or of a visitor."""
        ...

    async def conversation(self, conversation_id: str) -> Conversation:
        """The conversation with its turns. Raises NotFound."""
        ...

    async def pending_task(self, conversation: Conversation) -> Mapping[str, Any] | None:
        """The ``task`` of the reply whose summary awaits this conversation's user's yes."""
        ...

    def reply_events(self, question: Question) -> AsyncIterator[ReplyEvent]:
        """ReplyStarted, ReplyDelta*, perhaps ReplyReset and more deltas, ReplyDone; both turns are recorded."""
        ...

    async def search(self, text: str, *, k: int, audience: Audience) -> list[Passage]:
        """Passages, best first."""
        ...

    async def suggestions(self, *, user_id: str | None, locale: str | None, page: str | None) -> tuple[str, ...]:
        """What this user will probably ask."""
        ...

    async def decline_handoff(self, conversation_id: str) -> Conversation:
        """The open handoff is withdrawn, if there is one. Raises NotFound."""
        ...

    async def rate(self, rating: Rating) -> None:
        """Keep what a person said of a reply or a conversation."""
        ...

    async def readiness(self) -> dict[str, str]:
        """Part → ``ok`` or what is wrong with it."""
        ...

    async def close(self) -> None:
        """Let go of what it holds."""
        ...


@dataclass(frozen=True, slots=True)
class ApiLimits:
    """Bounds that are the same for every caller."""

    max_body_bytes: int = 64 * 1024
    heartbeat_s: float = 10.0


class Desks:
    """Builds each workspace's desk once, in a thread, on first use. A failed build is tried again by the next call."""

    def __init__(self, desk_for: Callable[[str], DeskLike]) -> None:
        self._desk_for = desk_for
        self._built: dict[str, DeskLike] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    async def of(self, workspace: str) -> DeskLike:
        """The desk of this workspace."""
        if workspace not in self._built:
            async with self._locks.setdefault(workspace, asyncio.Lock()):
                if workspace not in self._built:
                    self._built[workspace] = await run_in_threadpool(self._desk_for, workspace)
        return self._built[workspace]

    async def close(self) -> None:
        """Close every desk that was built."""
        while self._built:
            _, desk = self._built.popitem()
            await desk.close()


async def _desk_of_caller(request: Request, caller: AnyCaller) -> DeskLike:
    desks: Desks = request.app.state.desks
    return await desks.of(caller.workspace)


def _limits(request: Request) -> ApiLimits:
    limits: ApiLimits = request.app.state.limits
    return limits


CallersDesk = Annotated[DeskLike, Depends(_desk_of_caller)]
Limits = Annotated[ApiLimits, Depends(_limits)]
