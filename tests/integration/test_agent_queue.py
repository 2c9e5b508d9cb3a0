"""The agent desk over HTTP on the real desk: who waits, the live state, a reply, resolving; and who is refused."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.routes.reviews import Knowledge
from assistant.agent_queue import has_agent
from assistant.bootstrap import Service, build
from assistant.domain.conversation import Turn
from assistant.domain.live import Conversation
from assistant.settings import Settings
from evals.runs import report_path

API = "/api/v1"


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    made = build(Settings(data_dir=tmp_path, cache_dir=tmp_path, embedder="hash"))
    yield made
    made.close()


@pytest.fixture
def client(service: Service) -> Iterator[TestClient]:
    app = create_app(
        desks=service.desk, keys=service.keys, tokens=service.tokens, settings=service.settings,
        review=Knowledge(service),
    )  # fmt: skip
    with TestClient(app) as client:
        yield client


def bearer(service: Service, who: str, workspace: str = "default") -> dict[str, str]:
    if who in ("agent", "manager", "service"):
        return {"Authorization": f"Bearer {service.keys.issue(workspace, who).text}"}  # type: ignore[arg-type]
    return {"Authorization": f"Bearer {service.tokens.issue(workspace, who).text}"}


def talk_of(client: TestClient, user: dict[str, str], *texts: str) -> tuple[str, list[dict[str, Any]]]:
    name = client.post(f"{API}/conversations", json={}, headers=user).json()["id"]
    headers = {**user, "Accept": "application/json"}
    return name, [
        client.post(f"{API}/conversations/{name}/messages", json={"text": t}, headers=headers).json() for t in texts
    ]


def test_a_turn_of_the_loop(client: TestClient, service: Service) -> None:
    agent, user = bearer(service, "agent"), bearer(service, "u-1")
    assert client.get(f"{API}/me", headers=agent).json() == {"workspace": "default", "role": "agent"}
    assert client.get(f"{API}/handoffs", headers=agent).json()["entries"] == []
    name, replies = talk_of(client, user, "退款一直没到", "转人工")
    assert replies[-1]["decision"] == "handoff"
    other, _ = talk_of(client, bearer(service, "u-2"), "I want to talk to a person")
    entries = client.get(f"{API}/handoffs", headers=agent).json()["entries"]
    assert [(e["conversation_id"], e["locale"], e["last"]) for e in entries] == [
        (name, "zh", "转人工"),
        (other, "en", "I want to talk to a person"),
    ]
    assert entries[0]["handoff"]["issue"] == "退款一直没到"
    assert entries[0]["waiting_since"] == entries[0]["handed_off_at"]
    one = f"{API}/conversations/{name}"
    assert client.get(f"{one}/state", headers=agent).json()["why"] == "unavailable"  # no source is configured

    assert client.post(f"{one}/agent-messages", json={"text": "您好，我来看看。"}, headers=agent).status_code == 201
    entries = client.get(f"{API}/handoffs", headers=agent).json()["entries"]
    assert [(e["conversation_id"], e["waiting_since"] is None) for e in entries] == [(other, False), (name, True)]
    # the assistant does not speak over the agent, and the customer's word makes them wait again
    reply = client.post(
        f"{one}/messages", json={"text": "好的，谢谢"}, headers={**user, "Accept": "application/json"}
    ).json()
    assert (reply["decision"], reply["handoff"], reply["text"]) == ("handoff", None, "已转给正在为您服务的同事。")
    roles = [turn["role"] for turn in client.get(one, headers=user).json()["turns"]]
    assert roles[-2:] == ["agent", "customer"]
    assert all(e["waiting_since"] for e in client.get(f"{API}/handoffs", headers=agent).json()["entries"])

    solved = {"summary": "银行退回失败，\n已改退到余额", "article_ids": ["refund-time"]}
    assert client.get(f"{one}/resolution", headers=agent).json()["summary"] is None
    done = client.post(f"{one}/resolve", json=solved, headers=agent)
    assert (done.status_code, done.json()["summary"]) == (200, "银行退回失败， 已改退到余额")
    assert client.post(f"{one}/resolve", json=solved, headers=agent).json()["type"].endswith(":conflict")
    assert client.get(f"{one}/resolution", headers=agent).json()["article_ids"] == ["refund-time"]
    assert client.get(one, headers=user).json()["status"] == "closed"
    assert [e["conversation_id"] for e in client.get(f"{API}/handoffs", headers=agent).json()["entries"]] == [other]
    late = client.post(f"{one}/messages", json={"text": "还在吗"}, headers=user)
    assert late.json()["type"].endswith(":conversation-closed")


def test_a_customer_who_declines_leaves_the_queue(client: TestClient, service: Service) -> None:
    agent = bearer(service, "agent")
    name, _ = talk_of(client, bearer(service, "u-1"), "agent please", "no, you answer it")
    assert client.get(f"{API}/handoffs", headers=agent).json()["entries"] == []
    assert client.post(f"{API}/conversations/{name}/resolve", json={"summary": " "}, headers=agent).status_code == 422


def test_only_staff_of_the_workspace(client: TestClient, service: Service, tmp_path: Path) -> None:
    user, agent = bearer(service, "u-1"), bearer(service, "agent")
    name, _ = talk_of(client, user, "转人工")
    kept = report_path(tmp_path / "runs" / "default", "run-1")
    kept.parent.mkdir(parents=True)
    kept.write_text("<p>报告</p>", "utf-8")
    (tmp_path / "runs" / "default" / "broken.json").write_text("{", "utf-8")
    reads = ["handoffs", f"conversations/{name}/state", f"conversations/{name}/resolution", "me", "runs",
             "runs/run-1/report", "transcripts/c-1"]  # fmt: skip
    for headers, status in ((user, 403), (bearer(service, "service"), 403), ({}, 401)):
        assert [client.get(f"{API}/{path}", headers=headers).status_code for path in reads] == [status] * len(reads)
        resolved = client.post(f"{API}/conversations/{name}/resolve", json={"summary": "x"}, headers=headers)
        assert resolved.status_code == status
    foreign = bearer(service, "manager", "other")
    assert client.get(f"{API}/handoffs", headers=foreign).json()["entries"] == []
    foreign_reads = [client.get(f"{API}/{path}", headers=foreign).status_code for path in reads]
    assert foreign_reads == [200, 404, 404, 200, 200, 404, 404]
    assert client.post(f"{API}/conversations/{name}/resolve", json={"summary": "x"}, headers=foreign).status_code == 404

    assert client.get(f"{API}/runs/run-1/report", headers=agent).text == "<p>报告</p>"
    assert client.get(f"{API}/runs", headers=agent).json() == {"runs": [], "rejected": ["broken.json"]}
    for wrong in ("..%2Fbroken", "%2E%2E", "run-2"):
        assert client.get(f"{API}/runs/{wrong}/report", headers=agent).status_code == 404


async def test_of_two_who_resolve_at_once_one_is_told(service: Service) -> None:
    from assistant.domain.conversation import Resolution
    from assistant.errors import Conflict

    desk = service.desk("default")
    talk = await desk.open_conversation(user_id=None, channel="web")
    tries = (desk.agent_queue.resolve(talk.id, Resolution(text), by="a") for text in ("一", "二"))
    outcomes = await asyncio.gather(*tries, return_exceptions=True)
    assert sorted(type(outcome) for outcome in outcomes if outcome is not None) == [Conflict]


def test_an_agent_who_left_long_ago_is_not_there_any_more() -> None:
    now = datetime(2026, 3, 2, tzinfo=UTC)
    for hours, expected in ((11, True), (13, False)):
        turn = Turn("agent", "稍等", now - timedelta(hours=hours))
        assert has_agent(Conversation("c", None, "web", "handed_off", now, (turn,)), now) is expected
    assert not has_agent(Conversation("c", None, "web", "handed_off", now, (Turn("customer", "人呢", now),)), now)
