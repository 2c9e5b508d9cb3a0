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


def compared(table: EntryTable, candidates: NDArray[np.int64]) -> NDArray[np.int64]:
    """Rows to score: the ``candidates`` (ascending), all questions of their documents, the bodies of found questions.

    A document's best question counts for all of its bodies. A body that was not found itself, in a document that only
    another body brought here, would come after that one and is left out.
    """
    documents = np.unique(table.document[candidates]).astype(np.int64)
    entries = table.entries_of(documents)
    answers = np.zeros(len(documents), dtype=np.bool_)
    asked = candidates[table.is_question[candidates]]
    answers[np.searchsorted(documents, table.document[asked])] = True
    place = np.searchsorted(candidates, entries).clip(max=len(candidates) - 1)
    kept = table.is_question[entries] | (candidates[place] == entries)
    kept |= answers[np.searchsorted(documents, table.document[entries])]
    return np.asarray(entries[kept], dtype=np.int64)


def gather(
    table: EntryTable,
    entries: NDArray[np.int64],
    dense: NDArray[np.float32],
    lexical: NDArray[np.float32],
    language: str,
) -> Features:
    """One row for each chunk whose body is among the entries: its scores, and the best of its document's questions.

    ``language`` is the question's, ``zh`` or ``en``.
    """
    document = table.document[entries]
    is_question = table.is_question[entries]
    bodies = entries[~is_question]
    chunks, place = np.unique(table.chunk[bodies], return_inverse=True)
    documents, document_place = np.unique(document, return_inverse=True)
    body_dense = np.zeros(len(chunks), dtype=np.float32)
    body_lexical = np.zeros(len(chunks), dtype=np.float32)
    np.maximum.at(body_dense, place, dense[~is_question])
    np.maximum.at(body_lexical, place, lexical[~is_question])
    best_dense = np.zeros(len(documents), dtype=np.float32)
    best_lexical = np.zeros(len(documents), dtype=np.float32)
    np.maximum.at(best_dense, document_place[is_question], dense[is_question])
    np.maximum.at(best_lexical, document_place[is_question], lexical[is_question])
    asked = np.bincount(document_place[is_question], minlength=len(documents)).astype(np.float32)
    vote = votes(document_place[is_question], len(documents), dense[is_question], lexical[is_question])
    body = np.zeros(len(chunks), dtype=np.int64)
    body[place] = bodies
    document_of_chunk = np.searchsorted(documents, table.document[body])
    return Features(
        chunk=chunks.astype(np.int64),
        document=documents[document_of_chunk].astype(np.int64),
        body_dense=body_dense,
        body_lexical=body_lexical,
        question_dense=best_dense[document_of_chunk],
        question_lexical=best_lexical[document_of_chunk],
        is_article=table.is_article[body],
        foreign=table.chinese[body] != (language == "zh"),
        questions=asked[document_of_chunk],
        vote=vote[document_of_chunk],
    )


def passage_of(chunk: Chunk, ranked: Ranked, index: int) -> Passage:
    """The chunk as the passage at this place of the ranking, its figures rounded to four digits."""
    return Passage.of(
        chunk,
        round(float(ranked.score[index]), 4),
        round(float(ranked.dense[index]), 4),
        round(float(ranked.lexical[index]), 4),
    )
