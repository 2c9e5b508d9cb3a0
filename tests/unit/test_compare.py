"""Stored runs: what is written is what is read, and a comparison says how sure it is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from assistant.errors import InputRejected, NotFound
from evals.compare import compare_runs
from evals.runs import EvalRun, Provenance, RunRow, data_version, gather_provenance, list_runs, read_run, write_run

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)


def run(
    name: str,
    values: Mapping[str, float | None],
    *,
    data: str = "d",
    at: datetime = NOW,
    less_is_better: tuple[str, ...] = (),
    main: str = "accuracy",
    embedder: str = "e",
) -> EvalRun:
    rows = tuple(
        RunRow(
            key, {main: value}, key, None if value is not None else "no_prediction", {"locale": "zh" if i % 2 else "en"}
        )
        for i, (key, value) in enumerate(values.items())
    )
    provenance = Provenance(at, data, "abc", False, {"embedder": embedder}, {"answer": "f00"}, {"k": 5}, {"numpy": "2"})
    return EvalRun(name, "transfers", main, rows, provenance, less_is_better)


def scores(seed: int, shift: float = 0.0, count: int = 60) -> dict[str, float | None]:
    base = np.random.default_rng(9).random(count) * 0.5
    noise = np.random.default_rng(seed).normal(0, 0.05, count)
    return {f"c{i}": float(v) for i, v in enumerate(np.clip(base + noise + shift, 0, 1))}


def test_a_run_survives_its_file(tmp_path: Path) -> None:
    made = run("r-1", {"a": 0.5, "b": None}, less_is_better=("latency",))
    path = write_run(made, tmp_path / "runs")
    assert read_run(path) == made
    assert [p.name for p in path.parent.iterdir()] == ["r-1.json"]


def test_runs_are_listed_newest_first_and_a_stranger_is_named(tmp_path: Path) -> None:
    write_run(run("old", {"a": 0.5}), tmp_path)
    write_run(run("new", {"a": 0.5}, at=NOW + timedelta(hours=1)), tmp_path)
    (tmp_path / "x.json").write_text("[]")
    listed = list_runs(tmp_path)
    assert [item.run_id for item in listed if isinstance(item, EvalRun)] == ["new", "old"]
    assert isinstance(listed[-1], InputRejected)
    assert list_runs(tmp_path / "none") == []


@pytest.mark.parametrize("name", ["", "../up", "a/b", ".hidden", "x" * 200])
def test_a_run_id_must_be_a_file_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="cannot name a run"):
        write_run(run(name, {"a": 0.5}), tmp_path)


def test_a_number_that_is_not_finite_is_not_stored(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        write_run(run("r", {"a": float("nan")}), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_files_that_are_no_runs_are_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        read_run(tmp_path / "none.json")
    path = write_run(run("r", {"a": 0.5}), tmp_path)
    value = json.loads(path.read_text())
    for change, reason in (
        ({"format": 9}, "format 9; this version reads 1"),
        ({"rows": 5}, '"rows"'),
        ({"surprise": 1}, '"surprise"'),
        ({"rows": [{**value["rows"][0], "surprise": 1}]}, "surprise"),
    ):
        path.write_text(json.dumps({**value, **change}))
        with pytest.raises(InputRejected, match=reason):
            read_run(path)
    path.write_text("{")
    with pytest.raises(InputRejected, match="is not JSON"):
        read_run(path)


def test_a_clear_fall_is_a_regression() -> None:
    result = compare_runs(run("a", scores(1)), run("b", scores(2, -0.08)))
    assert result.regression
    assert not result.improvement
    assert result.measures["accuracy"].high is not None
    assert result.measures["accuracy"].high < 0
    assert set(result.slices["locale"]) == {"zh", "en"}
    assert result.slices["locale"]["zh"].pairs == 30


def test_noise_is_no_regression_and_what_could_be_seen_is_told() -> None:
    result = compare_runs(run("a", scores(1)), run("b", scores(2)))
    assert not result.regression
    assert not result.improvement
    assert result.measures["accuracy"].detectable == pytest.approx(2.8 * 0.07 / 60**0.5, rel=0.35)


def test_where_less_is_better_a_rise_is_the_regression() -> None:
    one = run("a", scores(1), main="error", less_is_better=("error",))
    two = run("b", scores(2, 0.08), main="error", less_is_better=("error",))
    assert compare_runs(one, two).regression
    assert compare_runs(two, one).improvement


def test_cases_that_became_unscored_or_differ_are_named() -> None:
    after = {**scores(2), "c0": None, "extra": 0.5}
    del after["c1"]
    result = compare_runs(run("a", scores(1)), run("b", after, data="other", embedder="f"))
    assert (result.lost, result.only_before, result.only_after) == (("c0",), ("c1",), ("extra",))
    assert result.measures["accuracy"].pairs == 58
    assert result.measures["accuracy"].unpaired == 1
    assert len(result.warnings) == 4


def test_causes_are_those_of_the_run_before_and_intents_those_after() -> None:
    def sliced(made: EvalRun, causes: Mapping[str, str], intent: str) -> EvalRun:
        rows = (
            replace(row, slices={"intent": intent, **({"cause": causes[row.case_id]} if row.case_id in causes else {})})
            for row in made.rows
        )
        return replace(made, rows=tuple(rows))

    values = {"a": 0.1, "b": 0.2, "c": 0.8}
    before = sliced(run("a", values), {"a": "knowledge_missing", "b": "state_needed"}, "old")
    after = sliced(run("b", {**values, "a": 0.9}), {"b": "retrieval_missed"}, "refund-time")
    slices = compare_runs(before, after).slices
    assert {name: d.mean for name, d in slices["cause"].items()} == {
        "knowledge_missing": pytest.approx(0.8),
        "state_needed": 0.0,
        "solved": 0.0,
    }
    assert set(slices["intent"]) == {"refund-time"}
    assert "cause" not in compare_runs(run("a", values), run("b", values)).slices


def test_what_could_not_have_been_seen_is_not_seen() -> None:
    result = compare_runs(run("a", scores(1)), run("b", scores(2)))
    detectable = result.measures["accuracy"].detectable
    assert detectable is not None
    assert result.could_see(detectable)
    assert not result.could_see(detectable - 1e-6)
    assert not compare_runs(run("a", {"x": 0.9}), run("b", {"x": 0.1})).could_see(1.0)
    assert not compare_runs(run("a", scores(1)), run("b", {**scores(2), "c0": None})).could_see(1.0)


def test_too_few_pairs_give_no_verdict() -> None:
    result = compare_runs(run("a", {"x": 0.9}), run("b", {"x": 0.1}))
    assert not result.regression
    assert "no verdict" in result.warnings[-1]


def test_runs_that_cannot_be_compared() -> None:
    with pytest.raises(ValueError, match="share no case"):
        compare_runs(run("a", {"x": 0.9}), run("b", {"y": 0.1}))
    with pytest.raises(ValueError, match="by error"):
        compare_runs(run("a", {"x": 0.9}), run("b", {"x": 0.1}, main="error"))


def test_provenance_names_commit_and_packages(tmp_path: Path) -> None:
    outside = gather_provenance("d", now=NOW, models={"chat": "m"}, source=tmp_path)
    assert (outside.commit, outside.dirty) == (None, None)
    assert outside.models == {"chat": "m"}
    assert outside.packages.get("numpy", "") == np.__version__


def test_the_data_version_knows_content_not_order() -> None:
    assert data_version(["a", "b"]) == data_version(["b", "a"])
    assert data_version(["a", "b"]) != data_version(["ab"])
