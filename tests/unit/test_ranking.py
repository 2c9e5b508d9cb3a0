"""Ranking measures against examples worked by hand."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.errors import InputRejected
from evals.ranking import MEASURES, ranked, read_trec, score_run, write_trec


def test_worked_example_with_grades() -> None:
    # ranks: d3 (0), d1 (2), d9 (0), d2 (1); d4 (1) is not found
    run = {"q": [("d3", 0.9), ("d1", 0.8), ("d9", 0.7), ("d2", 0.6)]}
    scores = score_run(run, {"q": {"d1": 2, "d2": 1, "d4": 1, "d9": 0}}).per_query["q"]
    assert scores["recall@1"] == 0
    assert scores["recall@5"] == pytest.approx(2 / 3)
    assert scores["recall@10"] == pytest.approx(2 / 3)
    assert scores["mrr@10"] == pytest.approx(1 / 2)
    gained = 2 / math.log2(3) + 1 / math.log2(5)
    ideal = 2 / math.log2(2) + 1 / math.log2(3) + 1 / math.log2(4)
    assert scores["ndcg@10"] == pytest.approx(gained / ideal)
    assert scores["ndcg@10"] == pytest.approx(0.5406, abs=1e-4)


def test_rank_eleven_counts_nowhere() -> None:
    run = {"q": [(f"d{i:02}", 100.0 - i) for i in range(11)]}
    assert set(score_run(run, {"q": {"d10": 1}}).per_query["q"].values()) == {0.0}


def test_the_ideal_is_cut_at_ten_too() -> None:
    qrels = {"q": {f"d{i:02}": 1 for i in range(20)}}
    scores = score_run({"q": [(f"d{i:02}", -float(i)) for i in range(20)]}, qrels).per_query["q"]
    assert scores["ndcg@10"] == pytest.approx(1.0)
    assert scores["recall@10"] == pytest.approx(0.5)


def test_queries_without_relevant_documents_are_excluded_and_counted() -> None:
    run = {"good": [("a", 1.0)], "zero": [("a", 1.0)], "unjudged": [("a", 1.0)]}
    scores = score_run(run, {"good": {"a": 1}, "zero": {"a": 0, "b": -1}, "silent": {"a": 1}})
    assert scores.excluded == ("zero", "unjudged")
    assert scores.not_ranked == ("silent",)
    assert scores.values("recall@1") == [1.0, 0.0]
    assert scores.means()["recall@1"] == 0.5


def test_nothing_to_score_has_no_mean() -> None:
    assert score_run({}, {"q": {"a": 0}}).means() == dict.fromkeys(MEASURES)


def test_ties_do_not_depend_on_the_listing() -> None:
    one = [("a", 0.5), ("c", 0.5), ("b", 0.5), ("z", 0.9)]
    assert ranked(one) == ranked(one[::-1]) == [("z", 0.9), ("c", 0.5), ("b", 0.5), ("a", 0.5)]


def test_a_document_listed_twice_counts_once_with_its_best_score() -> None:
    assert ranked([("a", 0.2), ("b", 0.5), ("a", 0.7)]) == [("a", 0.7), ("b", 0.5)]


_RANKING = st.lists(st.tuples(st.text("abcé中", min_size=1, max_size=4), st.floats(-1e9, 1e9)), max_size=12)


@given(st.dictionaries(st.text("q1", min_size=1, max_size=4), _RANKING.filter(bool), max_size=4))
def test_a_run_survives_its_file(
    tmp_path_factory: pytest.TempPathFactory, run: dict[str, list[tuple[str, float]]]
) -> None:
    path = tmp_path_factory.mktemp("trec") / "run.trec"
    write_trec(run, path, "teachback")
    assert read_trec(path) == {query: ranked(ranking) for query, ranking in run.items()}


def test_trec_lines_have_six_columns_and_ranks_from_one(tmp_path: Path) -> None:
    write_trec({"q1": [("b", 0.25), ("a", 0.5)]}, tmp_path / "run", "tag")
    assert (tmp_path / "run").read_text() == "q1 Q0 a 1 0.5 tag\nq1 Q0 b 2 0.25 tag\n"


def test_an_id_with_white_space_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="white space"):
        write_trec({"q 1": [("a", 1.0)]}, tmp_path / "run", "tag")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("line", "reason"),
    [("q Q0 d 1 0.5", "5 columns"), ("q Q0 d 1 high t", '"high" is not a number'), ("q Q0 d 1 nan t", "not finite")],
)
def test_a_broken_trec_line_is_named(tmp_path: Path, line: str, reason: str) -> None:
    (tmp_path / "run").write_text(f"q Q0 a 1 0.9 t\n{line}\n")
    with pytest.raises(InputRejected, match=f"run:2: .*{reason}"):
        read_trec(tmp_path / "run")
