"""The decision from measured facts, and the human's reply taken apart."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from assistant.domain.conversation import Turn
from assistant.domain.knowledge import Article
from assistant.domain.state import Entity, UserState
from assistant.indexing import embed_entries
from assistant.llm.embedders import HashEmbedder
from assistant.settings import Settings
from evals.answer_metrics import AnswerScorer, CaseScore
from evals.bench.planting import broken_answering
from evals.caching_embedder import CachingEmbedder
from evals.cases import Prediction, ReplyCase
from evals.intents import NO_ARTICLE, case_intents
from evals.knowledge_view import Knowledge, KnowledgeView, ReplayClock
from evals.leak_guard import LeakGuard
from evals.root_causes import CAUSES, Cause, RootCauses
from evals.root_causes.decide import Facts, decide
from evals.root_causes.parts import only_wants_person, parts_of
from evals.root_causes.support import KnowledgeSearch, Sought
from evals.root_causes.vectors import vector_drift
from evals.transfer_run import Bench
from ingest.pipeline import article_write

NOTHING = Facts(
    size=40,
    state_share=0.0,
    action_share=0.0,
    rules_share=1.0,
    state_answer=False,
    only_person=False,
    support=0.0,
    held_score=0.0,
    read_score=0.0,
    internal_score=0.0,
    rank=None,
    given_score=0.0,
    said_score=1.0,
    mended_score=None,
    mended_near=0.0,
    mended_about=0.0,
    rules_score=1.0,
    rival_subject=0.0,
    rival_is_best=False,
    article_on_subject=0.0,
    says_changed=False,
    drift=0.0,
    quoted_clashes=0,
    solved=0.35,
    k=5,
)
HELD = replace(NOTHING, support=0.8, held_score=0.8, rank=1, given_score=0.1)


@pytest.mark.parametrize(
    ("facts", "cause"),
    [
        (NOTHING, Cause.KNOWLEDGE_MISSING),
        (replace(NOTHING, says_changed=True, article_on_subject=0.4), Cause.KNOWLEDGE_STALE),
        (replace(NOTHING, says_changed=True), Cause.KNOWLEDGE_MISSING),
        (replace(HELD, rival_subject=0.7), Cause.KNOWLEDGE_STALE),
        (HELD, Cause.ANSWER_DID_NOT_SOLVE),
        (replace(HELD, rank=9), Cause.RETRIEVAL_MISSED),
        (replace(HELD, rank=None), Cause.RETRIEVAL_MISSED),
        (replace(HELD, given_score=0.9, rank=2), Cause.RETRIEVAL_MISSED),
        (replace(HELD, rank=3, drift=0.8), Cause.RETRIEVAL_MISSED),
        (replace(HELD, quoted_clashes=1, article_on_subject=0.4), Cause.KNOWLEDGE_STALE),
        (replace(HELD, quoted_clashes=1), Cause.ANSWER_DID_NOT_SOLVE),
        (replace(NOTHING, said_score=0.0), Cause.ANSWER_DID_NOT_SOLVE),
        (replace(NOTHING, mended_score=0.7, mended_near=0.4, mended_about=0.4), Cause.KNOWLEDGE_STALE),
        (replace(NOTHING, mended_score=0.7, mended_near=0.1, mended_about=0.4), Cause.KNOWLEDGE_MISSING),
        (replace(NOTHING, mended_score=0.7, mended_near=0.4, mended_about=0.0), Cause.KNOWLEDGE_MISSING),
        (replace(NOTHING, given_score=0.7), Cause.KNOWLEDGE_MISSING),
        (replace(NOTHING, given_score=0.7, held_score=0.5, read_score=0.5), Cause.RETRIEVAL_MISSED),
        (replace(HELD, support=0.1), Cause.KNOWLEDGE_MISSING),
        (replace(NOTHING, state_share=0.9, rules_score=0.1), Cause.STATE_NEEDED),
        (replace(NOTHING, state_share=0.9, rules_score=0.9), Cause.KNOWLEDGE_MISSING),
        (replace(NOTHING, action_share=0.9, state_share=0.9, rules_score=0.1), Cause.ACTION_NEEDED),
        (replace(HELD, only_person=True), Cause.PERSON_WANTED),
        (replace(NOTHING, size=0), Cause.UNDETERMINED),
    ],
)
def test_each_outcome_of_the_experiments_has_one_cause(facts: Facts, cause: Cause) -> None:
    assert decide(facts) is cause


def test_every_cause_has_a_name() -> None:
    assert set(CAUSES) == {
        "knowledge_missing",
        "knowledge_stale",
        "retrieval_missed",
        "answer_did_not_solve",
        "state_needed",
        "action_needed",
        "person_wanted",
        "undetermined",
    }


def _case(*customer: str, reference: str = "好的", state: UserState | None = None) -> ReplyCase:
    turns = tuple(Turn("customer", text) for text in customer)
    return ReplyCase("c-1-0", "c-1", turns, (reference,), user_state=state)


STATE = UserState(
    "u1",
    datetime(2026, 11, 22, tzinfo=UTC),
    entities=(
        Entity("order", "SQ20871534", "shipped", amount=Decimal("349"), occurred_at=datetime(2026, 11, 18, tzinfo=UTC)),
    ),
)


def test_a_rule_rests_on_neither_state_nor_an_act() -> None:
    parts = parts_of(_case("多久能退款？"), "仓库收到退货后 1–2 个工作日验收，银行卡 3–7 个工作日到账。")
    assert parts.rules
    assert not parts.actions
    assert parts.share(parts.rules) == 1.0


def test_a_value_of_the_state_that_nobody_had_named_makes_a_sentence_rest_on_state() -> None:
    reply = "您 11月18日 那单正在派送。"
    assert parts_of(_case("我的包裹呢？", state=STATE), reply).held_values == ("date 11-18",)
    told = parts_of(_case("我 11月18日 下的单呢？", state=STATE), "11月18日的活动满 300 减 40。")
    assert told.held_values == ()


@pytest.mark.parametrize(
    "reply",
    ["我已经帮您提交退款申请了，请留意到账。", "I've cancelled the order for you and the refund is on its way."],
)
def test_what_staff_do_is_an_act(reply: str) -> None:
    assert parts_of(_case("取消订单", "please cancel"), reply).actions


@pytest.mark.parametrize(
    ("reply", "changed"),
    [
        ("价保从10月28日起延长到 15 天了。", True),
        ("The blue filters come from a new batch and last 6 months.", True),
        ("价保是 7 天。", False),
        ("Price protection lasts 7 days.", False),
    ],
)
def test_a_human_who_says_that_a_rule_changed_is_noticed(reply: str, changed: bool) -> None:
    assert parts_of(_case("价保几天？"), reply).says_changed is changed


def test_a_person_is_wanted_only_where_nothing_else_is() -> None:
    assert only_wants_person(_case("转人工"))
    assert not only_wants_person(_case("我的加湿器显示 E2 怎么办？", "转人工"))
    assert not only_wants_person(_case("我的加湿器显示 E2 怎么办？"))


def _bench(cases: list[ReplyCase], *texts: str) -> Bench:
    embedder = CachingEmbedder(HashEmbedder())
    made = [article_write(Article(f"a{n}", text[:8], text), "", "") for n, text in enumerate(texts)]
    entries = [entry for write in made for entry in write.entries]
    vectors = dict(zip([e.id for e in entries], embed_entries(embedder, entries), strict=True))
    knowledge = Knowledge(tuple(c for write in made for c in write.chunks), tuple(entries), vectors)
    clock = ReplayClock(datetime(2026, 11, 22, tzinfo=UTC))
    return Bench(cases, KnowledgeView(knowledge, embedder), embedder, LeakGuard(cases, knowledge), clock, Settings())


def test_a_case_is_about_the_article_noted_else_the_one_its_reply_finds_else_none() -> None:
    texts = ("杯身刻字另收 20 元，最多 6 个字。", "仓库收到退货后 1–2 个工作日验收，银行卡 3–7 个工作日到账。")
    noted = replace(_case("刻字要多少钱？", reference="另收 20 元。"), case_id="noted", article_ids=("a0",))
    found = replace(_case("退款多久到？", reference=texts[1]), case_id="found")
    alone = replace(_case("天气怎么样？", reference="今天晴。"), case_id="alone")
    silent = replace(_case("在吗"), case_id="silent", references=())
    intents = case_intents(_bench([noted, found, alone, silent], *texts))
    assert intents == {"noted": "a0", "found": "a1", "alone": NO_ARTICLE, "silent": NO_ARTICLE}


def test_a_vector_that_is_not_its_texts_own_drifts() -> None:
    bench = _bench([], "杯身刻字另收 20 元，最多 6 个字。", "仓库收到退货后 1–2 个工作日验收。")
    knowledge = bench.view.knowledge
    first, second = (chunk.id for chunk in knowledge.chunks)
    poisoned = knowledge.with_vectors(
        {e.id: -knowledge.vectors[e.id] for e in knowledge.entries if e.chunk_id == first}
    )
    drift = vector_drift(poisoned, {first, second}, bench.embedder)
    assert drift[first] == pytest.approx(2.0, abs=1e-4)
    assert drift[second] == pytest.approx(0.0, abs=1e-4)
    assert vector_drift(knowledge, (), bench.embedder) == {}


def test_many_searches_find_what_each_would_alone() -> None:
    cases = [
        _case("杯子能刻字吗", reference="杯身刻字另收 20 元，最多 6 个字。"),
        replace(_case("退款几天", reference="仓库验收要 1–2 个工作日。"), case_id="c-2-0", conversation_id="c-2"),
    ]
    bench = _bench(cases, "杯身刻字另收 20 元，最多 6 个字。", "仓库收到退货后 1–2 个工作日验收。")
    search = KnowledgeSearch(bench.view, AnswerScorer(cases, bench.embedder), bench.embedder)
    sought = [Sought(case, case.references, bench.clock.now(), frozenset()) for case in cases]
    assert search.find(sought) == [search.find([one])[0] for one in sought]
    assert [found[0].chunk.document_id for found in search.find(sought)] == ["a0", "a1"]
    assert search.find([replace(sought[0], wanted=())]) == [[]]


async def test_only_failed_cases_with_a_reply_are_diagnosed() -> None:
    cases = [_case("杯子能刻字吗", reference="杯身刻字另收 20 元，最多 6 个字。")]
    bench = _bench(cases, "仓库收到退货后 1–2 个工作日验收。")
    scorer = AnswerScorer(cases, bench.embedder)
    replies = (await bench.replay()).replies
    scores = scorer.score(Prediction(key, reply.text) for key, reply in replies.items())
    causes = RootCauses(bench, scorer)
    (diagnosis,) = await causes.explain(replies, scores)
    assert diagnosis.cause is Cause.KNOWLEDGE_MISSING
    assert json.dumps(diagnosis.evidence)
    assert diagnosis.evidence["said_score"] >= 0.9
    assert await causes.explain({}, scores) == []
    assert await causes.explain(replies, [CaseScore("c-1-0", None, "no_reference")]) == []


async def test_a_passage_that_the_humans_figure_would_have_made_right_is_stale() -> None:
    cases = [_case("杯身刻字要多少钱", reference="杯身刻字另收 20 元，最多刻 6 个字。")]
    bench = _bench(cases, "杯身刻字另收 35 元，最多刻 9 个字。", "仓库收到退货后 1–2 个工作日验收。")
    scorer = AnswerScorer(cases, bench.embedder)
    result = await bench.replay()
    (diagnosis,) = await RootCauses(bench, scorer).explain(result.replies, scorer.score(result.predictions()))
    assert diagnosis.cause is Cause.KNOWLEDGE_STALE
    assert diagnosis.evidence["mended"]["document_id"] == "a0"
    assert diagnosis.evidence["mended"]["lines"][0]["would_have_to_say"].startswith("杯身刻字另收 20 元")
    assert ["amount 20", "35"] in diagnosis.evidence["rival"]["pairs"]


async def test_an_answering_step_that_cannot_tell_the_humans_own_words_is_at_fault() -> None:
    cases = [_case("杯子能刻字吗", reference="杯身刻字另收 20 元，最多刻 6 个字。")]
    bench = _bench(cases, "仓库收到退货后 1–2 个工作日验收。")
    scorer = AnswerScorer(cases, bench.embedder)
    with broken_answering():
        result = await bench.replay()
        (diagnosis,) = await RootCauses(bench, scorer).explain(result.replies, scorer.score(result.predictions()))
    assert diagnosis.cause is Cause.ANSWER_DID_NOT_SOLVE
    assert diagnosis.evidence["said_score"] < 0.5
