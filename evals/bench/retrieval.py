"""Retrieval quality and time on five public sets, and the required articles of tau2-banking, beside peers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from assistant.errors import InputRejected
from evals.beir import BeirData, load
from evals.bench.charts import dots
from evals.bench.page import Place, Section
from evals.bench.peers import peers
from evals.bench.systems import DEPTH, Measured, beside_best, comparison, of_ours, of_peer, table
from evals.bench.tau2 import FOLDER, load_tau2
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
    sets = [b for b in beside if b["set"] != FOLDER]
    out += [*beside_best(sets), "", f"![recall@1 of every system on every set](images/{PLOT})", ""]
    for name in present:
        of_set = [r for r in rows if r["set"] == name]
        out += [f"### {name} ({of_set[0]['queries']} questions)", ""]
        out += [*table(of_set, ("recall@5", "recall@10", "mrr@10", "ndcg@10"), "recall@1"), ""]
    if (place.data / FOLDER).is_dir():
        out += tau2_section(place.data / FOLDER, place, rows, beside)
    plot = dots(rows=[r for r in rows if r["set"] != FOLDER], group="set", label="system", value="recall@1")
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


def tau2_section(folder: Path, place: Place, rows: list[dict[str, Any]], beside: list[dict[str, Any]]) -> list[str]:
    """Markdown of tau2-banking; its rows are added to the others."""
    data, quoted = load_tau2(folder)
    _take(FOLDER, bench_set(FOLDER, data, place), ("recall@10", "mrr@10"), rows, beside)
    of_set = [r for r in rows if r["set"] == FOLDER]
    required = [len(grades) for grades in data.qrels.values()]
    few = sum(min(10, count) / count for count in required) / len(required)
    return [
        f"### {FOLDER} ({len(required)} tasks, {len(data.corpus)} articles)",
        "",
        f"Recall@10 of `required_documents`. A task requires {sum(required) / len(required):.1f} articles on average, "
        f"so that ten places can hold at most {few:.3f}; an agent of the original benchmark may search many times, "
        f"here it is once. The question is the customer's first message where the task quotes one ({quoted} tasks); "
        f"else ({len(required) - quoted} tasks) what it says of the customer's wish and situation, without directions "
        "for the person who plays (`evals/bench/tau2.py`). Nothing was tuned on it.",
        "",
        *beside_best([b for b in beside if b["set"] == FOLDER]),
        "",
        *table(of_set, ("recall@1", "recall@5", "mrr@10", "ndcg@10"), "recall@10"),
        "",
    ]


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
