"""A paced model in front of a real local server that refuses what comes too fast."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from assistant.errors import ModelUnavailable, RateLimited
from assistant.llm.openai_chat import OpenAIChat
from assistant.llm.openai_client import make_client
from assistant.llm.paced_chat import PacedChat
from assistant.llm.scripted import ScriptedChat
from assistant.ports import ChatMessage, ChatModel

MESSAGES = [ChatMessage("user", "多久到账？")]
PIECE = b'data: {"choices": [{"index": 0, "delta": {"content": "ok"}, "finish_reason": null}]}\n\n'
STOP = b'data: {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n'


class LimitedServer:
    """Serves at most ``room`` completions in any ``window_s``; the rest get 429 with ``header``."""

    def __init__(self, room: int, window_s: float, header: str = "") -> None:
        self._room, self._window_s, self._header = room, window_s, header
        self.served: list[float] = []
        self.refused: list[float] = []
        self.most_at_once = self._open = 0

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = next(int(line.split(":")[1]) for line in head.splitlines() if line.lower().startswith("content-l"))
        await reader.readexactly(length)
        now = time.monotonic()
        self._open += 1
        self.most_at_once = max(self.most_at_once, self._open)
        if sum(now - at < self._window_s for at in self.served) >= self._room:
            self.refused.append(now)
            answer = b'{"error": {"message": "slow down"}}'
            top = f"HTTP/1.1 429 X\r\ncontent-type: application/json\r\n{self._header}"
        else:
            self.served.append(now)
            answer = PIECE + STOP
            top = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
        writer.write(f"{top}content-length: {len(answer)}\r\nconnection: close\r\n\r\n".encode() + answer)
        await writer.drain()
        self._open -= 1
        writer.close()


@asynccontextmanager
async def model_of(server: LimitedServer) -> AsyncIterator[OpenAIChat]:
    listener = await asyncio.start_server(server.handle, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    client = make_client(f"http://127.0.0.1:{port}/v1", None, 10, retries=0)
    chat = OpenAIChat(client, "m", first_token_s=10, timeout_s=20)
    try:
        yield chat
    finally:
        await chat.aclose()
        listener.close()


async def said(chat: ChatModel) -> str:
    return "".join([delta.text async for delta in chat.stream(MESSAGES)])


async def test_a_refusal_is_waited_out_as_long_as_the_server_asks_and_all_wait() -> None:
    server = LimitedServer(2, 0.9, "retry-after: 1\r\n")
    async with model_of(server) as chat:
        paced = PacedChat(chat)
        assert await asyncio.gather(*(said(paced) for _ in range(4))) == ["ok"] * 4
    assert paced.refused == len(server.refused) > 0
    assert server.served[2] - server.refused[0] >= 0.99


async def test_within_the_rate_nothing_is_refused() -> None:
    server = LimitedServer(5, 1.0)  # 5 a second is the server's limit, 4 a second is asked for
    async with model_of(server) as chat:
        paced = PacedChat(chat, requests_per_minute=240)
        assert await asyncio.gather(*(said(paced) for _ in range(7))) == ["ok"] * 7
    assert server.refused == []
    assert server.served[-1] - server.served[0] >= 6 * 0.25 * 0.9


async def test_without_a_header_the_wait_grows_and_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assistant.llm.paced_chat._FIRST_WAIT_S", 0.01)
    server = LimitedServer(0, 60)
    async with model_of(server) as chat:
        with pytest.raises(RateLimited, match="429"):
            await said(PacedChat(chat))
    gaps = [b - a for a, b in zip(server.refused, server.refused[1:], strict=False)]
    assert len(gaps) == 5
    assert gaps[-1] >= 0.15  # 0.01 doubled four times


@pytest.mark.parametrize("script", [[ModelUnavailable("gone")], ["half", RateLimited("late", 0.0)]])
async def test_other_failures_and_those_in_the_middle_are_not_tried_again(script: Sequence[str | Exception]) -> None:
    paced = PacedChat(ScriptedChat([[*script]]))
    with pytest.raises(ModelUnavailable):
        await said(paced)


async def test_a_date_is_a_retry_after_too() -> None:
    server = LimitedServer(0, 60, "retry-after: Wed, 21 Oct 2015 07:28:00 GMT\r\n")
    async with model_of(server) as chat:
        with pytest.raises(RateLimited) as raised:
            await said(chat)
    assert raised.value.retry_after_s == 0.0
