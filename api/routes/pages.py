"""The pages and their static files, straight from the package."""

from __future__ import annotations

from importlib.resources import files

from fastapi import APIRouter, FastAPI
from fastapi.responses import HTMLResponse
from starlette.staticfiles import StaticFiles

router = APIRouter(include_in_schema=False)


@router.api_route("/", methods=["GET", "HEAD"])
def chat_page() -> HTMLResponse:
    """The chat."""
    return _page("chat.html")


@router.api_route("/desk", methods=["GET", "HEAD"])
def agent_desk_page() -> HTMLResponse:
    """The agent desk; what it shows comes over the API, with a staff key."""
    return _page("desk.html")


@router.api_route("/knowledge", methods=["GET", "HEAD"])
def knowledge_desk_page() -> HTMLResponse:
    """The knowledge desk, likewise."""
    return _page("knowledge.html")


@router.api_route("/docs", methods=["GET", "HEAD"])
def docs_page() -> HTMLResponse:
    """The OpenAPI document, readable; unlike the framework's viewers it loads nothing from other hosts."""
    return _page("docs.html")


def mount_pages(app: FastAPI) -> None:
    """Serve ``/``, ``/desk``, ``/knowledge``, ``/docs`` and ``/static``."""
    app.include_router(router)
    app.mount("/static", StaticFiles(packages=[("api", "static")]))


def _page(name: str) -> HTMLResponse:
    page = files("api").joinpath("pages", name).read_text("utf-8")
    return HTMLResponse(page, headers={"Cache-Control": "no-cache"})
