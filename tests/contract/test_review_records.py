"""What every ReviewStore promises, for the one in memory and for the SQL one alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier, Thread

import pytest

from assistant.domain.knowledge import Article
from assistant.domain.review import ArticleFlag, ReplayPrediction, ReviewEvent, ReviewItem, WrittenFrom
from assistant.errors import Conflict, NotFound
from assistant.ports import ReviewStore
from assistant.store.database import open_database
from assistant.store.memory_reviews import MemoryReviewRecords
from assistant.store.reviews import ReviewRecords

NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
ARTICLE = Article(
    "gap-1", "保温杯能刻字吗", "可以，最多八个字。", questions=("能刻名字吗",), tags=("from:c-1",), updated_at=NOW
)
PREDICTION = ReplayPrediction(
    NOW, "00", 40, 0.4, 0.45, -0.01, 0.11, ("a",), ("b",), ("c",), ("refund",), (("price", "15天", "7天"),)
)


def item(name: str = "rv_1", gap: str = "1") -> ReviewItem:
    drafted = ReviewEvent("drafted", "teachback", NOW, article=ARTICLE)
    sources = (WrittenFrom("c-1", "c-1-0"),)
    return ReviewItem(name, gap, "刻字", ARTICLE, sources, "resolution", "proposed", NOW, NOW, history=(drafted,))


@pytest.fixture(params=["memory", "sql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ReviewStore:
    if request.param == "memory":
        return MemoryReviewRecords()
    return ReviewRecords(open_database(f"sqlite:///{tmp_path / 'a.db'}"), "blue")


def test_an_item_comes_back_as_it_was_kept(store: ReviewStore) -> None:
    store.add(item())
    assert store.get("rv_1") == item()
    with pytest.raises(NotFound, match="rv_2"):
        store.get("rv_2")


def test_a_change_is_kept_with_its_event_and_nothing_of_the_history_is_lost(store: ReviewStore) -> None:
    store.add(item())
    first = store.get("rv_1")
    later = NOW + timedelta(minutes=5)
    text = replace(ARTICLE, body="可以，最多六个字。", valid_until=later)
    after = replace(first, status="edited", article=text, touched_at=later, prediction=PREDICTION)
    kept = store.change(first, after, ReviewEvent("edited", "lin", later, "六个", text))
    assert kept == store.get("rv_1")
    assert (kept.article, kept.prediction, kept.status) == (text, PREDICTION, "edited")
    assert [(e.action, e.who, e.note) for e in kept.history] == [
        ("drafted", "teachback", ""),
        ("edited", "lin", "六个"),
    ]
    assert [e.article for e in kept.history] == [ARTICLE, text]


def test_of_two_who_decide_at_once_the_second_is_told(store: ReviewStore) -> None:
    store.add(item())
    seen = store.get("rv_1")
    later = NOW + timedelta(seconds=1)
    store.change(seen, replace(seen, status="accepted", touched_at=later), ReviewEvent("accepted", "lin", later))
    with pytest.raises(Conflict, match="accepted now"):
        store.change(seen, replace(seen, status="rejected", touched_at=later), ReviewEvent("rejected", "wu", later))
    assert [event.action for event in store.get("rv_1").history] == ["drafted", "accepted"]
    with pytest.raises(NotFound):
        store.change(item("rv_9"), item("rv_9"), ReviewEvent("accepted", "lin", later))


def test_a_gap_is_drafted_again_only_after_it_was_given_up(store: ReviewStore) -> None:
    store.add(item())
    with pytest.raises(Conflict, match="rv_1"):
        store.add(item("rv_1b"))
    seen = store.get("rv_1")
    store.change(seen, replace(seen, status="expired"), ReviewEvent("expired", "teachback", NOW))
    with pytest.raises(Conflict):
        store.add(item("rv_1", "another gap"))
    store.add(item("rv_1b"))
    assert [i.id for i in store.items()] == ["rv_1", "rv_1b"]
    assert [i.id for i in store.items(["proposed", "accepted"])] == ["rv_1b"]


def test_flags_stay_open_until_they_are_settled(store: ReviewStore) -> None:
    first = ArticleFlag("fl_1", "refund", "outdated", "现在是 15 天", "lin", NOW)
    store.flag(first)
    store.flag(ArticleFlag("fl_2", "price", "unclear", "", "wu", NOW + timedelta(seconds=1)))
    assert [flag.id for flag in store.flags()] == ["fl_1", "fl_2"]
    assert store.flags("refund") == [first]
    store.settle_flag("fl_1", who="chen", at=NOW)
    store.settle_flag("fl_1", who="wu", at=NOW + timedelta(days=1))
    assert store.flags("refund") == []
    assert store.flags("refund", settled=True) == [replace(first, settled_at=NOW, settled_by="chen")]
    with pytest.raises(NotFound):
        store.settle_flag("fl_9", who="chen", at=NOW)


def test_a_workspace_sees_only_its_own(tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'a.db'}")
    blue, red = ReviewRecords(engine, "blue"), ReviewRecords(engine, "red")
    blue.add(item())
    blue.flag(ArticleFlag("fl_1", "refund", "wrong", "", "lin", NOW))
    red.add(item())
    seen = red.get("rv_1")
    red.change(seen, replace(seen, status="rejected"), ReviewEvent("rejected", "wu", NOW))
    assert blue.get("rv_1").status == "proposed"
    assert len(blue.get("rv_1").history) == 1
    assert red.flags(settled=True) == []
    with pytest.raises(NotFound):
        red.settle_flag("fl_1", who="wu", at=NOW)


def test_processes_that_draft_the_same_gap_at_once_make_one_item(tmp_path: Path) -> None:
    stores = [ReviewRecords(open_database(f"sqlite:///{tmp_path / 'a.db'}"), "blue") for _ in range(4)]
    start, refused = Barrier(4), []

    def draft(own: ReviewRecords) -> Callable[[], None]:
        def run() -> None:
            start.wait()
            try:
                own.add(item())
            except Conflict as exc:
                refused.append(exc)

        return run

    threads = [Thread(target=draft(own)) for own in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(stores[0].items()) == 1
    assert len(refused) == 3
