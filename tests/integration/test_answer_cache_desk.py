"""The cache and the cost of replies on the desks of two workspaces, through re-ingestion and the kept records."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from assistant.bootstrap import Service, build
from assistant.domain.live import Question
from assistant.domain.reply import Reply
from assistant.llm.scripted import ScriptedChat
from assistant.metering import Spent
from assistant.settings import Settings
from assistant.store import tables as t
from ingest.pipeline import Ingestion

QUESTION = "退款多久到账?"


def service(folder: Path, chat: ScriptedChat, **changes: object) -> Service:
    settings = {"llm_price_in": 1.0, "llm_price_out": 2.0, "answer_threshold": 0.0, **changes}
    made = build(Settings(data_dir=folder, cache_dir=folder, embedder="hash", **settings))  # type: ignore[arg-type]
    made.__dict__["chat_model"] = chat
    return made


def learn(made: Service, workspace: str, folder: Path, days: int) -> None:
    folder.mkdir(exist_ok=True)
    article = {"id": "refund", "title": "退款到账", "body": f"退款审核后{days}个工作日到账。", "locale": "zh"}
    (folder / "a.jsonl").write_text(json.dumps(article, ensure_ascii=False), "utf-8")
    Ingestion(made.records(workspace), made.keeper(workspace), now=lambda: datetime.now(UTC)).run([folder])


@pytest.fixture
def chat() -> ScriptedChat:
    said = [f"退款审核后{days}个工作日到账[1]。" for days in (3, 3, 5)]
    return ScriptedChat(said, usage={"prompt_tokens": 1000, "completion_tokens": 100})


@pytest.fixture
def made(tmp_path: Path, chat: ScriptedChat, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    monkeypatch.setattr("assistant.retrieval.LOOK_AGAIN_S", 0.0)
    found = service(tmp_path / "data", chat)
    yield found
    found.close()


async def ask(made: Service, workspace: str, text: str = QUESTION) -> Reply:
    return await made.desk(workspace).ask(Question(text))


async def test_one_shops_answer_is_not_anothers_and_a_new_article_is_read(
    made: Service, chat: ScriptedChat, tmp_path: Path
) -> None:
    for workspace in ("blue", "green"):
        learn(made, workspace, tmp_path / workspace, 3)
    first, again, other = await ask(made, "blue"), await ask(made, "blue"), await ask(made, "green")
    assert [r.cached for r in (first, again, other)] == [False, True, False]
    assert first.usage is not None
    assert first.usage.cost == 0.0012
    learn(made, "blue", tmp_path / "blue", 5)
    changed = await ask(made, "blue")
    assert (changed.cached, "5个工作日" in changed.text) == (False, True)
    assert chat.remaining == 0
    found = made.usage("blue").spent()
    assert found == Spent(2, 2, 2000, 200, 0, 2, found.cost, cached=1)
    assert found.cost == pytest.approx(0.0024)
    with made.engine.connect() as connection:
        kept = [row.reply for row in connection.execute(select(t.turns.c.reply)) if row.reply]
    assert [r["cached"] for r in kept] == [False, True, False, False]
    assert [r["usage"] is None for r in kept] == [False, True, False, False]


async def test_an_article_that_is_gone_is_not_remembered(made: Service, tmp_path: Path) -> None:
    learn(made, "blue", tmp_path / "blue", 3)
    await ask(made, "blue")
    made.records("blue").remove(article_ids=["refund"], now=datetime.now(UTC))
    gone = await ask(made, "blue")
    assert (gone.cached, gone.citations) == (False, ())
    assert "3个工作日" not in gone.text


async def test_the_cache_can_be_off(tmp_path: Path, chat: ScriptedChat) -> None:
    made = service(tmp_path / "data", chat, answer_cache=0)
    learn(made, "blue", tmp_path / "blue", 3)
    assert [(await ask(made, "blue")).cached for _ in range(2)] == [False, False]
    made.close()
