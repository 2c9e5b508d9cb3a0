"""Conversations: open, read, ask, rate."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import JSONResponse

from api.auth import AnyCaller, Caller, EndUser
from api.problems import Problem, documented
from api.routes import examples
from api.routes.context import CallersDesk, DeskLike, Limits
from api.schemas import ConversationIn, ConversationOut, HandoffIn, MessageIn, RatingIn, ReplyOut
from api.streaming import event_stream, whole_reply
from assistant.domain.feedback import Rating
from assistant.domain.live import Conversation, Question, ReplyEvent
from assistant.keys import TokenIssuer
from assistant.reply_record import reply_record

router = APIRouter(prefix="/conversations", tags=["conversations"])
ConversationId = Annotated[str, Path(min_length=1, max_length=64, examples=["c-5f1d"])]
_USUAL = ("unauthenticated", "not-permitted", "not-found", "invalid", "unavailable")


@router.post(
    "",
    summary="Open a conversation",
    status_code=201,
    responses={
        201: examples.shown(examples.OPENED, "The new conversation"),
        **documented("unauthenticated", "not-permitted", "too-large", "invalid", "unavailable"),
    },
)
async def open_conversation(
    request: Request, caller: EndUser, desk: CallersDesk, body: ConversationIn | None = None
) -> ConversationOut:
    """Opens a conversation of the token's user.

    A visitor has no user id to prove a conversation by. The answer then holds a `token` bound to this conversation:
    use it from now on in place of the visitor's first token.
    """
    conversation = await desk.open_conversation(user_id=caller.user_id, channel=(body or ConversationIn()).channel)
    token: str | None = None
    if caller.claims is not None and caller.claims.user_id is None:
        tokens: TokenIssuer = request.app.state.tokens
        token = tokens.issue(
            caller.workspace, None, conversation_id=conversation.id, expires_at=caller.claims.expires_at
        ).text
    return ConversationOut.of(conversation, token=token)


@router.get(
    "/{conversation_id}",
    summary="Read a conversation",
    responses={200: examples.shown(examples.CONVERSATION, "The conversation"), **documented(*_USUAL)},
)
async def read_conversation(conversation_id: ConversationId, caller: AnyCaller, desk: CallersDesk) -> ConversationOut:
    """The user's own conversation, with the task that awaits their yes; agents and managers read every one of their
    workspace. Others are told 404.
    """
    conversation = await desk.conversation(conversation_id)
    if not (caller.is_staff or caller.owns(conversation)):
        raise Problem("not-found")
    # staff read along, but a summary is confirmed by its own user only
    task = await desk.pending_task(conversation) if caller.owns(conversation) else None
    return ConversationOut.of(conversation, for_staff=caller.is_staff, task=task)


@router.post(
    "/{conversation_id}/messages",
    summary="Ask, and get the reply as a stream or as one object",
    response_class=Response,
    responses={
        200: {
            "description": "Server-sent events, or the whole reply where Accept asks for application/json",
            "model": ReplyOut,
            "content": {
                "application/json": {"example": examples.REPLY},
                "text/event-stream": {"schema": {"type": "string"}, "example": examples.STREAM},
            },
        },
        **documented(*_USUAL, "conversation-closed", "too-large", "empty-text", "text-too-long"),
    },
)
async def send_message(
    request: Request,
    conversation_id: ConversationId,
    body: MessageIn,
    caller: EndUser,
    desk: CallersDesk,
    limits: Limits,
) -> Response:
    """By default `text/event-stream`: `started`, then `delta` pieces; `reset` takes back the pieces so far; `reply`
    is last and alone counts. `error` holds problem details and ends the stream. Comment lines keep it alive.

    With `Accept: application/json` the whole reply comes at once. Closing the connection stops the work.
    """
    conversation = await _own(desk, conversation_id, caller)
    if conversation.status == "closed":
        raise Problem("conversation-closed")
    events: AsyncIterator[ReplyEvent] = desk.reply_events(
        Question(
            text=body.text,
            user_id=caller.user_id,
            conversation_id=conversation.id,
            history=conversation.turns,
            locale=body.locale,
            page=body.page,
            shown_suggestions=body.shown_suggestions,
            confirmation=body.confirmation,
        )
    )
    if _wants_json(request.headers.get("accept", "")):
        reply = await whole_reply(request, events)
        return JSONResponse(reply_record(reply))
    return event_stream(request, events, heartbeat_s=limits.heartbeat_s)


@router.post(
    "/{conversation_id}/handoff",
    summary="Turn a transfer down",
    responses={
        200: examples.shown(examples.CONVERSATION, "The conversation, open again"),
        **documented(*_USUAL, "too-large"),
    },
)
async def answer_handoff(
    conversation_id: ConversationId, body: HandoffIn, caller: EndUser, desk: CallersDesk
) -> ConversationOut:
    """`accept` leaves the handoff as it is; `decline` withdraws it, and the assistant goes on. A message that says so
    does the same. Without an open handoff nothing changes.
    """
    conversation = await _own(desk, conversation_id, caller)
    if body.action == "decline":
        conversation = await desk.decline_handoff(conversation.id)
    return ConversationOut.of(conversation)


@router.post(
    "/{conversation_id}/ratings",
    summary="Rate a reply or the conversation",
    status_code=204,
    response_class=Response,
    responses={204: {"description": "Kept"}, **documented(*_USUAL, "too-large")},
)
async def rate(conversation_id: ConversationId, body: RatingIn, caller: EndUser, desk: CallersDesk) -> None:
    """Thumbs on one reply, CSAT or CES on the conversation. Only its own user may rate it."""
    conversation = await _own(desk, conversation_id, caller)
    if body.turn_seq is not None and body.turn_seq >= len(conversation.turns):
        raise Problem("invalid", fields=[{"field": "turn_seq", "message": "there is no such turn"}])
    await desk.rate(
        Rating(conversation.id, body.kind, body.value, datetime.now(UTC), turn_seq=body.turn_seq, reason=body.reason)
    )


async def _own(desk: DeskLike, conversation_id: str, caller: Caller) -> Conversation:
    conversation = await desk.conversation(conversation_id)
    if not caller.owns(conversation):
        raise Problem("not-found")
    return conversation


def _wants_json(accept: str) -> bool:
    return "application/json" in accept.lower() and "text/event-stream" not in accept.lower()
