"""How well requests for a person are heard, with the packaged model and the bundled embedder: floors, not targets."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from assistant.bootstrap import build
from assistant.handoff import TurnReader
from assistant.ports import Embedder
from assistant.settings import Settings
from evals.handoff.measure import measure_asks, measure_openings
from evals.handoff.turns import Half, ask_turns

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(scope="module")
def embedder(tmp_path_factory: pytest.TempPathFactory) -> Embedder:
    folder = tmp_path_factory.mktemp("handoff")
    return build(Settings(data_dir=folder, openai_base_url=None, openai_api_key=None)).embedder


@cache
def texts(half: Half) -> frozenset[str]:
    return frozenset(turn.text for turn in ask_turns(half))


@pytest.mark.parametrize(
    ("half", "precision", "recall"), [("test", 0.97, 0.97), ("second", 0.95, 0.97), ("third", 0.9, 0.97)]
)
def test_requests_are_heard_and_explicit_ones_without_exception(
    embedder: Embedder, half: Half, precision: float, recall: float
) -> None:
    found = measure_asks(half, TurnReader(embedder))
    heard = found["rules_and_model"]
    assert found["recall_explicit"][0] == 1.0, found["wrong"]
    assert heard["recall"][0] >= recall, found["wrong"]
    assert heard["precision"][0] >= precision, found["wrong"]
    for simple in ("word_list", "always"):  # what costs nothing must be beaten
        assert heard["precision"][0] > found[simple]["precision"][0] + 0.2
    assert found["never"]["recall"][0] == 0.0


def test_the_sets_share_no_turn() -> None:
    halves: tuple[Half, ...] = ("train", "dev", "test", "second", "third")
    for at, left in enumerate(halves):
        for right in halves[at + 1 :]:
            assert not texts(left) & texts(right), (left, right)


@pytest.mark.parametrize(
    ("folder", "tasks", "transfers", "hits", "most_said"),
    [("tau2-banking", 97, 13, 2, 7), ("tau2-retail", 114, 4, 2, 13)],
)
def test_tau2_openings(shared_data: Path, folder: str, tasks: int, transfers: int, hits: int, most_said: int) -> None:
    """The reference transfers mostly for what the assistant may not do; the opening words can only tell some of it."""
    if not (shared_data / folder / "tasks.json").exists():
        pytest.skip(f"no {folder} in {shared_data}")
    found = measure_openings(shared_data / folder)
    assert (found["of"], found["wanted"]) == (tasks, transfers)
    assert found["hits"] >= hits
    assert found["said"] <= most_said
    assert found["precision"][0] > transfers / tasks  # always transferring is right that often
