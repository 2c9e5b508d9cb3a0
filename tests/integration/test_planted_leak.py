"""A planted leak is caught: the case's conversation under another id, or its resolution written up as an article."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from assistant.bootstrap import Service, build
from assistant.domain.knowledge import DocumentKind
from assistant.domain.reply import Citation, Reply
from assistant.settings import Settings
from evals.case_sets import cases_from_transcripts
from evals.cases import ReplyCase
from evals.knowledge_view import KnowledgeView, knowledge_of
from evals.leak_guard import LeakFound, LeakGuard
from evals.transfer_run import Bench, prepare
from ingest.pipeline import Ingestion
from ingest.sources.schemas import parse_transcript

QUESTION = "我的扫地机器人一到深色地毯就停下来报悬崖，怎么办？"
ANSWER = "这是底部的悬崖传感器把深色地毯认成了台阶。请用干布擦一擦底部四个传感器，再把固件升级到 2.1.7 版本就好了。"


def _transcript(name: str, customer: str, question: str, answer: str, day: int) -> dict[str, Any]:
    at = f"2026-10-{day:02d}T10:00:00+08:00"
    return {
        "conversation_id": name,
        "locale": "zh",
        "opened_at": at,
        "closed_at": f"2026-10-{day:02d}T10:30:00+08:00",
        "customer_id": customer,
        "turns": [
            {"role": "customer", "text": question, "at": at},
            {"role": "agent", "text": answer, "at": f"2026-10-{day:02d}T10:05:00+08:00", "author_id": "a1"},
        ],
        "handoff": {"reason": "customer_request", "at": at},
        "outcome": "resolved",
    }


OTHERS = [
    ("c-2", "u2", "羽绒服洗完有味道正常吗？", "羽绒遇水会有一点味道，通风晾两天就散了，不影响使用的。", 3),
    ("c-3", "u3", "你们的电饭煲内胆涂层保修多久？", "内胆涂层保修两年，整机一年，凭订单号就可以申请维修。", 4),
    ("c-4", "u4", "礼品卡可以退吗？", "礼品卡售出之后不能退款，不过有效期是三年，可以和优惠券一起用。", 5),
]


@pytest.fixture
def service(tmp_path: Path) -> Service:
    return build(Settings(data_dir=tmp_path / "data", embedder="hash"))


def _ingest(service: Service, folder: Path, transcripts: list[dict[str, Any]], articles: list[dict[str, Any]]) -> None:
    folder.mkdir()
    lines = [json.dumps(t, ensure_ascii=False) for t in transcripts]
    (folder / "transcripts.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
    if articles:
        lines = [json.dumps(a, ensure_ascii=False) for a in articles]
        (folder / "articles.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
    report = Ingestion(service.records("default"), service.keeper("default"), service.clock.now).run([folder])
    assert not report.rejected


def _planted(service: Service, tmp_path: Path, extra: list[dict[str, Any]], articles: list[dict[str, Any]]) -> Bench:
    own = _transcript("c-1", "u1", QUESTION, ANSWER, 2)
    _ingest(service, tmp_path / "in", [own, *(_transcript(*other) for other in OTHERS), *extra], articles)
    stored = service.records("default").transcripts()
    cases = [c for c in cases_from_transcripts(parse_transcript(t, "x") for t in stored) if c.conversation_id == "c-1"]
    assert len(cases) == 1
    return prepare(service, "default", cases)


async def _reply(bench: Bench) -> Reply:
    result = await bench.replay()
    assert result.guard.leaks == ()
    return result.replies[bench.cases[0].case_id]


async def test_a_copy_of_the_conversation_under_another_id_is_hidden_and_counted(
    service: Service, tmp_path: Path
) -> None:
    copy = _transcript("export-77", "someone", QUESTION, ANSWER, 2)
    bench = _planted(service, tmp_path, [copy], [])
    result = await bench.replay()
    assert result.guard.record()["copies"] == 1
    assert "悬崖" not in next(iter(result.replies.values())).text


async def test_its_resolution_written_up_as_an_article_is_hidden_and_counted(service: Service, tmp_path: Path) -> None:
    article = {
        "id": "cliff",
        "title": "深色地毯",
        "body": f"客户问深色地毯。{ANSWER}",
        "updated_at": "2026-10-09T00:00:00Z",
    }
    bench = _planted(service, tmp_path, [], [article])
    result = await bench.replay()
    assert result.guard.record()["derived"] == 1
    assert "悬崖" not in next(iter(result.replies.values())).text


async def test_an_undated_article_with_the_resolutions_words_is_hidden(service: Service, tmp_path: Path) -> None:
    bench = _planted(service, tmp_path, [], [{"id": "cliff", "title": "深色地毯", "body": ANSWER}])
    assert bench.guard.hidden(bench.cases[0]).derived == {"\0cliff"}


async def test_an_older_article_that_the_agent_quoted_stays(service: Service, tmp_path: Path) -> None:
    article = {"id": "cliff", "title": "深色地毯", "body": ANSWER, "updated_at": "2026-09-01T00:00:00Z"}
    bench = _planted(service, tmp_path, [], [article])
    assert not bench.guard.hidden(bench.cases[0]).derived
    assert "cliff" in {passage.document_id for passage in (await _reply(bench)).passages}


async def test_the_same_customer_telling_it_again_is_a_copy_at_less_likeness(service: Service, tmp_path: Path) -> None:
    again = ANSWER[: 2 * len(ANSWER) // 5] + "另外地毯边缘最好贴一条浅色胶带，这样就不会再误报了。"
    same = _transcript("c-9", "u1", "又停了，还是那块地毯", again, 8)
    guard = _planted(service, tmp_path, [same], []).guard
    case = _case(service)
    assert guard.hidden(case).copies == {"c-9"}


async def test_another_customer_with_some_of_the_words_is_no_copy(service: Service, tmp_path: Path) -> None:
    likeness = ANSWER[: 2 * len(ANSWER) // 5] + "另外地毯边缘最好贴一条浅色胶带，这样就不会再误报了。"
    guard = _planted(service, tmp_path, [_transcript("c-8", "u7", "又停了，还是那块地毯", likeness, 8)], []).guard
    assert guard.hidden(_case(service)).copies == frozenset()


def _case(service: Service) -> ReplyCase:
    stored = service.records("default").transcripts()
    return next(
        c for c in cases_from_transcripts(parse_transcript(t, "x") for t in stored) if c.conversation_id == "c-1"
    )


async def test_what_the_guard_does_not_hide_its_check_stops(service: Service, tmp_path: Path) -> None:
    bench = _planted(service, tmp_path, [_transcript("export-77", "someone", QUESTION, ANSWER, 2)], [])
    case = bench.cases[0]
    honest = await _reply(bench)
    for citation in (
        Citation("p", "t", "q", conversation_id="export-77"),
        Citation("p", "t", "q", conversation_id="c-1"),
    ):
        with pytest.raises(LeakFound, match="hidden from it"):
            bench.guard.check(case, replace(honest, citations=(citation,)))


async def test_a_reply_that_knows_the_humans_words_from_nowhere_is_a_leak(service: Service, tmp_path: Path) -> None:
    bench = _planted(service, tmp_path, [], [])
    case, honest = bench.cases[0], await _reply(bench)
    assert not bench.guard.recites(case, honest)
    assert bench.guard.recites(case, replace(honest, text=ANSWER, passages=(), citations=()))


async def test_later_knowledge_is_hidden_as_of_the_case(service: Service, tmp_path: Path) -> None:
    later = {"id": "later", "title": "悬崖传感器", "body": "擦传感器，升级固件。", "updated_at": "2026-11-01T00:00:00Z"}
    earlier = {
        "id": "earlier",
        "title": "深色地毯与传感器",
        "body": "深色地毯会误报。",
        "updated_at": "2026-09-01T00:00:00Z",
    }
    bench = _planted(service, tmp_path, [], [later, earlier])
    knowledge = knowledge_of(service.records("default"), service.keeper("default"))
    view = KnowledgeView(knowledge, bench.embedder, as_of=True)
    result = await replace(bench, view=view, guard=LeakGuard(bench.cases, knowledge)).replay()
    seen = {p.document_id for p in next(iter(result.replies.values())).passages}
    assert "later" not in seen
    assert not {p for p in seen if p.startswith(("c-2", "c-3", "c-4"))}, "they were resolved later"
    assert result.guard.record()["later_documents"] == 5, "the late article, and every resolution"


def test_knowledge_can_be_taken_away_and_added(service: Service, tmp_path: Path) -> None:
    bench = _planted(service, tmp_path, [], [{"id": "a", "title": "深色地毯", "body": ANSWER}])
    knowledge = bench.view.knowledge
    less = knowledge.without([(DocumentKind.ARTICLE, "a")])
    assert {c.document_id for c in knowledge.chunks} - {c.document_id for c in less.chunks} == {"a"}
    assert len(less.entries) < len(knowledge.entries)
    chunks = [c for c in knowledge.chunks if c.document_id == "a"]
    entries = [e for e in knowledge.entries if e.chunk_id in {c.id for c in chunks}]
    assert less.with_pieces(chunks, entries, bench.embedder).chunks[-1].document_id == "a"
    assert datetime.now(UTC) >= bench.clock.now()
