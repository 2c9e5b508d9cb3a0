"""What an agent works from: who waits for a person, one customer's live state, and closing a conversation for good."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from assistant.domain.conversation import Resolution
from assistant.domain.live import Conversation, Question, ReplyDelta, ReplyDone, ReplyEvent, ReplyStarted
from assistant.domain.reply import Reply
from assistant.domain.state import UserState
from assistant.errors import StateUnavailable
from assistant.language import Locale, spoken
from assistant.phrases import with_agent
from assistant.ports import Clock, StateSource
from assistant.store.conversations import ConversationRecords
from assistant.store.handoff_queue import HandoffQueue, Waiting

LONGEST_QUEUE = 200
_WITH_AGENT = timedelta(hours=12)  # as long as a matter lives without a word (handoff rules)
_PROFILE_KEPT = timedelta(minutes=1)
_PROFILES_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class QueueEntry:
    """One waiting conversation with what the queue shows of its customer; empty where it is not known."""

    waiting: Waiting
    locale: Locale
    name: str = ""
    tier: str = ""


class AgentQueue:
    """One workspace's queue. ``by`` is who resolves, as the credential proves it."""

    def __init__(
        self, queue: HandoffQueue, conversations: ConversationRecords, state_source: StateSource | None, clock: Clock
    ) -> None:
        self._queue = queue
        self._conversations = conversations
        self._state_source = state_source
        self._clock = clock
        self._profiles: dict[str, tuple[datetime, dict[str, Any]]] = {}
        self._reading = asyncio.Semaphore(_PROFILES_AT_ONCE)

    async def entries(self) -> list[QueueEntry]:
        """Who is with people now: safety matters, then VIPs, then whoever waits longest; answered ones last."""
        found = await asyncio.to_thread(self._queue.waiting, LONGEST_QUEUE)
        users = list({w.user_id for w in found if w.user_id is not None})
        profiles = dict(zip(users, await asyncio.gather(*map(self._profile, users)), strict=True))
        self._profiles = {user: kept for user, kept in self._profiles.items() if user in profiles}
        entries = []
        for waiting in found:
            profile = profiles.get(waiting.user_id or "", {})
            entries.append(
                QueueEntry(
                    waiting,
                    spoken(None, waiting.last) if waiting.last else spoken(str(profile.get("locale") or "zh"), ""),
                    str(profile.get("name") or ""),
                    str(profile.get("tier") or ""),
                )
            )
        return sorted(entries, key=lambda entry: _order(entry.waiting))

    async def state(self, conversation_id: str) -> UserState | None:
        """The state of the conversation's own user, read now; None for a visitor or without a source.

        Raises NotFound, and StateUnavailable where no source answers.
        """
        conversation = await asyncio.to_thread(self._conversations.get, conversation_id)
        if conversation.user_id is None or self._state_source is None:
            return None
        return await self._state_source.fetch(conversation.user_id)

    async def resolve(self, conversation_id: str, resolution: Resolution, *, by: str) -> None:
        """Close it; its customer's next message opens another. Raises NotFound, and Conflict where it is closed."""
        await asyncio.to_thread(self._queue.resolve, conversation_id, resolution, by=by, at=self._clock.now())

    async def resolution(self, conversation_id: str) -> Resolution | None:
        """What solved it; None where that was not recorded."""
        return await asyncio.to_thread(self._queue.resolution, conversation_id)

    async def _profile(self, user_id: str) -> dict[str, Any]:
        kept = self._profiles.get(user_id)
        if kept is not None and self._clock.now() - kept[0] < _PROFILE_KEPT:
            return kept[1]
        profile: dict[str, Any] = {}
        if self._state_source is not None:
            async with self._reading:
                try:
                    profile = dict((await self._state_source.fetch(user_id)).profile)
                except StateUnavailable:
                    profile = {}
        self._profiles[user_id] = (self._clock.now(), profile)
        return profile


def has_agent(conversation: Conversation, now: datetime) -> bool:
    """Whether an agent is talking in this conversation: handed over, and an agent's word is not too old."""
    if conversation.status != "handed_off":
        return False
    spoke = next((turn for turn in reversed(conversation.turns) if turn.role == "agent"), None)
    return spoke is not None and (spoke.at is None or now - spoke.at < _WITH_AGENT)


def with_agent_events(question: Question) -> Iterator[ReplyEvent]:
    """What the customer gets while an agent has the conversation; it is no turn of it."""
    trace_id = secrets.token_hex(16)
    text = with_agent(spoken(question.locale, question.text))
    yield ReplyStarted(question.conversation_id or "", trace_id)
    yield ReplyDelta(text)
    yield ReplyDone(Reply(text, "handoff", 1.0, question.conversation_id or "", trace_id))


def _order(waiting: Waiting) -> tuple[int, datetime]:
    if waiting.since is None:
        return 3, waiting.at
    urgent = {"forbidden_topic": 0, "vip": 1}.get(waiting.handoff.reason, 2)
    return urgent, waiting.since
