"""How entries are shared out for embedding."""

from __future__ import annotations

from assistant.domain.knowledge import EntryField, IndexEntry
from assistant.indexing import BATCH_CHARS, BATCH_ENTRIES, embedding_batches


def entries(*lengths: int) -> list[IndexEntry]:
    return [IndexEntry(f"e{n}", f"c{n}", EntryField.BODY, "x" * length) for n, length in enumerate(lengths)]


def test_every_entry_is_in_one_batch_in_order() -> None:
    given = entries(*([10] * (BATCH_ENTRIES + 3)), *([BATCH_CHARS // 3 + 1] * 7))
    batches = embedding_batches(given)
    assert [entry for batch in batches for entry in batch] == given
    assert len(batches[0]) == BATCH_ENTRIES
    assert all(batches)


def test_long_texts_make_small_batches_so_that_progress_is_seen() -> None:
    assert [len(batch) for batch in embedding_batches(entries(*([BATCH_CHARS // 4] * 8)))] == [4, 4]
    assert [len(batch) for batch in embedding_batches(entries(3 * BATCH_CHARS, 1))] == [1, 1]
    assert embedding_batches([]) == []
