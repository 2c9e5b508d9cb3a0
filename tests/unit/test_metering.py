"""What a reply took of the model: the server's count, else an estimate that says so, and the money."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from assistant.domain.conversation import Turn
from assistant.domain.knowledge import DocumentKind, Passage
from assistant.domain.live import Question
from assistant.domain.reply import Reply, TokenUsage
from assistant.errors import ModelUnavailable
from assistant.generation import GeneratedAnswerer
from assistant.llm.scripted import ScriptedChat, ScriptedReply
from assistant.metering import Prices, Spent, TokenMeter, estimated_tokens, spent
from assistant.ports import ChatMessage
from assistant.reply_record import reply_record
from assistant.store.conversations import ConversationRecords
from assistant.store.database import open_database
from assistant.store.drafts import DraftRecords
from assistant.store.usage import UsageRecords

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
PRICES = Prices(2.0, 8.0)
COUNTED = {"prompt_tokens": 100, "completion_tokens": 20}
RULE = Passage("p1", "a1", DocumentKind.ARTICLE, "退货规则", "", "自签收起7天内可以退货。", 0.9, "zh")


async def metered(replies: list[ScriptedReply], usage: dict[str, int] | None) -> TokenUsage | None:
    """What is counted for one reply, whatever becomes of it."""
    meter = TokenMeter()
    answerer = GeneratedAnswerer(ScriptedChat(replies, usage=usage))
    try:
        async for _ in answerer.stream(Question("几天内可以退货?"), [RULE], (), "zh", meter=meter):
            pass
    except ModelUnavailable:
        pass
    return meter.usage(PRICES)


async def test_the_servers_count_is_the_cost_in_money() -> None:
    assert await metered(["签收起7天内可以退货[1]。"], COUNTED) == TokenUsage(100, 20, 1, False, 0.00036)


async def test_a_repair_and_two_failed_attempts_count_twice() -> None:
    wrong = "签收起9天内可以退货[1]。"
    assert await metered([wrong, "签收起7天内可以退货[1]。"], COUNTED) == TokenUsage(200, 40, 2, False, 0.00072)
    assert await metered([wrong, wrong], COUNTED) == TokenUsage(200, 40, 2, False, 0.00072)
    assert await metered(["NO_ANSWER"], COUNTED) == TokenUsage(100, 20, 1, False, 0.00036)


async def test_a_server_that_tells_nothing_is_estimated_and_says_so() -> None:
    found = await metered(["签收起7天内可以退货[1]。"], None)
    assert found is not None
    assert found.estimated
    assert found.completion_tokens == estimated_tokens("签收起7天内可以退货[1]。")
    assert found.prompt_tokens > estimated_tokens(RULE.text)


async def test_a_stream_cut_in_the_middle_counts_what_came() -> None:
    found = await metered([["签收起7天", ModelUnavailable("gone")]], COUNTED)
    assert found is not None
    assert (found.estimated, found.completion_tokens) == (True, estimated_tokens("签收起7天"))


async def test_a_server_that_is_not_there_took_nothing() -> None:
    assert await metered([[ModelUnavailable("no connection")]], COUNTED) == TokenUsage(0, 0, 1, True, 0.0)


def test_half_a_count_is_kept_and_the_rest_estimated() -> None:
    meter = TokenMeter()
    meter.call([ChatMessage("user", "你好")]).hear("你好啊", {"prompt_tokens": 7})
    assert meter.usage(None) == TokenUsage(7, 3, 1, True)


def test_no_call_is_no_usage_and_half_a_price_is_none() -> None:
    assert TokenMeter().usage(PRICES) is None
    assert Prices.of(1.0, None) is None
    assert Prices.of(0.0, 0.0) == Prices(0.0, 0.0)


@pytest.mark.parametrize("usage", [None, TokenUsage(100, 20, 2, True, 0.5)])
def test_the_record_has_the_key_either_way(usage: TokenUsage | None) -> None:
    record = reply_record(Reply("好", "answer", 1.0, "c", "t", usage=usage))
    assert record["usage"] == (
        None
        if usage is None
        else {"prompt_tokens": 100, "completion_tokens": 20, "calls": 2, "estimated": True, "cost": 0.5}
    )


def test_the_sum_over_stored_replies_and_drafts_of_one_workspace(tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'a.db'}")
    for workspace in ("blue", "green"):
        conversations = ConversationRecords(engine, workspace)
        talk = conversations.open(user_id=None, channel="web", now=NOW)
        for usage in (TokenUsage(100, 20, 1, False, 0.5), TokenUsage(10, 2, 2, True), None):
            reply = Reply("好", "answer", 1.0, talk.id, "t", usage=usage)
            conversations.append(talk.id, Turn("assistant", "好", NOW), at=NOW, reply=reply_record(reply))
        drafted = Reply("好", "answer", 1.0, talk.id, "t", usage=TokenUsage(1, 1, 1, False, 0.25))
        DraftRecords(engine, workspace).add(talk.id, 0, drafted, by="kim", at=NOW)
    assert UsageRecords(engine, "blue").spent() == Spent(3, 4, 111, 23, 1, 2, 0.75)
    assert UsageRecords(engine, "red").spent() == spent([]) == Spent()
