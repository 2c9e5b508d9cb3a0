"""Live state from a service that answers GET with JSON; every answer is bounded, checked and taken from one host."""

from __future__ import annotations

import asyncio
import json
import ssl
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import quote, urljoin

import httpx

from assistant.domain.state import UserState
from assistant.errors import ConfigurationError, SourceFailed
from assistant.state.sources.config import HttpConfig, Paging, Request
from assistant.state.sources.mapping import Found, take
from assistant.state.sources.result import as_state, must_be_live, must_be_usable

_LARGE = 32_768  # bytes of JSON from which parsing leaves the event loop
_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
_NOT_ITS_FAULT = frozenset({400, 404, 410, 414, 422})  # about this user's id, not about the service
_ABSENT = object()


class HttpSource:
    """A StateSource over configured requests, which run side by side.

    Raises SourceFailed; items of other users are dropped and make the state partial.
    """

    def __init__(self, config: HttpConfig) -> None:
        """Raises ConfigurationError where the secret or the CA file is absent. Nothing is connected yet."""
        self.config = config
        self._headers = {"Accept": "application/json", "Accept-Encoding": "identity", **config.headers}
        if config.auth is not None:
            value = config.auth.prefix + config.auth.read().get_secret_value()
            if not value.isascii() or not value.isprintable():
                raise ConfigurationError(f"state source {config.name}: its secret does not fit into a header")
            self._headers[config.auth.header] = value
        self._origin = _origin(httpx.URL(config.base_url))
        self._tls: ssl.SSLContext | bool = False  # plain http needs none, and making one takes time
        if config.base_url.startswith("https:"):
            try:
                self._tls = ssl.create_default_context(cafile=str(config.ca_file) if config.ca_file else None)
            except OSError as exc:
                raise ConfigurationError(f"state source {config.name}: ca_file cannot be read: {exc}") from exc
        self._client: tuple[asyncio.AbstractEventLoop, httpx.AsyncClient] | None = None

    async def fetch(self, user_id: str, as_of: datetime | None = None) -> UserState:
        """What the service says of this user now."""
        must_be_live(as_of)
        must_be_usable(user_id)
        found = Found()
        parts = [asyncio.ensure_future(self._take(found, request, user_id)) for request in self.config.requests]
        try:
            await asyncio.gather(*parts)
        finally:
            for part in parts:
                part.cancel()
        return as_state(found, user_id, datetime.now(UTC))

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            loop, client = self._client
            self._client = None
            if loop is asyncio.get_running_loop():
                await client.aclose()

    async def _take(self, found: Found, request: Request, user_id: str) -> None:
        url = httpx.URL(self.config.base_url + request.path.replace("{user_id}", quote(user_id, safe="")))
        left = self.config.row_limit
        seen: set[str] = set()
        number = request.paging.first_page if request.paging else 1
        page: httpx.URL | None = url
        if request.paging and request.paging.style == "page":
            page = url.copy_set_param(str(request.paging.param), str(number))
        while page is not None:
            if str(page) in seen or len(seen) >= (request.paging.max_pages if request.paging else 1):
                found.say(f"{request.kind}: more pages than are read")
                break
            seen.add(str(page))
            body, link = await self._get(page, request)
            if body is _ABSENT:
                found.asked_profile = found.asked_profile or request.kind == "profile"
                break
            rows = request.items.of(body)
            items = [rows] if isinstance(rows, dict) else rows
            if not isinstance(items, list):
                raise SourceFailed(f"{request.kind}: the answer has no list at {request.items.text!r}")
            if len(items) > left:
                found.say(f"{request.kind}: more than {self.config.row_limit} items")
            kept = items[:left]
            left -= len(kept)
            owner = None
            if request.response_user_id is not None:
                owner = request.response_user_id.of(body)
                owner = "" if owner is None else owner  # nobody's, not "see each item"
            if len(kept) > 100:
                await asyncio.to_thread(take, found, request, kept, user_id, owner=owner)
            else:
                take(found, request, kept, user_id, owner=owner)
            number += 1
            page = None if left <= 0 else self._next(request.paging, url, page, body, link, number, bool(items))

    def _next(
        self, paging: Paging | None, first: httpx.URL, page: httpx.URL, body: Any, link: str, number: int, some: bool
    ) -> httpx.URL | None:
        if paging is None:
            return None
        pointer = paging.next.of(body) if paging.next is not None else None
        if paging.style == "page":
            more = some if paging.next is None else bool(pointer)
            return first.copy_set_param(str(paging.param), str(number)) if more else None
        if paging.style == "link_header":
            pointer = link
        if pointer in (None, "", False):
            return None
        if isinstance(pointer, bool) or not isinstance(pointer, str | int):
            raise SourceFailed("the pointer to the next page is no text")
        if paging.style == "cursor":
            return first.copy_set_param(str(paging.param), str(pointer))
        try:
            following = httpx.URL(urljoin(str(page), str(pointer)))
        except (httpx.InvalidURL, ValueError) as exc:
            raise SourceFailed("the link to the next page is no URL") from exc
        if _origin(following) != self._origin:
            raise SourceFailed("the next page is on another host, where the secret must not go")
        return following

    async def _get(self, url: httpx.URL, request: Request) -> tuple[Any, str]:
        """The parsed body and the next link of the ``Link`` header; the mark for "absent" on an expected 404."""
        try:
            async with self._http().stream("GET", url) as response:
                status = response.status_code
                if status == 404 and request.not_found == "empty":
                    return _ABSENT, ""
                if status != 200:
                    moved = " (redirects are not followed)" if response.is_redirect else ""
                    raise SourceFailed(
                        f"{request.kind}: answered {status}{moved}",
                        again=status in _AGAIN,
                        counts=status not in _NOT_ITS_FAULT,
                    )
                if response.headers.get("Content-Encoding", "identity").lower() not in ("", "identity"):
                    raise SourceFailed(f"{request.kind}: the answer is compressed, which was not asked for")
                body = bytearray()
                async for piece in response.aiter_bytes():
                    body += piece
                    if len(body) > self.config.max_bytes:
                        raise SourceFailed(f"{request.kind}: the answer is longer than {self.config.max_bytes:,} bytes")
                link = str(response.links.get("next", {}).get("url", ""))
        except httpx.HTTPError as exc:
            # a server that breaks off is tried again; one that speaks no HTTP is not
            again = isinstance(exc, httpx.TransportError) and not isinstance(exc, httpx.UnsupportedProtocol)
            raise SourceFailed(f"{request.kind}: does not answer ({type(exc).__name__})", again=again) from exc
        except (httpx.InvalidURL, httpx.StreamError) as exc:
            raise SourceFailed(f"{request.kind}: cannot be asked ({type(exc).__name__})") from exc
        try:
            raw = bytes(body)
            return (await asyncio.to_thread(_parse, raw) if len(raw) > _LARGE else _parse(raw)), link
        except (ValueError, RecursionError) as exc:
            raise SourceFailed(f"{request.kind}: the answer is no JSON") from exc

    def _http(self) -> httpx.AsyncClient:
        loop = asyncio.get_running_loop()
        if self._client is None or self._client[0] is not loop:
            client = httpx.AsyncClient(
                headers=self._headers,
                verify=self._tls,
                follow_redirects=False,
                trust_env=False,  # no proxy and no .netrc of whoever runs the service
                timeout=httpx.Timeout(self.config.budget_ms / 1000),
                limits=httpx.Limits(max_connections=50, max_keepalive_connections=10),
            )
            self._client = (loop, client)
        return self._client[1]


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def _parse(raw: bytes) -> Any:
    def refuse(name: str) -> Any:
        raise ValueError(f"{name} is no JSON")

    return json.loads(raw, parse_float=Decimal, parse_constant=refuse)
