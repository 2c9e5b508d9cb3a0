"""What every ToolModel promises, kept by the scripted one and by OpenAIChat in front of a small local HTTP server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from assistant.errors import ModelUnavailable
from assistant.llm.scripted import ScriptedChat
from assistant.ports import ChatMessage, ToolCall, ToolModel, ToolSpec
from tests.contract.test_chat_models import DONE, STOP, chat_at, event, fails, hangs, says, serving

MESSAGES = [ChatMessage("user", "取消订单 A1")]
TOOLS = [ToolSpec("cancel", "Cancels.", {"type": "object", "properties": {"order": {"type": "string"}}})]


def piece(index: int, name: str | None, arguments: str | None) -> str:
    """One chunk of a tool call as servers stream it."""
    function = {"name": name, "arguments": arguments}
    return event(tool_calls=[{"index": index, "id": f"c{index}", "type": "function", "function": function}])


CALLED = event(finish="tool_calls")


@asynccontextmanager
async def scripted(calls: Sequence[ToolCall | Exception | None]) -> AsyncIterator[ToolModel]:
    yield ScriptedChat(tool_calls=calls)


@asynccontextmanager
async def served(calls: Sequence[ToolCall | Exception | None]) -> AsyncIterator[ToolModel]:
    answers = []
    for call in calls:
        if isinstance(call, ToolCall):
            half = len(call.arguments) // 2
            pieces = [piece(0, call.name, call.arguments[:half]), piece(0, None, call.arguments[half:])]
            answers.append(says(*pieces, CALLED, DONE))
        else:
            answers.append(fails(401) if call else says(event("No tool is needed."), STOP, DONE))
    async with serving(*answers) as server, chat_at(server.url) as chat:
        yield chat


@pytest.mark.parametrize("model", [scripted, served])
class TestEveryToolModel:
    async def test_gives_name_and_raw_arguments(self, model: Any) -> None:
        call = ToolCall("cancel", '{"order": "订单 A1"}')
        async with model([call]) as chat:
            assert await chat.call_tool(MESSAGES, TOOLS) == call

    async def test_proposes_nothing_as_none(self, model: Any) -> None:
        async with model([None]) as chat:
            assert await chat.call_tool(MESSAGES, TOOLS) is None

    async def test_passes_on_what_is_no_json_and_names_no_tool(self, model: Any) -> None:
        call = ToolCall("drop_tables", "{not json")
        async with model([call]) as chat:
            assert await chat.call_tool(MESSAGES, TOOLS) == call

    async def test_failing_is_model_unavailable_and_the_next_call_is_a_new_one(self, model: Any) -> None:
        call = ToolCall("cancel", "{}")
        async with model([ModelUnavailable("gone"), call]) as chat:
            with pytest.raises(ModelUnavailable):
                await chat.call_tool(MESSAGES, TOOLS)
            assert await chat.call_tool(MESSAGES, TOOLS) == call


@pytest.mark.parametrize(
    "answer",
    [
        says(piece(0, "cancel", '{"order": "A1"}'), cut=True),
        says(piece(0, "cancel", '{"order": "A1"}')),
        says(piece(0, "cancel", '{"ord'), event(finish="length")),
        says(piece(0, "cancel", "{}"), event(finish="content_filter")),
        says('data: {"choices": [{"delta": {"tool_calls": 7}}]}\n\n', CALLED),
        says('data: {"choices": [{"delta": {"tool_calls": [{"index": 0, "function": {"name": 5}}]}}]}\n\n', CALLED),
        says("<html>a proxy's page</html>", kind="text/html"),
        fails(401),
        fails(400, "tools are not supported"),
        fails(503),
        hangs,
    ],
)
async def test_every_failure_is_model_unavailable(answer: Any) -> None:
    async with serving(answer) as server, chat_at(server.url, timeout_s=1.0) as chat:
        with pytest.raises(ModelUnavailable):
            await chat.call_tool(MESSAGES, TOOLS)


async def test_of_two_calls_at_once_only_the_first_counts() -> None:
    both = [piece(0, "cancel", '{"order":'), piece(1, "refund", '{"all": true}'), piece(0, None, ' "A1"}')]
    async with serving(says(*both, CALLED)) as server, chat_at(server.url) as chat:
        assert await chat.call_tool(MESSAGES, TOOLS) == ToolCall("cancel", '{"order": "A1"}')


async def test_the_request_declares_the_tools_and_leaves_the_choice() -> None:
    async with serving(says(event("no"), STOP)) as server, chat_at(server.url) as chat:
        await chat.call_tool(MESSAGES, TOOLS)
    [body] = server.bodies
    function = {"name": "cancel", "description": "Cancels.", "parameters": TOOLS[0].parameters}
    assert body["tools"] == [{"type": "function", "function": function}]
    assert body["tool_choice"] == "auto"
