"""The one module that imports the OpenAI client: requests out, our own errors back.

The import costs over a second, so it happens when a client is made, not when this module is read.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from assistant.errors import EmbeddingFailed, ModelUnavailable, RateLimited, TeachbackError

OPENAI_URL = "https://api.openai.com/v1"
_RETRIES = 1
_NO_KEY = "not-needed"
_FALLBACK = "The reply is taken from the knowledge base instead."
# The settings that a failure may come from: key, endpoint, model.
_CHAT = ("OPENAI_API_KEY", "OPENAI_BASE_URL", "TEACHBACK_MODEL")
_JUDGE = ("TEACHBACK_JUDGE_API_KEY", "TEACHBACK_JUDGE_BASE_URL", "TEACHBACK_JUDGE_MODEL")
# What the client says of the machine it runs on; no endpoint needs it.
_MACHINE_HEADERS = ("Lang", "Package-Version", "OS", "Arch", "Runtime", "Runtime-Version", "Async")


class RequestRejected(ModelUnavailable):
    """The server refused the request as such (400, 404, 422); ``detail`` is what it says of it."""

    def __init__(self, message: str, status: int, detail: str) -> None:
        super().__init__(message)
        self.status = status
        self.detail = detail


@dataclass(frozen=True, slots=True)
class ToolPiece:
    """A piece of a proposed tool call: the name comes first, the arguments' text in pieces."""

    index: int
    name: str = ""
    arguments: str = ""


@dataclass(frozen=True, slots=True)
class Chunk:
    """One event of a streamed completion; ``thinking`` tells that it carried reasoning, which nobody is shown."""

    text: str = ""
    thinking: bool = False
    finish_reason: str | None = None
    usage: Mapping[str, int] = field(default_factory=dict)
    tools: tuple[ToolPiece, ...] = ()


@dataclass(frozen=True, slots=True)
class Completion:
    """One whole completion; ``refusal`` is what the server says where the model would not answer."""

    text: str
    refusal: str | None = None
    finish_reason: str | None = None
    usage: Mapping[str, int] = field(default_factory=dict)


class ChatClient:
    """Chat completions of one endpoint. Made by ``make_client``; closes its connections on ``aclose``."""

    def __init__(self, client: Any, endpoint: str) -> None:
        self._client = client
        self.endpoint = endpoint

    async def complete(self, body: Mapping[str, object]) -> Completion:
        """One completion at once. Raises ModelUnavailable, whose ``reason`` names the kind of failure."""
        try:
            with _translated(self.endpoint, ModelUnavailable, "Nothing was judged by this request.", _JUDGE):
                return _completion(await self._client.chat.completions.create(**body))
        except ModelUnavailable as exc:
            exc.reason = _kind(exc.__cause__)
            raise

    async def stream(self, body: Mapping[str, object]) -> AsyncGenerator[Chunk, None]:
        """The events of one streamed completion; every failure is a ModelUnavailable, chained from its cause.

        Closing the iterator closes the connection, so that the server stops generating.
        """
        with _translated(self.endpoint, ModelUnavailable, _FALLBACK):
            events = await self._client.chat.completions.create(**body, stream=True)
            try:
                async for event in events:
                    yield _chunk(event)
            finally:
                await events.close()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.close()


class EmbeddingsClient:
    """Embeddings of one endpoint; ``embeddings`` is the vendor's own resource, for ``OpenAIEmbedder``."""

    def __init__(self, client: Any, endpoint: str) -> None:
        self._client = client
        self.endpoint = endpoint

    @property
    def embeddings(self) -> Any:
        """The vendor's embeddings resource; its errors are the vendor's."""
        return self._client.embeddings

    def embed(self, model: str, texts: Sequence[str]) -> list[list[float]]:
        """One vector a text, in order. Raises EmbeddingFailed."""
        with _translated(self.endpoint, EmbeddingFailed, "Nothing was stored; try again."):
            answer = self._client.embeddings.create(model=model, input=list(texts), encoding_format="float")
            vectors = [list(item.embedding) for item in sorted(answer.data, key=lambda item: item.index)]
        if len(vectors) != len(texts):
            raise EmbeddingFailed(f"{self.endpoint} gave {len(vectors)} vectors for {len(texts)} texts.")
        return vectors

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


def make_client(base_url: str | None, api_key: str | None, timeout: float, *, retries: int = _RETRIES) -> ChatClient:
    """A client for chat; ``timeout`` in seconds bounds each wait for bytes. Imports the vendor's package.

    ``retries`` are made after 408, 409, 429 and 5xx and after a lost connection, as late as ``Retry-After`` asks.
    With 0 the caller sees the first refusal.
    """
    from openai import AsyncOpenAI

    url = base_url or OPENAI_URL
    client = AsyncOpenAI(**{**_options(url, api_key, timeout), "max_retries": retries})
    # The vendor's package loads half of itself when this is first read: seconds that belong to building the service,
    # not to the first customer's time limit.
    _ = client.chat.completions
    return ChatClient(client, shown(url))


