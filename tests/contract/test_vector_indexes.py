"""What every VectorIndex promises, for the one in memory and for Chroma alike."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from assistant.errors import WorkspaceLocked
from assistant.ports import VectorIndex, Vectors
from assistant.store import chroma
from assistant.store.chroma import ChromaStore
from assistant.store.memory import MemoryVectorIndex

DIMENSIONS = 16


def unit_rows(count: int, seed: int = 0) -> Vectors:
    rows = np.random.default_rng(seed).normal(size=(count, DIMENSIONS))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(params=["memory", "chroma"])
def index(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[VectorIndex]:
    if request.param == "memory":
        yield MemoryVectorIndex(DIMENSIONS)
        return
    store = ChromaStore(folder=tmp_path / "chroma")
    yield store.index("blue", "test")
    store.close()


def names(count: int) -> list[str]:
    return [f"e{number}" for number in range(count)]


def test_an_empty_index_finds_nothing(index: VectorIndex) -> None:
    assert index.search(unit_rows(1)[0], 5) == []
    assert index.ids() == set()


def test_neighbours_come_nearest_first_with_their_cosine(index: VectorIndex) -> None:
    rows = unit_rows(200)
    index.upsert(names(200), rows)
    query = unit_rows(1, seed=7)[0]
    found = index.search(query, 10)
    exact = np.sort(rows @ query)[::-1][:10]
    assert [score for _, score in found] == pytest.approx(list(exact), abs=1e-4)
    for key, score in found:
        assert score == pytest.approx(float(rows[int(key[1:])] @ query), abs=1e-4)


def test_upsert_replaces(index: VectorIndex) -> None:
    first, second = unit_rows(2)
    index.upsert(["a"], first[None])
    index.upsert(["a"], second[None])
    assert index.ids() == {"a"}
    assert index.search(second, 1)[0][1] == pytest.approx(1.0, abs=1e-4)


def test_deleted_ones_are_gone_and_unknown_ids_do_no_harm(index: VectorIndex) -> None:
    index.upsert(names(5), unit_rows(5))
    index.delete(["e1", "e3", "never"])
    assert index.ids() == {"e0", "e2", "e4"}
    assert index.count() == 3
    assert {key for key, _ in index.search(unit_rows(1)[0], 10)} == {"e0", "e2", "e4"}
    index.upsert(["e1"], unit_rows(1))
    assert "e1" in index.ids()


def test_a_limit_past_the_size_gives_all(index: VectorIndex) -> None:
    index.upsert(names(3), unit_rows(3))
    assert len(index.search(unit_rows(1)[0], 50)) == 3
    assert index.search(unit_rows(1)[0], 0) == []


def test_workspaces_and_embedders_have_collections_of_their_own(tmp_path: Path) -> None:
    store = ChromaStore(folder=tmp_path / "chroma")
    blue, red = store.index("blue", "one"), store.index("red", "one")
    other = store.index("blue", "two")
    blue.upsert(["a"], unit_rows(1))
    assert red.ids() == set()
    assert other.ids() == set()
    assert len(store.drop_others("blue", "one")) == 1
    assert store.index("blue", "one").ids() == {"a"}
    store.close()


def test_vectors_survive_a_close(tmp_path: Path) -> None:
    store = ChromaStore(folder=tmp_path / "chroma")
    store.index("blue", "one").upsert(names(20), unit_rows(20))
    store.close()
    again = ChromaStore(folder=tmp_path / "chroma")
    assert again.index("blue", "one").ids() == set(names(20))
    again.close()


def test_a_second_process_is_told_who_has_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chroma, "LOCK_WAIT_S", 0.05)
    store = ChromaStore(folder=tmp_path / "chroma")
    with pytest.raises(WorkspaceLocked, match=r"in use by process \d+.*TEACHBACK_CHROMA_URL"):
        ChromaStore(folder=tmp_path / "chroma")
    store.close()
    ChromaStore(folder=tmp_path / "chroma").close()
