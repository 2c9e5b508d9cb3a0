"""Answers by quotation: nothing that no passage says, conditions kept, conflicts shown."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.domain.knowledge import DocumentKind, Passage
from assistant.errors import EmbeddingFailed
from assistant.extractive import ExtractiveAnswer, ExtractiveAnswerer
from assistant.extractive.answerer import _shown_whole
from assistant.extractive.reading import read
from assistant.extractive.relevance import asked_for, figures, row_hits
from assistant.llm.embedders import HashEmbedder
from assistant.ports import Vectors

NOW = datetime(2026, 1, 15, tzinfo=UTC)
TABLE = "| 支付方式 | 多久到账 |\n| --- | --- |\n| 支付宝 | 1 天内 |\n| 银行卡 | 3–7 个工作日 |"
STEPS = "1. 打开订单。\n2. 点“修改”。\n3. 保存新地址。"
FILLER = "本店于三年前开业，感谢各位顾客一直以来的陪伴，我们会继续努力把商品和服务做好。" * 4


def passage(
    text: str, *, id: str = "a", score: float = 0.8, locale: str = "zh", title: str = "标题", **more: object
) -> Passage:
    kind = more.pop("kind", DocumentKind.ARTICLE)
    updated = more.pop("updated_at", None)
    until = more.pop("valid_until", None)
    assert isinstance(kind, DocumentKind)
    assert updated is None or isinstance(updated, datetime)
    assert until is None or isinstance(until, datetime)
    return Passage(f"{id}#0", id, kind, title, "", text, score, locale, updated_at=updated, valid_until=until)


def answer(question: str, *passages: Passage, locale: str = "zh") -> ExtractiveAnswer:
    return ExtractiveAnswerer().answer(
        question, passages, locale="zh" if locale == "zh" else "en", embedder=HashEmbedder(), now=NOW
    )


def test_the_row_that_was_asked_for() -> None:
    got = answer("退到银行卡多久到账", passage(f"{FILLER}\n\n{TABLE}"))
    assert "3–7 个工作日" in got.text
    assert "支付宝" not in got.text
    assert got.citations[0].quote == "| 银行卡 | 3–7 个工作日 |"


def test_steps_stay_whole_and_in_order() -> None:
    got = answer("怎么修改地址", passage(f"{FILLER}\n\n**自己改**\n\n{STEPS}"))
    assert got.text.index("自己改") < got.text.index("1. 打开订单。") < got.text.index("3. 保存新地址。")


def test_a_condition_goes_with_its_sentence() -> None:
    text = f"{FILLER}商品支持免费换货。但定制商品除外。{FILLER}"
    assert "但定制商品除外。" in answer("可以免费换货吗", passage(text)).text


def test_a_short_passage_is_given_whole() -> None:
    assert answer("运费多少", passage("运费 8 元。满 99 元包邮。")).text == "运费 8 元。满 99 元包邮。"


def test_the_measures_pick_the_size() -> None:
    rows = "| 尺码 | 身高 cm | 体重 kg |\n|---|---|---|\n| M | 162–170 | 53–62 |\n| L | 168–176 | 61–70 |"
    got = answer("172 130斤穿什么码", passage(f"{FILLER}\n\n{rows}"))
    assert "尺码：L" in got.text
    assert "尺码：M" not in got.text
    assert row_hits("5'8 172cm 64kg", ["Size", "Height (cm)", "Weight (kg)"], ["L", "168–176", "61–70"]) == 2


def test_measures_next_to_chinese_words_other_units_and_exact_sizes() -> None:
    header = ["脚长 mm", "平时穿", "宽脚选"]
    assert row_hits("我脚长25厘米", header, ["250", "40", "41"]) == 1
    assert row_hits("平时穿40的", header, ["250", "40", "41"]) == 1
    assert row_hits("平时穿40的", header, ["245", "39.5", "40"]) == 0.5
    assert row_hits("身高165体重110", ["尺码", "身高 cm", "体重 kg"], ["M", "162–170", "53–62"]) == 2
    assert row_hits("分12期", ["期数"], ["12 期"]) == 1
    assert row_hits("12天没到", ["期数"], ["12 期"]) == 0


OPENED = (
    "看最后一条物流信息距离现在多久：\n\n| 多久没更新 | 我们怎么做 |\n| --- | --- |\n| 48 小时以内 | 再等等 |\n"
    "| 超过 5 天 | 按丢件处理 |\n\n**丢件后**\n\n- 选补发：原包裹照样重发一件，没货就退款。\n"
    "- 选退款：不用等包裹找回来，直接退。\n"
    "- 后来原包裹又送到了，请拒收，或者联系客服安排取回。\n\n偏远地区要久一些，只要物流还在更新，就没有丢。"
)


def test_the_opening_answers_what_the_title_asks_and_a_named_section_its_own() -> None:
    late = passage(OPENED, title="物流一直不更新怎么办")
    opening = answer("我的包裹怎么还没到", late).text
    assert "超过 5 天" in opening
    assert "选补发" not in opening
    assert "选补发" in answer("丢件后选退款还是补发", late).text


def test_a_reviewed_article_goes_before_an_agents_reply_at_equal_support() -> None:
    told = passage("差价统一都是退到余额的", id="c/1", title="降价补差价吗", kind=DocumentKind.RESOLUTION, score=0.3)
    rule = passage("付款之日起 7 天内降价的，可申请退还差价。", id="a", title="价格保护", score=0.28)
    assert "7 天内" in answer("买贵了能补差价吗", told, rule).text


def test_the_customers_language_wins_at_equal_support() -> None:
    zh = passage("运费 8 元。", id="fee", score=0.8)
    en = passage("Delivery costs 8 yuan.", id="fee-en", score=0.75, locale="en")
    assert answer("how much is delivery", zh, en, locale="en").text == "Delivery costs 8 yuan."
    assert answer("运费多少", zh, en).text == "运费 8 元。"
    assert answer("how much is delivery", zh, locale="en").text.startswith("This is only available in Chinese:")
    assert answer("运费多少", en).text.startswith("以下内容为英文原文：")


def test_two_figures_for_one_subject_are_a_conflict_newest_reviewed_first() -> None:
    old = passage("价保期为 7 天。", id="a", title="价保规则", updated_at=NOW - timedelta(days=2, hours=9))
    new = passage("价保期为 15 天。", id="b", title="价保新规则", updated_at=NOW - timedelta(days=2))
    got = answer("价保期多少天", old, new)
    assert got.conflict
    assert got.text.index("15 天") < got.text.index("7 天")
    assert {c.article_id for c in got.citations} == {"a", "b"}
    assert "2026年1月13日" in got.text
    assert "转人工" in got.text
    told = passage("价保期为 15 天。", id="c/1", title="价保几天", kind=DocumentKind.RESOLUTION, updated_at=NOW)
    both = answer("价保期多少天", old, told)
    assert both.conflict
    assert both.text.index("7 天") < both.text.index("15 天")


@pytest.mark.parametrize("swapped", [False, True])
def test_a_later_version_of_an_article_holds_and_both_are_named(swapped: bool) -> None:
    old = passage("价保期为 7 天。", id="a", title="价保规则", updated_at=NOW - timedelta(days=200))
    new = passage("价保期为 15 天。", id="b", title="价保新规则", updated_at=NOW - timedelta(days=2))
    got = answer("价保期多少天", *((new, old) if swapped else (old, new)))
    assert not got.conflict
    assert got.text == (
        "价保期为 15 天。\n\n以较新的《价保新规则》（2026年1月13日）为准；"
        "较早的《价保规则》（2025年6月29日）写的是：价保期为 7 天。"
    )
    assert [c.article_id for c in got.citations] == ["b", "a"]


def test_no_conflict_between_different_things_or_translations() -> None:
    back = passage("退货期限为 7 天。", id="a", title="退货")
    swap = passage("换货期限为 15 天。", id="b", title="换货", score=0.78)
    assert not answer("退货期限几天", back, swap).conflict
    assert not answer("运费多少", passage("运费 8 元。", id="f"), passage("运费 9 元。", id="f-en")).conflict


def test_an_old_reply_never_claims_that_something_was_done() -> None:
    told = passage("亲，已经帮您取消了\n取消后 3 天内退款到账", id="c/1", kind=DocumentKind.RESOLUTION)
    got = answer("取消订单", told)
    assert "已经帮您取消" not in got.text
    assert "3 天内" in got.text
    done = answer("取消订单", passage("已经帮您取消了", id="c/1", kind=DocumentKind.RESOLUTION))
    assert "尚未处理" in done.text
    assert done.support < got.support
    private = passage("您的订单 [订单] 明天到", id="c/1", kind=DocumentKind.RESOLUTION)
    assert answer("快递", private) == ExtractiveAnswer("", (), 0.0, False)


def test_nothing_from_nothing_or_from_what_has_expired() -> None:
    assert answer("运费").text == ""
    assert answer("运费", passage("运费 8 元。", valid_until=NOW - timedelta(days=1))).citations == ()


def test_it_answers_without_the_embedder() -> None:
    class Broken(HashEmbedder):
        def embed_passages(self, texts: object) -> Vectors:
            raise EmbeddingFailed("no")

        embed_queries = embed_passages

    got = ExtractiveAnswerer().answer(
        "退到银行卡多久到账", [passage(f"{FILLER}\n\n{TABLE}")], locale="zh", embedder=Broken(), now=NOW
    )
    assert "3–7 个工作日" in got.text


def test_at_most_12_texts_are_embedded_in_one_batch() -> None:
    sizes: list[int] = []

    class Counting(HashEmbedder):
        def embed_passages(self, texts: object) -> Vectors:
            assert isinstance(texts, list)
            sizes.append(len(texts))
            return super().embed_passages(texts)

        def embed_queries(self, texts: object) -> Vectors:
            return HashEmbedder().embed_queries(texts)  # type: ignore[arg-type]

    long = "。".join(f"第{n}种情况需要{n}天" for n in range(80)) + "。"
    ExtractiveAnswerer().answer("需要几天", [passage(long)], locale="zh", embedder=Counting(), now=NOW)
    assert sizes == [12]


@pytest.mark.parametrize(
    ("question", "kind"),
    [("退款多久", "duration"), ("how much is it", "amount"), ("发票在哪里看", "where"), ("怎么退货", "how"),
     ("can I use a coupon", "may"), ("活动几号截止", "date"), ("谁出运费", "who")],
)  # fmt: skip
def test_kinds_of_question(question: str, kind: str) -> None:
    assert kind in asked_for(question)


def test_figures_by_unit_in_both_languages() -> None:
    assert figures("3–7 个工作日，满 1,000 元") == {"working_days": {"3-7"}, "yuan": {"1000"}}
    assert figures("within 7 days, 20 yuan") == {"days": {"7"}, "yuan": {"20"}}


PARTS = st.lists(
    st.one_of(
        st.sampled_from(
            [TABLE, STEPS, "## 说明", "- 一 3 天\n- 二 20 元", "**注意**", "但仅限 2 次。", "[链接](x) 5%。", "a | b"]
        ),
        st.text(alphabet="退款运费天元0123456789。，\n|*-#.ab :：", min_size=1, max_size=60),
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=120, deadline=None)
@given(
    st.lists(PARTS, min_size=1, max_size=3),
    st.sampled_from(["运费几元", "怎么退款", "多久到账", "170 60kg"]),
    st.sampled_from(list(DocumentKind)),
)
def test_every_figure_and_citation_comes_from_a_passage(
    texts: list[list[str]], question: str, kind: DocumentKind
) -> None:
    given_passages = [
        passage("\n\n".join(parts), id=f"d{n}", score=0.9 - n / 10, kind=kind) for n, parts in enumerate(texts)
    ]
    got = answer(question, *given_passages)
    by_id = {p.id: p for p in given_passages}
    assert all(citation.quote in by_id[citation.passage_id].text for citation in got.citations)
    cited = " ".join(by_id[citation.passage_id].text for citation in got.citations)
    shown = re.sub(r"(?m)^\d+\. ", "", got.text)  # the numbers of steps are Markdown
    assert all(number in cited for number in re.findall(r"\d+", shown))
    assert bool(got.text) == bool(got.citations)
    assert 0.0 <= got.support <= 1.0


@given(st.text(max_size=300))
def test_reading_never_loses_its_place(text: str) -> None:
    for block in read(text):
        assert all(block.start <= unit.start < unit.end <= block.end <= len(text) for unit in block.units)


class _Unwanted(HashEmbedder):
    def embed_passages(self, texts: object) -> Vectors:
        raise AssertionError("nothing was to be embedded")


_PIECES = [
    "支持七天无理由退货。",
    "定制商品除外。\n\n",
    "退款 3–7 个工作日到账。",
    "**注意** 运费自理。",
    "It takes 5 days.\n\n",
]


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.sampled_from(_PIECES), min_size=1, max_size=8).map("".join),
    st.sampled_from(["退款多久到账", "how long does it take", "可以退吗", "5 天"]),
    st.sampled_from(["zh", "en"]),
)
def test_of_a_short_passage_alone_every_word_is_shown_and_nothing_is_embedded(
    text: str, question: str, locale: str
) -> None:
    alone = passage(text, locale=locale)
    if not _shown_whole(alone):
        return
    got = ExtractiveAnswerer().answer(question, [alone], locale="zh", embedder=_Unwanted(), now=NOW)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("assistant.extractive.answerer._shown_whole", lambda _: False)
        measured = answer(question, alone)
    assert (got.text, got.citations, got.conflict) == (measured.text, measured.citations, measured.conflict)
