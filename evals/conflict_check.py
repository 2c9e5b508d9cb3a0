"""How often the extractive reply sees sources disagree: on the knowledge as it is, and with a disagreement planted.

``teachback``'s own data: ``python -m evals.conflict_check WORKSPACE CASES.jsonl`` prints one JSON object.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from assistant.answering.composing import WORTH_QUOTING, supporting
from assistant.bootstrap import build
from assistant.domain.knowledge import EntryField, Passage
from assistant.drafting import split_turns
from assistant.errors import InputRejected
from assistant.extractive import ExtractiveAnswer, ExtractiveAnswerer
from assistant.extractive.relevance import figures
from assistant.language import spoken
from assistant.ports import Embedder
from assistant.query import Query
from assistant.settings import Settings
from assistant.store.records import KnowledgeRecords
from evals.cases import read_cases
from evals.halves import half_of

PLANTED = {"the same day": timedelta(0), "90 days later": timedelta(days=90)}


def kind_of(found: ExtractiveAnswer) -> str:
    """``conflict``, ``newer`` (one is preferred and both are named) or ``one``."""
    if found.conflict:
        return "conflict"
    return "newer" if re.search(r"以较新的《|This is from the newer “", found.text) else "one"


def planted(
    found: ExtractiveAnswer, passages: Sequence[Passage], title: str, later: timedelta, now: datetime
) -> list[Passage] | None:
    """The passages with a twin of the one that was quoted, its first quoted figure another; None without a figure."""
    if not found.citations:
        return None
    quote = found.citations[0].quote
    source = next(p for p in passages if p.id == found.citations[0].passage_id)
    if source.article_id is None or not figures(quote):
        return None
    changed = re.sub(r"\d+", lambda m: str(int(m.group()) + 4), quote)
    at = source.updated_at or now - timedelta(days=200)
    twin = replace(
        source,
        id=f"{source.id}-twin",
        document_id=f"{source.document_id}-twin",
        title=title or source.title,
        text=source.text.replace(quote, changed),
        updated_at=at + later,
        score=round(source.score * 0.97, 4),
    )
    return [
        twin if p.id == twin.id else p for p in (*(replace(p, updated_at=p.updated_at or at) for p in passages), twin)
    ]


def main(workspace: str, cases: Path) -> None:
    """Counts by set, half and outcome."""
    service = build(Settings())
    retriever, embedder, now = service.retriever(workspace), service.batch_embedder, service.clock.now()
    counts: dict[str, Counter[str]] = {}
    alarms: list[dict[str, str]] = []
    for source, question, hidden in _questions(service.records(workspace), cases):
        locale = spoken(None, question)
        query = Query(question, locale=locale, exclude_conversations=hidden)
        passages = supporting(retriever.search(query, now=now).passages, WORTH_QUOTING)
        if not passages or passages[0].score < service.settings.answer_threshold:
            counts.setdefault(source, Counter())["not answered"] += 1
            continue
        found = _answer(question, passages, embedder, now)
        counts.setdefault(source, Counter())[kind_of(found)] += 1
        if kind_of(found) != "one":
            alarms.append({"question": question, "text": found.text})
        if source != "questions" or kind_of(found) != "one":
            continue
        if hashlib.sha256(question.encode()).digest()[1] % 3:
            continue  # a third is enough to plant in
        for name, later in PLANTED.items():
            for title, shown in (("the same title", ""), ("the question for title", question)):
                twins = planted(found, passages, shown, later, now)
                if twins is not None:
                    key = f"planted, half {half_of(question)}, {name}, {title}"
                    counts.setdefault(key, Counter())[kind_of(_answer(question, twins, embedder, now))] += 1
    report = {name: dict(count) for name, count in sorted(counts.items())}
    sys.stdout.write(json.dumps({"counts": report, "alarms": alarms}, ensure_ascii=False, indent=1) + "\n")
    service.close()


def _answer(question: str, passages: Sequence[Passage], embedder: Embedder, now: datetime) -> ExtractiveAnswer:
    locale = spoken(None, question)
    return ExtractiveAnswerer().answer(question, passages, locale=locale, embedder=embedder, now=now)


def _questions(records: KnowledgeRecords, cases: Path) -> Iterator[tuple[str, str, frozenset[str]]]:

    articles = {chunk.id for chunk in records.all_chunks() if chunk.conversation_id is None}
    asked = dict.fromkeys(
        e.text for e in records.all_entries() if e.field is EntryField.QUESTION and e.chunk_id in articles
    )
    for text in asked:
        yield "questions", text, frozenset()
    for case in read_cases(cases):
        if not isinstance(case, InputRejected):
            yield "cases", split_turns(case.turns)[0], frozenset({case.conversation_id})


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
