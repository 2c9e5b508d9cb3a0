"""English roots, also where several questions are read at once."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from assistant.text import stem

WORDS = [begin + end for begin in ("refund", "deliver", "cancell", "happi", "activ", "transport") for end in (
    "ing", "ed", "ation", "ness", "ations", "ingly", "er", "ers", "ability", "ement", "fulness", "ational",
)]  # fmt: skip


@pytest.fixture
def hurried() -> Iterator[None]:
    """Threads take turns after every few instructions."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def test_eight_threads_find_the_roots_that_one_finds(hurried: None) -> None:
    alone = [stem.__wrapped__(word) for word in WORDS]
    assert alone[:2] == ["refund", "refund"]
    with ThreadPoolExecutor(8) as pool:
        for several in pool.map(lambda _: [stem.__wrapped__(word) for word in WORDS], range(24)):
            assert several == alone
