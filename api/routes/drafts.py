"""Agents: ask for a draft reply, say what was sent in its place, or write without one."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path

from api.agent_schemas import AgentMessageIn, AgentMessageOut, DraftDecisionIn, DraftOut
from api.auth import Caller, StaffKey
from api.problems import Problem, documented
from api.routes import examples
from api.routes.context import CallersDesk
from api.routes.conversations import ConversationId
from evals.draft_edits import edit_kinds

router = APIRouter(prefix="/conversations", tags=["agents"])
DraftId = Annotated[str, Path(min_length=1, max_length=64, examples=["dr_5f1d"])]
_USUAL = ("unauthenticated", "not-permitted", "not-found", "invalid", "unavailable")


@router.post(
    "/{conversation_id}/drafts",
    summary="Ask for a draft reply",
    status_code=201,
    responses={201: examples.shown(examples.DRAFT, "The draft"), **documented(*_USUAL)},
)
async def make_draft(conversation_id: ConversationId, caller: StaffKey, desk: CallersDesk) -> DraftOut:
    """A cited draft to the customer's last words. Nothing is sent to anyone."""
    return DraftOut.of(await desk.agent_drafts.make(conversation_id, by=_name(caller)))


@router.post(
    "/{conversation_id}/drafts/{draft_id}/decision",
    summary="Say what was sent in a draft's place",
    responses={
        200: examples.shown(examples.SETTLED, "The draft with its verdict"),
        **documented(*_USUAL, "draft-settled", "too-large", "empty-text", "text-too-long"),
    },
)
async def settle_draft(
    conversation_id: ConversationId, draft_id: DraftId, body: DraftDecisionIn, caller: StaffKey, desk: CallersDesk
) -> DraftOut:
    """`sent` is recorded as the agent's turn. The verdict follows from it: the same words are `accepted`, others
    `edited`; `rejected` where `rejected` is true or nothing was sent. `edits` names what was changed. The same
    decision may be sent again; another one is refused with 409.
    """
    settled = await desk.agent_drafts.settle(
        conversation_id, draft_id, body.sent, by=_name(caller), rejected=body.rejected, reason=body.reason
    )
    if settled is None:
        raise Problem("draft-settled")
    edits = edit_kinds(settled.text, settled.sent) if settled.verdict == "edited" and settled.sent else ()
    return DraftOut.of(settled, edits)


@router.post(
    "/{conversation_id}/agent-messages",
    summary="Record what an agent wrote without a draft",
    status_code=201,
    responses={
        201: examples.shown({"seq": 2}, "Its turn"),
        **documented(*_USUAL, "too-large", "empty-text", "text-too-long"),
    },
)
async def say(
    conversation_id: ConversationId, body: AgentMessageIn, caller: StaffKey, desk: CallersDesk
) -> AgentMessageOut:
    """It becomes the conversation's next turn."""
    return AgentMessageOut(seq=await desk.agent_drafts.say(conversation_id, body.text, by=_name(caller)))


def _name(caller: Caller) -> str:
    return f"key:{caller.key_id}"
