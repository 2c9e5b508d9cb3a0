"""Ranking measures as in BEIR, and its run files, so that figures compare with everyone else's."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from assistant.errors import InputRejected
from evals.jsonl import write_whole

Ranking = Sequence[tuple[str, float]]
Run = Mapping[str, Ranking]
Qrels = Mapping[str, Mapping[str, int]]

RECALL_AT = (1, 5, 10)
MEASURES = (*(f"recall@{k}" for k in RECALL_AT), "mrr@10", "ndcg@10")


@dataclass(frozen=True, slots=True)
class RankingScores:
    """Measures by query, for every query with at least one relevant document.

    ``excluded`` are queries without one: nothing can be recalled, so they count nowhere. ``not_ranked`` are scored
    queries for which the run names no document: they count as 0.
    """

    per_query: Mapping[str, Mapping[str, float]]
    excluded: tuple[str, ...]
    not_ranked: tuple[str, ...]

    def values(self, measure: str) -> list[float]:
        """One measure of every scored query, in the order of ``per_query``."""
        return [scores[measure] for scores in self.per_query.values()]

    def means(self) -> dict[str, float | None]:
        """The mean of each measure; None where no query could be scored."""
        count = len(self.per_query)
        return {m: sum(self.values(m)) / count if count else None for m in MEASURES}


def score_run(run: Run, qrels: Qrels) -> RankingScores:
    """Recall@1/5/10, MRR@10 and nDCG@10 of each query.

    Recall is the share of all relevant documents among the first k; MRR@10 the inverse rank of the first relevant one
    among ten, else 0; nDCG@10 uses the grade itself as gain and log2(rank + 1) as discount (Järvelin & Kekäläinen
    2002, as in trec_eval's ``ndcg_cut`` and hence BEIR). Grades of 0 and below are not relevant.
    """
    per_query: dict[str, dict[str, float]] = {}
    excluded: list[str] = []
    for query in dict.fromkeys([*qrels, *run]):
        grades = {document: grade for document, grade in qrels.get(query, {}).items() if grade > 0}
        if grades:
            per_query[query] = _scores([document for document, _ in ranked(run.get(query, ()))], grades)
        else:
            excluded.append(query)
    return RankingScores(per_query, tuple(excluded), tuple(q for q in per_query if not run.get(q)))


def ranked(ranking: Ranking) -> list[tuple[str, float]]:
    """Best first, each document once with its best score.

    Equal scores go by document id, the larger first: trec_eval's rule, which knows nothing of the order in which a
    system happened to list them. Round no scores, then, before they come here.
    """
    best: dict[str, float] = {}
    for document, score in ranking:
        best[document] = max(score, best.get(document, -math.inf))
    return sorted(best.items(), key=lambda item: (item[1], item[0]), reverse=True)


def write_trec(run: Run, path: Path, tag: str) -> None:
    """The run as ``query Q0 document rank score tag`` lines; scores in full, so that reading it back ranks alike.

    Raises ValueError for an id with white space, which the format cannot hold.
    """
    lines = []
    for query, ranking in run.items():
        for rank, (document, score) in enumerate(ranked(ranking), 1):
            for name in (query, document, tag):
                if not name or name.split() != [name]:
                    raise ValueError(f"a TREC run cannot hold {name!r}: it is empty or holds white space")
            lines.append(f"{query} Q0 {document} {rank} {float(score)!r} {tag}\n")
    write_whole(path, "".join(lines))


def read_trec(path: Path) -> dict[str, list[tuple[str, float]]]:
    """The run in a TREC file, by score; the rank column is not believed. Raises InputRejected with the line."""
    if not path.is_file():
        raise InputRejected(str(path), "no such file")
    run: dict[str, list[tuple[str, float]]] = {}
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        if not line.strip():
            continue
        columns = line.split()
        if len(columns) != 6:
            raise InputRejected(str(path), f"has {len(columns)} columns; a TREC run has 6", number)
        try:
            score = float(columns[4])
        except ValueError as exc:
            raise InputRejected(str(path), f'the score "{columns[4][:40]}" is not a number', number) from exc
        if not math.isfinite(score):
            raise InputRejected(str(path), f"the score {score} is not finite", number)
        run.setdefault(columns[0], []).append((columns[2], score))
    return {query: ranked(ranking) for query, ranking in run.items()}


def _scores(documents: Sequence[str], grades: Mapping[str, int]) -> dict[str, float]:
    hits = [document in grades for document in documents]
    scores = {f"recall@{k}": sum(hits[:k]) / len(grades) for k in RECALL_AT}
    scores["mrr@10"] = next((1 / rank for rank, hit in enumerate(hits[:10], 1) if hit), 0.0)
    ideal = _gain(sorted(grades.values(), reverse=True)[:10])
    scores["ndcg@10"] = _gain([grades.get(document, 0) for document in documents[:10]]) / ideal
    return scores


def _gain(grades: Sequence[int]) -> float:
    return sum(grade / math.log2(rank + 1) for rank, grade in enumerate(grades, 1))
