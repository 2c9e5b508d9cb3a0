"""DEMO ONLY: lets anyone pick a made-up user. Mounted only where a ``DemoStore`` is given, never by ``serve``."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Annotated

from fastapi import APIRouter, FastAPI, Request
from pydantic import BaseModel, ConfigDict, Field

from api.problems import Problem, documented
from api.routes import examples
from api.schemas import TokenOut
from assistant.keys import TokenIssuer


@dataclass(frozen=True, slots=True)
class DemoUser:
    """A made-up user; ``situation`` says in one line what their live state holds."""

    id: str
    name: str
    tier: str
    locale: str
    situation: str
    situation_en: str = ""


@dataclass(frozen=True, slots=True)
class DemoStore:
    """The demo workspace and who can be picked in it; tokens are issued for these users and no others."""

    workspace: str
    users: tuple[DemoUser, ...]


class DemoUserOut(BaseModel):
    """A made-up user to chat as."""

    id: str
    name: str
    tier: str
    locale: str
    situation: str
    situation_en: str


class DemoUsersOut(BaseModel):
    """Everyone who can be picked."""

    users: list[DemoUserOut]


class DemoSessionIn(BaseModel):
    """Whom to be; null is a visitor."""

    model_config = ConfigDict(extra="forbid")

    user_id: Annotated[str | None, Field(max_length=200, examples=["u-1001"])]


router = APIRouter(prefix="/demo", tags=["demo only"])


@router.get(
    "/users",
    summary="DEMO ONLY: made-up users",
    responses={200: examples.shown(examples.DEMO_USERS, "Everyone who can be picked")},
)
async def demo_users(request: Request) -> DemoUsersOut:
    """Whom the chat page can show as."""
    store: DemoStore = request.app.state.demo
    return DemoUsersOut(users=[DemoUserOut(**asdict(user)) for user in store.users])


@router.post(
    "/session",
    summary="DEMO ONLY: become one of them",
    status_code=201,
    responses={
        201: examples.shown(examples.TOKEN, "A token of the demo workspace"),
        **documented("not-found", "too-large", "invalid"),
    },
)
async def demo_session(request: Request, body: DemoSessionIn) -> TokenOut:
    """A token without any proof: this is why the demo holds nothing but made-up data."""
    store: DemoStore = request.app.state.demo
    tokens: TokenIssuer = request.app.state.tokens
    if body.user_id is not None and all(user.id != body.user_id for user in store.users):
        raise Problem("not-found")
    issued = tokens.issue(store.workspace, body.user_id)
    return TokenOut(token=issued.text, expires_at=issued.claims.expires_at, user_id=body.user_id)


def mount_demo(app: FastAPI, store: DemoStore) -> None:
    """Add the demo's routes."""
    app.state.demo = store
    app.include_router(router)
