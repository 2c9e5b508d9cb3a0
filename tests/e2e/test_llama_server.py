"""The protocol against a real model server. The model is far too small to judge its words."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from typing import Any

import pytest

from assistant.errors import ModelUnavailable
from assistant.llm.openai_chat import OpenAIChat
from assistant.llm.openai_client import make_client
from assistant.ports import ChatMessage
from tests.e2e.llama_server import LlamaServer

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(60)]
_LONG = [ChatMessage("user", "Write a very long story about a shop, a parcel and a dog. Do not stop early.")]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with LlamaServer() as server:
        yield server.url


@pytest.fixture
async def chat(url: str) -> AsyncIterator[OpenAIChat]:
    chat = OpenAIChat(make_client(url, None, 20), "smollm2", max_tokens=400, first_token_s=20, timeout_s=40)
    yield chat
    await chat.aclose()


async def test_streams_piece_by_piece_with_usage(chat: OpenAIChat) -> None:
    started, first, text, usage = time.monotonic(), 0.0, [], {}
    async for delta in chat.stream([ChatMessage("user", "Say hello in one short sentence.")]):
        first = first or time.monotonic() - started
        text.append(delta.text)
        usage = dict(delta.usage) or usage
    assert len([piece for piece in text if piece]) > 2
    assert "".join(text).strip()
    assert usage["completion_tokens"] > 2
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]


async def test_a_reader_who_leaves_stops_the_server(chat: OpenAIChat) -> None:
    stream = chat.stream(_LONG)
    await anext(stream)
    await stream.aclose()
    started = time.monotonic()  # the one slot is free again at once, long before 400 tokens are written
    async with asyncio.timeout(20):
        async for _ in chat.stream([ChatMessage("user", "Say hello in one short sentence.")]):
            break
    assert time.monotonic() - started < 10


async def test_a_reply_cut_at_the_token_limit_does_not_count(url: str) -> None:
    chat = OpenAIChat(make_client(url, None, 20), "smollm2", max_tokens=8, first_token_s=20)
    with pytest.raises(ModelUnavailable, match="cut at 8 tokens"):
        async for _ in chat.stream(_LONG):
            pass
    await chat.aclose()


async def test_the_long_reply_is_long(chat: OpenAIChat) -> None:
    """What makes the test below a kill in the middle: left alone, the same request writes over 200 tokens."""
    pieces = 0
    async with aclosing(chat.stream(_LONG)) as deltas:
        async for _ in deltas:
            pieces += 1
            if pieces > 200:
                return
    pytest.fail(f"the reply ended after {pieces} pieces")


async def _kill_after(count: int, chat: OpenAIChat, server: Any, pieces: list[str]) -> None:
    async for delta in chat.stream(_LONG):
        pieces.append(delta.text)
        if len(pieces) == count:
            server.kill()


async def test_a_server_killed_in_the_middle_of_a_reply() -> None:
    server = LlamaServer()
    chat = OpenAIChat(make_client(server.start(), None, 20), "smollm2", max_tokens=1000, first_token_s=20, timeout_s=60)
    pieces: list[str] = []
    try:
        with pytest.raises(ModelUnavailable, match="broke off"):
            await _kill_after(20, chat, server, pieces)
        assert 20 <= len(pieces) < 100, "it was not killed in the middle"
        with pytest.raises(ModelUnavailable, match="No connection"):
            await anext(chat.stream(_LONG))
    finally:
        server.kill()
        await chat.aclose()
