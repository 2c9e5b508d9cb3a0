"""What holds for every request before and after its route: trace id, body limit, security headers, no raw errors."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Sequence

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import problem_response

log = logging.getLogger(__name__)

_PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors {ancestors}"
)
_UNFRAMED_POLICY = _PAGE_POLICY.format(ancestors="'none'")
_DATA_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
}


class Guard:
    """ASGI middleware around the whole app. Sites in ``frame_origins`` may show the chat page in a frame."""

    def __init__(self, app: ASGIApp, *, max_body_bytes: int, frame_origins: Sequence[str] = ()) -> None:
        self._app = app
        self._max_body_bytes = max_body_bytes
        self._framed_policy = _PAGE_POLICY.format(ancestors=" ".join(["'self'", *frame_origins]))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        trace_id = secrets.token_hex(16)
        scope["teachback.trace_id"] = trace_id
        started = False

        async def guarded_send(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                self._dress(MutableHeaders(scope=message), str(scope["path"]), trace_id)
            await send(message)

        try:
            await self._app(scope, self._limited(scope, receive), guarded_send)
        except ClientDisconnect:
            log.info("%s: the client left", trace_id)
        except Exception as exc:
            if started:
                raise
            await problem_response(Request(scope), exc)(scope, receive, guarded_send)

    def _limited(self, scope: Scope, receive: Receive) -> Receive:
        seen = 0
        announced = Headers(scope=scope).get("content-length", "")

        async def limited_receive() -> Message:
            nonlocal seen
            if announced.isdigit() and int(announced) > self._max_body_bytes:
                raise _too_large()
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self._max_body_bytes:
                raise _too_large()
            return message

        return limited_receive

    def _dress(self, headers: MutableHeaders, path: str, trace_id: str) -> None:
        for name, value in _ALWAYS.items():
            headers[name] = value
        headers["X-Trace-Id"] = trace_id
        is_page = headers.get("content-type", "").startswith("text/html")
        framed = self._framed_policy if path == "/" else _UNFRAMED_POLICY
        headers["Content-Security-Policy"] = framed if is_page else _DATA_POLICY
        if path.startswith(("/api/", "/demo/")):
            headers.setdefault("Cache-Control", "no-store")


def _too_large() -> HTTPException:
    # Of all exceptions raised while the body is read, the framework passes only this class on as it is.
    return HTTPException(413, headers={"Connection": "close"})
