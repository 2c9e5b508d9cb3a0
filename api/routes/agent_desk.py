"""For the agent desk: who waits, a customer's live state, resolving; and who the caller is."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from api.auth import StaffKey
from api.problems import documented
from api.routes import staff_examples as told
from api.routes.context import CallersDesk
from api.routes.conversations import ConversationId
from api.routes.examples import shown
from api.schemas import HandoffOut, QuestionText
from assistant.agent_queue import QueueEntry
from assistant.domain.conversation import Resolution
from assistant.errors import StateUnavailable
from assistant.keys import KeyRole
from assistant.state.answers.statuses import kind_word, status_word
from assistant.state.records import state_as_json

router = APIRouter(tags=["agents"])
_USUAL = ("unauthenticated", "not-permitted", "unavailable")
_ONE = (*_USUAL, "not-found", "invalid")


class MeOut(BaseModel):
    """What the key proves."""

    workspace: str
    role: KeyRole


class QueueEntryOut(BaseModel):
    """A conversation with people. ``waiting_since`` is null where an agent spoke last."""

    conversation_id: str
    user_id: str | None
    name: str = Field(description="From the live state; empty where it is not known.")
    tier: str
    locale: Literal["zh", "en"] = Field(description="Of the customer's last words.")
    channel: str
    handed_off_at: datetime
    waiting_since: datetime | None
    last: str = Field(description="The customer's last words, at most 200 characters.")
    handoff: HandoffOut

    @classmethod
    def of(cls, entry: QueueEntry) -> QueueEntryOut:
        """What an agent sees of it."""
        waiting = entry.waiting
        return cls(
            conversation_id=waiting.conversation_id,
            user_id=waiting.user_id,
            name=entry.name,
            tier=entry.tier,
            locale=entry.locale,
            channel=waiting.channel,
            handed_off_at=waiting.at,
            waiting_since=waiting.since,
            last=waiting.last[:200],
            handoff=HandoffOut.of(waiting.handoff),
        )


class QueueOut(BaseModel):
    """In the order to be served; ``at`` is the service's own time, to count the waits by."""

    at: datetime
    entries: list[QueueEntryOut]


class StateOut(BaseModel):
    """``state`` is in the user state format. ``why`` says why there is none: a visitor, or sources that fail.

    ``words`` has an entry for each of the state's entities: its kind and status in words, in both languages.
    """

    state: dict[str, Any] | None
    words: list[dict[str, dict[str, str]]] = []
    why: Literal["visitor", "unavailable"] | None


class ResolveIn(BaseModel):
    """What solved it, in a line; and the articles that say so."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    summary: Annotated[QuestionText, Field(max_length=500, examples=["银行退回失败，已改退到余额。"])]
    article_ids: Annotated[tuple[Annotated[str, Field(min_length=1, max_length=512)], ...], Field(max_length=20)] = ()


class ResolutionOut(BaseModel):
    """What was recorded; null where nothing was."""

    summary: str | None
    article_ids: list[str] = []


@router.get(
    "/me",
    summary="What this key may do",
    responses={200: shown(told.ME), **documented("unauthenticated", "not-permitted")},
)
async def me(caller: StaffKey) -> MeOut:
    """Workspace and role of a staff key."""
    assert caller.role is not None
    return MeOut(workspace=caller.workspace, role=caller.role)


@router.get("/handoffs", summary="Who waits for a person", responses={200: shown(told.QUEUE), **documented(*_USUAL)})
async def queue(caller: StaffKey, desk: CallersDesk) -> QueueOut:
    """Safety matters first, then VIPs, then whoever waits longest; those that an agent answered last. At most 200."""
    entries = await desk.agent_queue.entries()
    return QueueOut(at=datetime.now(UTC), entries=[QueueEntryOut.of(entry) for entry in entries])


@router.get(
    "/conversations/{conversation_id}/state",
    summary="The customer's live state",
    responses={200: shown(told.STATE), **documented(*_ONE)},
)
async def state(conversation_id: ConversationId, caller: StaffKey, desk: CallersDesk) -> StateOut:
    """Read now, of the conversation's own user; `as_of` says how old it is, `unavailable` what is missing."""
    try:
        found = await desk.agent_queue.state(conversation_id)
    except StateUnavailable:
        return StateOut(state=None, why="unavailable")
    if found is None:
        conversation = await desk.conversation(conversation_id)
        return StateOut(state=None, why="visitor" if conversation.user_id is None else "unavailable")
    words = [
        {
            "kind": {"zh": kind_word(entity.kind, "zh"), "en": kind_word(entity.kind, "en")},
            "status": {"zh": status_word(entity, "zh"), "en": status_word(entity, "en")},
        }
        for entity in found.entities
    ]
    return StateOut(state=state_as_json(found), words=words, why=None)


@router.post(
    "/conversations/{conversation_id}/resolve",
    summary="Resolve a conversation",
    responses={200: shown(told.RESOLUTION), **documented(*_ONE, "conflict", "too-large", "empty-text")},
)
async def resolve(
    conversation_id: ConversationId, body: ResolveIn, caller: StaffKey, desk: CallersDesk
) -> ResolutionOut:
    """It is closed, and its customer's next message opens another. A second resolving is refused with 409."""
    resolution = Resolution(" ".join(body.summary.split()), body.article_ids)
    await desk.agent_queue.resolve(conversation_id, resolution, by=f"key:{caller.key_id}")
    return ResolutionOut(summary=resolution.summary, article_ids=list(resolution.article_ids))


@router.get(
    "/conversations/{conversation_id}/resolution",
    summary="What solved it",
    responses={200: shown(told.RESOLUTION), **documented(*_ONE)},
)
async def resolution(conversation_id: ConversationId, caller: StaffKey, desk: CallersDesk) -> ResolutionOut:
    """The line recorded when it was resolved."""
    await desk.conversation(conversation_id)
    found = await desk.agent_queue.resolution(conversation_id)
    return ResolutionOut(
        summary=None if found is None else found.summary, article_ids=list(found.article_ids) if found else []
    )
