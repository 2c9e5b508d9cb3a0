"""The ingestion job from files to answers: what goes in, what stops answering, and what survives."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from sqlalchemy import text

from assistant.desk import Desk
from assistant.domain.live import Question
from assistant.errors import EmbedderMismatch, IndexUnavailable
from assistant.fusion import Fusion
from assistant.llm.embedders import HashEmbedder
from assistant.ports import VectorIndex, Vectors
from assistant.query import Query
from assistant.retrieval import Retriever
from assistant.store.conversations import ConversationRecords
from assistant.store.drafts import DraftRecords
from assistant.store.handoff_queue import HandoffQueue
from assistant.text import Segmenter
from tests.integration.knowledge_shop import REFUND, WASH, Shop, article, line, two_articles


class OtherEmbedder(HashEmbedder):
    """Another embedder by name, with vectors of another length."""

    def __init__(self) -> None:
        super().__init__(dimensions=32)


class DownIndex(VectorIndex):
    """A vector index that does not answer."""

    def upsert(self, ids: Sequence[str], vectors: Vectors) -> None:
        raise IndexUnavailable("down")

    def delete(self, ids: Sequence[str]) -> None:
        raise IndexUnavailable("down")

    def ids(self) -> set[str]:
        raise IndexUnavailable("down")

    def search(self, vector: NDArray[np.float32], limit: int) -> list[tuple[str, float]]:
        raise IndexUnavailable("down")


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    shop = Shop(tmp_path / "data")
    yield shop
    shop.service.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return two_articles(tmp_path / "knowledge")


# -- what a second run does ----------------------------------------------------------------------------------------


def test_a_second_run_embeds_nothing(shop: Shop, folder: Path) -> None:
    first = shop.ingest(folder)
    assert sorted(first.added) == ["refund", "wash"]
    assert first.sync.embedded > 0
    shop.embedder.passages.clear()
    second = shop.ingest(folder)
    assert (second.added, second.changed, second.removed, second.unchanged) == ((), (), (), 2)
    assert second.sync.embedded == 0
    assert shop.embedder.passages == []


def test_a_changed_article_embeds_only_what_changed(shop: Shop, folder: Path) -> None:
    body = "## 清洗\n\n" + "水温不超过三十度。" * 40 + "\n\n## 烘干\n\n" + "低温烘干。" * 60
    article(folder / "long.md", "long", "养护手册", body)
    shop.ingest(folder)
    shop.embedder.passages.clear()
    article(folder / "long.md", "long", "养护手册", body.replace("低温烘干", "自然晾干"))
    report = shop.ingest(folder)
    assert report.changed == ("long",)
    assert shop.embedder.passages
    assert all("自然晾干" in passage for passage in shop.embedder.passages), "an unchanged section was embedded again"
    assert not any("低温烘干。" in p.text for p in shop.passages("低温烘干") if p.document_id == "long")


def test_a_file_that_moved_is_neither_embedded_nor_removed(shop: Shop, folder: Path) -> None:
    shop.ingest(folder)
    (folder / "care").mkdir()
    (folder / "wash.md").rename(folder / "care" / "wash.md")
    report = shop.ingest(folder)
    assert (report.unchanged, report.removed, report.sync.embedded) == (2, (), 0)
    assert shop.ingest(folder).removed == ()


def test_a_dry_run_lists_and_writes_nothing(shop: Shop, folder: Path) -> None:
    shop.ingest(folder)
    (folder / "refund.md").unlink()
    article(folder / "wash.md", "wash", "羽绒服怎么洗", "送去干洗。")
    article(folder / "new.md", "new", "新规则", "从今天开始。")
    before = everything(shop)
    report = shop.ingest(folder, dry_run=True)
    assert (report.added, report.changed, report.removed) == (("new",), ("wash",), ("refund",))
    assert everything(shop) == before
    real = shop.ingest(folder)
    assert (real.added, real.changed, real.removed) == (report.added, report.changed, report.removed)


def everything(shop: Shop) -> dict[str, object]:
    """Every row of every table, and what Chroma holds."""
    with shop.service.engine.connect() as connection:
        names = connection.execute(text("select name from sqlite_master where type = 'table' order by 1")).scalars()
        rows: dict[str, object] = {
            name: [tuple(row) for row in connection.execute(text(f'select * from "{name}"'))] for name in list(names)
        }
    rows["chroma"] = sorted(shop.service.keeper("w").vector_index().ids())
    return rows


# -- what vanished stops answering ---------------------------------------------------------------------------------


@pytest.mark.parametrize("named", ["folder", "file", "deleted file"])
def test_a_removed_file_stops_answering_at_once(shop: Shop, folder: Path, named: str) -> None:
    target = folder / "wash.md"
    shop.ingest(target if named == "file" else folder)
    running = shop.service.retriever("w")
    assert "wash" in shop.found("羽绒服怎么洗")
    target.unlink()
    report = shop.ingest(folder if named == "folder" else target)
    assert report.removed == ("wash",)
    assert report.rejected == ()
    assert "wash" not in shop.found("羽绒服怎么洗")
    found = running.search(Query("羽绒服怎么洗", k=10), now=shop.service.clock.now()).passages
    assert "wash" not in [p.document_id for p in found], "a retriever that was running still answers from it"
    if named != "file":
        assert shop.found("退款多久到账")[0] == "refund"


def test_naming_one_file_leaves_the_others_alone(shop: Shop, folder: Path) -> None:
    shop.ingest(folder)
    report = shop.ingest(folder / "wash.md")
    assert (report.unchanged, report.removed) == (1, ())
    assert shop.found("退款多久到账")[0] == "refund"


def test_a_line_that_left_a_file_stops_answering(shop: Shop, tmp_path: Path) -> None:
    path = tmp_path / "faq.jsonl"
    wash, refund = line(id="wash", title="羽绒服怎么洗", body=WASH), line(id="refund", title="退款", body=REFUND)
    path.write_text(wash + refund, encoding="utf-8")
    shop.ingest(path)
    path.write_text(refund, encoding="utf-8")
    assert shop.ingest(path).removed == ("wash",)
    assert shop.found("羽绒服怎么洗") == [] or "wash" not in shop.found("羽绒服怎么洗")


def test_a_running_retriever_never_shows_the_old_text_of_a_changed_article(shop: Shop, folder: Path) -> None:
    shop.ingest(folder)
    running = shop.service.retriever("w")
    article(folder / "refund.md", "refund", "退款多久到账", REFUND.replace("十二个", "三个"))
    shop.ingest(folder)
    found = running.search(Query("退款多久到账", k=10), now=shop.service.clock.now()).passages
    assert not any("十二个" in p.text for p in found)


def test_a_removed_transcript_takes_its_resolution_with_it(shop: Shop, tmp_path: Path) -> None:
    turns = [
        {"role": "customer", "text": "羽绒服洗了以后结块了怎么办"},
        {"role": "agent", "text": "放两三个网球低温烘干二十分钟，羽绒就会蓬松起来。"},
    ]
    path = tmp_path / "t.jsonl"
    path.write_text(line(conversation_id="c1", outcome="resolved", turns=turns), encoding="utf-8")
    shop.ingest(path)
    assert [p.conversation_id for p in shop.passages("羽绒服结块")] == ["c1"]
    path.unlink()
    assert shop.ingest(path).removed == ("c1",)
    assert shop.passages("羽绒服结块") == []


# -- another embedder ----------------------------------------------------------------------------------------------


def test_another_embedder_is_refused_until_reindex(tmp_path: Path, folder: Path) -> None:
    data = tmp_path / "data"
    first = Shop(data)
    first.ingest(folder)
    before = everything(first)
    first.service.close()

    other = Shop(data, OtherEmbedder())
    try:
        article(folder / "new.md", "new", "新规则", "从今天开始。")
        for use in (lambda: other.ingest(folder), lambda: other.service.retriever("w")):
            with pytest.raises(EmbedderMismatch, match="teachback reindex"):
                use()
        with other.service.engine.connect() as connection:
            assert connection.execute(text("select count(*) from documents")).scalar() == len(before["documents"])  # type: ignore[arg-type]
        report = other.service.keeper("w").rebuild()
        assert report.embedded > 0
        assert other.found("羽绒服怎么洗")[0] == "wash"
        assert other.ingest(folder).added == ("new",)
        assert other.found("新规则")[0] == "new"
    finally:
        other.service.close()

    back = Shop(data)
    try:
        with pytest.raises(EmbedderMismatch, match="teachback reindex"):
            back.service.retriever("w")
    finally:
        back.service.close()


# -- who may see what ----------------------------------------------------------------------------------------------


def test_workspaces_cannot_see_each_other(shop: Shop, folder: Path, tmp_path: Path) -> None:
    article(tmp_path / "rival" / "wash.md", "wash", "羽绒服怎么洗", "秘方：用橘子汽水泡洗。")
    shop.ingest(folder, workspace="blue")
    shop.ingest(tmp_path / "rival", workspace="red")
    assert {p.text for p in shop.passages("羽绒服怎么洗", workspace="blue")} == {WASH, REFUND}
    assert {p.text for p in shop.passages("退款多久到账", workspace="red")} <= {"秘方：用橘子汽水泡洗。"}
    shutil.rmtree(tmp_path / "rival")
    assert shop.ingest(tmp_path / "rival", workspace="red").removed == ("wash",)
    assert shop.found("羽绒服怎么洗", workspace="blue")[0] == "wash"
    assert shop.passages("羽绒服怎么洗", workspace="green") == []


async def test_internal_and_untimely_articles_never_reach_a_customer(shop: Shop, tmp_path: Path) -> None:
    now = shop.service.clock.now()
    day = timedelta(days=1)
    folder = tmp_path / "k"
    title = "黑金会员的专属补偿标准"
    article(folder / "i.md", "internal", title, "黑金会员的专属补偿标准是八百元。", audience="internal")
    past, future = (f'"{moment.isoformat()}"' for moment in (now - day, now + day))
    article(folder / "e.md", "expired", title, "黑金会员的专属补偿标准是七百元。", valid_until=past)
    article(folder / "f.md", "future", title, "黑金会员的专属补偿标准是六百元。", valid_from=future)
    article(folder / "n.md", "now", title, "黑金会员的专属补偿标准是五百元。", valid_until=future)
    shop.ingest(folder)
    assert set(shop.found(title)) == {"now"}
    assert set(shop.found(title, audience="internal")) == {"now", "internal"}
    assert {p.document_id for p in shop.passages(title, after=2 * day)} == {"future"}

    desk = shop.service.desk("w")
    for question in (title, "黑金会员的专属补偿标准是多少", "补偿八百元还是七百元还是六百元"):
        reply = await desk.ask(Question(question))
        told = [reply.text, *(c.quote for c in reply.citations), *reply.suggested_questions]
        assert not any(amount in part for part in told for amount in ("八百元", "七百元", "六百元"))
        assert {p.document_id for p in reply.passages} <= {"now"}
    assert [p.document_id for p in await desk.search(title, k=10, audience="public")] == ["now"]


# -- broken indexes ------------------------------------------------------------------------------------------------


def test_a_deleted_lexical_folder_is_rebuilt_without_embedding(tmp_path: Path, folder: Path) -> None:
    first = Shop(tmp_path / "data")
    first.ingest(folder)
    before = [(p.document_id, p.score, p.text) for p in first.passages("羽绒服怎么洗")]
    first.service.close()
    shutil.rmtree(tmp_path / "data" / "lexical")

    again = Shop(tmp_path / "data")
    try:
        assert [(p.document_id, p.score, p.text) for p in again.passages("羽绒服怎么洗")] == before
        assert set(again.embedder.passages) == {"羽绒服怎么洗"}, "something besides the question was embedded"
        assert (tmp_path / "data" / "lexical" / "w").is_dir()
    finally:
        again.service.close()


async def test_without_chroma_the_snapshot_finds_and_the_reply_says_so(shop: Shop, folder: Path) -> None:
    """Whether it also answers depends on the embedder's calibration: ``test_answers`` does this with the real one."""
    shop.ingest(folder)
    service = shop.service
    snapshot, chunks = service.keeper("w").snapshot(), service.records("w").chunks
    retriever = Retriever(snapshot, DownIndex(), shop.embedder, Segmenter(), chunks, Fusion())
    desk = Desk(
        workspace="w",
        retriever=retriever,
        embedder=shop.embedder,
        conversations=ConversationRecords(service.engine, "w"),
        state_source=None,
        chat_model=None,
        settings=service.settings,
        clock=service.clock,
        drafts=DraftRecords(service.engine, "w"),
        queue=HandoffQueue(service.engine, "w"),
    )
    reply = await desk.ask(Question("羽绒服怎么洗，能机洗吗"))
    assert reply.degraded == ("vector_index",)
    assert reply.passages[0].document_id == "wash"
    assert (await desk.readiness())["retrieval"] == "ok"  # it still answers, and each reply says how
