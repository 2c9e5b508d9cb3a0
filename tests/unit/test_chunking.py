"""Structure stays whole, sizes stay bounded, nothing is lost."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.domain.knowledge import Article
from ingest.chunking import LIMIT, TARGET, chunk_article, token_estimate


def chunks(body: str, title: str = "标题") -> list[str]:
    return [chunk.text for chunk in chunk_article(Article("a", title, body))]


LONG = "这是一个很长的句子，用来把一节填满。" * 18


def test_small_sections_share_a_chunk_under_their_headings() -> None:
    (chunk,) = chunk_article(Article("a", "退款", "# 退款\n\n## 时间\n三天。\n\n## 方式\n原路退回。"))
    assert (chunk.heading, chunk.position) == ("", 0)
    assert chunk.text == "### 时间\n三天。\n\n### 方式\n原路退回。"


def test_headings_are_a_path() -> None:
    made = chunk_article(
        Article("a", "退款", f"# 退款\n## 时间\n### 银行卡\n{LONG}\n### 微信\n{LONG}\n## 方式\n{LONG}")
    )
    assert [chunk.heading for chunk in made] == ["时间 > 银行卡", "时间 > 微信", "方式"]
    assert [chunk.position for chunk in made] == [0, 1, 2]


def test_a_lead_in_stays_with_its_steps() -> None:
    steps = "\n".join(f"{n}. 第{n}步要做的事情写在这里，说得清清楚楚" for n in range(1, 10))
    made = chunks(f"{LONG[:220]}\n\n步骤如下：\n\n{steps}\n\n{LONG[:220]}")
    (holder,) = [text for text in made if "步骤如下：" in text]
    assert all(f"{n}. " in holder for n in range(1, 10))


def test_a_large_table_is_cut_between_rows_with_its_header() -> None:
    rows = "\n".join(f"| {n} | 第{n}行的说明文字放在这里以便变长 | {n * 10} 元 |" for n in range(80))
    made = chunks(f"费用表：\n\n| 序号 | 说明 | 价格 |\n|---|---|---|\n{rows}")
    assert len(made) > 2
    assert all("| 序号 | 说明 | 价格 |\n|---|---|---|" in text for text in made)
    assert [n for text in made for n in map(int, re.findall(r"^\| (\d+) ", text, re.M))] == list(range(80))


def test_a_large_list_is_cut_between_items_with_its_lead_in() -> None:
    items = "\n".join(f"{n}. {'把机器放平再按住电源键' * 4}" for n in range(1, 30))
    made = chunks(f"请按下面做：\n{items}")
    assert all(text.startswith("请按下面做：\n") for text in made)
    assert sum(len(re.findall(r"^\d+\. ", text, re.M)) for text in made) == 29


def test_code_is_not_read_as_structure() -> None:
    (text,) = chunks("前言\n\n```\n# no heading\n| a |\n```\n\n后记")
    assert "```\n# no heading\n| a |\n```" in text


def test_long_paragraphs_end_at_sentences() -> None:
    for body in (LONG * 5, "This sentence is about a refund that takes three days. " * 90):
        made = chunks(body)
        assert len(made) > 1
        assert all(text.rstrip().endswith(("。", ".")) for text in made)


def test_comments_front_matter_and_images_are_cleaned() -> None:
    (text,) = chunks("---\nid: x\ntags: a\n---\n正文<!-- 内部\n备注 -->完 ![退货页](a.png)\n\n![](b.png)")
    assert text == "正文完 退货页"


@pytest.mark.parametrize("body", ["# 标题", "<!-- x -->", "---"])
def test_an_article_without_text_still_has_a_chunk(body: str) -> None:
    assert len(chunks(body)) == 1


@given(st.text(alphabet="退款三天。 a.b|-#\n1,`*：", max_size=400))
def test_any_text_is_cut_into_bounded_chunks_without_loss(body: str) -> None:
    made = chunks(body * 3)
    assert made == chunks(body * 3)
    assert all(text.strip() for text in made)
    kept, given_ = set("".join(made)), set(re.findall(r"[退款三天ab]", body))
    assert not made or given_ - set("标题") <= kept | set("退款三天ab") & set(
        "".join(re.findall(r"^ {0,3}#.*$", body, re.M))
    )


def test_no_chunk_is_over_the_limit() -> None:
    bodies = ["无标点的长文" * 900, "word" * 3000, "x " * 4000, f"- {LONG * 9}", "1" * 9000]
    for body in bodies:
        assert all(token_estimate(text) <= LIMIT + 40 for text in chunks(body))
    assert TARGET < LIMIT
