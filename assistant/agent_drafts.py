"""Drafts for agents who talk to a customer: asked for, then sent as they are, changed, or thrown away."""

from __future__ import annotations

import asyncio

from assistant.answering import Answerer
from assistant.domain.conversation import Turn
from assistant.domain.draft import AgentDraft, verdict_on
from assistant.errors import StateUnavailable
from assistant.ports import Clock, StateSource
from assistant.store.conversations import ConversationRecords
from assistant.store.drafts import DraftRecords


class AgentDrafts:
    """One workspace's drafts. ``by`` is who asks or sends, as the credential proves it."""

    def __init__(
        self,
        answerer: Answerer,
        conversations: ConversationRecords,
        drafts: DraftRecords,
        state_source: StateSource | None,
        clock: Clock,
    ) -> None:
        self._answerer = answerer
        self._conversations = conversations
        self._drafts = drafts
        self._state_source = state_source
        self._clock = clock

    async def make(self, conversation_id: str, *, by: str) -> AgentDraft:
        """A draft reply to the customer's last words, by the state of the conversation's own user. Raises NotFound."""
        conversation = await asyncio.to_thread(self._conversations.get, conversation_id)
        state = None
        if conversation.user_id is not None and self._state_source is not None:
            try:
                state = await self._state_source.fetch(conversation.user_id)
            except StateUnavailable:
                state = None
        reply = await self._answerer.draft(conversation.turns, state=state)
        seq, now = len(conversation.turns) - 1, self._clock.now()
        return await asyncio.to_thread(self._drafts.add, conversation_id, seq, reply, by=by, at=now)

    async def settle(
        self,
        conversation_id: str,
        draft_id: str,
        sent: str | None,
        *,
        by: str,
        rejected: bool = False,
        reason: str | None = None,
    ) -> AgentDraft | None:
        """The draft with its verdict; what was sent is now the agent's turn. Raises NotFound.

        The same decision again changes nothing, so that a lost answer can be asked for again; another one gives None.
        """
        draft = await asyncio.to_thread(self._drafts.get, conversation_id, draft_id)
        verdict = verdict_on(draft.text, sent, rejected=rejected)
        await asyncio.to_thread(self._drafts.settle, draft, verdict, sent, by=by, at=self._clock.now(), reason=reason)
        kept = await asyncio.to_thread(self._drafts.get, conversation_id, draft_id)
        return kept if (kept.verdict, kept.sent) == (verdict, sent) else None

    async def say(self, conversation_id: str, text: str, *, by: str) -> int:
        """Record what an agent wrote without a draft, as the next turn; its number. Raises NotFound."""
        await asyncio.to_thread(self._conversations.get, conversation_id)
        now = self._clock.now()
        turn = Turn("agent", text, now, by)
        return await asyncio.to_thread(self._conversations.append, conversation_id, turn, at=now)
