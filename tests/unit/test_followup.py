"""What a follow-up is searched with: itself, and what was said just before."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from assistant.domain.conversation import Turn
from assistant.domain.knowledge import Article
from assistant.followup import EACH_SIDE, LONGEST, asked_after, asks_anew, earlier_texts
from assistant.llm.embedders import HashEmbedder
from assistant.query import Query
from assistant.subjects import learn_subjects
from evals.pieces import retriever_of

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


@pytest.mark.parametrize(
    "text",
    [
        "Do you deliver to islands?",
        "How do I reset my password?",
        "你们支持货到付款吗？",
        "会员生日有什么礼物可以领取吗",
    ],
)
def test_a_question_of_its_own_ends_what_was_named_before(text: str) -> None:
    assert asks_anew(text)
    history = _turns("I stay at the Allenbell", "Good.", text, "Yes.", "and how long does it take?", "Two days.")
    assert earlier_texts(history) == ("Two days.", "and how long does it take?", "Yes.", text)


@pytest.mark.parametrize(
    "text", ["Do they serve breakfast?", "它能擦地吗", "Book it for two people", "yes please", "", "好的", "how often?"]
)
def test_what_points_back_keeps_what_was_named(text: str) -> None:
    assert not asks_anew(text)
    assert len(earlier_texts(_turns("I stay at the Allenbell", "Good.", text, "Yes."))) == 4


def test_eight_turns_are_looked_at_and_system_lines_skipped() -> None:
    history = [Turn("customer", f"yes {n}") for n in range(20)] + [Turn("system", "用户请求人工")]
    assert earlier_texts(history) == tuple(f"yes {n}" for n in range(19, 12, -1))


def test_a_name_is_carried_to_its_own_pages_and_not_to_general_ones() -> None:
    articles = [
        Article("a-food", "Allenbell: breakfast", "Breakfast is served until ten at the Allenbell.", "en"),
        Article("a-pets", "Allenbell: pets", "Pets may stay at the Allenbell.", "en"),
        Article("h-food", "Hobsons: breakfast", "Breakfast is served until nine at Hobsons.", "en"),
        Article("h-pets", "Hobsons: pets", "Pets may not stay at Hobsons.", "en"),
        Article("pay", "Ways to pay", "You can pay with any credit card, by invoice or in cash.", "en"),
        Article("pay-a", "Allenbell: paying", "The Allenbell has a bar.", "en"),
    ]
    retriever = retriever_of(articles, HashEmbedder(256))
    for name, first in (("Allenbell", "a-food"), ("Hobsons", "h-food")):
        earlier = (f"The {name} is fine.",)
        ranked = retriever.rank_documents(Query("until when is breakfast served", earlier=earlier), now=NOW)
        assert ranked[0][0] == first
    asked = Query("can you pay with a credit card or by invoice", earlier=("The Allenbell is fine.",))
    assert retriever.rank_documents(asked, now=NOW) == retriever.rank_documents(Query(asked.text), now=NOW)
    assert retriever.search(asked, now=NOW).passages[0].document_id == "pay"


def test_a_page_for_all_is_not_behind_those_of_the_one_that_is_named() -> None:
    articles = [
        Article("close", "Closing any card", "To close a card, pay what is owed; then the card is closed.", "en"),
        Article("g-fees", "Gold Card: fees", "The fee is 50 a year.", "en"),
        Article("g-limits", "Gold Card: limits", "The limit is 5,000 a month.", "en"),
        Article("s-close", "Silver Card: closing", "To close a silver card, pay what is owed.", "en"),
        Article("s-fees", "Silver Card: fees", "The fee is 20 a year.", "en"),
    ]
    retriever = retriever_of(articles, HashEmbedder(256))
    ranked = [key for key, _ in retriever.rank_documents(Query("how do I close a gold card"), now=NOW)]
    assert ranked[0] == "close"
    assert ranked.index("s-close") > ranked.index("close")


def test_a_carried_name_is_preferred_to_a_page_on_no_named_thing() -> None:
    articles = [
        Article("z-fee", "Zoom Card: what it costs", "The annual fee is 30.", "en"),
        Article("z-fuel", "Zoom Card: fuel", "Fuel is cheaper with the card.", "en"),
        Article("gold", "All about the gold account", "The annual fee of gold is 50.", "en"),
        Article("move", "Sending money abroad", "Send money abroad from the app, in any currency.", "en"),
    ]
    retriever = retriever_of(articles, HashEmbedder(256))
    earlier = ("With the Zoom Card fuel is cheaper.",)
    for asked, first in (("what is the annual fee", "z-fee"), ("how do I send money abroad from the app", "move")):
        assert retriever.rank_documents(Query(asked, earlier=earlier), now=NOW)[0][0] == first
