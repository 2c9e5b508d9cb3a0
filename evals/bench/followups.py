"""Follow-up turns of the demo shop, written for this measurement: what carrying words over is worth, zh and en."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from assistant.domain.conversation import Turn
from assistant.domain.knowledge import Article
from assistant.errors import InputRejected
from assistant.followup import asked_after, earlier_texts, standalone
from assistant.query import Query
from assistant.retrieval import Retriever
from evals.jsonl import read_objects
from evals.statistics import wilson
from ingest.demo import render_demo
from ingest.sources import discover, read

DAY = date(2026, 11, 22)
NOW = datetime(2026, 11, 22, 4, tzinfo=UTC)
Form = Callable[[str, Sequence[Turn]], Query]


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A turn, what was said before it, and the articles that answer it. ``half`` A was read while rules were made."""

    key: str
    half: str
    history: tuple[Turn, ...]
    text: str
    articles: frozenset[str]


def last_turn(text: str, history: Sequence[Turn]) -> Query:
    """The turn alone."""
    return Query(text)


def last_two(text: str, history: Sequence[Turn]) -> Query:
    """The turn before, whoever said it, and this one."""
    return Query(" ".join([*(turn.text for turn in history[-1:]), text]))


def whole_conversation(text: str, history: Sequence[Turn]) -> Query:
    """Everything said so far."""
    return Query(" ".join([*(turn.text for turn in history), text]))


def carried_where_it_leans(text: str, history: Sequence[Turn]) -> Query:
    """The customer's last question put before this one where this one leans on it: very short, or a continuation."""
    return Query(standalone(text, history))


def as_the_product_asks(text: str, history: Sequence[Turn]) -> Query:
    """What the answerer searches."""
    question, context = asked_after(text, history)
    return Query(question, context=context, earlier=earlier_texts(history))


FORMS: Mapping[str, Form] = {
    "last turn": last_turn,
    "last 2 turns": last_two,
    "whole conversation": whole_conversation,
    "last question where it leans": carried_where_it_leans,
}


def load_followups() -> list[FollowUp]:
    """The packaged set."""
    path = Path(str(files("evals") / "bench" / "data" / "followups.jsonl"))
    return [
        FollowUp(
            str(record["id"]),
            str(record["half"]),
            tuple(Turn(turn["role"], turn["text"]) for turn in record["history"]),
            str(record["text"]),
            frozenset(record["article_ids"]),
        )
        for _, record in read_objects(path)
    ]


@cache
def demo_articles() -> tuple[Article, ...]:
    """The demo shop's articles as of ``DAY``."""
    with tempfile.TemporaryDirectory() as folder:
        rendered = render_demo(Path(folder) / "demo", DAY)
        found: list[Article] = []
        for file in discover([rendered / "articles"]).files:
            for item in read(file):
                if isinstance(item, InputRejected):
                    raise item
                if isinstance(item.record, Article):
                    found.append(item.record)
        return tuple(found)


def measure(turns: Sequence[FollowUp], retriever: Retriever, form: Form) -> dict[str, Any]:
    """Hits of an article that answers at 1 and among 3, with Wilson's interval of the first."""
    first = among = 0
    for turn in turns:
        query = form(turn.text, turn.history)
        ranked = [key for key, _ in retriever.rank_documents(query, now=NOW)]
        first += ranked[0] in turn.articles if ranked else 0
        among += bool(turn.articles.intersection(ranked[:3]))
    interval = wilson(first, len(turns))
    return {"turns": len(turns), "first": first, "among_3": among, "first_interval": [interval.low, interval.high]}
