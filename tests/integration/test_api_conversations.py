"""Asking, streaming, reading and rating over HTTP."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from api.schemas import ReplyOut
from tests.integration.fake_desk import Served, events_of
from tests.promises import REPLY_KEYS

JSON = {"Accept": "application/json"}
OVER_HTTP = REPLY_KEYS | {"degraded", "task", "usage", "cached"}


@pytest.fixture
def served() -> Served:
    return Served()


async def _ask(served: Served, text: str, headers: dict[str, str] | None = None, **more: Any) -> Any:
    conversation = await served.conversation_of("u-1")
    async with served.client(served.token("u-1")) as client:
        url = f"/api/v1/conversations/{conversation}/messages"
        return await client.post(url, json={"text": text, **more}, headers=headers)


async def test_a_reply_streams_in_order_and_the_last_event_is_the_whole_reply(served: Served) -> None:
    answer = await _ask(served, "我的退款什么时候到账？")
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["cache-control"] == "no-store"
    events = events_of(answer.text)
    names = [name for name, _ in events]
    assert names[0] == "started"
    assert names[-1] == "reply"
    assert set(names[1:-1]) == {"delta"}
    reply = events[-1][1]
    assert set(reply) == OVER_HTTP == set(ReplyOut.model_fields)
    ReplyOut.model_validate(reply)
    assert "".join(data["text"] for name, data in events if name == "delta") == reply["text"]
    assert events[0][1] == {"conversation_id": reply["conversation_id"], "trace_id": reply["trace_id"]}
    assert set(reply["citations"][0]) == {"passage_id", "title", "quote", "article_id"}
    assert set(reply["prompt"]) == {"name", "sha256"}


async def test_what_was_shown_too_early_is_taken_back(served: Served) -> None:
    events = events_of((await _ask(served, "重来")).text)
    assert [name for name, _ in events][:4] == ["started", "delta", "reset", "delta"]
    assert events[2][1] == {"reason": "not_grounded"}


async def test_one_json_reply_where_the_caller_asks_for_it(served: Served) -> None:
    answer = await _ask(served, "我要找人工客服", JSON)
    assert answer.headers["content-type"] == "application/json"
    reply = answer.json()
    assert set(reply) == OVER_HTTP
    assert reply["decision"] == "handoff"
    assert set(reply["handoff"]) >= {"reason", "summary", "skill", "rule", "issue", "tried", "question", "back_at"}


async def test_the_desk_is_asked_with_the_tokens_user_and_the_turns_before(served: Served) -> None:
    conversation = await served.conversation_of("u-1")
    async with served.client(served.token("u-1")) as client:
        url = f"/api/v1/conversations/{conversation}/messages"
        await client.post(url, json={"text": "  退款  "})
        await client.post(url, json={"text": "多久", "page": "/orders/A1023", "locale": "zh-CN"})
        read = (await client.get(f"/api/v1/conversations/{conversation}")).json()
    first, second = served.desk().asked
    assert (first.text, first.user_id, first.history) == ("退款", "u-1", ())
    assert [turn.role for turn in second.history] == ["customer", "assistant"]
    assert (second.page, second.locale) == ("/orders/A1023", "zh-CN")
    assert [(turn["seq"], turn["role"]) for turn in read["turns"]] == [
        (0, "customer"),
        (1, "assistant"),
        (2, "customer"),
        (3, "assistant"),
    ]


@pytest.mark.parametrize(
    ("text", "slug"), [("", "empty-text"), ("  \n ", "empty-text"), ("啊" * 4001, "text-too-long")]
)
async def test_empty_and_endless_texts_are_told_kindly_in_the_callers_language(
    served: Served, text: str, slug: str
) -> None:
    chinese = await _ask(served, text, {"Accept-Language": "zh-CN,zh;q=0.9,en;q=0.8"})
    english = await _ask(served, text, {"Accept-Language": "en-GB,en"})
    assert chinese.status_code == english.status_code == 422
    assert chinese.json()["type"] == english.json()["type"] == f"urn:teachback:problem:{slug}"
    assert "请" in chinese.json()["detail"]
    assert "lease" in english.json()["detail"]
    assert served.desk().asked == []


async def test_the_longest_text_is_taken(served: Served) -> None:
    assert (await _ask(served, "啊" * 4000, JSON)).status_code == 200


async def test_a_closed_conversation_takes_no_message(served: Served) -> None:
    conversation = await served.conversation_of("u-1")
    held = served.desk().conversations
    held[conversation] = replace(held[conversation], status="closed")
    async with served.client(served.token("u-1")) as client:
        answer = await client.post(f"/api/v1/conversations/{conversation}/messages", json={"text": "在吗"})
    assert answer.status_code == 409


@pytest.mark.parametrize(("text", "status"), [("故障", 500), ("模型", 503)])
async def test_a_failure_inside_the_stream_is_an_error_event_without_innards(
    served: Served, text: str, status: int
) -> None:
    answer = await _ask(served, text, {"Accept-Language": "en"})
    name, problem = events_of(answer.text)[-1]
    assert name == "error"
    assert problem["status"] == status
    assert problem["instance"] == "t-1"
    assert "secret" not in answer.text


@pytest.mark.parametrize(("text", "status"), [("故障", 500), ("模型", 503)])
async def test_a_failure_of_a_json_reply_is_a_problem(served: Served, text: str, status: int) -> None:
    answer = await _ask(served, text, JSON)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert "secret" not in answer.text


async def test_a_slow_stream_is_kept_alive() -> None:
    served = Served(heartbeat_s=0.01)
    served.desk().pause_s = 0.005
    answer = await _ask(served, "我要找人工客服")
    assert ": still here\n\n" in answer.text
    assert events_of(answer.text)[-1][0] == "reply"


@pytest.mark.parametrize("accept", ["text/event-stream", "application/json"])
async def test_the_work_stops_when_the_client_leaves(served: Served, accept: str) -> None:
    conversation = await served.conversation_of("u-1")
    body = json.dumps({"text": "永远"}).encode()
    left = asyncio.Event()
    incoming: list[dict[str, Any]] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> dict[str, Any]:
        if incoming:
            return incoming.pop()
        await left.wait()
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        if b"delta" in message.get("body", b""):
            left.set()

    path = f"/api/v1/conversations/{conversation}/messages"
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [
            (b"authorization", f"Bearer {served.token('u-1')}".encode()),
            (b"content-type", b"application/json"),
            (b"accept", accept.encode()),
        ],
    }
    call = asyncio.ensure_future(served.app(scope, receive, send))  # type: ignore[arg-type]
    if accept == "application/json":
        await asyncio.wait_for(served.desk().begun.wait(), 5)
        left.set()
    await asyncio.wait_for(served.desk().stopped.wait(), 5)
    await asyncio.wait_for(call, 5)


async def test_ratings_are_kept(served: Served) -> None:
    conversation = await served.conversation_of("u-1")
    async with served.client(served.token("u-1")) as client:
        url = f"/api/v1/conversations/{conversation}"
        await client.post(f"{url}/messages", json={"text": "退款"})
        body = {"kind": "thumb", "value": -1, "turn_seq": 1, "reason": "没说到账时间"}
        assert (await client.post(f"{url}/ratings", json=body)).status_code == 204
    (rating,) = served.desk().ratings
    assert (rating.kind, rating.value, rating.turn_seq, rating.reason) == ("thumb", -1, 1, "没说到账时间")


@pytest.mark.parametrize(
    "body",
    [
        {"kind": "thumb", "value": 0},
        {"kind": "csat", "value": 6},
        {"kind": "ces", "value": 0},
        {"kind": "csat", "value": True},
        {"kind": "thumb", "value": 1, "turn_seq": 7},
        {"kind": "stars", "value": 5},
        {"kind": "thumb", "value": 1, "reason": "x" * 1001},
    ],
)
async def test_a_rating_off_its_scale_is_refused(served: Served, body: dict[str, object]) -> None:
    conversation = await served.conversation_of("u-1")
    async with served.client(served.token("u-1")) as client:
        answer = await client.post(f"/api/v1/conversations/{conversation}/ratings", json=body)
    assert answer.status_code == 422
    assert served.desk().ratings == []


async def test_search_and_suggestions(served: Served) -> None:
    async with served.client(served.token("u-1")) as client:
        found = (await client.get("/api/v1/search", params={"q": "退款", "k": 1})).json()
        asked = (await client.get("/api/v1/suggestions", params={"locale": "zh-CN", "page": "/orders"})).json()
        too_many = await client.get("/api/v1/search", params={"q": "退款", "k": 51})
        empty = await client.get("/api/v1/search", params={"q": " "})
    assert [passage["article_id"] for passage in found["passages"]] == ["refund-time"]
    assert asked["questions"][0] == "订单 A1023 的退款什么时候到账？"
    assert too_many.status_code == empty.status_code == 422
    assert empty.json()["type"] == "urn:teachback:problem:empty-text"
