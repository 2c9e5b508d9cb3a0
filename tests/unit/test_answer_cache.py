"""A remembered answer is the answer that would be written now, to this question, and nobody else's."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assistant.answering import AnswerCache, Answerer
from assistant.answering.answer_cache import normal_form, traditional
from assistant.answering.asked_form import asked_form
from assistant.domain.conversation import Turn
from assistant.domain.knowledge import Article
from assistant.domain.live import Question
from assistant.domain.reply import Reply
from assistant.domain.state import Entity, UserState
from assistant.generation import GeneratedAnswerer
from assistant.llm.embedders import HashEmbedder
from assistant.ports import ChatDelta, ChatMessage
from assistant.settings import Settings
from assistant.throwaway import throwaway_retriever
from ingest.pipeline import article_write

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
HARD_PAIRS = [
    ("买了7天还能退吗", "买了15天还能退吗"),
    ("拆封了能退吗", "拆封了不能退吗"),
    ("不，能退吗", "不能退吗"),
    ("支持上门取件吗", "支持送货上门吗"),
    ("小灶电饭煲保修多久", "小灶电热水壶保修多久"),
    ("退货运费谁出", "换货运费谁出"),
    ("怎么开发票", "怎么开专用发票"),
    ("优惠券过期了能补吗", "优惠券没过期能补吗"),
    ("零下5度能用吗", "零下15度能用吗"),
    ("-5度能用吗", "5度能用吗"),
    ("满3.5折吗", "满35折吗"),
    ("到货了", "到货"),
    ("能退吧", "能退吗"),
    ("can i return after 7 days", "can i return after 15 days"),
    ("can I return an opened item", "can't I return an opened item"),
    ("Is it free?", "Is it not free?"),
    ("How do I cancel my order", "How do I cancel my subscription"),
    ("do you pick up returns", "do you deliver to my door"),
    ("C++ support", "C support"),
    ("please refund", "refund please cancel"),
    ("who pays if I return it", "who pays if it returns"),
    ("Can I pay after the delivery", "Can I pay before the delivery"),
]
SAME = [
    ("退款多久到账", "您好，请问退款多久到账呢？谢谢"),
    ("退款多久到账", "退款多久到账？？？"),
    ("退款多久到账", "  退款 多久 到账 "),
    ("退款多久到账", "退款多久到賬"),
    ("Ｅ1报错", "e1 报错"),
    ("How long does a refund take", "hi, how long does a refund take? thanks a lot!"),
    ("How long does a refund take", "HOW LONG DOES A REFUND TAKE??"),
]


@pytest.mark.parametrize(("one", "other"), HARD_PAIRS)
def test_questions_that_only_look_alike_are_two(one: str, other: str) -> None:
    assert normal_form(one) != normal_form(other)


@pytest.mark.parametrize(("one", "other"), SAME)
def test_courtesies_width_case_and_script_do_not_make_another_question(one: str, other: str) -> None:
    assert normal_form(one) == normal_form(other)


@given(st.sampled_from([q for pair in HARD_PAIRS for q in pair]), st.integers(0, 40), st.sampled_from("不没7０非未"))
def test_no_character_inside_is_lost(question: str, place: int, inserted: str) -> None:
    place = 1 + place % max(1, len(question) - 2)
    assert normal_form(question[:place] + inserted + question[place:]) != normal_form(question)


@pytest.mark.parametrize("said", ["谢谢", "你好", "please", "?", ""])
def test_courtesies_alone_keep_their_words(said: str) -> None:
    assert normal_form(said) == said


def test_traditional_script_is_told_apart_since_it_is_answered_in_kind() -> None:
    assert traditional("退款多久到帳")
    assert not traditional("退款多久到账")


# -- the whole answerer, with and without the cache --

TOPICS = {"退款": "退款在{n}个工作日内到账。", "换货": "换货在{n}天内可以申请。", "发票": "发票在{n}小时内开出。"}
ENDS = ("要多久?", "需要多长时间", "怎么申请?", "能不能办", "还能办吗")
QUESTIONS = [f"{topic}{end}" for topic in TOPICS for end in ENDS] + [f"如何申请{topic}" for topic in TOPICS]
ORDERS = {"ann": "A10023", "bob": "B20457"}


class Echo:
    """A model that writes a sentence of the first passage, chosen by the question, and the first record it is shown."""

    def __init__(self) -> None:
        self.calls = 0

    @property
    def name(self) -> str:
        return "echo"

    async def stream(self, messages: Sequence[ChatMessage]) -> AsyncGenerator[ChatDelta, None]:
        self.calls += 1
        prompt = messages[-1].content
        asked = re.search(r"<question>\n(.*?)\n</question>", prompt, re.DOTALL)
        first = re.search(r'<passage number="1"[^>]*>\n(.*?)\n</passage>', prompt, re.DOTALL)
        assert asked is not None
        if first is None:
            yield ChatDelta("NO_ANSWER")
            return
        sentences = re.findall(r"[^。\n]+。", first[1])
        chosen = sentences[hashlib.sha256(asked_form(normal_form(asked[1])).encode()).digest()[0] % len(sentences)]
        record = next((line for line in prompt.splitlines() if re.search("A10023|B20457", line)), "")
        yield ChatDelta(f"{chosen.rstrip('。')}[1]。{record.removeprefix('- ')}")
        yield ChatDelta(usage={"prompt_tokens": 10, "completion_tokens": 5})


@dataclass
class Shop:
    """Articles that change, and a clock that moves; one answerer over what holds at the moment."""

    cached: bool
    articles: dict[str, Article] = field(default_factory=dict)
    now: datetime = NOW
    model: Echo = field(default_factory=Echo)

    def __post_init__(self) -> None:
        self.cache = AnswerCache(50) if self.cached else None
        for number, topic in enumerate(TOPICS, 3):
            self.change(topic, number)

    def change(self, topic: str, n: int) -> None:
        body = TOPICS[topic].format(n=n) + f"{topic}由客服办理。{topic}可以在订单页申请。"
        self.articles[topic] = Article(topic, topic, body, valid_until=NOW + timedelta(days=n))

    def ask(self, text: str, user: str | None = None, history: tuple[Turn, ...] = ()) -> Reply:
        writes = [article_write(a, "", "") for a in self.articles.values()]
        embedder = HashEmbedder()
        clock = type("At", (), {"now": lambda _: self.now})()
        answerer = Answerer(
            retriever=throwaway_retriever(
                [c for w in writes for c in w.chunks], [e for w in writes for e in w.entries], embedder
            ),
            embedder=embedder,
            state_source=None,
            generator=GeneratedAnswerer(self.model),
            settings=Settings(answer_threshold=0.0, clarify_threshold=0.0),
            clock=clock,
            cache=self.cache,
        )
        state = None if user is None else state_of(user, self.now)
        return asyncio.run(answerer.reply(Question(text, user_id=user, history=history), state=state))


def state_of(user: str, now: datetime) -> UserState:
    order = Entity("order", ORDERS[user], "shipped", "电饭煲", occurred_at=now - timedelta(days=1))
    return UserState(user, now, {"name": user}, (order,))


STEPS = st.one_of(
    st.tuples(st.just("ask"), st.sampled_from(QUESTIONS), st.sampled_from([None, None, "ann", "bob"])),
    st.tuples(st.just("change"), st.sampled_from(list(TOPICS)), st.integers(2, 9)),
    st.tuples(st.just("remove"), st.sampled_from(list(TOPICS)), st.just(0)),
    st.tuples(st.just("wait"), st.integers(1, 3), st.just(0)),
)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(STEPS, min_size=4, max_size=10))
def test_nobody_can_tell_a_shop_with_the_cache_from_one_without(steps: list[tuple[str, object, object]]) -> None:
    """Through changes, removals, expiry, and customers with orders among visitors."""
    kept, plain = Shop(cached=True), Shop(cached=False)
    for what, one, other in steps:
        if what == "ask":
            replies = [shop.ask(str(one), other if other is None else str(other)) for shop in (kept, plain)]
            assert replies[0].text == replies[1].text
            assert replies[0].citations == replies[1].citations
            assert not any(ORDERS[u] in replies[0].text for u in ORDERS if u != other)
            assert not (replies[0].cached and other is not None)
            continue
        for shop in (kept, plain):
            if what == "change":
                shop.change(str(one), int(str(other)))
            elif what == "remove" and len(shop.articles) > 1:
                shop.articles.pop(str(one), None)
            elif what == "wait":
                shop.now += timedelta(days=int(str(one)))


def test_the_second_visitor_costs_no_call() -> None:
    shop = Shop(cached=True)
    first, second = shop.ask("退款要多久?"), shop.ask("您好，请问退款要多久呢？")
    assert (shop.model.calls, first.cached, second.cached) == (1, False, True)
    assert (second.text, second.citations, second.model) == (first.text, first.citations, "echo")
    assert (first.usage is None, second.usage) == (False, None)
    assert "cache" in second.timings_ms
    assert first.trace_id != second.trace_id


def test_another_way_of_putting_it_costs_no_call_while_the_same_passages_are_found() -> None:
    shop = Shop(cached=True)
    first, second = shop.ask("退款要多久?"), shop.ask("退款需要多长时间")
    assert [p.id for p in first.passages] == [p.id for p in second.passages]
    assert (shop.model.calls, second.cached, second.text) == (1, True, first.text)
    assert not shop.ask("退款要多久?", "ann").cached
    shop.change("退款", 8)
    assert not shop.ask("退款需要多长时间").cached


def test_another_thing_asked_of_the_same_passages_is_another_question() -> None:
    shop = Shop(cached=True)
    shop.ask("退款能办吗")
    for other in ("退款不能办吗", "退款怎么办", "退款能办几次", "退款谁能办", "换货能办吗", "我的退款能办吗"):
        assert not shop.ask(other).cached


def test_a_slip_finds_what_was_written_to_the_question_that_was_meant_and_not_the_other_way_round() -> None:
    slip, right = "How long is the waranty of the kettle", "How long is the warranty of the kettle?"
    shop = Shop(cached=True)
    shop.articles = {"warranty": Article("warranty", "Warranty", "The warranty of the kettle is 2 years。")}
    assert [shop.ask(text).cached for text in (slip, right, slip)] == [False, False, True]
    shop.cache = AnswerCache(50)
    assert [shop.ask(text).cached for text in (right, slip, f"{slip}, please")] == [False, True, True]
    assert shop.ask(slip).read_as == "How long is the warranty of the kettle"


def test_a_greeting_before_the_question_changes_nothing_but_a_topic_does() -> None:
    shop = Shop(cached=True)
    shop.ask("退款要多久?")
    greeted = (Turn("customer", "在吗"), Turn("assistant", "您好！请问有什么可以帮您？"))
    assert shop.ask("退款要多久?", history=greeted).cached
    talked = (Turn("customer", "我买的是定制的杯子"), Turn("assistant", "好的。"))
    assert not shop.ask("退款要多久?", history=talked).cached
    assert not shop.ask("退款要多久?", history=(Turn("agent", "您好"),)).cached


def test_what_was_written_for_a_customer_with_records_is_not_kept() -> None:
    shop = Shop(cached=True)
    assert ORDERS["ann"] in shop.ask("退款要多久?", "ann").text
    visitor = shop.ask("退款要多久?")
    assert not visitor.cached
    assert ORDERS["ann"] not in visitor.text
    assert not shop.ask("退款要多久?", "bob").cached


def test_another_model_another_language_and_another_script_ask_again() -> None:
    shop = Shop(cached=True)
    shop.ask("退款要多久?")
    assert not shop.ask("退款要多久？謝謝").cached
    shop.model = type("Other", (Echo,), {"name": "other"})()
    assert not shop.ask("退款要多久?").cached


def test_a_word_changed_in_a_passage_or_its_end_asks_again() -> None:
    shop = Shop(cached=True)
    shop.ask("退款要多久?")
    refund = shop.articles["退款"]
    shop.articles["退款"] = replace(refund, body=refund.body.replace("3", "4"))
    assert not shop.ask("退款要多久?").cached
    shop.articles["退款"] = refund
    assert shop.ask("退款要多久?").cached
    shop.now += timedelta(days=4)
    late = shop.ask("退款要多久?")
    assert not late.cached
    assert "退款" not in {p.document_id for p in late.passages}


def test_the_cache_is_bounded_and_keeps_what_is_asked_most_lately() -> None:
    shop = Shop(cached=True)
    shop.cache = AnswerCache(2)
    for text in ("退款要多久?", "换货要多久?", "退款要多久?", "发票要多久?"):
        shop.ask(text)
    assert len(shop.cache) == 2
    assert shop.ask("退款要多久?").cached
    assert not shop.ask("换货要多久?").cached
