"""The HTTP application: puts routes, guards and error answers together. Nothing is built at import."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.middleware.cors import CORSMiddleware

from api.demo import DemoStore, mount_demo
from api.problems import add_problem_handlers
from api.routes import agent_desk, conversations, drafts, evaluations, health, knowledge, reviews
from api.routes import tokens as tokens_routes
from api.routes.context import ApiLimits, DeskLike, Desks
from api.routes.guards import Guard
from api.routes.pages import mount_pages
from api.schemas import ProblemOut
from assistant.keys import KeyStore, TokenIssuer
from assistant.settings import Settings

__all__ = ["API_PREFIX", "ApiLimits", "DemoStore", "DeskLike", "create_app"]

API_PREFIX = "/api/v1"
_ABOUT = (
    "A retrieval assistant for customer support. Every error is `application/problem+json`; "
    "its `instance`, also sent as `X-Trace-Id`, is the id to quote. "
    "Send `Accept-Language: zh` or `en` to choose its words."
)
_TAGS = [
    {"name": "conversations", "description": "Open, read, ask, rate."},
    {"name": "agents", "description": "The queue, drafts, and what was sent in their place."},
    {"name": "knowledge", "description": "Search and suggested questions."},
    {"name": "knowledge desk", "description": "For staff: gaps, drafted articles, flags, stocktake."},
    {"name": "tokens", "description": "From your server: tokens for your users."},
    {"name": "health", "description": "Probes."},
]


def create_app(
    *,
    desks: Callable[[str], DeskLike],
    keys: KeyStore,
    tokens: TokenIssuer,
    settings: Settings,
    demo: DemoStore | None = None,
    limits: ApiLimits | None = None,
    background: Callable[[], Awaitable[None]] | None = None,
    review: reviews.Knowledge | None = None,
) -> FastAPI:
    """The application.

    ``desks`` gives a workspace's desk; it is called once for each workspace, in a worker thread, on first use. The app
    closes the desks it was given when it shuts down. ``demo`` adds routes that let anyone be a made-up user.
    ``background`` runs beside the requests until the app shuts down. Without ``review`` the routes of the knowledge
    desk answer that they are not available.
    """
    pool = Desks(desks)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        beside = asyncio.ensure_future(background()) if background is not None else None
        try:
            yield
        finally:
            if beside is not None:
                beside.cancel()
                await asyncio.gather(beside, return_exceptions=True)
            await pool.close()

    app = FastAPI(
        title="Teachback",
        version=_version(),
        description=_ABOUT,
        openapi_tags=[*_TAGS, *([{"name": "demo only", "description": "Never in production."}] if demo else [])],
        openapi_url=f"{API_PREFIX}/openapi.json",
        # The built-in viewers load scripts from other hosts.
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.desks = pool
    app.state.keys = keys
    app.state.tokens = tokens
    app.state.settings = settings
    app.state.limits = limits or ApiLimits()
    app.state.knowledge = review

    add_problem_handlers(app)
    api = APIRouter(prefix=API_PREFIX)
    for module in (tokens_routes, conversations, drafts, agent_desk, knowledge, reviews, evaluations, health):
        api.include_router(module.router)
    app.include_router(api)
    if demo is not None:
        mount_demo(app, demo)
    mount_pages(app)

    app.add_middleware(
        Guard, max_body_bytes=app.state.limits.max_body_bytes, frame_origins=tuple(settings.allowed_origins)
    )
    if settings.allowed_origins:
        # Outside the guard, so that a site may also read the answer to a request that failed.
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.allowed_origins,
            allow_methods=["GET", "POST"],
            allow_headers=["Authorization", "Content-Type", "Accept-Language"],
            expose_headers=["X-Trace-Id"],
        )
    _complete_openapi(app)
    return app


def _complete_openapi(app: FastAPI) -> None:
    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = get_openapi(
                title=app.title,
                version=app.version,
                description=app.description,
                tags=app.openapi_tags,
                routes=app.routes,
            )
            # Only the problem examples refer to it, so the framework does not collect it by itself.
            problem = ProblemOut.model_json_schema(ref_template="#/components/schemas/{model}")
            schemas = schema["components"]["schemas"]
            schemas.update(problem.pop("$defs", {}))
            schemas["ProblemOut"] = problem
            app.openapi_schema = schema
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # the framework's documented way to extend the document


def _version() -> str:
    try:
        return version("teachback")
    except PackageNotFoundError:
        return "0"
