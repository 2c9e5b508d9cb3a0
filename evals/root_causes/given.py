"""An answer to which the right passage is given: what the answering step makes of it when retrieval cannot fail."""

from __future__ import annotations

from datetime import datetime

import numpy as np

from assistant.answering import Answerer
from assistant.domain.knowledge import Chunk, DocumentKind, Passage
from assistant.domain.reply import Reply
from assistant.generation import GeneratedAnswerer
from assistant.query import Query
from assistant.retrieval import Retrieval, Retriever, SimilarCases
from evals.cases import ReplyCase
from evals.transfer_run import Bench


async def answer_given(bench: Bench, like: Retriever, case: ReplyCase, chunk: Chunk) -> Reply:
    """The draft for this case by the answerer that the replay had, shown this passage alone, and first."""
    answerer = Answerer(
        retriever=_Only(like, chunk),
        embedder=bench.embedder,
        state_source=None,
        generator=GeneratedAnswerer(bench.chat_model) if bench.chat_model is not None else None,
        settings=bench.settings,
        clock=bench.clock,
    )
    if bench.view.as_of and case.at is not None:
        bench.clock.stand_at(case.at)
    return await answerer.draft(case.turns, state=case.user_state, locale=case.locale)


class _Only(Retriever):
    """A retriever that finds one passage, whatever is asked: what the answer makes of the right one."""

    def __init__(self, like: Retriever, chunk: Chunk) -> None:
        self.__dict__.update(like.__dict__)
        self._passage = Passage.of(chunk, 1.0)

    def search(self, query: Query, *, now: datetime) -> Retrieval:
        return Retrieval((self._passage,))

    def similar_cases(
        self, text: str, context: str, *, limit: int, now: datetime, exclude: frozenset[str] = frozenset()
    ) -> SimilarCases:
        if self._passage.kind is not DocumentKind.RESOLUTION:
            return SimilarCases((), np.zeros(0, dtype=np.float32), np.zeros((0, 1), dtype=np.float32))
        one = np.ones((1, 1), dtype=np.float32)
        return SimilarCases((self._passage,), np.ones(1, dtype=np.float32), one)
