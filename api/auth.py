"""Who calls: an API key of a workspace, or the signed token of one end user or visitor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from api.problems import Problem
from assistant.domain.knowledge import Audience
from assistant.domain.live import Conversation
from assistant.errors import NotPermitted
from assistant.keys import KEY_PREFIX, KeyRole, KeyStore, TokenClaims, TokenIssuer

_bearer = HTTPBearer(
    auto_error=False,
    scheme_name="bearer",
    description="An API key `tbk_<id>_<secret>` (roles service, agent, manager) or an end user's token from `/tokens`.",
)


@dataclass(frozen=True, slots=True)
class Caller:
    """A proven caller. ``role`` is set for API keys, ``claims`` for end users; exactly one of them."""

    workspace: str
    role: KeyRole | None = None
    claims: TokenClaims | None = None
    key_id: str | None = None
    key_label: str = ""

    @property
    def user_id(self) -> str | None:
        """The end user, from the token alone; None for visitors and for keys."""
        return None if self.claims is None else self.claims.user_id

    @property
    def is_staff(self) -> bool:
        """Agents and managers. A service key only speaks for end users, so it is not staff."""
        return self.role in ("agent", "manager")

    @property
    def audience(self) -> Audience:
        """Which knowledge this caller may read."""
        return "internal" if self.is_staff else "public"

    def owns(self, conversation: Conversation) -> bool:
        """Whether this end user, or visitor, is the one who opened the conversation."""
        if self.claims is None:
            return False
        if self.claims.user_id is None:
            return conversation.user_id is None and self.claims.conversation_id == conversation.id
        return self.claims.user_id == conversation.user_id


async def authenticate(credential: str, keys: KeyStore, tokens: TokenIssuer) -> Caller:
    """The caller that this bearer credential proves. Raises a 401 problem without saying what was wrong with it."""
    try:
        if credential.startswith(KEY_PREFIX):
            key = await run_in_threadpool(keys.verify, credential)
            return Caller(key.workspace, role=key.role, key_id=key.id, key_label=key.label)
        claims = tokens.verify(credential)
    except NotPermitted as exc:
        raise Problem("unauthenticated") from exc
    return Caller(claims.workspace, claims=claims)


async def optional_caller(
    request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> Caller | None:
    """The caller, or None where no credential was sent; a wrong one is still refused."""
    if credentials is None:
        return None
    return await authenticate(credentials.credentials, request.app.state.keys, request.app.state.tokens)


async def any_caller(caller: Annotated[Caller | None, Depends(optional_caller)]) -> Caller:
    """Whoever proved who they are."""
    if caller is None:
        raise Problem("unauthenticated")
    return caller


async def end_user(caller: Annotated[Caller, Depends(any_caller)]) -> Caller:
    """A signed-in user or a visitor; API keys are refused, for a user's id comes from the user's token only."""
    if caller.claims is None:
        raise Problem("not-permitted", "This needs an end user's token; a service key gets one from /api/v1/tokens.")
    return caller


async def service_key(caller: Annotated[Caller, Depends(any_caller)]) -> Caller:
    """An API key with the role ``service``."""
    if caller.role != "service":
        raise Problem("not-permitted", "This needs an API key with the role service.")
    return caller


async def staff_key(caller: Annotated[Caller, Depends(any_caller)]) -> Caller:
    """An API key with the role ``agent`` or ``manager``."""
    if not caller.is_staff:
        raise Problem("not-permitted", "This needs an API key with the role agent or manager.")
    return caller


AnyCaller = Annotated[Caller, Depends(any_caller)]
MaybeCaller = Annotated[Caller | None, Depends(optional_caller)]
EndUser = Annotated[Caller, Depends(end_user)]
ServiceKey = Annotated[Caller, Depends(service_key)]
StaffKey = Annotated[Caller, Depends(staff_key)]
