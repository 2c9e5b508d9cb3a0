"""What each case is about, by name, so that a comparison can tell which questions got better and which worse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from assistant.llm.wrapped import WrappedEmbedder
from assistant.ports import Embedder, Vectors
from assistant.text import fold
from evals.answer_metrics.sentences import content_sentences
from evals.cases import ReplyCase, asked_by
from evals.transfer_run import Bench
from ingest.asked import group_questions
from ingest.asked.intents import article_groups

_SUPPORTED = 0.28
NO_ARTICLE = "no_article"
"""The intent of cases that no article is about."""


def case_intents(bench: Bench) -> dict[str, str]:
    """Intent by case id: the article that the case is about, one name for an article and its translation.

    The gold article decides where retrieval finds it too, else the article that question and human reply find together;
    neither shows the assistant anything. Raises EmbeddingFailed.

    Question and reply together are not embedded for this: their vector is put together from those that the run has, of
    the question and of the reply's sentences, by their lengths, for a mean over tokens is what the embedder takes. Its
    cosine with the whole text's is 0.986; as it lies nearer to everything, ``_SUPPORTED`` is above that of whole texts.
    """
    cases = [case for case in bench.cases if case.references]
    grouping = group_questions(
        [asked_by(case) for case in cases],
        [case.references[0] for case in cases],
        [case.article_ids for case in cases],
        bench.view.retriever(_Together(cases, bench.embedder)),
        bench.embedder,
        article_groups(bench.view.snapshot),
        bench.clock.now(),
        supported=_SUPPORTED,
    )
    found = {case.case_id: intent for case, intent in zip(cases, grouping.intent, strict=True)}
    return {case.case_id: _name(found.get(case.case_id, "")) for case in bench.cases}


class _Together(WrappedEmbedder):
    """An embedder that knows each case's question and reply as one text, from the vectors of their parts."""

    def __init__(self, cases: Sequence[ReplyCase], embedder: Embedder) -> None:
        super().__init__(embedder)
        self._parts: Mapping[str, list[str]] = {
            fold(f"{asked_by(case)}\n{case.references[0]}"): [
                fold(asked_by(case)),
                *content_sentences(case.references[0]),
            ]
            for case in cases
        }

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """(n, dimensions) rows for questions."""
        rows = []
        for text in texts:
            parts = self._parts.get(text, [text])
            row = np.array([len(part) for part in parts], dtype=np.float32) @ self._embedder.embed_queries(parts)
            rows.append(row / max(float(np.linalg.norm(row)), 1e-9))
        return np.asarray(np.stack(rows), dtype=np.float32)

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """(n, dimensions) rows for stored texts."""
        return self._embedder.embed_passages(texts)


def titles(bench: Bench) -> dict[str, str]:
    """Article id → title, for people."""
    return {chunk.document_id: chunk.title for chunk in bench.view.knowledge.chunks if chunk.conversation_id is None}


def _name(intent: str) -> str:
    return intent.removeprefix("a:") if intent.startswith("a:") else NO_ARTICLE
