"""Learns what users of a situation ask from the transcripts of a workspace, and keeps it as derived data."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise

import numpy as np

from assistant.bootstrap import Service
from assistant.domain.knowledge import DocumentKind, EntryField
from assistant.ports import Embedder, Progress
from assistant.query import Query
from assistant.retrieval import Retriever
from assistant.settings import Settings
from assistant.store.records import KnowledgeRecords
from assistant.store.snapshot import Snapshot
from assistant.suggesting.model import IntentModel, Smoothing, SuggestedIntent, save_model, signals_of
from assistant.suggesting.pages import page_key
from assistant.suggesting.rules import RuleBook
from assistant.text import fold, language_of
from ingest.asked.events import Asked, asked_in
from ingest.asked.intents import Grouping, article_groups, group_questions
from ingest.asking import asks
from ingest.sources.schemas import parse_transcript

MOST_CONVERSATIONS = 4000  # the latest; older ones have faded
FEWEST = 2  # conversations that ask what no article answers, before their words are shown to others
# said of oneself, or in several breaths: one customer's words, not for another's eyes
_OWN = re.compile(r"我|俺|咱|[\u3400-\u9fff]\s|\b(?:i|my|me|mine|we|our)\b", re.IGNORECASE)
_LONGEST = {"zh": 26, "en": 80}


@dataclass(frozen=True, slots=True)
class Workbench:
    """What learning reads: the index, and the articles' own questions by article.

    ``exclude`` are conversations that must not be seen (an evaluation's held-back ones).
    """

    snapshot: Snapshot
    retriever: Retriever
    embedder: Embedder
    questions: Mapping[str, tuple[str, ...]]
    validity: Mapping[str, tuple[float | None, float | None]]
    pages: Mapping[str, str]
    threshold: float
    exclude: frozenset[str] = frozenset()

    def supported(self, text: str, now: datetime) -> tuple[float, str]:
        """(support 0–1, best public document) of a text."""
        found = self.retriever.search(Query(text, k=1, exclude_conversations=self.exclude), now=now).best
        return (found.score, found.document_id) if found is not None else (0.0, "")


def workbench(
    records: KnowledgeRecords, snapshot: Snapshot, retriever: Retriever, embedder: Embedder, settings: Settings
) -> Workbench:
    """Reads the articles' questions and titles that ask."""
    chunks = {chunk.id: chunk for chunk in records.all_chunks() if chunk.kind is DocumentKind.ARTICLE}
    questions: dict[str, list[str]] = defaultdict(list)
    validity: dict[str, tuple[float | None, float | None]] = {}
    pages: dict[str, str] = {}
    for chunk in chunks.values():
        if chunk.audience == "public":
            pages[chunk.document_id.casefold()] = chunk.document_id
            if chunk.url and (key := page_key(chunk.url)):
                pages[key] = chunk.document_id
            validity[chunk.document_id] = (
                chunk.valid_from.timestamp() if chunk.valid_from else None,
                chunk.valid_until.timestamp() if chunk.valid_until else None,
            )
    for entry in records.all_entries():
        of = chunks.get(entry.chunk_id)
        if of is None or of.audience != "public" or entry.field in (EntryField.BODY, EntryField.NEGATIVE):
            continue
        if entry.field is EntryField.QUESTION or asks(entry.text):
            questions[of.document_id].append(entry.text)
    return Workbench(
        snapshot,
        retriever,
        embedder,
        {name: tuple(sorted(set(texts))) for name, texts in questions.items()},
        validity,
        pages,
        settings.answer_threshold,
    )


def learn_suggestions(service: Service, workspace: str, *, progress: Progress | None = None) -> IntentModel:
    """Learn from the workspace's transcripts and keep the model where the running service finds it."""
    records, keeper = service.records(workspace), service.keeper(workspace)
    asked: list[Asked] = []
    for raw in records.transcripts()[-MOST_CONVERSATIONS:]:
        asked += asked_in(parse_transcript(raw, "records"))
    bench = workbench(
        records, keeper.snapshot(), service.retriever(workspace), service.embedder, service.settings_for(workspace)
    )
    book = service.suggestion_rules
    model = learn_model(asked, bench, book, now=service.clock.now(), progress=progress)
    model = replace(model, generation=keeper.generation())
    save_model(model, service.suggestions_file(workspace))
    return model


def learn_model(
    asked: Sequence[Asked],
    bench: Workbench,
    book: RuleBook,
    *,
    now: datetime,
    smoothing: Smoothing | None = None,
    grouping: Grouping | None = None,
    progress: Progress | None = None,
) -> IntentModel:
    """The model of these questions as of ``now``; ``grouping`` where the questions have been grouped already."""
    smoothing = smoothing or Smoothing()
    if grouping is None:

        def advance(done: int) -> None:
            if progress is not None:
                progress.advance("suggestions", done, len(asked))

        grouping = group_questions(
            [a.text for a in asked],
            [a.answer for a in asked],
            [a.recorded for a in asked],
            bench.retriever,
            bench.embedder,
            article_groups(bench.snapshot),
            now,
            advance,
        )
    weights = [0.5 ** (max(0.0, (now - a.at).total_seconds()) / 86_400 / smoothing.half_life_days) for a in asked]
    intents = _intents(asked, grouping, weights, bench, now)
    rule_intents = _rule_intents(book, grouping.twins, bench, now)
    counts = _Counts()
    for events in _conversations(asked):
        _count(counts, [(asked[i], grouping.intent[i], weights[i]) for i in events], book, rule_intents)
    documents = {document: intent.id for intent in intents.values() for document in intent.documents}
    for article, name in grouping.twins.items():
        if f"a:{name}" in intents:
            documents.setdefault(article, f"a:{name}")
    return IntentModel(
        intents=intents,
        first=_kept(counts.first, intents),
        following=_kept(counts.following, intents),
        signals=dict(counts.signals),
        first_by={name: _kept(by, intents) for name, by in counts.first_by.items()},
        previous=dict(counts.previous),
        following_by={name: _kept(by, intents) for name, by in counts.following_by.items()},
        fired={name: (counts.asked[name], total) for name, total in counts.fired.items()},
        fired_next={name: (counts.asked_next[name], total) for name, total in counts.fired_next.items()},
        documents=documents,
        rule_intents=rule_intents,
        pages=dict(bench.pages),
        learned_at=now.isoformat(),
        rules_digest=book.digest,
        conversations=len({a.conversation_id for a in asked}),
        smoothing=smoothing,
    )


class _Counts:
    def __init__(self) -> None:
        self.first: dict[str, float] = defaultdict(float)
        self.following: dict[str, float] = defaultdict(float)
        self.signals: dict[str, float] = defaultdict(float)
        self.first_by: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
        self.previous: dict[str, float] = defaultdict(float)
        self.following_by: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
        self.fired: dict[str, float] = defaultdict(float)
        self.asked: dict[str, float] = defaultdict(float)
        self.fired_next: dict[str, float] = defaultdict(float)
        self.asked_next: dict[str, float] = defaultdict(float)


def _conversations(asked: Sequence[Asked]) -> list[list[int]]:
    found: dict[str, list[int]] = defaultdict(list)
    for number, event in enumerate(asked):
        found[event.conversation_id].append(number)
    return [sorted(numbers, key=lambda n: asked[n].place) for numbers in found.values()]


def _count(
    counts: _Counts, events: Sequence[tuple[Asked, str, float]], book: RuleBook, rule_intents: Mapping[str, str]
) -> None:
    first, intent, weight = events[0]
    fired = [rule for rule, _ in book.fired(first.state, first.at)] if first.state is not None else []
    counts.first[intent] += weight
    for name in signals_of(first.state, book, first.at, [rule.name for rule in fired]):
        counts.signals[name] += weight
        counts.first_by[name][intent] += weight
    for rule in fired:
        counts.fired[rule.name] += weight
        counts.asked[rule.name] += weight * (rule_intents.get(rule.name) == intent)
    for (_, before, _), (_, after, later) in pairwise(events):
        if after != before:
            for rule in fired:
                if rule_intents.get(rule.name) != before:
                    counts.fired_next[rule.name] += later
                    counts.asked_next[rule.name] += later * (rule_intents.get(rule.name) == after)
            counts.previous[before] += later
            counts.following[after] += later
            counts.following_by[before][after] += later


def _kept(counts: Mapping[str, float], intents: Mapping[str, SuggestedIntent]) -> dict[str, float]:
    return {name: round(count, 6) for name, count in counts.items() if name in intents}


def _rule_intents(book: RuleBook, twins: Mapping[str, str], bench: Workbench, now: datetime) -> dict[str, str]:
    """Each rule → the intent of the article that its texts find, in both languages together; absent without one."""
    found: dict[str, str] = {}
    for rule in book.rules:
        support: dict[str, float] = defaultdict(float)
        for template in rule.matter or (*rule.zh, *rule.en):
            text = template.replace("{name}", "商品" if language_of(template) == "zh" else "item")
            for passage in bench.retriever.search(Query(text, k=3, only=DocumentKind.ARTICLE), now=now).passages:
                support[twins.get(passage.document_id, passage.document_id)] += passage.score
        if support and max(support.values()) >= bench.threshold:
            found[rule.name] = f"a:{max(support, key=lambda name: support[name])}"
    return found


def _intents(
    asked: Sequence[Asked], grouping: Grouping, weights: Sequence[float], bench: Workbench, now: datetime
) -> dict[str, SuggestedIntent]:
    members: dict[str, list[int]] = defaultdict(list)
    for number, name in enumerate(grouping.intent):
        members[name].append(number)
    found: dict[str, SuggestedIntent] = {}
    for name, numbers in members.items():
        articles = grouping.articles.get(name, ())
        texts: dict[str, str] = {}
        support: dict[str, float] = {}
        for locale in ("zh", "en"):
            candidates = (
                [q for a in articles for q in bench.questions.get(a, ()) if language_of(q) == locale and asks(q)]
                if articles
                else [asked[i].text for i in numbers if _presentable(asked[i].text, locale)]
                if len({asked[i].conversation_id for i in numbers}) >= FEWEST
                else []
            )
            chosen = _central(candidates, numbers, grouping, weights, bench)
            for text in chosen[:3]:
                score, document = bench.supported(text, now)
                # the knowledge must answer it, and with this very piece
                if score >= bench.threshold and (not articles or document in articles or score >= 0.5):
                    texts[locale], support[locale] = _as_question(text), round(score, 4)
                    break
        spans = [bench.validity[a] for a in articles if a in bench.validity]
        if not articles or spans:
            starts, ends = [s for s, _ in spans], [e for _, e in spans]
            found[name] = SuggestedIntent(
                name,
                texts,
                tuple(a for a in articles if a in bench.validity),
                support,
                None if None in starts or not starts else min(s for s in starts if s is not None),
                None if None in ends or not ends else max(e for e in ends if e is not None),
            )
    return found


def _central(
    candidates: Sequence[str], numbers: Sequence[int], grouping: Grouping, weights: Sequence[float], bench: Workbench
) -> list[str]:
    """Candidates, the one nearest to what was asked lately first."""
    if not candidates:
        return []
    rows = bench.embedder.embed_queries([fold(text) for text in candidates])
    share = np.array([weights[i] for i in numbers], dtype=np.float32)
    middle = (grouping.vectors[list(numbers)] * share[:, None]).sum(axis=0) / max(float(share.sum()), 1e-9)
    order = np.argsort(-(rows @ middle), kind="stable")
    return [candidates[int(i)] for i in order]


def _presentable(text: str, locale: str) -> bool:
    """A short question of one line, without placeholders of removed data, in this language."""
    return (
        language_of(text) == locale
        and "\n" not in text
        and not any(c in text for c in "[]【】")
        and not any(c.isdigit() for c in text)
        and not _OWN.search(text)
        and 5 <= len(text) <= _LONGEST[locale]
        and asks(text)
    )


def _as_question(text: str) -> str:
    text = text.strip().rstrip("。.")
    if text.endswith(("?", "？")):
        return text
    return text + ("？" if language_of(text) == "zh" else "?") if asks(text) else text
