"""Whether the process lives, and whether it can serve."""

from __future__ import annotations

import logging

from fastapi import APIRouter, Request, Response

from api.auth import MaybeCaller
from api.problems import documented
from api.routes import examples
from api.routes.context import Desks
from api.schemas import HealthOut, ReadyOut
from assistant.errors import TeachbackError

log = logging.getLogger(__name__)
router = APIRouter(tags=["health"])


@router.get("/health", summary="Is the process alive", responses={200: examples.shown({"status": "ok"}, "It is alive")})
async def health() -> HealthOut:
    """Touches nothing else; for liveness probes."""
    return HealthOut()


@router.get(
    "/ready",
    summary="Can it serve",
    response_model=ReadyOut,
    responses={
        200: examples.shown({"ready": True, "parts": {"records": "ok"}}, "Every part is ready"),
        503: {
            **examples.shown({"ready": False, "parts": {"records": "unavailable"}}, "The parts that are not ready"),
            "model": ReadyOut,
        },
        **documented("unauthenticated"),
    },
)
async def ready(request: Request, response: Response, caller: MaybeCaller) -> ReadyOut:
    """For readiness probes. What is wrong with a part is told to agents and managers of the workspace, and logged."""
    desks: Desks = request.app.state.desks
    workspace: str = request.app.state.settings.workspace
    try:
        parts = await (await desks.of(workspace)).readiness()
    except TeachbackError as exc:
        log.warning("the desk of %s cannot be opened", workspace, exc_info=exc)
        parts = {"desk": str(exc)}
    missing = {part: state for part, state in parts.items() if state != "ok"}
    if not missing:
        return ReadyOut(ready=True, parts=parts)
    log.warning("not ready: %s", missing)
    response.status_code = 503
    if caller is None or not caller.is_staff or caller.workspace != workspace:
        missing = dict.fromkeys(missing, "unavailable")
    return ReadyOut(ready=False, parts=missing)
