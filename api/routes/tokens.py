"""Tokens for end users, asked for by the business's own server."""

from __future__ import annotations

from fastapi import APIRouter, Request

from api.auth import ServiceKey
from api.problems import documented
from api.routes import examples
from api.schemas import TokenIn, TokenOut
from assistant.keys import TokenIssuer

router = APIRouter(tags=["tokens"])


@router.post(
    "/tokens",
    summary="Get a short-lived token for one end user",
    status_code=201,
    responses={
        201: examples.shown(examples.TOKEN, "The token"),
        **documented("unauthenticated", "not-permitted", "too-large", "invalid"),
    },
)
async def issue_token(request: Request, body: TokenIn, caller: ServiceKey) -> TokenOut:
    """Call this from your server with a key of the role `service`, and hand the token to the user's browser.

    `{"visitor": true}` gives a token without a user, for people who are not signed in.
    """
    tokens: TokenIssuer = request.app.state.tokens
    issued = tokens.issue(caller.workspace, body.user_id, ttl_s=body.ttl_s)
    return TokenOut(token=issued.text, expires_at=issued.claims.expires_at, user_id=issued.claims.user_id)
