"""The benchmarks page keeps what others wrote, and what turns public data into questions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from assistant.llm.embedders import HashEmbedder
from evals.beir import BeirData, BeirDocument
from evals.bench.page import Place, Section, put, write
from evals.bench.peers import exact_dense, min_max_fusion, rank_fusion
from evals.bench.systems import beside_best, comparison, of_peer, table
from evals.bench.tau2 import opening
from evals.bench.vectors import load_vectors, save_vectors
from evals.caching_embedder import CachingEmbedder

ONE, TWO = "<!-- one: written by `make bench` -->", "<!-- two: written by `make bench` -->"


def test_a_section_replaces_itself_and_nothing_else() -> None:
    page = f"# Page\n\nby hand\n\n{ONE}\nold\n<!-- /one -->\n\nmore by hand\n\n{TWO}\nkept\n<!-- /two -->\n"
    assert put(page, "one", "One", "new") == page.replace("old", "new")


def test_a_new_section_comes_last_with_its_heading() -> None:
    page = put("# Page\n", "one", "The one", "body")
    assert page == f"# Page\n\n## The one\n\n{ONE}\nbody\n<!-- /one -->\n"
    assert put(page, "one", "The one", "body") == page


@pytest.mark.parametrize("page", [f"{ONE}\n", "<!-- /one -->\n", f"<!-- /one -->{ONE}", f"{ONE}<!-- /one -->" * 2])
def test_broken_markers_are_refused(page: str) -> None:
    with pytest.raises(ValueError, match="mend it by hand"):
        put(page, "one", "One", "new")


def test_a_section_is_written_with_raw_output_and_plots(tmp_path: Path) -> None:
    section = Section("text", {"rows": [1]}, ("numpy",), {"plot.svg": "<svg/>"})
    write(tmp_path, "one", "One", section, {"cpu": 12.34, "wall": 20.0})
    assert (tmp_path / "images" / "plot.svg").read_text() == "<svg/>"
    assert '"rows"' in (tmp_path / "benchmarks-one.json").read_text()
    page = (tmp_path / "benchmarks.md").read_text()
    assert "text" in page
    assert f"numpy {np.__version__}" in page
    assert "12 s of processor time" in page


def test_vectors_are_kept_for_the_next_run(tmp_path: Path) -> None:
    file = tmp_path / "vectors.npz"
    first = Place(tmp_path, CachingEmbedder(HashEmbedder()), file)
    rows = first.embedder.embed_queries(["退款", "refund 'x'\n"])
    first.keep_vectors()
    again = CachingEmbedder(HashEmbedder())
    assert load_vectors(again, file) == 2
    assert np.array_equal(again.embed_queries(["退款", "refund 'x'\n"]), rows)
    assert load_vectors(CachingEmbedder(HashEmbedder(32)), file) == 0  # another embedder's
    save_vectors(CachingEmbedder(HashEmbedder()), file)
    assert load_vectors(CachingEmbedder(HashEmbedder()), file) == 0  # an empty one is a file too


def test_fusions_know_a_document_that_one_side_missed() -> None:
    lists = [[("a", 9.0), ("b", 5.0), ("c", 1.0)], [("b", 0.9), ("c", 0.1)]]
    assert rank_fusion(lists) == pytest.approx({"a": 1 / 61, "b": 1 / 62 + 1 / 61, "c": 1 / 63 + 1 / 62})
    assert min_max_fusion(lists) == pytest.approx({"a": 0.5, "b": 0.25 + 0.5, "c": 0.0})
    assert min_max_fusion([[], []]) == {}


def test_ours_beside_the_best_peer() -> None:
    corpus = {"a": BeirDocument("", "apple tart"), "z": BeirDocument("", "zebra crossing")}
    data = BeirData(corpus, {"1": "apple", "2": "zebra"}, {"1": {"a": 1}, "2": {"z": 1}})
    search = exact_dense(corpus, HashEmbedder())
    ours = of_peer("Teachback", search, data.queries, data)
    blind = of_peer("blind", lambda text, k: [("a", 0.0), ("z", 0.0)], data.queries, data)
    told = {"set": "toy", "measure": "recall@1", **comparison([ours, blind], "recall@1")}
    assert (told["ours"], told["theirs"], told["peer"], told["ratio"]) == (1.0, 0.5, "blind", 2.0)
    assert "| toy | recall@1 | 1.000 | 0.500 (blind) | 2.000 | +0.500" in beside_best([told])[-1]
    assert "| blind | 0.500" in table([blind.row("toy")], ("mrr@10",), "recall@1")[-1]


@pytest.mark.parametrize(
    ("instructions", "said", "quoted"),
    [
        ('1. **Opening:** "Hi, I lost\nmy card."\n2. If asked: "No."', "Hi, I lost my card.", True),
        ("1. **Start naturally:** “Close my account?” and wait", "Close my account?", True),
        (
            "You are playing the role of a customer. You want the cheapest card. Don't dump all at once.",
            "You want the cheapest card.",
            False,
        ),
    ],
)
def test_what_the_customer_of_a_task_says_first(instructions: str, said: str, quoted: bool) -> None:
    assert opening(instructions) == (said, quoted)
