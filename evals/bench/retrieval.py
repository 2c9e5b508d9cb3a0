"""Retrieval quality and time on five public sets, beside peers."""

from __future__ import annotations

from typing import Any

from assistant.errors import InputRejected
from evals.beir import BeirData, load
from evals.bench.charts import dots
from evals.bench.page import Place, Section
from evals.bench.peers import peers
from evals.bench.systems import DEPTH, Measured, beside_best, comparison, of_ours, of_peer, table
from evals.retrieval_run import run_retrieval

TITLE = "Retrieval"
SETS = (
    "cmrc2018-dev-zh",
    "xquad-zh",
    "xquad-en",
    "xquad-zh-questions-en-passages",
    "xquad-en-questions-zh-passages",
)
PACKAGES = (
    "chromadb",
    "langchain",
    "langchain-classic",
    "langchain-chroma",
    "langchain-community",
    "haystack-ai",
    "bm25s",
    "rank-bm25",
    "jieba",
    "torch",
)
PLOT = "bench-retrieval.svg"


def run(place: Place) -> Section:
    """Every system on every set that is there. Raises InputRejected where none is."""
    present = [name for name in SETS if (place.data / name).is_dir()]
    if not present:
        raise InputRejected(str(place.data), "holds none of the retrieval sets; name the folder with --data")
    rows: list[dict[str, Any]] = []
    beside: list[dict[str, Any]] = []
    for name in present:
        _take(name, bench_set(name, load(place.data / name), place), ("recall@1", "mrr@10"), rows, beside)
    out = [
        "Ours beside the best peer by the row's own measure; the difference is paired, question by question.",
        "",
    ]
    out += [*beside_best(beside), "", f"![recall@1 of every system on every set](images/{PLOT})", ""]
    for name in present:
        of_set = [r for r in rows if r["set"] == name]
        out += [f"### {name} ({of_set[0]['queries']} questions)", ""]
        out += [*table(of_set, ("recall@5", "recall@10", "mrr@10", "ndcg@10"), "recall@1"), ""]
    plot = dots(rows=rows, group="set", label="system", value="recall@1")
    return Section("\n".join(out), {"rows": rows, "beside_best_peer": beside}, PACKAGES, {PLOT: plot})


def bench_set(name: str, data: BeirData, place: Place) -> list[Measured]:
    """Ours, then each peer."""
    if place.every > 1:
        kept = place.some(list(data.judged_queries))
        data = BeirData(data.corpus, {k: data.queries[k] for k in kept}, {k: data.qrels[k] for k in kept})
    questions = data.judged_queries
    place.embedder.prepare_queries(questions.values(), place)
    measured = [of_ours(run_retrieval(data, place.embedder, depth=DEPTH))]
    place.keep_vectors()
    _tell(place, name, measured[-1])
    for system, build in peers(data.corpus, place.embedder).items():
        measured.append(of_peer(system, build(), questions, data))
        _tell(place, name, measured[-1])
    return measured


def _take(
    name: str,
    measured: list[Measured],
    measures: tuple[str, ...],
    rows: list[dict[str, Any]],
    beside: list[dict[str, Any]],
) -> None:
    rows += [m.row(name) for m in measured]
    beside += [{"set": name, "measure": measure, **comparison(measured, measure)} for measure in measures]


def _tell(place: Place, name: str, m: Measured) -> None:
    figures = " ".join(f"{m.mean(measure):.4f}" for measure in ("recall@1", "recall@10", "mrr@10"))
    place.say(f"{name:32} {m.system:44} {figures} {m.ms_p50 or 0:.1f} ms")
