"""The ingestion job from files to answers: what goes in, what is named, what stops answering, and what survives."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from sqlalchemy import text

from assistant.bootstrap import Service, build
from assistant.desk import Desk
from assistant.domain.knowledge import Audience, Passage
from assistant.domain.live import Question
from assistant.errors import EmbedderMismatch, IndexUnavailable
from assistant.fusion import Fusion
from assistant.llm.embedders import HashEmbedder
from assistant.ports import VectorIndex, Vectors
from assistant.query import Query
from assistant.retrieval import Retriever
from assistant.settings import Settings
from assistant.store.conversations import ConversationRecords
from assistant.store.drafts import DraftRecords
from assistant.store.handoff_queue import HandoffQueue
from assistant.text import Segmenter
from ingest.pipeline import Ingestion, IngestReport

WASH = "羽绒服请用三十度以下的水手洗，不要漂白，低温烘干二十分钟。"
REFUND = "退款在仓库签收后十二个工作日内原路退回。"
MEGABYTE = 1024 * 1024


class CountingEmbedder(HashEmbedder):
    """The hashing embedder, which also remembers every text it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.passages: list[str] = []

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        self.passages.extend(texts)  # for this embedder questions too come by here
        return super().embed_passages(texts)


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


class Shop:
    """A data folder with one open service, and what a person would do with it."""

    def __init__(self, data: Path, embedder: HashEmbedder | None = None) -> None:
        self.data = data
        self.service: Service = build(Settings(data_dir=data, embedder="hash"))
        self.embedder = embedder or CountingEmbedder()
        self.service.__dict__["embedder"] = self.embedder  # in place of the one it would build

    def ingest(self, *paths: Path, workspace: str = "w", dry_run: bool = False) -> IngestReport:
        service = self.service
        job = Ingestion(service.records(workspace), service.keeper(workspace), service.clock.now)
        return job.run(paths, dry_run=dry_run)

    def passages(
        self, question: str, *, workspace: str = "w", audience: Audience = "public", after: timedelta = timedelta(0)
    ) -> list[Passage]:
        query = Query(question, k=10, audience=audience)
        found = self.service.retriever(workspace).search(query, now=self.service.clock.now() + after)
        return list(found.passages)

    def found(self, question: str, *, workspace: str = "w", audience: Audience = "public") -> list[str]:
        return [p.document_id for p in self.passages(question, workspace=workspace, audience=audience)]


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    shop = Shop(tmp_path / "data")
    yield shop
    shop.service.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "knowledge"
    article(folder / "wash.md", "wash", "羽绒服怎么洗", WASH, questions="[羽绒服能机洗吗]")
    article(folder / "refund.md", "refund", "退款多久到账", REFUND)
    return folder


def article(path: Path, key: str, title: str, body: str, **front: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = "".join(f"{name}: {value}\n" for name, value in front.items())
    path.write_text(f"---\nid: {key}\ntitle: {title}\n{lines}---\n{body}\n", encoding="utf-8")


def line(**record: object) -> str:
    return json.dumps(record, ensure_ascii=False) + "\n"


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


# -- bad input -----------------------------------------------------------------------------------------------------


def big(path: Path) -> None:
    path.write_bytes(b"%PDF-1.4\n")
    os.truncate(path, 300 * MEGABYTE)


def empty_pdf(path: Path) -> None:
    path.write_bytes(
        b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
        b"2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
        b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]>>endobj\n"
        b"trailer<</Size 4/Root 1 0 R>>\n%%EOF"
    )


def seventh_line_broken(path: Path) -> None:
    lines = [line(id=f"n{n}", title=f"第{n}条", body=f"第{n}条规则。") for n in range(1, 10)]
    lines[6] = '{"id": "n7", "title": "断掉的\n'
    path.write_text("".join(lines), encoding="utf-8")


def written(content: str, encoding: str = "utf-8") -> Callable[[Path], None]:
    return lambda path: path.write_bytes(content.encode(encoding)) and None


BAD = {
    "wrong encoding": ("gbk.md", written("# 退货\n\n七天内可以退货。\n", "gb18030"), None, ["UTF-8", "byte"]),
    "UTF-16": ("wide.jsonl", written(line(id="a", title="a", body="b"), "utf-16"), None, ["UTF-16"]),
    "broken JSON on line 7": ("faq.jsonl", seventh_line_broken, 7, ["JSON"]),
    "300 MB": ("scan.pdf", big, None, ["314,572,800", "split"]),
    "empty PDF": ("blank.pdf", empty_pdf, None, ["OCR"]),
    "empty file": ("none.md", written(""), None, ["empty"]),
    # the later of two is rejected, and the message names the first
    "duplicate id": (
        "z-twin.md",
        written("---\nid: wash\ntitle: 又一个\n---\n另一种说法。\n"),
        None,
        ["wash.md", "wash"],
    ),
    "unknown key": ("key.jsonl", written(line(id="k", titel="错", body="正文")), 1, ['"titel"', '"title"']),
    "unknown role": (
        "role.jsonl",
        written(line(conversation_id="r", turns=[{"role": "bot", "text": "您好"}])),
        1,
        ["role", "customer"],
    ),
    "unknown kind of file": ("notes.pages", written("…"), None, [".pages"]),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_wrong_is_named_and_the_rest_goes_in(shop: Shop, folder: Path, case: str) -> None:
    name, write, number, words = BAD[case]
    write(folder / name)
    report = shop.ingest(folder)
    assert {"wash", "refund"} <= set(report.added)
    (rejected,) = report.rejected
    place = name if number is None else f"{name}:{number}"
    assert str(rejected).startswith(place), str(rejected)
    for word in words:
        assert word in str(rejected)
    assert "Traceback" not in str(rejected)
    assert "pydantic" not in str(rejected)
    assert shop.found("羽绒服怎么洗")[0] == "wash"
    if case == "broken JSON on line 7":
        assert {f"n{n}" for n in (1, 2, 3, 4, 5, 6, 8, 9)} <= set(report.added)


def test_all_of_it_together(shop: Shop, folder: Path) -> None:
    for name, write, _, _ in BAD.values():
        write(folder / name)
    report = shop.ingest(folder)
    assert sorted({r.source for r in report.rejected}) == sorted(name for name, *_ in BAD.values())
    assert len(report.rejected) == len(BAD)
    assert len(report.added) == 2 + 8
    again = shop.ingest(folder)
    assert (again.unchanged, again.sync.embedded, len(again.rejected)) == (10, 0, len(BAD))


def test_items_of_a_file_that_broke_are_kept(shop: Shop, tmp_path: Path) -> None:
    path = tmp_path / "faq.jsonl"
    wash, refund = line(id="wash", title="羽绒服怎么洗", body=WASH), line(id="refund", title="退款", body=REFUND)
    path.write_text(wash + refund, encoding="utf-8")
    shop.ingest(path)
    path.write_text(wash[:30] + "\n" + refund, encoding="utf-8")
    report = shop.ingest(path)
    assert [str(r).split(": ")[0] for r in report.rejected] == ["faq.jsonl:1"]
    assert (report.removed, report.kept) == ((), ("wash",))
    assert shop.found("羽绒服怎么洗")[0] == "wash"
    path.write_text(refund, encoding="utf-8")  # repaired, without it
    assert shop.ingest(path).removed == ("wash",)


def test_a_path_that_never_was_is_named(shop: Shop, tmp_path: Path) -> None:
    report = shop.ingest(tmp_path / "nowhere")
    assert ["no such file or folder" in str(r) for r in report.rejected] == [True]


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
