"""What every ChatModel promises, kept by the scripted one and by OpenAIChat in front of a small local HTTP server."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from assistant.errors import EmbeddingFailed, ModelUnavailable
from assistant.llm.openai_chat import OpenAIChat, ThoughtFilter
from assistant.llm.openai_client import make_client, make_sync_client
from assistant.llm.scripted import RepliesExhausted, ScriptedChat
from assistant.ports import ChatMessage, ChatModel

MESSAGES = [ChatMessage("system", "Be brief."), ChatMessage("user", "多久到账？")]
Answer = Callable[[dict[str, Any], asyncio.StreamWriter], Awaitable[None]]


class Server:
    """Answers each request with the next of ``answers`` (the last one again and again) and keeps the bodies."""

    def __init__(self, answers: Sequence[Answer]) -> None:
        self._answers = list(answers)
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[str] = []
        self.hung_up = asyncio.Event()
        self.url = ""

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            length = next(int(line.split(":")[1]) for line in head.splitlines() if line.lower().startswith("content-l"))
            self.headers.append(head)
            self.bodies.append(json.loads(await reader.readexactly(length)))
            answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
            await answer(self.bodies[-1], writer)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            self.hung_up.set()
        finally:
            writer.close()


@asynccontextmanager
async def serving(*answers: Answer) -> AsyncIterator[Server]:
    server = Server(answers)
    listener = await asyncio.start_server(server.handle, "127.0.0.1", 0)
    host, port = listener.sockets[0].getsockname()
    server.url = f"http://{host}:{port}/v1"
    try:
        yield server
    finally:
        listener.close()


def event(text: str | None = None, finish: str | None = None, **delta: Any) -> str:
    choice = {"index": 0, "delta": {"content": text, **delta}, "finish_reason": finish}
    return f"data: {json.dumps({'id': 'c', 'object': 'chat.completion.chunk', 'choices': [choice]})}\n\n"


USAGE = 'data: {"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12}}\n\n'
DONE = "data: [DONE]\n\n"
STOP = event(finish="stop")


def says(*events: str, pause: float = 0.0, cut: bool = False, kind: str = "text/event-stream") -> Answer:
    """A 200 with these raw events; ``cut`` drops the connection after them, inside the chunked body."""

    async def answer(body: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ntransfer-encoding: chunked\r\n\r\n".encode())
        for item in events:
            data = item.encode()
            writer.write(b"%x\r\n%s\r\n" % (len(data), data))
            await writer.drain()
            await asyncio.sleep(pause)
        if not cut:
            writer.write(b"0\r\n\r\n")

    return answer


def fails(status: int, message: str = "no", param: str | None = None) -> Answer:
    async def answer(body: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        data = json.dumps({"error": {"message": message, "param": param, "type": "x", "code": None}}).encode()
        head = f"HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {len(data)}\r\n"
        writer.write(f"{head}connection: close\r\n\r\n".encode() + data)

    return answer


async def hangs(body: dict[str, Any], writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(30)


@asynccontextmanager
async def chat_at(url: str, **options: Any) -> AsyncIterator[OpenAIChat]:
    chat = OpenAIChat(make_client(url, None, 5), "m", **{"first_token_s": 3.0, "timeout_s": 5.0, **options})
    try:
        yield chat
    finally:
        await chat.aclose()


async def spoken(chat: ChatModel) -> tuple[str, dict[str, int]]:
    text, usage = "", {}
    async for delta in chat.stream(MESSAGES):
        text += delta.text
        usage = dict(delta.usage) or usage
    return text, usage


async def collect(chat: ChatModel, into: list[str]) -> None:
    async for delta in chat.stream(MESSAGES):
        into.append(delta.text)


@asynccontextmanager
async def scripted(pieces: Sequence[str], broken: bool) -> AsyncIterator[ChatModel]:
    yield ScriptedChat([[*pieces, *([ModelUnavailable("gone")] if broken else [])]], usage={"total_tokens": 12})


@asynccontextmanager
async def served(pieces: Sequence[str], broken: bool) -> AsyncIterator[ChatModel]:
    events = [event(piece) for piece in pieces]
    answer = says(*events, cut=True) if broken else says(*events, STOP, USAGE, DONE)
    async with serving(answer) as server, chat_at(server.url) as chat:
        yield chat


@pytest.mark.parametrize("model", [scripted, served])
class TestEveryChatModel:
    async def test_gives_the_pieces_in_order_and_the_usage_last(self, model: Any) -> None:
        async with model(["审核后", " 3", " 天"], False) as chat:
            assert await spoken(chat) == ("审核后 3 天", {"total_tokens": 12} | (await _usage_of(chat)))

    async def test_breaking_off_is_model_unavailable_after_the_pieces(self, model: Any) -> None:
        got: list[str] = []
        async with model(["审核后", " 3"], True) as chat:
            with pytest.raises(ModelUnavailable):
                await collect(chat, got)
        assert "".join(got) == "审核后 3"

    async def test_has_a_name(self, model: Any) -> None:
        async with model([], False) as chat:
            assert chat.name


async def _usage_of(chat: ChatModel) -> dict[str, int]:
    return {"prompt_tokens": 9, "completion_tokens": 3} if isinstance(chat, OpenAIChat) else {}


class TestScripted:
    async def test_records_what_it_was_sent_and_never_invents_a_reply(self) -> None:
        chat = ScriptedChat(["one"])
        assert (await spoken(chat))[0] == "one"
        assert chat.calls == [tuple(MESSAGES)]
        with pytest.raises(RepliesExhausted, match="Call 2"):
            await spoken(chat)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (says(event("半句"), cut=True), "broke off"),
        (says(event("半句")), "broke off in the middle"),
        (says(event("半句"), DONE), "broke off in the middle"),
        (says(event("半句"), "data: {not json\n\n"), "not this protocol"),
        (says(event("半句"), 'data: {"choices": [{"delta": {"content": 5}}]}\n\n', STOP), "not this protocol"),
        (says(event("半句"), 'data: {"choices": 7}\n\n', STOP), "not this protocol"),
        (says(event("半句"), "data: [1]\n\n", STOP), "not this protocol"),
        (says(event("半句"), 'data: {"error": {"message": "out of memory"}}\n\n'), "out of memory"),
        (says(event("半句"), event(finish="length")), "cut at 600 tokens"),
        (says(event("半句"), event(finish="content_filter")), "content_filter"),
        (says(STOP, DONE), "an empty reply"),
        (says(event(" \n"), STOP, DONE), "an empty reply"),
        (says(event("<think>hmm"), STOP, DONE), "only reasoning"),
        (says("<html>a proxy's page</html>", kind="text/html"), "broke off"),
        (fails(401), "OPENAI_API_KEY"),
        (fails(404, "no such model"), "404"),
        (fails(400, "context length exceeded"), "400"),
        (fails(429), "429"),
        (fails(500), "500"),
        (fails(503), "503"),
    ],
)
async def test_every_failure_is_model_unavailable_with_its_cause(answer: Answer, message: str) -> None:
    async with serving(answer) as server, chat_at(server.url) as chat:
        with pytest.raises(ModelUnavailable, match=message) as caught:
            await spoken(chat)
    assert "knowledge base instead" in str(caught.value)


async def test_a_refused_connection() -> None:
    async with serving(hangs) as server:
        url = server.url
    async with chat_at(url) as chat:
        with pytest.raises(ModelUnavailable, match="No connection") as caught:
            await spoken(chat)
    assert caught.value.__cause__ is not None


@pytest.mark.parametrize(
    ("answer", "options", "message"),
    [
        (hangs, {"first_token_s": 0.2}, "0.2 s for its first token"),
        (says(event(""), event("late"), pause=1.0), {"first_token_s": 0.3}, "0.3 s for its first token"),
        (says(*[event("piece")] * 50, pause=0.05), {"timeout_s": 0.6}, "0.6 s for the whole reply"),
    ],
)
async def test_slow_servers_are_left_in_time(answer: Answer, options: dict[str, float], message: str) -> None:
    started = time.monotonic()
    async with serving(answer) as server, chat_at(server.url, **options) as chat:
        with pytest.raises(ModelUnavailable, match=message):
            await spoken(chat)
        assert time.monotonic() - started < 2.0


async def test_reasoning_is_never_shown_but_counts_as_a_sign_of_life() -> None:
    thinking = [event(reasoning_content="hm")] * 6
    answer = says(*thinking, event("<thi"), event("nk>secret</th"), event("ink>\n3 天"), STOP, DONE, pause=0.1)
    async with serving(answer) as server, chat_at(server.url, first_token_s=0.5) as chat:
        assert (await spoken(chat))[0].strip() == "3 天"


async def test_a_connection_lost_after_the_reply_was_whole_costs_only_the_usage() -> None:
    async with serving(says(event("3 天"), STOP, cut=True)) as server, chat_at(server.url) as chat:
        assert await spoken(chat) == ("3 天", {})


@pytest.mark.parametrize(
    ("refusal", "gone", "instead"),
    [
        (fails(400, "extra fields not permitted", "stream_options"), "stream_options", None),
        (fails(422, "Unexpected field"), "stream_options", None),
        (fails(400, "use 'max_completion_tokens' instead", "max_tokens"), "max_tokens", "max_completion_tokens"),
        (fails(400, "does not support this value", "temperature"), "temperature", None),
    ],
)
async def test_a_rejected_option_is_left_out_from_then_on(refusal: Answer, gone: str, instead: str | None) -> None:
    async with serving(refusal, says(event("3 天"), STOP, DONE)) as server, chat_at(server.url) as chat:
        assert (await spoken(chat))[0] == "3 天"
        assert (await spoken(chat))[0] == "3 天"
    assert [gone in body for body in server.bodies] == [True, False, False]
    assert instead is None or all(instead in body for body in server.bodies[1:])


async def test_the_request_says_what_is_needed_and_nothing_of_this_machine() -> None:
    async with serving(says(event("3 天"), STOP, DONE)) as server, chat_at(server.url) as chat:
        await spoken(chat)
    assert server.bodies == [
        {
            "model": "m",
            "messages": [{"role": m.role, "content": m.content} for m in MESSAGES],
            "max_tokens": 600,
            "temperature": 0.0,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
    ]
    said = server.headers[0].lower()
    assert not [name for name in ("stainless-os", "stainless-arch", "stainless-runtime") if name in said]


async def test_a_reader_who_leaves_hangs_up_on_the_server() -> None:
    async with serving(says(*[event("piece")] * 400, pause=0.01)) as server, chat_at(server.url) as chat:
        stream = chat.stream(MESSAGES)
        await anext(stream)
        await stream.aclose()
        async with asyncio.timeout(2):
            await server.hung_up.wait()


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_thoughts_are_dropped_however_the_pieces_cut_the_tags(size: int) -> None:
    text = "a<b <think>x < y</thin </think>c<think>z</think>d <th"
    thoughts = ThoughtFilter()
    out = "".join(thoughts.feed(text[i : i + size]) for i in range(0, len(text), size)) + thoughts.close()
    assert out == "a<b cd <th"


@pytest.mark.parametrize("size", [1, 5, 100])
def test_thoughts_without_an_opening_tag_are_a_failure(size: int) -> None:
    text = "let me see</think>3 天"
    with pytest.raises(ModelUnavailable, match="reasoning parser"):
        list(map(ThoughtFilter().feed, (text[i : i + size] for i in range(0, len(text), size))))


async def test_embeddings_come_in_order_and_fail_as_embedding_failed() -> None:
    async def vectors(body: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        rows = [{"index": i, "object": "embedding", "embedding": [float(i), 0.5]} for i in range(len(body["input"]))]
        data = json.dumps({"object": "list", "model": "e", "data": rows[::-1]}).encode()
        head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(data)}\r\n"
        writer.write(f"{head}connection: close\r\n\r\n".encode() + data)

    async with serving(vectors, fails(500)) as server:
        client = make_sync_client(server.url, "key", 5)
        assert await asyncio.to_thread(client.embed, "e", ["a", "b"]) == [[0.0, 0.5], [1.0, 0.5]]
        with pytest.raises(EmbeddingFailed, match="500"):
            await asyncio.to_thread(client.embed, "e", ["a"])
        client.close()
    assert "authorization: bearer key" in server.headers[0].lower()


def test_the_endpoint_is_named_without_its_secrets() -> None:
    client = make_client("https://user:secret@models.example/v1?key=secret", None, 1)
    assert client.endpoint == "https://models.example/v1"


def test_reading_the_modules_does_not_import_the_vendor() -> None:
    code = "import sys, assistant.llm.openai_chat, assistant.llm.openai_client; sys.exit('openai' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
