"""The workspace's own dictionary: planted names are found, fragments are not, and what is found helps the search."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.dictionary import Names, Source, learn_names
from assistant.dictionary.names import MARK, squeezed
from assistant.domain.knowledge import Article
from assistant.errors import EmbeddingFailed
from assistant.llm.embedders import HashEmbedder
from assistant.ports import Vectors
from assistant.query import Query
from assistant.store.snapshot import build_snapshot, load_snapshot, save_snapshot
from assistant.text import Segmenter
from assistant.throwaway import throwaway_retriever
from ingest.pipeline import article_write

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SHOP = (
    "蓝鲸壶的保温效果好，滤芯用完请更换",
    "清洗蓝鲸壶时不要用钢丝球",
    "新买的蓝鲸壶有异味，先煮沸两次",
    "我们的保温杯送蓝鲸壶一个，活动截止到周日",
    "保温杯漏水时检查密封圈，再看蓝鲸壶",
    "换购活动：618大促期间保温杯半价",
    "参加618大促需要先领券",
    "订单在618大促之前付款不降价",
    "去年618大促，降价不补差",
    "升级plus会员可以免运费",
    "关于plus会员续费，请看说明",
    "退订plus会员之后，优惠券作废",
    "只有plus会员有生日礼",
    "15天内可以退货，30分钟内到账",
    "满15天不退，30分钟后取消",
    "过了15天怎么办，30分钟可以吗",
)


def of(texts: Sequence[str], titles: Sequence[str] = ()) -> list[str]:
    told = [Source(text, number) for number, text in enumerate(texts)]
    return learn_names(told + [Source(title, len(texts) + number, True) for number, title in enumerate(titles)])


@pytest.mark.parametrize("name", ["蓝鲸壶", "618大促", "plus会员"])
def test_a_planted_name_is_found(name: str) -> None:
    assert name in of(SHOP)


def test_no_fragment_is_found() -> None:
    found = of(SHOP)
    assert not [name for name in found if name[0] in "的时有" or name[-1] in "的时有"]
    assert not {"的保温", "的保温杯", "鲸壶", "15天", "30分钟", "保温杯", "蓝鲸", "大促期间"} & set(found)


def test_a_word_that_everybody_knows_is_none() -> None:
    assert of(["空气净化器很好", "用空气净化器吧", "这款空气净化器贵", "空气净化器，坏了"]) == []


def test_what_titles_share_and_what_stands_in_them_between_spaces_and_marks() -> None:
    found = of([], ["云絮 N7 羽绒枕怎么晾晒", "云絮 N7 羽绒枕保修", "星夜礼：满 300 减 40", "退货说明"])
    assert {"云絮n7羽绒枕", "星夜礼"} <= set(found)
    assert "退货说明" in found  # a title itself
    assert not [name for name in found if "怎么" in name]


def test_what_is_quoted_in_one_document_and_said_in_another() -> None:
    assert of(["活动叫「星河换新季」，周日止", "星河换新季可以叠加吗"]) == ["星河换新季"]
    assert of(["活动叫「星河换新季」，周日止", "周日止"]) == []


def test_names_are_found_with_and_without_the_space_and_in_either_script() -> None:
    names = Names(["清岚a3净化器", "清岚", "a3净化器"])
    assert names.found("清岚 A3 淨化器坏了") == ["清岚", "清岚a3净化器", "a3净化器"]
    assert names.found("清岚a3净化器, 清岚") == ["清岚", "清岚a3净化器", "a3净化器", "清岚"]
    assert names.found("va3净化器") == []  # another model
    assert names.found("") == []


@given(st.lists(st.text(alphabet="极光杯保温a3 -「」，\U000f0000的", max_size=12), max_size=8))
def test_whatever_the_texts_names_are_sound(texts: list[str]) -> None:
    names = Names(of(texts, texts))
    for text in texts:
        said = squeezed(text)
        for at, name in names.places(said):
            assert said.startswith(name, at)
            assert len(name) > 1


@pytest.mark.parametrize(
    "text", ["a" * 5_000 + "&", "a-" * 5_000, "「" + "ab" * 11 + "&」", "极" * 5_000, "\U000f0000蓝鲸壶" * 9]
)
def test_texts_made_to_keep_us_busy_do_not(text: str) -> None:
    began = time.process_time()
    assert of([text] * 3, [text, text + "光", "光" + text]) is not None
    assert time.process_time() - began < 5


def test_a_brand_that_begins_thousands_of_names_costs_a_text_no_more() -> None:
    names = Names(f"美的{chr(0x4E00 + n // 100)}{chr(0x5E00 + n % 100)}热水器" for n in range(20_000))
    assert len(names) == 20_000
    began = time.process_time()
    assert names.found("美的" * 2_000 + "美的一\u5e00热水器") == ["美的一\u5e00热水器"]
    assert time.process_time() - began < 0.5


class Deaf(HashEmbedder):
    """Embeds documents, but no question."""

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        if len(texts) == 1 and texts[0].endswith("?"):
            raise EmbeddingFailed("no model")
        return super().embed_queries(texts)


NEAR = {
    "cup": ("星尘杯：双层玻璃", "星尘杯用手清洗，沥干以后倒放，温度不超过八十度，放在阴凉处，避免阳光照射。"),
    "sleeve": ("星尘系列：防尘杯套", "手洗，杯套不进洗衣机"),
    "pot": ("星尘壶：双层玻璃", "星尘壶手洗即可，沥干以后倒放。"),
}


@pytest.mark.parametrize(("learnt", "first"), [(True, "cup"), (False, "sleeve")])
def test_the_article_of_a_name_that_jieba_cuts_apart_is_first_among_near_names(
    learnt: bool, first: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not learnt:
        monkeypatch.setattr("assistant.store.snapshot.learn_names", lambda sources: [])
    writes = [article_write(Article(id=key, title=title, body=body), "", "") for key, (title, body) in NEAR.items()]
    chunks, entries = [c for w in writes for c in w.chunks], [e for w in writes for e in w.entries]
    found = throwaway_retriever(chunks, entries, Deaf()).search(Query("星尘杯可以手洗吗?"), now=NOW)
    assert found.degraded == ("embedder",)  # words alone
    assert found.passages[0].document_id == first


def test_the_snapshot_keeps_the_names_and_gives_them_to_questions(tmp_path: Path) -> None:
    writes = [article_write(Article(id=f"a{n}", title="", body=text), "", "") for n, text in enumerate(SHOP)]
    chunks, entries = [c for w in writes for c in w.chunks], [e for w in writes for e in w.entries]
    vectors = dict(zip([e.id for e in entries], HashEmbedder().embed_passages([e.text for e in entries]), strict=True))
    built = build_snapshot(chunks, entries, vectors, HashEmbedder().dimensions, Segmenter())
    save_snapshot(built, tmp_path / "s")
    read = load_snapshot(tmp_path / "s")
    assert read is not None
    assert read.names.found("蓝鲸壶漏水") == ["蓝鲸壶"]
    terms = read.terms("蓝鲸壶漏水", Segmenter())
    assert set(Segmenter().terms("蓝鲸壶漏水")) < set(terms)
    assert terms.count(f"{MARK}蓝鲸壶") == 1
