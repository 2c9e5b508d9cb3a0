"""A question that is nearer to what an article must not answer than to what it answers is not answered from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from assistant.domain.knowledge import Article, EntryField
from assistant.errors import EmbeddingFailed
from assistant.llm.embedders import HashEmbedder
from assistant.ports import Vectors
from assistant.query import Query
from assistant.retrieval import Retriever
from assistant.throwaway import throwaway_retriever
from ingest.pipeline import article_write, content_hash

NOW = datetime(2026, 11, 22, tzinfo=UTC)

REFUND = Article(
    "refund",
    "退款多久到账",
    "退款一般三个工作日到账，信用卡最长七天。",
    questions=("退款几天到账", "钱什么时候退回来"),
    negative_questions=("退款为什么被拒", "退款被驳回了怎么办"),
)
REFUND_EN = Article(
    "refund-en",
    "When a refund arrives",
    "Refunds arrive within three working days, credit cards within seven.",
    "en",
    questions=("How long does a refund take?",),
    negative_questions=("Why was my refund rejected?",),
)
BARE = Article(
    "bare", "Delivery", "Parcels are delivered within three days.", "en", negative_questions=("Is delivery free?",)
)


def retriever(*articles: Article) -> Retriever:
    writes = [article_write(article, "", "") for article in articles]
    entries = [entry for write in writes for entry in write.entries]
    return throwaway_retriever([chunk for write in writes for chunk in write.chunks], entries, HashEmbedder())


def found(by: Retriever, question: str) -> tuple[list[str], tuple[str, ...]]:
    result = by.search(Query(question), now=NOW)
    return [p.document_id for p in result.passages], result.withheld


@pytest.mark.parametrize(
    ("article", "question"),
    [
        (REFUND, "退款为什么被拒了"),
        (REFUND, "退款為什麼被拒"),
        (REFUND, "我的退款被驳回了，怎么办？"),
        (REFUND_EN, "why was my refund rejected"),
        (REFUND_EN, "WHY WAS MY REFUND REJECTED"),
        (BARE, "is the delivery free?"),
    ],
)
def test_what_the_article_does_not_answer_is_withheld_and_named(article: Article, question: str) -> None:
    assert found(retriever(article), question) == ([], (article.id,))


@pytest.mark.parametrize(
    ("article", "question"),
    [
        (REFUND, "退款几天能到账"),
        (REFUND, "退款多久到账？"),
        (REFUND_EN, "How long will the refund take?"),
        (BARE, "When are parcels delivered, within three days?"),
    ],
)
def test_what_it_answers_it_still_answers(article: Article, question: str) -> None:
    assert found(retriever(article), question) == ([article.id], ())


def test_another_article_answers_in_its_place() -> None:
    rejected = Article("rejected", "退款被拒的原因", "退款被拒多因超过期限。", questions=("退款为什么被拒",))
    ids, withheld = found(retriever(REFUND, rejected), "退款为什么被拒")
    assert ids == ["rejected"]
    assert withheld == ("refund",)


def test_a_negative_question_is_never_a_way_to_its_article() -> None:
    article = Article("a", "Towels", "Wash towels warm.", "en", negative_questions=("xylophone tuning",))
    other = Article("b", "Kettles", "Descale kettles monthly.", "en")
    by = retriever(article, other)
    assert "a" not in found(by, "xylophone tuning")[0]
    assert [key for key, _ in by.rank_documents(Query("xylophone tuning"), now=NOW)] in ([], ["b"])


def test_without_vectors_words_alone_decide() -> None:
    class Down(HashEmbedder):
        def embed_queries(self, texts: Sequence[str]) -> Vectors:
            raise EmbeddingFailed("down")

    by = retriever(REFUND).with_embedder(Down())
    assert found(by, "退款为什么被拒") == ([], ("refund",))
    assert found(by, "退款几天到账") == (["refund"], ())


def test_an_article_that_may_not_be_shown_is_not_named_as_withheld() -> None:
    internal = Article("in", "内部", "内部说明", audience="internal", negative_questions=("退款为什么被拒",))
    over = Article("over", "过期", "过期说明", valid_until=NOW - timedelta(1), negative_questions=("退款为什么被拒",))
    assert found(retriever(internal, over), "退款为什么被拒") == ([], ())


def test_blank_negative_questions_are_no_entries_and_the_hash_tells_articles_with_some_apart() -> None:
    blank = Article("b", "t", "body", negative_questions=(" ",))
    assert all(e.field is not EntryField.NEGATIVE for e in article_write(blank, "", "").entries)
    entries = article_write(REFUND, "", "").entries
    assert [e.text for e in entries if e.field is EntryField.NEGATIVE] == list(REFUND.negative_questions)
    assert content_hash(REFUND) != content_hash(replace(REFUND, negative_questions=()))
