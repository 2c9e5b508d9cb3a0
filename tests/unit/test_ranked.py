"""Which rows are scored for what was found, and how rows become chunks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from assistant.domain.knowledge import Chunk, DocumentKind, EntryField, IndexEntry
from assistant.ranked import compared, gather
from assistant.store.snapshot import EntryTable, build_snapshot
from assistant.text import Segmenter

BODY, ASKED = EntryField.BODY, EntryField.QUESTION
ROWS = [
    ("a1", BODY),
    ("a1", ASKED),
    ("a2", BODY),
    ("b1", BODY),
    ("b1", ASKED),
    ("b2", BODY),
    ("c1", BODY),
    ("c2", BODY),
]


def table() -> EntryTable:
    """Documents a and b have a question, which belongs to their first part; c has none."""
    ids = ["a1", "a2", "b1", "b2", "c1", "c2"]
    chunks = [Chunk(key, key[0], DocumentKind.ARTICLE, 0, f"title {key}", "", key, "en", "public") for key in ids]
    entries = [IndexEntry(f"{key} {field}", key, field, f"{key} {field}") for key, field in ROWS]
    vectors = {entry.id: np.ones(4, dtype=np.float32) for entry in entries}
    return build_snapshot(chunks, entries, vectors, 4, Segmenter()).table


def rows(*numbers: int) -> NDArray[np.int64]:
    return np.array(numbers, dtype=np.int64)


def test_a_found_question_brings_all_parts_of_its_document_and_a_found_part_the_questions() -> None:
    assert compared(table(), rows(1)).tolist() == [0, 1, 2]  # the question of a
    assert compared(table(), rows(2)).tolist() == [1, 2]  # its second part: the first was not found
    assert compared(table(), rows(3, 4)).tolist() == [3, 4, 5]
    assert compared(table(), rows(2, 7)).tolist() == [1, 2, 7]


def test_a_part_that_is_not_scored_does_not_come_up_by_its_question() -> None:
    entries = compared(table(), rows(2))
    found = gather(table(), entries, np.array([0.9, 0.5], np.float32), np.array([0.2, 0.1], np.float32), "en")
    of = table()
    assert [of.chunk_ids[number] for number in found.chunk] == ["a2"]
    assert found.body_dense.tolist() == [np.float32(0.5)]
    assert found.question_dense.tolist() == [np.float32(0.9)]
    assert found.questions.tolist() == [1]


def test_nothing_to_score_is_no_row() -> None:
    none = np.zeros(0, dtype=np.float32)
    assert len(gather(table(), rows(), none, none, "en").chunk) == 0
