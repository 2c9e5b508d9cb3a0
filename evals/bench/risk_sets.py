"""Questions with a known answer and questions without one, to measure what confidence is worth.

The out-of-scope questions in ``data/`` were written for this purpose, before anything was measured on them.
"""

from __future__ import annotations

import csv
import io
import json
import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory

from opencc import OpenCC

from assistant.domain.knowledge import Article
from assistant.errors import InputRejected
from ingest.demo import render_demo
from ingest.sources import discover, read

SEED = 20261122
_ENGLISH_SUFFIX = "-en"


@dataclass(frozen=True, slots=True)
class Asked:
    """A question and the articles that answer it, each as good as the other; none where it is out of scope."""

    text: str
    answered_by: frozenset[str] = frozenset()
    kind: str = "in scope"


@dataclass(frozen=True, slots=True)
class RiskPart:
    """Articles to be ingested, and questions to be asked of them alone."""

    articles: tuple[Article, ...]
    asked: tuple[Asked, ...]


def banking77(data: Path, per_article: int | None = None) -> RiskPart:
    """The 77 intents as articles: title from the intent's name, questions from the train part; 3,080 test questions.

    ``per_article`` draws so many questions for each, by a fixed seed; None takes all 10,003. The body only repeats the
    name: the data set has no answers. To the test questions come those of ``out_of_scope_en``.
    """
    train: dict[str, list[str]] = defaultdict(list)
    for row in _rows(data / "banking77" / "train.csv"):
        train[row["category"]].append(row["text"])
    articles = []
    for intent, texts in sorted(train.items()):
        chosen = sorted(texts)
        random.Random(SEED).shuffle(chosen)
        name = intent.replace("_", " ").replace("?", "").strip()
        name = name[0].upper() + name[1:]
        articles.append(Article(intent, name, f"What to do: {name}.", "en", questions=tuple(chosen[:per_article])))
    test = [Asked(row["text"], frozenset({row["category"]})) for row in _rows(data / "banking77" / "test.csv")]
    return RiskPart(tuple(articles), (*test, *out_of_scope_en(data)))


def out_of_scope_en(data: Path) -> tuple[Asked, ...]:
    """620: 170 written for this (80 near, 60 far, 20 small talk, 10 noise), 250 of dstc11's FAQs, 200 of xquad-en."""
    knowledge = json.loads(_text(data / "dstc11-track5" / "knowledge.json"))
    faqs = {
        str(faq["question"])
        for domain in knowledge.values()
        for entity in domain.values()
        for faq in (entity.get("faqs") or {}).values()
    }
    drawn = [Asked(text, kind="hotel and restaurant FAQs (dstc11)") for text in _drawn(faqs, 250)]
    return (*_written("en"), *drawn, *_of_xquad(data / "xquad-en", 200))


def out_of_scope_zh(data: Path) -> tuple[Asked, ...]:
    """262: 162 written for this (69 near, 70 far, 15 small talk, 8 noise), 100 of xquad-zh."""
    return (*_written("zh"), *_of_xquad(data / "xquad-zh", 100))


def demo_faq(data: Path, *, traditional: bool = False) -> list[RiskPart]:
    """The demo shop's public articles in two folds: each Chinese article is asked the half of its questions it lacks.

    An article and its English twin are equally right. ``traditional`` has articles and questions alike converted by
    OpenCC (s2hk), out-of-scope ones too.
    """
    with TemporaryDirectory() as folder:
        found = discover([render_demo(Path(folder), date(2026, 11, 22)) / "articles"])
        records = [item.record for file in found.files for item in read(file) if not isinstance(item, InputRejected)]
    public = [record for record in records if isinstance(record, Article) and record.audience == "public"]
    written: Callable[[str], str] = OpenCC("s2hk").convert if traditional else str
    parts = []
    for fold in (0, 1):
        articles, asked = [], []
        for article in public:
            spoken = [written(text) for text in article.questions]
            kept = tuple(text for number, text in enumerate(spoken) if number % 2 != fold)
            body, title = written(article.body), written(article.title)
            articles.append(replace(article, title=title, body=body, questions=kept))
            if article.locale.startswith("zh"):
                twins = frozenset({article.id, article.id + _ENGLISH_SUFFIX})
                asked += [Asked(text, twins) for text in spoken if text not in kept]
        # each out-of-scope question is asked once, of one of the two folds
        beyond = [Asked(written(one.text), kind=one.kind) for one in out_of_scope_zh(data)[fold::2]]
        parts.append(RiskPart(tuple(articles), (*asked, *beyond)))
    return parts


def _written(language: str) -> list[Asked]:
    lines = files("evals").joinpath(f"bench/data/out_of_scope_{language}.tsv").read_text("utf-8").splitlines()
    pairs = [line.split("\t") for line in lines if line]
    return [Asked(text, kind=f"{kind}, written for this") for kind, text in pairs]


def _of_xquad(folder: Path, count: int) -> list[Asked]:
    texts = {str(json.loads(line)["text"]) for line in _text(folder / "queries.jsonl").splitlines() if line}
    return [Asked(text, kind=f"encyclopaedia questions ({folder.name})") for text in _drawn(texts, count)]


def _drawn(texts: set[str], count: int) -> Sequence[str]:
    chosen = sorted(texts)
    random.Random(SEED).shuffle(chosen)
    return chosen[:count]


def _rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(_text(path))))


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except OSError as exc:
        raise InputRejected(str(path), f"cannot be read: {exc.strerror}") from exc
