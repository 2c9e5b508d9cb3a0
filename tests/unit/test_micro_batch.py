"""Live requests share batches and a memory, and none suffers for another."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from assistant.errors import EmbeddingFailed
from assistant.llm.embedders import HashEmbedder
from assistant.llm.micro_batch import MicroBatchingEmbedder
from assistant.ports import Vectors


class Gate(HashEmbedder):
    """Keeps what it is asked for; holds its first call until ``open`` is set; fails on the text ``bad``."""

    def __init__(self) -> None:
        super().__init__(16)
        self.calls: list[tuple[str, ...]] = []
        self.entered, self.open = threading.Event(), threading.Event()

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        self.calls.append(tuple(texts))
        self.entered.set()
        assert self.open.wait(20)
        if "bad" in texts:
            raise EmbeddingFailed("bad is not embedded")
        return super().embed_passages(texts)


def _while_the_first_runs(gate: Gate, embedder: MicroBatchingEmbedder, texts: Sequence[str]) -> list[object]:
    """Asks for ``first`` alone, and for each of ``texts`` on a thread of its own while that is held."""
    found: list[object] = [None] * len(texts)

    def ask(number: int) -> None:
        try:
            found[number] = embedder.embed_queries([texts[number]])[0]
        except EmbeddingFailed as exc:
            found[number] = exc

    with ThreadPoolExecutor(len(texts) + 1) as pool:
        first = pool.submit(embedder.embed_queries, ["first"])
        assert gate.entered.wait(20)
        asked = [pool.submit(ask, number) for number in range(len(texts))]
        while len(embedder._waiting) < len(texts):  # all stand in the queue before the first batch ends
            threading.Event().wait(0.001)
        gate.open.set()
        for each in (first, *asked):
            each.result(20)
    return found


def test_those_that_wait_share_one_batch() -> None:
    gate = Gate()
    texts = [f"question {number % 20}" for number in range(30)]
    found = _while_the_first_runs(gate, MicroBatchingEmbedder(gate), texts)
    assert gate.calls[0] == ("first",)
    assert len(gate.calls) == 2
    assert sorted(gate.calls[1]) == sorted(set(texts))
    for text, row in zip(texts, found, strict=True):
        np.testing.assert_array_equal(row, HashEmbedder(16).embed_queries([text])[0])


def test_one_bad_text_fails_only_who_asked_for_it() -> None:
    gate = Gate()
    found = _while_the_first_runs(gate, MicroBatchingEmbedder(gate), ["one", "bad", "two"])
    assert isinstance(found[1], EmbeddingFailed)
    assert not isinstance(found[0], EmbeddingFailed)
    assert not isinstance(found[2], EmbeddingFailed)


def test_a_failure_leaves_the_embedder_usable_and_is_not_remembered() -> None:
    gate = Gate()
    gate.open.set()
    embedder = MicroBatchingEmbedder(gate)
    for _ in range(2):
        with pytest.raises(EmbeddingFailed):
            embedder.embed_queries(["bad"])
    assert embedder.embed_queries(["good"]).shape == (1, 16)


def test_a_text_met_lately_is_not_embedded_again_and_the_memory_is_bounded() -> None:
    gate = Gate()
    gate.open.set()
    embedder = MicroBatchingEmbedder(gate, remembered=2)
    first = embedder.embed_passages(["a", "b", "a"])
    assert first.shape == (3, 16)
    first[:] = 0  # the caller's own copy
    assert embedder.embed_passages(["b", "a"]).any(axis=1).all()
    assert gate.calls == [("a", "b")]
    embedder.embed_passages(["c"])  # puts out "b", the least recently used
    embedder.embed_passages(["a"])
    embedder.embed_passages(["b"])
    assert gate.calls == [("a", "b"), ("c",), ("b",)]


def test_questions_and_passages_are_kept_apart_and_large_requests_go_straight_through() -> None:
    class Sides(HashEmbedder):
        def embed_queries(self, texts: Sequence[str]) -> Vectors:
            return -super().embed_passages(texts)

    embedder = MicroBatchingEmbedder(Sides(16))
    np.testing.assert_array_equal(embedder.embed_queries(["x"]), -embedder.embed_passages(["x"]))
    many = [f"text {number}" for number in range(200)]
    np.testing.assert_array_equal(embedder.embed_passages(many), HashEmbedder(16).embed_passages(many))
    assert len(embedder._memory) == 2


def test_many_threads_get_their_own_rows() -> None:
    embedder = MicroBatchingEmbedder(HashEmbedder(16), remembered=50)
    plain = HashEmbedder(16)

    def ask(number: int) -> None:
        texts = [f"t{number % 70}", f"t{(number * 7) % 70}", "same"]
        rows = embedder.embed_queries(texts) if number % 2 else embedder.embed_passages(texts)
        np.testing.assert_array_equal(rows, plain.embed_queries(texts))

    with ThreadPoolExecutor(32) as pool:
        for each in [pool.submit(ask, number) for number in range(1_000)]:
            each.result(30)
