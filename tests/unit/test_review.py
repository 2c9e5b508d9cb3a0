"""The review queue: who may decide what when, and that publishing makes ordinary, versioned, lasting knowledge."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from assistant.domain.knowledge import Article, DocumentKind
from assistant.domain.review import ReplayPrediction, WrittenFrom
from assistant.errors import Conflict, NotFound
from assistant.store.database import open_database
from assistant.store.memory_reviews import MemoryReviewRecords
from assistant.store.records import KnowledgeRecords
from evals.cases import ReplyCase
from evals.knowledge_view import Knowledge
from evals.leak_guard import LeakGuard
from evals.loop.drafts import Draft
from evals.loop.review import ReviewDesk, text_hash
from evals.provenance import provenance
from ingest.pipeline import Ingestion

NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
BODY = "保温杯刻字加 20 元，下单时备注要刻的字，最多 6 个字。"


class Hands:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.time = NOW

    def now(self) -> datetime:
        self.time += timedelta(seconds=1)
        return self.time


def draft(gap: str = "g1", conversation: str = "c-1") -> Draft:
    article = Article(f"gap-{gap}", "保温杯能刻字吗", BODY, audience="internal", tags=(f"from:{conversation}", "杯子"))
    return Draft(article, gap, (WrittenFrom(conversation, f"{conversation}-0"),))


@pytest.fixture
def clock() -> Hands:
    return Hands()


@pytest.fixture
def records(tmp_path: Path) -> KnowledgeRecords:
    return KnowledgeRecords(open_database(f"sqlite:///{tmp_path / 'a.db'}"), "blue")


@pytest.fixture
def desk(records: KnowledgeRecords, clock: Hands) -> ReviewDesk:
    return ReviewDesk(MemoryReviewRecords(), records, Ingestion(records, None, clock.now), clock.now)


def predicted(desk: ReviewDesk, item_id: str) -> ReplayPrediction:
    text = text_hash(desk.store.get(item_id).article)
    return ReplayPrediction(NOW, text, 10, 0.4, 0.5, 0.02, 0.2, gains=("c-2-0",), marked=("c-1-0",))


def file_of(tmp_path: Path, *ids: str) -> Path:
    path = tmp_path / "files" / "a.jsonl"
    path.parent.mkdir(exist_ok=True)
    lines = [json.dumps({"id": key, "title": key, "body": f"About {key}."}) for key in ids]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def test_nothing_enters_the_knowledge_that_nobody_accepted(desk: ReviewDesk, records: KnowledgeRecords) -> None:
    (item,) = desk.propose([draft()])
    with pytest.raises(Conflict, match="is proposed; only an accepted"):
        desk.publish(item.id, who="lin", without_replay=True)
    desk.reject(item.id, who="lin", note="promotion is over")
    for decide in (desk.reject, desk.publish):
        with pytest.raises(Conflict):
            decide(item.id, who="wu")
    with pytest.raises(Conflict):
        desk.accept(item.id, who="wu", audience="public")
    assert records.counts()["articles"] == 0
    with pytest.raises(NotFound):
        desk.accept("rv_none", who="wu", audience="public")


def test_an_accepted_draft_is_replayed_published_and_tells_where_it_comes_from(
    desk: ReviewDesk, records: KnowledgeRecords
) -> None:
    (item,) = desk.propose([draft()], {"g1": "刻字"})
    assert item.gap_name == "刻字"
    desk.accept(item.id, who="lin", audience="public")
    with pytest.raises(Conflict, match=f"review replay {item.id}"):
        desk.publish(item.id, who="lin")
    desk.predict(item.id, predicted(desk, item.id), who="lin")
    done = desk.publish(item.id, who="lin")
    assert (done.status, done.article.audience) == ("published", "public")
    assert done.prediction is not None
    assert [event.action for event in done.history] == ["drafted", "accepted", "replayed", "published"]
    stored = records.document(DocumentKind.ARTICLE, "gap-g1")
    assert stored is not None
    assert stored["body"] == BODY
    assert provenance(records.articles()) == {"gap-g1": {"c-1"}}
    assert desk.publish(item.id, who="lin") == done, "a second time finishes what a kill broke off, and no more"
    with pytest.raises(Conflict, match="final"):
        desk.reject(item.id, who="lin")


def test_an_edit_keeps_id_and_sources_and_voids_the_replay(desk: ReviewDesk) -> None:
    (item,) = desk.propose([draft()])
    old = predicted(desk, item.id)
    desk.predict(item.id, old, who="lin")
    text = replace(item.article, id="something-else", body="最多 8 个字。", tags=("杯子", "from:made-up"))
    edited = desk.edit(item.id, text, who="wu", note="eight")
    assert (edited.status, edited.article.id) == ("edited", "gap-g1")
    assert set(edited.article.tags) == {"杯子", "from:c-1"}
    assert edited.history[-1].article == edited.article
    with pytest.raises(Conflict, match="replay"):
        desk.publish(item.id, who="wu")
    with pytest.raises(Conflict, match="replay it again"):
        desk.predict(item.id, old, who="wu")
    assert desk.publish(item.id, who="wu", without_replay=True).history[-1].note == "published without a replay"


def test_files_and_published_articles_leave_each_other_alone(
    desk: ReviewDesk, records: KnowledgeRecords, clock: Hands, tmp_path: Path
) -> None:
    job = Ingestion(records, None, clock.now)
    job.run([file_of(tmp_path, "refund", "price")])
    (item,) = desk.propose([draft()])
    desk.accept(item.id, who="lin", audience="public")
    desk.publish(item.id, who="lin", without_replay=True)
    job.run([file_of(tmp_path, "refund")])
    job.run([tmp_path])
    assert {stored.id for stored in records.stored()} == {"refund", "gap-g1"}
    report = job.run([file_of(tmp_path, "refund", "gap-g1")])
    assert [r.line for r in report.rejected] == [2]
    assert records.document(DocumentKind.ARTICLE, "gap-g1")["body"] == BODY  # type: ignore[index]
    taken = replace(draft("g2", "c-2"), article=replace(draft().article, id="refund"))
    (second,) = desk.propose([taken])
    desk.accept(second.id, who="lin", audience="public")
    with pytest.raises(Conflict, match="taken by"):
        desk.publish(second.id, who="lin", without_replay=True)
    assert desk.store.get(second.id).status == "accepted"


def test_the_same_conversations_are_proposed_once_and_again_only_after_they_expired(
    desk: ReviewDesk, clock: Hands
) -> None:
    (first,) = desk.propose([draft()])
    assert desk.propose([draft("another", "c-1")]) == []
    assert desk.expire() == []
    clock.time += timedelta(weeks=4)
    (gone,) = desk.expire()
    assert (gone.id, gone.status, gone.history[-1].who) == (first.id, "expired", "teachback")
    (again,) = desk.propose([draft()])
    assert again.id == f"{first.id}-2"
    desk.reject(again.id, who="lin")
    assert desk.propose([draft()]) == []


def test_a_touch_puts_off_the_expiry(desk: ReviewDesk, clock: Hands) -> None:
    (item,) = desk.propose([draft()])
    clock.time += timedelta(weeks=3)
    desk.accept(item.id, who="lin", audience="internal")
    clock.time += timedelta(weeks=3)
    assert desk.expire() == []
    clock.time += timedelta(weeks=1)
    assert [gone.id for gone in desk.expire()] == [item.id]


def test_the_guard_hides_an_article_from_the_cases_it_was_written_from() -> None:
    from assistant.domain.conversation import Turn

    cases = [ReplyCase(f"{c}-0", c, (Turn("customer", "能刻字吗"),), ("可以。",)) for c in ("c-1", "c-2")]
    guard = LeakGuard(cases, Knowledge((), (), {}), written_from={"gap-g1": ["c-1"]})
    assert guard.hidden(cases[0]).derived == {"\0gap-g1"}
    assert guard.hidden(cases[1]).derived == frozenset()
    assert [guard.marked(case) for case in cases] == [True, False]


def test_a_flag_needs_an_article(desk: ReviewDesk, records: KnowledgeRecords, clock: Hands, tmp_path: Path) -> None:
    Ingestion(records, None, clock.now).run([file_of(tmp_path, "refund")])
    flag = desk.flag("refund", "outdated", who="lin", note="现在是 15 天")
    assert desk.store.flags("refund") == [flag]
    desk.settle(flag.id, who="wu")
    assert desk.store.flags() == []
    with pytest.raises(NotFound, match="refnud"):
        desk.flag("refnud", "wrong", who="lin")
