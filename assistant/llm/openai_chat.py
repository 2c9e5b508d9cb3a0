"""Streaming chat through any OpenAI-compatible server, with every way it can fail turned into ModelUnavailable."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from typing import Protocol

from assistant.errors import ModelUnavailable
from assistant.llm.openai_client import Chunk, RequestRejected
from assistant.ports import ChatDelta, ChatMessage, ToolCall, ToolSpec

_log = logging.getLogger(__name__)
_FALLBACK = "The reply is taken from the knowledge base instead."


class Completions(Protocol):
    """What is used of ``openai_client.ChatClient``."""

    def stream(self, body: Mapping[str, object]) -> AsyncGenerator[Chunk, None]:
        """The events of one completion."""
        ...

    async def aclose(self) -> None:
        """Close the connections."""
        ...


class OpenAIChat:
    """A ChatModel at an OpenAI-compatible endpoint; waits and lengths are seconds and tokens."""

    def __init__(
        self,
        client: Completions,
        model: str,
        *,
        first_token_s: float = 10.0,
        timeout_s: float = 20.0,
        max_tokens: int = 600,
        temperature: float = 0.0,
    ) -> None:
        self._client = client
        self._model = model
        self._first_token_s = first_token_s
        self._timeout_s = timeout_s
        # What the server has been found to reject is changed here once, for all later calls.
        self._options: dict[str, object] = {
            "max_tokens": max_tokens,
            "temperature": temperature,
            "stream_options": {"include_usage": True},
        }

    @property
    def name(self) -> str:
        """The model's name."""
        return self._model

    async def stream(self, messages: Sequence[ChatMessage]) -> AsyncGenerator[ChatDelta, None]:
        """Pieces of the reply without reasoning; raises ModelUnavailable, also in the middle.

        A completion counts only when the server says that it stopped by itself: one cut off by a killed server, a
        token limit or a filter is a failure, because the missing end may hold the exception to the rule.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._timeout_s
        body = {"model": self._model, "messages": [{"role": m.role, "content": m.content} for m in messages]}
        options = dict(self._options)
        while True:
            try:
                async with aclosing(self._completion({**body, **options}, deadline)) as deltas:
                    async for delta in deltas:
                        yield delta
                self._options = options
                return
            except RequestRejected as exc:
                # a server rejects before the first piece, so nothing has been yielded yet
                adapted = _adapted(options, exc)
                if adapted is None:
                    raise
                _log.info("%s rejected an option; trying with %s", self._model, sorted(adapted))
                options = adapted

    async def call_tool(
        self,
        messages: Sequence[ChatMessage],
        tools: Sequence[ToolSpec],
        *,
        told: Callable[[Mapping[str, int]], None] | None = None,
    ) -> ToolCall | None:
        """The first tool call that the model proposes, or None when it writes text instead. Raises ModelUnavailable.

        A call that was cut off by a token limit is a failure: half an argument is another argument.
        """
        deadline = asyncio.get_running_loop().time() + self._timeout_s
        body: dict[str, object] = {
            "model": self._model,
            "messages": [{"role": m.role, "content": m.content} for m in messages],
            "tools": [
                {
                    "type": "function",
                    "function": {"name": t.name, "description": t.description, "parameters": dict(t.parameters)},
                }
                for t in tools
            ],
            "tool_choice": "auto",
        }
        options = dict(self._options)
        while True:
            try:
                call = await self._tool_call({**body, **options}, deadline, told)
            except RequestRejected as exc:
                adapted = _adapted(options, exc)
                if adapted is None:
                    raise
                options = adapted
            else:
                self._options = options
                return call

    async def _tool_call(
        self, body: Mapping[str, object], deadline: float, told: Callable[[Mapping[str, int]], None] | None
    ) -> ToolCall | None:
        name, arguments, finish = "", "", None
        async with aclosing(self._client.stream(body)) as chunks:
            while True:
                try:
                    async with asyncio.timeout_at(deadline):
                        chunk = await anext(chunks, None)
                except TimeoutError as exc:
                    raise ModelUnavailable(
                        f"{self._model} took over {self._timeout_s:g} s for a tool call. The rules decide alone."
                    ) from exc
                if chunk is None:
                    break
                for piece in chunk.tools:
                    if piece.index == 0:
                        name += piece.name
                        arguments += piece.arguments
                finish = chunk.finish_reason or finish
                if told is not None and chunk.usage:
                    told(chunk.usage)
        if finish not in ("stop", "tool_calls", "function_call"):
            raise ModelUnavailable(f"{self._model}'s tool call ended with {finish!r}. The rules decide alone.")
        return ToolCall(name, arguments) if name else None

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _completion(self, body: Mapping[str, object], deadline: float) -> AsyncGenerator[ChatDelta, None]:
        loop = asyncio.get_running_loop()
        first_by = min(deadline, loop.time() + self._first_token_s)
        thoughts = ThoughtFilter()
        usage: Mapping[str, int] = {}
        finish: str | None = None
        waiting, said = True, False
        async with aclosing(self._client.stream(body)) as chunks:
            while True:
                try:
                    async with asyncio.timeout_at(first_by if waiting else deadline):
                        chunk = await anext(chunks, None)
                except TimeoutError as exc:
                    what = "its first token" if waiting else "the whole reply"
                    limit = self._first_token_s if waiting and first_by < deadline else self._timeout_s
                    raise ModelUnavailable(f"{self._model} took over {limit:g} s for {what}. {_FALLBACK}") from exc
                except ModelUnavailable:
                    if finish is not None:  # the reply is whole; only the usage was lost
                        break
                    raise
                if chunk is None:
                    break
                waiting = waiting and not (chunk.text or chunk.thinking)
                finish = chunk.finish_reason or finish
                usage = chunk.usage or usage
                text = thoughts.feed(chunk.text)
                if text:
                    said = said or bool(text.strip())
                    yield ChatDelta(text)
        tail = thoughts.close()
        self._check(finish, said or bool(tail.strip()), thoughts.seen, body)
        yield ChatDelta(tail, usage)

    def _check(self, finish: str | None, said: bool, thought: bool, body: Mapping[str, object]) -> None:
        """Raise unless the completion is whole and says something."""
        if finish is None:
            raise ModelUnavailable(f"{self._model}'s reply broke off in the middle. {_FALLBACK}")
        if finish == "length":
            limit = body.get("max_tokens") or body.get("max_completion_tokens")
            raise ModelUnavailable(
                f"{self._model}'s reply was cut at {limit} tokens (TEACHBACK_MODEL_MAX_TOKENS). {_FALLBACK}"
            )
        if finish != "stop":
            raise ModelUnavailable(f"{self._model} stopped for the reason {finish!r}. {_FALLBACK}")
        if not said:
            only = "only reasoning" if thought else "an empty reply"
            raise ModelUnavailable(f"{self._model} gave {only}. {_FALLBACK}")


class ThoughtFilter:
    """Drops ``<think>…</think>`` from a stream, however the pieces cut the tags."""

    _OPEN, _CLOSE = "<think>", "</think>"

    def __init__(self) -> None:
        self._held = ""
        self._inside = False
        self.seen = False

    def feed(self, piece: str) -> str:
        """What may be shown now. A closing tag without an opening one raises ModelUnavailable: its thoughts are out."""
        self._held += piece
        out = ""
        while self._held:
            tag = self._CLOSE if self._inside else self._OPEN
            before, found, after = self._held.partition(tag)
            if found:
                out += "" if self._inside else before
                self._inside, self.seen, self._held = not self._inside, True, after
                continue
            keep = _overlap(self._held, (tag, self._CLOSE))
            out += "" if self._inside else self._held[: len(self._held) - keep]
            self._held = self._held[len(self._held) - keep :]
            break
        if self._CLOSE in out or self._held == self._CLOSE:
            raise ModelUnavailable(
                "The model's reasoning came without its opening tag; turn on the server's reasoning parser. "
                + _FALLBACK
            )
        return out

    def close(self) -> str:
        """What was held back at the end; nothing of an unfinished thought."""
        held, self._held = self._held, ""
        return "" if self._inside else held


def _overlap(text: str, tags: Sequence[str]) -> int:
    """Length of the longest end of ``text`` that starts one of the tags."""
    longest = max(map(len, tags))
    return next((n for n in range(min(longest, len(text)), 0, -1) if any(tag.startswith(text[-n:]) for tag in tags)), 0)


def _adapted(options: Mapping[str, object], exc: RequestRejected) -> dict[str, object] | None:
    """The options without the one that the server complains of; None when none of them can be the reason."""
    if exc.status == 404:
        return None
    detail = exc.detail.casefold()
    changed = dict(options)
    if "max_tokens" in changed and "max_completion_tokens" in detail:
        changed["max_completion_tokens"] = changed.pop("max_tokens")
    elif "temperature" in changed and "temperature" in detail:
        del changed["temperature"]
    elif "stream_options" in changed:  # old servers say only that something is unexpected
        del changed["stream_options"]
    else:
        return None
    return changed
