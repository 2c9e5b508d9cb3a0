"""The HTTP calls behind tasks; answers are told apart by what they prove: accepted, refused, never sent, or unsure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote

import httpx

from assistant.domain.task import Backend, Parameter, Task
from assistant.errors import ToolFailed
from assistant.tasks.conditions import filled

_MAX_BYTES = 262_144
# These say "not now", never "I have looked and will not".
_UNSURE = {408, 409, 421, 425, 429}


@dataclass(frozen=True, slots=True)
class Outcome:
    """``accepted`` and ``refused`` (with the shop's ``code``) are sure; after ``unsure`` the effect may be there.

    ``unsent``: no connection was made, so nothing can have happened.
    """

    kind: Literal["accepted", "refused", "unsent", "unsure"]
    status: int | None = None
    code: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Option:
    """Something the shop lets this user choose."""

    id: str
    title: str


class TaskBackend:
    """One shop. ``secrets`` are header → value; the client's transport may lead to a server in this process."""

    def __init__(self, backend: Backend, client: httpx.AsyncClient, secrets: Mapping[str, str]) -> None:
        self._backend = backend
        self._client = client
        self._secrets = dict(secrets)

    @property
    def timeout_s(self) -> float:
        """Longest wait for one call, in seconds."""
        return self._backend.timeout_s

    async def act(self, task: Task, parameters: Mapping[str, str], *, user_id: str, key: str, locale: str) -> Outcome:
        """Send the task's call once, under this idempotency key."""
        assert task.call is not None
        places = {**parameters, "user_id": user_id}
        escaped = {name: quote(value, safe="") for name, value in places.items()}
        body = {name: value for name, t in task.call.json.items() if (value := filled(t, places)) != ""}
        headers = {**self._headers(user_id, locale), "Idempotency-Key": key}
        try:
            answer = await self._client.request(
                task.call.method, self._url(filled(task.call.path, escaped)), json=body, headers=headers
            )
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol) as exc:
            return Outcome("unsent", detail=type(exc).__name__)
        except httpx.HTTPError as exc:
            return Outcome("unsure", detail=type(exc).__name__)
        if answer.is_success:
            return Outcome("accepted", answer.status_code)
        code = _code(answer)
        if 400 <= answer.status_code < 500 and (answer.status_code not in _UNSURE or code in task.errors):
            return Outcome("refused", answer.status_code, code)
        return Outcome("unsure", answer.status_code, code)

    async def options(self, parameter: Parameter, *, user_id: str, locale: str) -> tuple[Option, ...]:
        """What the user may choose for this parameter. Raises ToolFailed."""
        try:
            path = filled(parameter.options, {"user_id": quote(user_id, safe="")})
            answer = await self._client.get(self._url(path), headers=self._headers(user_id, locale))
            answer.raise_for_status()
            if len(answer.content) > _MAX_BYTES:
                raise ValueError("too long")
            items: Any = answer.json()["items"]
            return tuple(Option(str(item["id"]), str(item["title"])) for item in items)[:20]
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as exc:
            raise ToolFailed(f"{parameter.options} did not list what can be chosen: {type(exc).__name__}") from exc

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    def _url(self, path: str) -> str:
        base = "http://shop.invalid" if self._backend.base_url == "demo" else self._backend.base_url.rstrip("/")
        return base + path

    def _headers(self, user_id: str, locale: str) -> dict[str, str]:
        told = {name: filled(value, {"user_id": user_id}) for name, value in self._backend.headers.items()}
        # header values are ASCII on the wire; an id in another script is escaped rather than refused
        told = {name: value if value.isascii() else quote(value) for name, value in told.items()}
        return {**told, **self._secrets, "Accept-Language": locale}


def _code(answer: httpx.Response) -> str:
    try:
        body = answer.json() if len(answer.content) <= _MAX_BYTES else None
    except ValueError:
        return ""
    return str(body.get("code", ""))[:64] if isinstance(body, dict) else ""
