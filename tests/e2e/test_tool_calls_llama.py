"""Tool calls against a real llama.cpp server: the protocol. The model is far too small to judge its choices."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator

import pytest

from assistant.domain.live import Question
from assistant.domain.state import UserState
from assistant.errors import ModelUnavailable
from assistant.llm.openai_chat import OpenAIChat
from assistant.llm.openai_client import make_client
from assistant.metering import TokenMeter
from assistant.ports import ChatMessage, ToolSpec
from assistant.tasks.declaration import demo_tasks, tool_schema
from assistant.tasks.proposal import Proposer
from tests.e2e.llama_server import LlamaServer
from tests.integration.task_shop import SetClock

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]
SPECS = [ToolSpec(t.name, t.description.en, tool_schema(t)) for t in demo_tasks().tasks if t.run_by == "user"]
CANCEL = [ChatMessage("system", "Call a tool."), ChatMessage("user", "Cancel my order SQ10000001 please.")]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with LlamaServer() as server:
        yield server.url


@pytest.fixture
async def chat(url: str) -> AsyncIterator[OpenAIChat]:
    chat = OpenAIChat(make_client(url, None, 60), "smollm2", max_tokens=60, first_token_s=60, timeout_s=90)
    yield chat
    await chat.aclose()


async def test_left_free_it_calls_a_declared_tool_or_none_or_is_cut_off(chat: OpenAIChat) -> None:
    with contextlib.suppress(ModelUnavailable):  # cut off at the token limit
        call = await chat.call_tool(CANCEL, SPECS)
        assert call is None or call.name in {spec.name for spec in SPECS}


async def test_the_proposer_with_the_real_prompt_keeps_its_time(url: str) -> None:
    chat = OpenAIChat(make_client(url, None, 60), "smollm2", max_tokens=4000, first_token_s=60, timeout_s=90)
    state = UserState("u1", SetClock().now())
    loop = asyncio.get_running_loop()
    started = loop.time()
    question = Question("帮我取消订单")
    proposal = await Proposer(chat, budget_s=2.0).propose(question, demo_tasks().tasks, state, TokenMeter())
    assert loop.time() - started < 4
    assert proposal is None or demo_tasks().task(proposal.task.name) is not None
    await chat.aclose()


async def test_a_server_killed_in_the_middle_of_a_call() -> None:
    with LlamaServer() as server:
        chat = OpenAIChat(make_client(server.url, None, 60, retries=0), "m", max_tokens=2000, timeout_s=90)
        asking = asyncio.create_task(chat.call_tool(CANCEL, SPECS))
        while not asking.done():
            if await asyncio.to_thread(server.written) >= 3:
                break
        assert not asking.done(), "it was not killed in the middle"
        server.kill()
        with pytest.raises(ModelUnavailable):
            await asking
        await chat.aclose()
