"""What is expected is embedded beside the work that needs it: once, in any order, and whatever fails there."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np
import pytest

from assistant.errors import EmbeddingFailed
from assistant.llm.embedders import HashEmbedder
from assistant.ports import Vectors
from evals.caching_embedder import CachingEmbedder


class Recording(HashEmbedder):
    """Notes what it embeds; waits at the gate, and fails on a text that says so."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []
        self.gate = threading.Event()
        self.gate.set()
        self.reached = threading.Event()

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        self.reached.set()
        assert self.gate.wait(10)
        self.asked += texts
        if "broken" in texts:
            raise EmbeddingFailed("broken")
        return super().embed_passages(texts)


def test_what_was_expected_is_not_embedded_again() -> None:
    below = Recording()
    ahead = CachingEmbedder(below, ahead=True)
    below.gate.clear()
    ahead.expect_queries(["a", "b", "a"])
    assert below.reached.wait(10)  # the background has begun on them, and somebody needs one
    asking = threading.Thread(target=ahead.embed_queries, args=(["b", "c"],))
    asking.start()
    below.gate.set()
    asking.join(10)
    assert np.array_equal(ahead.embed_queries(["a", "b", "c"]), HashEmbedder().embed_queries(["a", "b", "c"]))
    assert sorted(below.asked) == ["a", "b", "c"]


def test_questions_and_stored_texts_are_kept_apart() -> None:
    below = Recording()
    ahead = CachingEmbedder(below, ahead=True)
    ahead.expect_queries(["a"])
    ahead.expect_passages(["a"])
    ahead.embed_queries(["a"])
    ahead.embed_passages(["a"])
    assert below.asked == ["a", "a"]


def test_a_failure_in_the_background_is_met_by_whoever_asks() -> None:
    ahead = CachingEmbedder(Recording(), ahead=True)
    ahead.expect_queries(["broken", "b"])
    with pytest.raises(EmbeddingFailed):
        ahead.embed_queries(["broken"])
    assert np.array_equal(ahead.embed_queries(["b"]), HashEmbedder().embed_queries(["b"]))


def test_nothing_is_expected_of_an_embedder_in_this_process() -> None:
    below = Recording()
    CachingEmbedder(below).expect_queries(["a"])
    assert below.asked == []


def test_many_who_ask_at_once_pay_for_each_text_once() -> None:
    below = Recording()
    ahead = CachingEmbedder(below, ahead=True)
    texts = [f"text {number}" for number in range(500)]
    ahead.expect_queries(texts)
    threads = [
        threading.Thread(target=ahead.embed_queries, args=(texts[start : start + 60],)) for start in range(0, 500, 20)
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join(30)
    assert np.array_equal(ahead.embed_queries(texts), HashEmbedder().embed_queries(texts))
    assert sorted(below.asked) == sorted(texts)
