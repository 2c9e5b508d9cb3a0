"""A fit is kept only where it wins, used at once, refused where it does not belong, and can be dropped."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from assistant.domain.knowledge import Article
from assistant.fitted import Adapter, Fitted, load_fitted, save_fitted
from assistant.fusion import Fusion, Support
from assistant.indexing import embed_entries
from assistant.live_file import LiveFile
from assistant.llm.embedders import HashEmbedder
from assistant.query import Query
from assistant.retrieval import Retriever
from assistant.store.memory import MemoryVectorIndex
from assistant.store.snapshot import build_snapshot
from assistant.text import Segmenter
from evals.cases import ReplyCase
from evals.fit import compare_and_fit, lessons_of_articles, lessons_of_cases
from evals.fit.classroom import Classroom, Graded
from evals.fit.fitting import chances, fit_adapter, fit_support
from ingest.pipeline import article_write

NOW = datetime(2026, 11, 22, tzinfo=UTC)
THINGS = ("parcel", "invoice", "coupon", "jacket", "kettle", "filter", "account", "robot", "camera", "teapot")
ASKED = ("where is my {}", "i want to return the {}", "the {} is broken", "how do i change the {}", "is the {} new")


def shop() -> tuple[Classroom, Retriever, list[Article]]:
    articles = [
        Article(name, f"About the {name}", f"All about {name}.", "en", questions=tuple(q.format(name) for q in ASKED))
        for name in THINGS
    ]
    writes = [article_write(article, "", "") for article in articles]
    chunks = [chunk for write in writes for chunk in write.chunks]
    entries = [entry for write in writes for entry in write.entries]
    embedder, segmenter = HashEmbedder(), Segmenter()
    vectors = {e.id: row for e, row in zip(entries, embed_entries(embedder, entries), strict=True)}
    snapshot = build_snapshot(chunks, entries, vectors, embedder.dimensions, segmenter)
    texts = {entry.id: entry.text for entry in entries}
    room = Classroom(snapshot, texts, embedder, segmenter, lessons_of_articles(chunks, entries), NOW)
    index = MemoryVectorIndex(embedder.dimensions)
    index.upsert(snapshot.table.entry_ids, snapshot.vectors)
    by_id = {chunk.id: chunk for chunk in chunks}
    retriever = Retriever(snapshot, index, embedder, segmenter, lambda ids: {key: by_id[key] for key in ids})
    return room, retriever, articles


def test_a_question_does_not_find_itself_and_away_hides_what_answers() -> None:
    room, _, articles = shop()
    rows = list(range(len(room.lessons)))
    assert len(rows) == len(articles) * len(ASKED)
    for there, away in zip(room.sheets(None, rows), room.sheets(None, rows, away=True), strict=True):
        assert there is not None
        assert away is not None
        assert there.right.any()
        assert not away.right.any()
        assert there.features.questions[there.right].max() == len(ASKED)  # its own entry is hidden, the title stays


def test_the_whole_comparison_runs_and_its_record_is_data(tmp_path: Path) -> None:
    room, _, _ = shop()
    made = compare_and_fit(room, "hash")
    assert set(made.outcomes) == {"default", "adapter", "weights", "calibration"}
    assert all(len(outcome.right) == len(room.lessons) for outcome in made.outcomes.values())
    assert (made.fitted is None) == (made.kept == "")
    for stage in ("weights", "adapter"):
        if made.kept == stage:
            assert made.difference(stage, "accuracy").high >= 0  # type: ignore[operator]
    fitted = made.fitted or Fitted("hash", Fusion())
    save_fitted(replace(fitted, record=made.record()), tmp_path / "fits" / "shop.npz")
    held = load_fitted(tmp_path / "fits" / "shop.npz", "hash")
    assert held is not None
    assert held.fusion == fitted.fusion
    assert held.record == made.record()


def test_too_few_lessons_fit_nothing() -> None:
    room, _, _ = shop()
    room.lessons = room.lessons[:10]
    made = compare_and_fit(room, "hash")
    assert made.fitted is None
    assert made.outcomes == {}
    assert made.record()["kept"] is None


def test_calibration_learns_from_many_and_moves_less_for_few() -> None:
    random = np.random.default_rng(0)
    start = Support()

    def graded(rows: int, share: float) -> Graded:
        evidence = np.column_stack([np.full(rows, 0.9), np.full(rows, 0.3), np.full(rows, 0.2), np.zeros(rows)])
        return Graded(random.random(rows) < share, evidence, np.ones(rows, dtype=np.bool_))

    nothing = replace(graded(1, 0.0), found=np.zeros(1, dtype=np.bool_))
    assert fit_support(graded(50, 0.5), nothing, 0.2, start) == start  # nothing away: nothing to learn refusing from
    before = chances(graded(1, 1.0), start)[0]
    many = chances(graded(1, 1.0), fit_support(graded(4000, 0.3), graded(4000, 0.0), 0.2, start))[0]
    few = chances(graded(1, 1.0), fit_support(graded(4, 0.3), graded(4, 0.0), 0.2, start))[0]
    assert many == pytest.approx(0.24, abs=0.03)  # 0.3 of four fifths
    assert abs(few - before) < 0.7 * abs(many - before)


def test_calibration_never_runs_away_on_any_draw() -> None:
    random = np.random.default_rng(1)
    for _ in range(40):
        rows, level = 400, random.uniform(0.8, 0.95)
        good = random.normal(size=rows)
        evidence = np.column_stack(
            [
                level + 0.03 * good + 0.01 * random.normal(size=rows),
                np.clip(0.3 + 0.15 * good, 0, 1),
                np.clip(0.15 + 0.15 * good + 0.1 * random.normal(size=rows), 0, 0.4),
                np.zeros(rows),
            ]
        )
        found = np.ones(rows, dtype=np.bool_)
        there = Graded(random.random(rows) < 1 / (1 + np.exp(-1 - 1.5 * good)), evidence, found)
        away = Graded(~found, evidence * [1, 0.5, 0.3, 1] - [0.03, 0, 0, 0], found)

        def loss(support: Support, there: Graded = there, away: Graded = away) -> float:
            right, sure, refused = there.right, chances(there, support), 1 - chances(away, support)
            told = np.log(np.maximum(np.where(right, sure, 1 - sure), 1e-6))
            return float(-(0.8 * told + 0.2 * np.log(np.maximum(refused, 1e-6))).mean())

        assert loss(fit_support(there, away, 0.2, Support())) < loss(Support()) + 0.01


def test_an_adapter_needs_articles_with_two_questions_and_keeps_length_one() -> None:
    vectors = HashEmbedder().embed_queries([q.format(t) for t in THINGS for q in ASKED])
    assert fit_adapter(vectors[:3], ["a", "b", "c"], vectors) is None
    adapter = fit_adapter(vectors, [t for t in THINGS for _ in ASKED], vectors)
    assert adapter is not None
    moved = adapter.apply(vectors)
    assert np.linalg.norm(moved, axis=1) == pytest.approx(1.0, abs=1e-5)
    assert adapter.apply(vectors[0]) == pytest.approx(moved[0], abs=1e-6)


def test_cases_teach_where_their_articles_are_noted_and_a_twin_answers_too() -> None:
    from assistant.domain.conversation import Turn

    turns = (Turn("customer", "where is my parcel, it has not come"),)
    cases = [
        ReplyCase("a-0", "a", turns, article_ids=("parcel",), at=NOW),
        ReplyCase("b-0", "b", turns),
    ]
    made = lessons_of_cases(cases, {"parcel": "parcel", "parcel-zh": "parcel"})
    assert [lesson.right for lesson in made] == [{"parcel", "parcel-zh"}]
    assert made[0].group == "conversation:a"


def test_a_service_takes_a_fit_up_and_drops_it_without_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assistant.live_file.LOOK_AGAIN_S", 0.0)
    _, retriever, _ = shop()
    path = tmp_path / "fits" / "shop.npz"
    retriever._fitted = LiveFile(path, load_fitted)
    question = Query("where is my parcel")
    default = retriever.search(question, now=NOW).best
    doubt = Fusion(support=replace(Support(), intercept=-30.0))
    turned = Adapter(
        -np.eye(HashEmbedder().dimensions, dtype=np.float32), np.zeros(HashEmbedder().dimensions, np.float32)
    )
    save_fitted(Fitted("hash", doubt, turned), path)
    fitted = retriever.search(question, now=NOW).best
    path.unlink()
    again = retriever.search(question, now=NOW).best
    assert default is not None
    assert fitted is not None
    assert fitted.score < 0.001 < default.score
    assert again == default


@pytest.mark.parametrize("broken", [b"", b"not a zip", b"PK\x03\x04 cut off"])
def test_a_broken_file_is_said_and_the_defaults_hold(
    tmp_path: Path, broken: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "fit.npz"
    assert load_fitted(path) is None
    path.write_bytes(broken)
    with caplog.at_level(logging.WARNING):
        assert load_fitted(path) is None
    assert "teachback fit" in caplog.text


def test_a_fit_of_other_vectors_or_wild_weights_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "fit.npz"
    save_fitted(Fitted("one", Fusion()), path)
    assert load_fitted(path, "two") is None
    assert load_fitted(path, "one") is not None
    save_fitted(Fitted("one", Fusion(dense_weight=float("inf"))), path)
    assert load_fitted(path, "one") is None
