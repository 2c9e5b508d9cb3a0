"""From scored entries to passages: features of chunks, and the chunks in their order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assistant.domain.knowledge import Chunk, Passage
from assistant.fusion import Features
from assistant.store.snapshot import EntryTable
from assistant.voting import votes


@dataclass(frozen=True, slots=True)
class Ranked:
    """Chunk and document numbers, best first, with the raw score, the score 0–1 and its parts.

    ``withheld`` are numbers of documents that would stand here, if they were not to leave this question alone.
    """

    chunk: NDArray[np.int64]
    document: NDArray[np.int64]
    raw: NDArray[np.float64]
    score: NDArray[np.float64]
    dense: NDArray[np.float32]
    lexical: NDArray[np.float32]
    withheld: tuple[int, ...] = ()

    @staticmethod
    def empty() -> Ranked:
        """Nothing found."""
        none = np.zeros(0, dtype=np.float32)
        nothing = np.zeros(0, dtype=np.int64)
        return Ranked(nothing, nothing, np.zeros(0), np.zeros(0), none, none)


def gather(
    table: EntryTable,
    entries: NDArray[np.int64],
    dense: NDArray[np.float32],
    lexical: NDArray[np.float32],
    language: str,
) -> Features:
    """One row a chunk from one row an entry: its body's scores, and the best of its document's questions.

    ``language`` is the question's, ``zh`` or ``en``.
    """
    document = table.document[entries]
    is_question = table.is_question[entries]
    chunk = table.chunk[entries]
    chunks, place = np.unique(chunk, return_inverse=True)
    documents, document_place = np.unique(document, return_inverse=True)
    body_dense = np.zeros(len(chunks), dtype=np.float32)
    body_lexical = np.zeros(len(chunks), dtype=np.float32)
    np.maximum.at(body_dense, place[~is_question], dense[~is_question])
    np.maximum.at(body_lexical, place[~is_question], lexical[~is_question])
    best_dense = np.zeros(len(documents), dtype=np.float32)
    best_lexical = np.zeros(len(documents), dtype=np.float32)
    np.maximum.at(best_dense, document_place[is_question], dense[is_question])
    np.maximum.at(best_lexical, document_place[is_question], lexical[is_question])
    asked = np.bincount(document_place[is_question], minlength=len(documents)).astype(np.float32)
    vote = votes(document_place[is_question], len(documents), dense[is_question], lexical[is_question])
    document_of_chunk = np.zeros(len(chunks), dtype=np.int64)
    document_of_chunk[place] = document_place
    is_article = np.zeros(len(chunks), dtype=np.bool_)
    is_article[place] = table.is_article[entries]
    chinese = np.zeros(len(chunks), dtype=np.bool_)
    chinese[place] = table.chinese[entries]
    return Features(
        chunk=chunks.astype(np.int64),
        document=documents[document_of_chunk].astype(np.int64),
        body_dense=body_dense,
        body_lexical=body_lexical,
        question_dense=best_dense[document_of_chunk],
        question_lexical=best_lexical[document_of_chunk],
        is_article=is_article,
        foreign=chinese != (language == "zh"),
        questions=asked[document_of_chunk],
        vote=vote[document_of_chunk],
    )


def passage_of(chunk: Chunk, ranked: Ranked, index: int) -> Passage:
    return Passage(
        id=chunk.id,
        document_id=chunk.document_id,
        kind=chunk.kind,
        title=chunk.title,
        heading=chunk.heading,
        text=chunk.text,
        score=round(float(ranked.score[index]), 4),
        locale=chunk.locale,
        audience=chunk.audience,
        dense=round(float(ranked.dense[index]), 4),
        lexical=round(float(ranked.lexical[index]), 4),
        url=chunk.url,
        conversation_id=chunk.conversation_id,
        updated_at=chunk.updated_at,
        valid_until=chunk.valid_until,
    )
