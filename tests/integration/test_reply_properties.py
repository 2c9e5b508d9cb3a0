"""What no reply may do, whatever is asked, whatever the knowledge holds and whatever a model writes."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assistant.answering import Answerer
from assistant.domain.knowledge import Article
from assistant.domain.live import Question
from assistant.domain.reply import Reply
from assistant.generation import GeneratedAnswerer
from assistant.llm.embedders import HashEmbedder
from assistant.llm.scripted import ScriptedChat
from assistant.settings import Settings
from assistant.throwaway import throwaway_retriever
from ingest.pipeline import article_write

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)
SUBJECTS = {
    "zh": ("退款", "运费", "发票", "换货", "优惠券", "保修"),
    "en": ("refund", "shipping", "invoice", "exchange", "voucher", "warranty"),
}
SENTENCES = {
    "zh": (
        "{subject}在{n}个工作日内处理完成。",
        "{subject}满{n}元可以申请，不满的不行。",
        "超过{n}天不能再申请{subject}。",
    ),
    "en": (
        "The {subject} is handled within {n} business days.",
        "You can ask for a {subject} above {n} CNY, not below.",
        "No {subject} after {n} days.",
    ),
}
QUESTIONS = {
    "zh": ("{}要多久?", "{}怎么申请?", "为什么{}不行??"),
    "en": ("how long does the {} take?", "{} pls", "no {}?"),
}
Standing = Literal["live", "internal", "expired", "not yet"]


@dataclass(frozen=True)
class World:
    """Articles with figures that occur nowhere else, a question, and what the model would say."""

    articles: tuple[Article, ...]
    hidden_figures: frozenset[str]
    question: str
    says: tuple[str, ...]


class At:
    """A clock that stands."""

    def now(self) -> datetime:
        return NOW


@st.composite
def worlds(draw: st.DrawFn) -> World:
    language = draw(st.sampled_from(["zh", "en"]))
    numbers = draw(st.lists(st.integers(11, 998), min_size=2, max_size=8, unique=True))
    articles, hidden, every = [], set(), []
    for place, number in enumerate(numbers):
        standing: Standing = draw(st.sampled_from(["live", "live", "internal", "expired", "not yet"]))
        subject = draw(st.sampled_from(SUBJECTS[language]))
        sentence = draw(st.sampled_from(SENTENCES[language])).format(subject=subject, n=number)
        every.append(sentence)
        if standing != "live":
            hidden.add(str(number))
        articles.append(
            Article(
                id=f"a{place}",
                title=subject,
                body=sentence,
                locale=language,
                audience="internal" if standing == "internal" else "public",
                valid_until=NOW - DAY if standing == "expired" else None,
                valid_from=NOW + DAY if standing == "not yet" else None,
            )
        )
    asked = draw(st.sampled_from(QUESTIONS[language])).format(draw(st.sampled_from(SUBJECTS[language])))
    invented = [re.sub(r"\d+", str(draw(st.integers(1000, 9999))), sentence) for sentence in every]
    mark = st.sampled_from(["[1]", "[2]", "[7]", "", "[1][3]"])
    said = st.lists(st.sampled_from([*every, *invented]), min_size=1, max_size=3)
    says = tuple("".join(f"{text.rstrip('。.')}{draw(mark)}。" for text in draw(said)) for _ in range(2))
    return World(tuple(articles), frozenset(hidden), asked, says)


def answered(world: World, *, model: bool) -> Reply:
    """The reply of the whole answerer, with every threshold at its lowest so that it does answer."""
    writes = [article_write(article, "", "") for article in world.articles]
    embedder = HashEmbedder()
    retriever = throwaway_retriever(
        [c for w in writes for c in w.chunks], [e for w in writes for e in w.entries], embedder
    )
    answerer = Answerer(
        retriever=retriever,
        embedder=embedder,
        state_source=None,
        generator=GeneratedAnswerer(ScriptedChat(world.says)) if model else None,
        settings=Settings(answer_threshold=0.0, clarify_threshold=0.0),
        clock=At(),
    )
    return asyncio.run(answerer.reply(Question(world.question)))


def holds(world: World, reply: Reply) -> None:
    given_to_it = {passage.id: passage for passage in reply.passages}
    bodies = {article.id: article for article in world.articles}
    for passage in reply.passages:
        article = bodies[passage.document_id]
        assert article.audience == "public", "an internal article was used for a customer"
        assert article.valid_until is None, "an expired article was used"
        assert article.valid_from is None, "an article was used before its time"
    for citation in reply.citations:
        assert citation.passage_id in given_to_it, "a passage was cited that was not given"
    words = re.sub(r"\[\d+\]", "", reply.text)
    figures = set(re.findall(r"\d+", words))
    assert not figures & world.hidden_figures, "a figure of a hidden article was said"
    cited = "".join(given_to_it[c.passage_id].text for c in reply.citations)
    sources = cited + world.question + "".join(p.title for p in reply.passages)
    loose = figures - set(re.findall(r"\d+", sources))
    assert not loose, f"{loose} is in no source that the reply names: {reply.text!r} cites {cited!r}"


CAREFULLY = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@CAREFULLY
@given(worlds())
def test_an_extract_keeps_to_what_it_was_given(world: World) -> None:
    holds(world, answered(world, model=False))


@CAREFULLY
@given(worlds())
def test_a_model_cannot_say_more_than_its_sources(world: World) -> None:
    holds(world, answered(world, model=True))


def test_the_properties_can_fail() -> None:
    """A reply that breaks each rule is caught: the checks are not empty."""
    article = Article(id="a0", title="退款", body="退款在12个工作日内处理完成。", locale="zh")
    world = World((article,), frozenset({"77"}), "退款要多久?", ("",))
    good = answered(world, model=False)
    assert "12" in good.text
    holds(world, good)
    for text in ("要77天", "要13天"):
        try:
            holds(world, Reply(**{**{f: getattr(good, f) for f in Reply.__dataclass_fields__}, "text": text}))
        except AssertionError:
            continue
        raise AssertionError(f"{text!r} was let through")
