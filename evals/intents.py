"""What each case is about, by name, so that a comparison can tell which questions got better and which worse."""

from __future__ import annotations

from evals.cases import asked_by
from evals.transfer_run import Bench
from ingest.asked import group_questions
from ingest.asked.intents import article_groups

NO_ARTICLE = "no_article"
"""The intent of cases that no article is about."""


def case_intents(bench: Bench) -> dict[str, str]:
    """Intent by case id: the article that the case is about, one name for an article and its translation.

    The gold article decides where retrieval finds it too, else the article that question and human reply find together;
    neither shows the assistant anything. Raises EmbeddingFailed.
    """
    cases = [case for case in bench.cases if case.references]
    grouping = group_questions(
        [asked_by(case) for case in cases],
        [case.references[0] for case in cases],
        [case.article_ids for case in cases],
        bench.view.retriever(),
        bench.embedder,
        article_groups(bench.view.snapshot),
        bench.clock.now(),
    )
    found = {case.case_id: intent for case, intent in zip(cases, grouping.intent, strict=True)}
    return {case.case_id: _name(found.get(case.case_id, "")) for case in bench.cases}


def titles(bench: Bench) -> dict[str, str]:
    """Article id → title, for people."""
    return {chunk.document_id: chunk.title for chunk in bench.view.knowledge.chunks if chunk.conversation_id is None}


def _name(intent: str) -> str:
    return intent.removeprefix("a:") if intent.startswith("a:") else NO_ARTICLE
