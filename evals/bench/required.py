"""The articles that a task of tau2-banking requires, found from the customer's first message, beside every peer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from evals.bench.page import Place
from evals.bench.peers import peers
from evals.bench.systems import DEPTH, OURS, Measured, beside_best, comparison, of_ours, of_peer, table
from evals.bench.tau2 import FOLDER, load_tau2
from evals.halves import half_of
from evals.retrieval_run import run_retrieval

MEASURES = ("recall@10", "mrr@10")


def tau2_tasks(folder: Path, place: Place) -> tuple[list[str], dict[str, Any]]:
    """(Markdown, rows) of all tasks, whatever ``place.every`` is: they are few. Raises InputRejected."""
    data, quoted = load_tau2(folder)
    questions = data.judged_queries
    place.embedder.prepare_queries(questions.values(), place)
    measured = [of_ours(run_retrieval(data, place.embedder, depth=DEPTH))]
    place.keep_vectors()
    _tell(place, measured[-1])
    for system, build in peers(data.corpus, place.embedder).items():
        measured.append(of_peer(system, build(), questions, data))
        _tell(place, measured[-1])
    place.keep_vectors()
    rows = [m.row(FOLDER) for m in measured]
    beside = [{"set": FOLDER, "measure": measure, **comparison(measured, measure)} for measure in MEASURES]
    halved = [(half, [m for m in data.judged_queries if half_of(m) == half]) for half in "AB"]
    of_half = {half: {m.system: _mean(m, keys) for m in measured} for half, keys in halved}
    required = [len(grades) for grades in data.qrels.values()]
    few = sum(min(10, count) / count for count in required) / len(required)
    out = [
        f"### The articles that a task requires: `{FOLDER}` (all {len(required)} tasks, {len(data.corpus)} articles)",
        "",
        f"Recall@10 of `required_documents`. A task requires {sum(required) / len(required):.1f} articles on average, "
        f"so that ten places can hold at most {few:.3f}; an agent of the original benchmark may search many times, "
        f"here it is once. The question is the customer's first message where the task quotes one ({quoted} tasks); "
        f"else ({len(required) - quoted} tasks) what it says of the customer's wish and situation, without directions "
        "for the person who plays (`evals/bench/tau2.py`).",
        "",
        *beside_best(beside),
        "",
        *table(rows, ("recall@1", "recall@5", "mrr@10", "ndcg@10"), "recall@10"),
        "",
        "Recall@10 by half (tasks by a hash of their names): "
        + "; ".join(
            f"{half} ({len(keys)} tasks) {of_half[half][OURS]:.3f}, best peer "
            f"{max(value for name, value in of_half[half].items() if name != OURS):.3f}"
            for half, keys in halved
        )
        + ". What a named product weighs was chosen on A, with B in sight "
        "([decision 0031](decisions/0031-names-and-changes-of-subject.md)).",
        "",
    ]
    return out, {"rows": rows, "beside_best_peer": beside, "recall@10_by_half": of_half}


def _mean(measured: Measured, keys: list[str]) -> float:
    return sum(measured.scores.per_query[key]["recall@10"] for key in keys) / max(1, len(keys))


def _tell(place: Place, m: Measured) -> None:
    figures = " ".join(f"{m.mean(measure):.4f}" for measure in ("recall@1", "recall@10", "mrr@10"))
    place.say(f"{FOLDER:16} {m.system:44} {figures}")
