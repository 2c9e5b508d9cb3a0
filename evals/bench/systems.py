"""Runs ours and the peers over the same questions and sets the figures beside each other."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from evals.beir import BeirData
from evals.bench.peers import Search
from evals.ranking import MEASURES, RankingScores, score_run
from evals.retrieval_run import RetrievalRun
from evals.statistics import bootstrap_mean, paired_difference

OURS = "Teachback"
DEPTH = 10


@dataclass(frozen=True, slots=True)
class Measured:
    """One system on one set. Times in ms a question, without its embedding, which all share; None: not taken."""

    system: str
    scores: RankingScores
    ms_p50: float | None = None
    ms_p95: float | None = None

    def row(self, name: str) -> dict[str, Any]:
        """For the raw output: each measure with its 95 % interval."""
        made: dict[str, Any] = {"set": name, "system": self.system, "queries": len(self.scores.per_query)}
        for measure in MEASURES:
            estimate = bootstrap_mean(self.scores.values(measure))
            made[measure] = estimate.mean
            made[f"{measure}_interval"] = [estimate.low, estimate.high]
        return made | {"ms_p50": self.ms_p50, "ms_p95": self.ms_p95}

    def mean(self, measure: str) -> float:
        """Of all questions; what a system did not find counts as 0."""
        return self.scores.means()[measure] or 0.0


def of_ours(result: RetrievalRun) -> Measured:
    """The product's own run."""
    return Measured(OURS, result.scores, result.latency_ms["retrieve_p50"], result.latency_ms["retrieve_p95"])


def of_peer(system: str, search: Search, questions: Mapping[str, str], data: BeirData, depth: int = DEPTH) -> Measured:
    """A peer on these questions; ``data`` gives the judgements."""
    run: dict[str, list[tuple[str, float]]] = {}
    times = []
    for key, text in questions.items():
        begun = time.perf_counter()
        run[key] = descending(search(text, depth))
        times.append((time.perf_counter() - begun) * 1000)
    judged = {key: data.qrels[key] for key in questions}
    return Measured(system, score_run(run, judged), *map(float, np.percentile(times, [50, 95])))


def descending(found: Sequence[tuple[str, float]]) -> list[tuple[str, float]]:
    """The list with its own order as scores: equal scores would else be put in order of their names."""
    return [(key, 1.0 / rank) for rank, (key, _) in enumerate(found, 1)]


def best_peer(all_of: Sequence[Measured], measure: str) -> Measured:
    """The best of the others by one measure."""
    return max((m for m in all_of if m.system != OURS), key=lambda m: m.mean(measure))


def comparison(all_of: Sequence[Measured], measure: str) -> dict[str, Any]:
    """Ours beside the best peer by this measure: means, ratio, and the paired difference with its interval."""
    ours = next(m for m in all_of if m.system == OURS)
    peer = best_peer(all_of, measure)
    keys = list(ours.scores.per_query)
    difference = paired_difference(
        [peer.scores.per_query[key][measure] for key in keys], [ours.scores.per_query[key][measure] for key in keys]
    )
    return {
        "ours": ours.mean(measure),
        "peer": peer.system,
        "theirs": peer.mean(measure),
        "ratio": ours.mean(measure) / max(peer.mean(measure), 1e-9),
        "difference": difference.mean,
        "difference_interval": [difference.low, difference.high],
    }


def beside_best(rows: Sequence[Mapping[str, Any]], name: str = "set") -> list[str]:
    """Markdown table of ``comparison`` dictionaries, each with its ``name`` and ``measure``."""
    out = [f"| {name} | measure | Teachback | best peer | ratio | difference (95 %) |", "|---|---|---|---|---|---|"]
    for row in rows:
        low, high = row["difference_interval"]
        out.append(
            f"| {row[name]} | {row['measure']} | {row['ours']:.3f} | {row['theirs']:.3f} ({row['peer']}) | "
            f"{row['ratio']:.3f} | {row['difference']:+.3f} ({low:+.3f} to {high:+.3f}) |"
        )
    return out


def table(rows: Sequence[Mapping[str, Any]], measures: Sequence[str], lead: str) -> list[str]:
    """Markdown table of ``Measured.row`` dictionaries, ``lead`` with its interval."""
    named = [m.replace("mrr", "MRR").replace("ndcg", "nDCG") for m in measures]
    timed = all(r["ms_p50"] is not None for r in rows)
    times = " ms p50 | ms p95 |" if timed else ""
    out = [f"| system | {lead} (95 %) | {' | '.join(named)} |{times}"]
    out.append("|---" * (2 + len(measures) + 2 * timed) + "|")
    for r in rows:
        low, high = r[f"{lead}_interval"]
        rest = " | ".join(f"{r[m]:.3f}" for m in measures)
        times = f" {r['ms_p50']:.1f} | {r['ms_p95']:.1f} |" if timed else ""
        out.append(f"| {r['system']} | {r[lead]:.3f} ({low:.3f}–{high:.3f}) | {rest} |{times}")
    return out
