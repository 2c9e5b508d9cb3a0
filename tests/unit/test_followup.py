"""What a follow-up is searched with: itself, and what was said just before."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from assistant.domain.conversation import Turn
from assistant.domain.knowledge import Article
from assistant.followup import EACH_SIDE, LONGEST, asked_after
from assistant.llm.embedders import HashEmbedder
from assistant.retrieval import Query
from assistant.subjects import learn_subjects
from evals.bench.followups import retriever_of

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def _turns(*said: str) -> list[Turn]:
    return [Turn("customer" if number % 2 == 0 else "assistant", text) for number, text in enumerate(said)]


def test_nothing_was_said_before() -> None:
    assert asked_after("退款多久到账？", []) == ("退款多久到账？", "")


def test_the_last_question_and_its_reply_stand_before() -> None:
    question, context = asked_after("充不进电怎么办", _turns("早的问题", "早的回答", "巡田 S1 能擦地吗", "可以。"))
    assert (question, context) == ("充不进电怎么办", "巡田 S1 能擦地吗 可以。")


def test_messages_in_a_row_are_one_question() -> None:
    history = [*_turns("Where is it?", "On its way."), Turn("customer", "hello, my kettle"), Turn("customer", "broke")]
    question, context = asked_after("what now", history)
    assert question == "hello, my kettle broke what now"
    assert context == "Where is it? On its way."


@pytest.mark.parametrize("courtesy", ["你好", "hi there", "谢谢"])
def test_courtesies_are_no_context(courtesy: str) -> None:
    assert asked_after("refund?", _turns(courtesy, "您好，请说。"))[1] == ""
    assert (
        asked_after("refund?", _turns("my kettle leaks", "Sorry.", courtesy, "您好。"))[1] == "my kettle leaks 您好。"
    )


def test_system_lines_and_long_texts_are_kept_out() -> None:
    history = [Turn("customer", "水" * 1000), Turn("system", "用户请求人工"), Turn("agent", "火" * 1000)]
    _, context = asked_after("为什么", history)
    assert context == "水" * EACH_SIDE + " " + "火" * EACH_SIDE
    question, _ = asked_after("为什么", [Turn("customer", "水" * 5000)])
    assert len(question) <= LONGEST + 10


def test_both_readings_count() -> None:
    articles = [
        Article("kettle", "Kettle", "Clean the kettle every month.", "en"),
        Article("robot", "Robot", "Clean the robot every month.", "en"),
    ]
    retriever = retriever_of(articles, HashEmbedder(256))
    asked = "how often"
    for name in ("kettle", "robot"):
        ranked = retriever.rank_documents(Query(asked, context=f"I have your {name}"), now=NOW)
        assert ranked[0][0] == name
        passages = retriever.search(Query(asked, context=f"I have your {name}"), now=NOW).passages
        assert passages[0].document_id == name


def test_a_title_that_articles_share_is_a_subject() -> None:
    titles = ["Allenbell", "Allenbell", "Hobsons House", "Gold Card: fees", "Gold Card: limits", "When?", "When?"]
    names, numbers = learn_subjects(titles)
    assert names == ["allenbell", "gold card"]
    assert list(numbers) == [0, 0, -1, 1, 1, -1, -1]
    assert learn_subjects(["你好呀", "你好呀"], [False, False])[0] == []
