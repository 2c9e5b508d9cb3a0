"""The speed bench's corpus, its kept vectors, and the arithmetic of its figures."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from assistant.llm.embedders import HashEmbedder
from assistant.ports import Vectors
from assistant.query import Query
from assistant.store import lexical, neighbours
from evals.bench.scale_corpus import SHORTEST, corpus, vectors_of
from evals.bench.scale_speed import KnownVectors, exact_rows, our_recall, recall_of, timed
from evals.bench.scale_world import build_world, read, variants, without_records

TEXTS = [f"passage {number} about thing{number % 17} and item{number % 29}" for number in range(600)]


def test_the_corpus_holds_distinct_texts_and_none_of_its_questions(shared_data: Path) -> None:
    small = corpus(shared_data, 3_000, 40)
    assert len({text.casefold() for text in small.texts}) == 3_000
    assert min(map(len, small.texts)) >= SHORTEST
    assert len(small.questions) == 40
    assert not {q.casefold() for q in small.questions} & {text.casefold() for text in small.texts}


class Breaking(HashEmbedder):
    """Fails at its second call."""

    calls = 0

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        self.calls += 1
        if self.calls == 2:
            raise KeyboardInterrupt
        return super().embed_passages(texts)


def test_vectors_are_kept_and_a_broken_run_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("evals.bench.scale_corpus._PART", 200)
    embedder = Breaking()
    with pytest.raises(KeyboardInterrupt):
        vectors_of(TEXTS, embedder, tmp_path)
    rows = vectors_of(TEXTS, embedder, tmp_path)
    assert embedder.calls == 4
    assert np.array_equal(rows, HashEmbedder().embed_passages(TEXTS))
    assert np.array_equal(vectors_of(TEXTS, embedder, tmp_path), rows)
    assert embedder.calls == 4
    assert len(list(tmp_path.iterdir())) == 1


def test_recall_and_times() -> None:
    assert recall_of([{1, 2}, {3, 9}], [{1, 2}, {3, 4}]) == 0.75
    rows = np.eye(4, dtype=np.float32)
    assert exact_rows(rows, rows[:2], 1) == [{0}, {1}]
    asked: list[str] = []
    assert timed(asked.append, ["a", "b"])["questions"] == 2
    assert asked == ["a", "b"]


def test_the_world_is_searched_with_its_filter_and_its_variants_have_lists(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(neighbours, "LISTED_FROM", 1_000)
    monkeypatch.setattr(lexical, "WHOLE_BELOW", 1_000)
    rows = HashEmbedder().embed_passages(TEXTS)
    known = KnownVectors(TEXTS, rows, TEXTS, rows, "test")
    world = build_world(TEXTS, [number // 2 for number in range(len(TEXTS))], rows, tmp_path, known)
    assert our_recall(world, rows[:20]) >= 0.99
    now = datetime.now(UTC)
    documents = {p.document_id for text in TEXTS[::7] for p in world.retriever.search(Query(text), now=now).passages}
    assert documents
    assert not [name for name in documents if int(name[1:]) % 10 == 3 or int(name[1:]) % 20 == 7]

    variants(world.snapshot, 1_500, tmp_path / "more")
    more = read(tmp_path / "more")
    assert more.lists is not None
    assert len(more.table.entry_ids) == len(more.vectors) == more.postings.size == 1_500
    assert np.linalg.norm(more.vectors, axis=1) == pytest.approx(np.ones(1_500), abs=1e-5)
    found = without_records(more, known).search(Query(TEXTS[0]), now=now).passages
    assert found[0].dense == pytest.approx(1.0, abs=1e-3)
