"""Gaps grouped and ranked, drafts from them, and candidates replayed in a shadow index."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np

from assistant.domain.conversation import HandoffEvent, Transcript, Turn
from assistant.domain.knowledge import Article
from assistant.indexing import embed_entries
from assistant.llm.embedders import HashEmbedder
from assistant.settings import Settings
from evals.caching_embedder import CachingEmbedder
from evals.cases import ReplyCase
from evals.knowledge_view import Knowledge, KnowledgeView, ReplayClock
from evals.leak_guard import LeakGuard
from evals.loop import draft_for, replay_candidates
from evals.loop.gaps import CaseCost, average_linkage, case_costs, find_gaps, one_line
from evals.provenance import sources_of
from evals.root_causes import Cause, Diagnosis
from evals.transfer_run import Bench
from ingest.pipeline import article_write

AT = datetime(2026, 10, 1, 12, tzinfo=UTC)


def _case(name: str, asked: str, reference: str) -> ReplyCase:
    return ReplyCase(f"{name}-0", name, (Turn("customer", asked),), (reference,))


def test_average_linkage_joins_what_is_alike_and_nothing_else() -> None:
    table = np.array([[1, 0.9, 0.1, 0], [0.9, 1, 0.2, 0], [0.1, 0.2, 1, 0.8], [0, 0, 0.8, 1]], dtype=np.float32)
    assert sorted(map(sorted, average_linkage(table, 0.5))) == [[0, 1], [2, 3]]
    assert len(average_linkage(table, 0.95)) == 4
    assert average_linkage(np.ones((1, 1), dtype=np.float32), 0.5) == [[0]]
    assert sorted(map(sorted, average_linkage(np.array([[1, 0.5, 0.5], [0.5, 1, -1], [0.5, -1, 1]]), 0.1))) == [
        [0, 1],
        [2],
    ]


def test_cases_on_one_issue_become_one_gap_and_the_costliest_comes_first() -> None:
    cases = [
        _case("c-1", "保温杯可以刻字吗", "保温杯刻字要加 20 元，下单备注就可以刻字。"),
        _case("c-2", "保温杯可以刻名字吗", "保温杯刻字要加 20 元，下单时备注。"),
        _case("c-3", "扫地机器人怕黑地毯", "擦一下悬崖传感器，再升级固件 2.1.7。"),
        _case("c-4", "solved", "solved"),
    ]
    diagnoses = [Diagnosis(case.case_id, Cause.KNOWLEDGE_MISSING) for case in cases[:3]]
    costs = {"c-1": CaseCost(10, 5, "regular"), "c-2": CaseCost(10, 1, "gold"), "c-3": CaseCost(5, None, "regular")}
    gaps = find_gaps(cases, diagnoses, costs, HashEmbedder())
    assert [set(gap.conversation_ids) for gap in gaps] == [{"c-1", "c-2"}, {"c-3"}]
    assert gaps[0].cost == 10 + 10 * 1.5 * 1.5
    assert gaps[0].low_ratings == 1
    assert gaps[0].causes == {"knowledge_missing": 2}
    assert "刻字" in gaps[0].name
    assert find_gaps(cases, [], costs, HashEmbedder()) == []


def test_minutes_run_from_the_handoff_to_the_end() -> None:
    turns = (Turn("customer", "hi", AT), Turn("agent", "hello", AT + timedelta(minutes=5)))
    transcript = Transcript(
        "c", turns, handoff=HandoffEvent("loop", AT + timedelta(minutes=2)), closed_at=AT + timedelta(minutes=20)
    )
    assert case_costs([transcript])["c"].minutes == 18
    undated = Transcript("d", (Turn("customer", "hi"), Turn("agent", "hello")))
    assert case_costs([undated])["d"].minutes == 10


def _bench(cases: list[ReplyCase], articles: list[Article]) -> Bench:
    embedder = CachingEmbedder(HashEmbedder())
    made = [article_write(article, "", "") for article in articles]
    entries = [entry for write in made for entry in write.entries]
    vectors = dict(zip([e.id for e in entries], embed_entries(embedder, entries), strict=True))
    knowledge = Knowledge(tuple(c for write in made for c in write.chunks), tuple(entries), vectors)
    clock = ReplayClock(AT + timedelta(days=50))
    return Bench(cases, KnowledgeView(knowledge, embedder), embedder, LeakGuard(cases, knowledge), clock, Settings())


ENGRAVING = "保温杯刻字要加 20 元，下单时备注刻字内容，最多 6 个字，刻字后不支持七天无理由退货。"


def test_a_draft_holds_the_rule_redacted_with_its_source_and_is_not_public() -> None:
    case = _case("c-1", "保温杯可以刻字吗？我的电话是 13800138000", f"已经帮您备注好了，电话 13800138000。{ENGRAVING}")
    gap = find_gaps([case], [Diagnosis("c-1-0", Cause.KNOWLEDGE_MISSING)], {}, HashEmbedder())[0]
    draft = draft_for(gap, {case.case_id: case}, AT)
    assert draft is not None
    assert "20 元" in draft.article.body
    assert "13800138000" not in str(draft.record())
    assert draft.article.audience == "internal"
    assert sources_of(draft.article) == {"c-1"}
    nothing = _case("c-2", "催一下", "好的亲，马上为您处理，请稍等。")
    empty = find_gaps([nothing], [Diagnosis("c-2-0", Cause.STATE_NEEDED)], {}, HashEmbedder())[0]
    assert draft_for(empty, {nothing.case_id: nothing}, AT) is None


def test_a_draft_does_not_open_with_an_agents_name_and_a_customers() -> None:
    rule = "Double points on member day are only for orders placed and paid that same day in the app."
    case = _case("c-1", "Why did I not get double points?", f"Hi Daniel, Emma speaking. {rule} It's here in the app.")
    gap = find_gaps([case], [Diagnosis("c-1-0", Cause.KNOWLEDGE_MISSING)], {}, HashEmbedder())[0]
    draft = draft_for(gap, {case.case_id: case}, AT)
    assert draft is not None
    assert draft.article.body.splitlines() == [rule, "It's here in the app."]


def test_a_gap_is_named_by_the_telling_sentence_of_a_long_turn_without_its_greeting() -> None:
    asked = (
        "Hello, my husband bought it as a present and the parcel arrived on Monday. "
        "Can the engraving on the thermos cup be changed later? I am so looking forward to giving it to my father."
    )
    case = _case("c-1", asked, "The engraving on the thermos cup cannot be changed later.")
    gap = find_gaps([case], [Diagnosis("c-1-0", Cause.KNOWLEDGE_MISSING)], {}, HashEmbedder())[0]
    assert gap.name == "Can the engraving on the thermos cup be changed later?"


async def test_a_candidate_is_replayed_and_its_own_case_is_no_gain() -> None:
    cases = [
        _case("c-1", "保温杯可以刻字吗", ENGRAVING),
        _case("c-2", "保温杯刻字要多少钱", "刻字要加 20 元，最多 6 个字，下单时备注刻字内容。"),
    ]
    old = Article("refund", "退款多久到账", "仓库收到退货后 1–2 个工作日验收，银行卡 3–7 个工作日到账。")
    new = Article("gap-1", "保温杯可以刻字吗", ENGRAVING, questions=("保温杯刻字要多少钱",), tags=("from:c-1",))
    report = await replay_candidates(_bench(cases, [old]), [new], solved=0.35)
    assert report.marked == ("c-1-0",)
    assert report.gains == ("c-2-0",)
    assert report.regressions == ()
    assert report.duplicates == ()
    again = await replay_candidates(_bench(cases, [old, replace(new, id="bottle")]), [new], solved=0.35)
    assert again.duplicates == (("gap-1", "bottle"),)
    assert again.gains == ()


def test_a_name_fits_on_one_line() -> None:
    assert one_line("一\n二   三") == "一 二 三"
    assert len(one_line("长" * 200)) == 60
