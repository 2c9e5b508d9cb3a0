"""Search and suggested questions."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from api.auth import AnyCaller
from api.problems import documented
from api.routes import examples
from api.routes.context import CallersDesk
from api.schemas import Locale, Page, PassageOut, QuestionText, SearchOut, SuggestionsOut

router = APIRouter(tags=["knowledge"])
_USUAL = ("unauthenticated", "invalid", "unavailable")


@router.get(
    "/search",
    summary="Search the knowledge",
    responses={
        200: examples.shown(examples.PASSAGES, "Passages, best first"),
        **documented(*_USUAL, "empty-text", "text-too-long"),
    },
)
async def search(
    caller: AnyCaller,
    desk: CallersDesk,
    q: Annotated[QuestionText, Query(examples=["退款多久到账"])],
    k: Annotated[int, Query(ge=1, le=50, description="At most so many passages.")] = 5,
) -> SearchOut:
    """Public knowledge for end users and service keys; agents and managers search the internal one too."""
    passages = await desk.search(q, k=k, audience=caller.audience)
    return SearchOut(passages=[PassageOut.of(passage) for passage in passages])


@router.get(
    "/suggestions",
    summary="Questions this user will probably ask",
    responses={200: examples.shown(examples.SUGGESTIONS, "Questions, likeliest first"), **documented(*_USUAL)},
)
async def suggestions(
    caller: AnyCaller,
    desk: CallersDesk,
    page: Annotated[Page | None, Query()] = None,
    locale: Annotated[Locale | None, Query()] = None,
) -> SuggestionsOut:
    """From the user's live state, from what similar users ask, and from the page they are on."""
    return SuggestionsOut(questions=list(await desk.suggestions(user_id=caller.user_id, locale=locale, page=page)))
