"""`make bench`: retrieval quality and time on the five public sets beside peers; writes docs/benchmarks.md."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from assistant.bootstrap import build
from assistant.ports import Embedder
from assistant.settings import Settings
from evals.beir import BeirData, load
from evals.bench.peers import Search, bm25_jieba, exact_dense, langchain_chroma, langchain_ensemble
from evals.caching_embedder import CachingEmbedder
from evals.jsonl import write_whole
from evals.ranking import MEASURES, score_run
from evals.retrieval_run import run_retrieval
from evals.statistics import bootstrap_mean

SETS = (
    "xquad-zh",
    "xquad-en",
    "xquad-zh-questions-en-passages",
    "xquad-en-questions-zh-passages",
    "cmrc2018-dev-zh",
)
PACKAGES = ("chromadb", "langchain", "langchain-chroma", "langchain-community", "bm25s", "rank-bm25", "jieba", "torch")
DEPTH = 10
START, END = "<!-- retrieval: written by `make bench` -->", "<!-- /retrieval -->"


def main() -> None:
    """Run every peer on every set with the same vectors."""
    arguments = argparse.ArgumentParser(prog="make bench", description=main.__doc__)
    arguments.add_argument("--data", type=Path, default=Path("../shared/data"))
    arguments.add_argument("--out", type=Path, default=Path("docs"))
    arguments.add_argument("--sets", nargs="*", default=list(SETS))
    given = arguments.parse_args()
    present = [name for name in given.sets if (given.data / name).is_dir()]
    if not present:
        sys.exit(f"none of the data sets is in {given.data}; name the folder with --data")
    os.environ.setdefault("ANONYMIZED_TELEMETRY", "False")
    embedder = CachingEmbedder(build(Settings()).embedder)
    rows: list[dict[str, Any]] = []
    for name in present:
        rows += bench_set(name, load(given.data / name), embedder)
        raw = {"at": datetime.now(UTC).isoformat(timespec="seconds"), **machine(), "rows": rows}
        write_whole(given.out / "benchmarks-retrieval.json", json.dumps(raw, ensure_ascii=False, indent=1) + "\n")
    page = given.out / "benchmarks.md"
    text = page.read_text(encoding="utf-8") if page.exists() else f"# Benchmarks\n\n{START}\n{END}\n"
    before, _, rest = text.partition(START)
    after = rest.partition(END)[2]
    write_whole(page, f"{before}{START}\n{tables(rows)}\n{END}{after}")


def bench_set(name: str, data: BeirData, embedder: Embedder) -> list[dict[str, Any]]:
    """One row a system."""
    questions = list(data.judged_queries.values())
    embedder.embed_queries(questions)
    systems: dict[str, Callable[[], Search]] = {
        "LangChain + Chroma": lambda: langchain_chroma(data.corpus, embedder),
        "LangChain ensemble, BM25 by spaces": lambda: langchain_ensemble(data.corpus, embedder, words=False),
        "LangChain ensemble, BM25 by jieba": lambda: langchain_ensemble(data.corpus, embedder, words=True),
        "bm25s + jieba": lambda: bm25_jieba(data.corpus),
        "exact dense (numpy)": lambda: exact_dense(data.corpus, embedder),
    }
    ours = run_retrieval(data, embedder, depth=DEPTH)
    rows = [row(name, "Teachback", ours.run, data, ours.latency_ms["retrieve_p50"], ours.latency_ms["retrieve_p95"])]
    for system, make in systems.items():
        search = make()
        run: dict[str, list[tuple[str, float]]] = {}
        times = []
        for key, text in data.judged_queries.items():
            begun = time.perf_counter()
            run[key] = search(text, DEPTH)
            times.append((time.perf_counter() - begun) * 1000)
        rows.append(row(name, system, run, data, *map(float, np.percentile(times, [50, 95]))))
    return rows


def row(name: str, system: str, run: Any, data: BeirData, p50: float, p95: float) -> dict[str, Any]:
    """Measures with intervals; times in ms without the question's embedding, which all share."""
    scores = score_run(run, data.qrels)
    estimates = {measure: bootstrap_mean(scores.values(measure)) for measure in MEASURES}
    made = {"set": name, "system": system, "queries": len(scores.per_query), "ms_p50": p50, "ms_p95": p95}
    made |= {measure: e.mean for measure, e in estimates.items()}
    made["recall@1_interval"] = [estimates["recall@1"].low, estimates["recall@1"].high]
    sys.stderr.write(f"{name:32} {system:36} {made['recall@1']:.4f} {made['mrr@10']:.4f} {p50:.1f} ms\n")
    return made


def tables(rows: list[dict[str, Any]]) -> str:
    """Markdown, a table a set."""
    facts = machine()
    out = [f"Measured on {facts['machine']}, {facts['packages']}.", ""]
    for name in dict.fromkeys(r["set"] for r in rows):
        of_set = [r for r in rows if r["set"] == name]
        out += [f"### {name} ({of_set[0]['queries']} questions)", ""]
        out += ["| system | recall@1 (95 %) | recall@5 | recall@10 | MRR@10 | nDCG@10 | ms p50 | ms p95 |"]
        out += ["|---|---|---|---|---|---|---|---|"]
        for r in of_set:
            low, high = r["recall@1_interval"]
            out.append(
                f"| {r['system']} | {r['recall@1']:.3f} ({low:.3f}–{high:.3f}) | {r['recall@5']:.3f} | "
                f"{r['recall@10']:.3f} | {r['mrr@10']:.3f} | {r['ndcg@10']:.3f} | "
                f"{r['ms_p50']:.1f} | {r['ms_p95']:.1f} |"
            )
        out.append("")
    return "\n".join(out)


def machine() -> dict[str, str]:
    """Processor count and package versions."""
    versions = []
    for package in PACKAGES:
        try:
            versions.append(f"{package} {metadata.version(package)}")
        except metadata.PackageNotFoundError:
            versions.append(f"{package} absent")
    return {
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}",
        "packages": ", ".join(versions),
    }


if __name__ == "__main__":
    main()