def make_sync_client(base_url: str | None, api_key: str | None, timeout: float) -> EmbeddingsClient:
    """A blocking, thread-safe client for embeddings. Imports the vendor's package."""
    from openai import OpenAI

    url = base_url or OPENAI_URL
    return EmbeddingsClient(OpenAI(**_options(url, api_key, timeout)), shown(url))


def _options(url: str, api_key: str | None, timeout: float) -> dict[str, Any]:
    from openai import Omit

    return {
        "base_url": url,
        # local servers take any key; None would make the client read the environment, which settings.py alone does
        "api_key": api_key or _NO_KEY,
        "timeout": timeout,
        "max_retries": _RETRIES,
        "default_headers": {f"X-Stainless-{name}": Omit() for name in _MACHINE_HEADERS},
    }


def shown(url: str) -> str:
    """The endpoint as it may be logged: no user name, password or query."""
    parts = urlsplit(url)
    host = parts.hostname or url
    return f"{parts.scheme}://{host}{f':{parts.port}' if parts.port else ''}{parts.path.rstrip('/')}"


@contextmanager
def _translated(
    endpoint: str, error: type[TeachbackError], what_next: str, settings: tuple[str, str, str] = _CHAT
) -> Iterator[None]:
    """Vendor and transport errors as ours. The transport's are not wrapped by the client once a stream has begun."""
    import httpx2
    import openai

    try:
        yield
    except openai.APITimeoutError as exc:
        raise error(f"{endpoint} did not answer in time. {what_next}") from exc
    except openai.APIStatusError as exc:
        message = f"{endpoint} answered {exc.status_code}{_hint(exc.status_code, *settings)}. {what_next}"
        if exc.status_code in (400, 404, 422) and error is ModelUnavailable:
            raise RequestRejected(message, exc.status_code, f"{exc.param or ''} {exc.message}") from exc
        if exc.status_code == 429 and error is ModelUnavailable:
            raise RateLimited(message, _retry_after(exc.response.headers)) from exc
        raise error(message) from exc
    except openai.APIConnectionError as exc:
        raise error(f"No connection to {endpoint}. {what_next}") from exc
    except openai.OpenAIError as exc:
        raise error(f"{endpoint} reported an error: {exc}. {what_next}") from exc
    except httpx2.TimeoutException as exc:
        raise error(f"{endpoint} fell silent. {what_next}") from exc
    except httpx2.HTTPError as exc:
        raise error(f"The connection to {endpoint} broke off. {what_next}") from exc
    except (ValueError, TypeError, AttributeError, LookupError) as exc:
        raise error(f"{endpoint} sent something that is not this protocol. {what_next}") from exc


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds of a Retry-After header (RFC 9110, 10.2.3), whichever of its two forms; None without a usable one."""
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return float(value)
    try:
        return max(0.0, (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError):
        return None


def _hint(status: int, key: str, url: str, model: str) -> str:
    """The usual remedy for a status, as an apposition."""
    return {
        401: f" (is {key} right?)",
        403: " (may this key use this model?)",
        404: f" (are {url} and {model} right?)",
        429: " (too many requests or no credit left)",
    }.get(status, "")


def _kind(cause: BaseException | None) -> str:
    """A failure's kind in one word, to be counted by."""
    import openai

    if isinstance(cause, openai.APITimeoutError):
        return "timeout"
    if isinstance(cause, openai.APIStatusError):
        status = cause.status_code
        known = {401: "not_authorised", 403: "not_authorised", 404: "not_found", 408: "timeout", 429: "rate_limited"}
        return known.get(status, "server_error" if status >= 500 else "rejected")
    return "no_connection" if isinstance(cause, openai.APIConnectionError) else "not_the_protocol"


def _completion(answer: Any) -> Completion:
    choice = answer.choices[0]
    text = choice.message.content
    if text is not None and not isinstance(text, str):
        raise TypeError("content is not text")
    refusal = getattr(choice.message, "refusal", None)
    return Completion(text or "", refusal or None, choice.finish_reason, _counted(answer.usage))


def _counted(usage: Any) -> dict[str, int]:
    return {
        name: value
        for name in ("prompt_tokens", "completion_tokens", "total_tokens")
        if isinstance(value := getattr(usage, name, None), int)
    }


def _chunk(event: Any) -> Chunk:
    """What matters of one event; servers differ in what they leave out."""
    counted = _counted(event.usage)
    if not event.choices:
        return Chunk(usage=counted)
    choice = event.choices[0]
    delta = choice.delta
    text = getattr(delta, "content", None) or ""
    if not isinstance(text, str):
        raise TypeError("content is not text")
    thinking = any(getattr(delta, name, None) for name in ("reasoning_content", "reasoning"))
    tools = tuple(
        ToolPiece(piece.index or 0, _text(piece.function.name), _text(piece.function.arguments))
        for piece in getattr(delta, "tool_calls", None) or ()
        if piece.function is not None
    )
    return Chunk(text, bool(thinking), choice.finish_reason, counted, tools)


def _text(value: object) -> str:
    if value is not None and not isinstance(value, str):
        raise TypeError("a tool call is not text")
    return value or ""
