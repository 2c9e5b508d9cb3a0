"""What the product's confidence is worth: risk–coverage and reliability, with questions that nothing can answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assistant.domain.knowledge import EntryField
from assistant.indexing import embed_entries
from assistant.query import Query
from assistant.retrieval import Retriever
from assistant.settings import Settings
from assistant.store.snapshot import Snapshot, build_snapshot
from assistant.text import Segmenter, fold
from assistant.throwaway import throwaway_retriever
from evals.bench.page import Place, Section
from evals.bench.risk_sets import SEED, Asked, RiskPart, banking77, demo_faq
from evals.bench.risk_text import plots, told
from evals.caching_embedder import CachingEmbedder
from evals.pieces import pieces_of
from evals.report.charts import Bin
from evals.risk_coverage import calibration_error, reliability_bins, risk_curve, separation
from evals.statistics import wilson

TITLE = "Confidence: risk and coverage"
TARGET = 0.95
COVERAGES = (0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
OURS = "Teachback"
SETS: Mapping[str, Callable[[Path], list[RiskPart]]] = {
    "banking77, all 10,003 questions": lambda data: [banking77(data)],
    "banking77, 20 questions an article": lambda data: [banking77(data, 20)],
    "demo shop, Chinese": demo_faq,
    "demo shop, Traditional Chinese": partial(demo_faq, traditional=True),
}


@dataclass(frozen=True)
class Verdicts:
    """One system's answers, a row a question: how sure, and whether its top article answers the question.

    A question that nothing answers is never right: answering it is an error at every confidence.
    """

    confidence: NDArray[np.float64]
    right: NDArray[np.bool_]
    in_scope: NDArray[np.bool_]
    is_probability: bool = False

    def joined(self, other: Verdicts) -> Verdicts:
        """These and those of another part."""
        return Verdicts(
            np.concatenate([self.confidence, other.confidence]),
            np.concatenate([self.right, other.right]),
            np.concatenate([self.in_scope, other.in_scope]),
            self.is_probability,
        )

    def figures(self) -> dict[str, Any]:
        """The measures; coverage is over all questions, and over those in scope alone where it says so."""
        whole = risk_curve(self.confidence, self.right)
        inside = risk_curve(self.confidence[self.in_scope], self.right[self.in_scope])
        held = self._held_back()
        return {
            "questions": len(self.right),
            "in_scope": int(self.in_scope.sum()),
            "accuracy_in_scope": float(self.right[self.in_scope].mean()),
            "aurc": whole.area,
            "auc": separation(self.confidence, self.right),
            "accuracy_at": {f"{c:g}": whole.accuracy_at(c) for c in COVERAGES},
            "coverage_at_target": whole.coverage_at(TARGET),
            "in_scope_aurc": inside.area,
            "in_scope_accuracy_at": {f"{c:g}": inside.accuracy_at(c) for c in COVERAGES},
            "in_scope_coverage_at_target": inside.coverage_at(TARGET),
            "held_back": held,
            "ece": calibration_error(self.confidence, self.right) if self.is_probability else None,
        }

    def points(self) -> list[tuple[float, float]]:
        """(coverage, share right) of the whole curve."""
        curve = risk_curve(self.confidence, self.right)
        return list(zip(curve.coverage.tolist(), curve.accuracy.tolist(), strict=True))

    def _held_back(self) -> dict[str, float]:
        """A threshold for the target set on one half of the questions and used on the other, both ways round."""
        half = np.random.default_rng(SEED).random(len(self.right)) < 0.5
        answered = np.zeros(len(self.right), dtype=np.bool_)
        for chosen_on in (half, ~half):
            curve = risk_curve(self.confidence[chosen_on], self.right[chosen_on])
            kept = round(curve.coverage_at(TARGET) * int(chosen_on.sum()))
            limit = np.sort(self.confidence[chosen_on])[::-1][kept - 1] if kept else np.inf
            answered |= ~chosen_on & (self.confidence >= limit)
        right = float(self.right[answered].mean()) if answered.any() else 1.0
        return {"coverage": float(answered.mean()), "accuracy": right}

    def decided(self, threshold: float) -> dict[str, Any]:
        """What answering from this confidence on would do; shares with Wilson's interval."""
        answered = self.confidence >= threshold
        beyond = ~self.in_scope

        def share(part: NDArray[np.bool_], whole: NDArray[np.bool_]) -> list[float | None]:
            estimate = wilson(int((part & whole).sum()), int(whole.sum()))
            return [estimate.mean, estimate.low, estimate.high]

        return {
            "threshold": threshold,
            "answered": share(answered, np.ones_like(answered)),
            "answers_right": share(self.right, answered),
            "in_scope_answered": share(answered, self.in_scope),
            "out_of_scope_answered": share(answered, beyond),
        }


def run(place: Place) -> Section:
    """The section: every set by the product and by the baselines. Raises InputRejected where the data are absent."""
    raw: dict[str, Any] = {"sets": {}}
    curves: dict[str, dict[str, list[tuple[float, float]]]] = {}
    bins: dict[str, list[Bin]] = {}
    for name, parts_of in SETS.items():
        parts = parts_of(place.data)
        systems = measure(parts, place.embedder, place)
        curves[name] = {system: verdicts.points() for system, verdicts in systems.items()}
        ours = systems[OURS]
        bins[name] = [
            Bin(b.confidence, b.right.mean or 0.0, b.right.scored, b.right.low, b.right.high)
            for b in reliability_bins(ours.confidence, ours.right)
        ]
        kinds = Counter(one.kind for part in parts for one in part.asked)
        raw["sets"][name] = {
            "articles": len(parts[0].articles),
            "kinds": dict(kinds),
            "systems": {system: verdicts.figures() for system, verdicts in systems.items()},
            "decisions": ours.decided(Settings().answer_threshold),
            "reliability": [asdict(each) for each in bins[name]],
        }
        place.say(f"{name}: {raw['sets'][name]['systems'][OURS]['accuracy_at']}")
    return Section(told(raw["sets"]), raw, plots=plots(curves, bins))


def measure(parts: Sequence[RiskPart], embedder: CachingEmbedder, place: Place | None = None) -> dict[str, Verdicts]:
    """System → its verdicts on all parts; each part is ingested alone into an index that is thrown away."""
    systems: dict[str, Verdicts] = {}
    for part in parts:
        embedder.prepare_queries([fold(one.text) for one in part.asked], place)
        for name, verdicts in _of_part(part, embedder):
            systems[name] = systems[name].joined(verdicts) if name in systems else verdicts
    return systems


def _of_part(part: RiskPart, embedder: CachingEmbedder) -> Iterator[tuple[str, Verdicts]]:
    chunks, entries = pieces_of(part.articles)
    vectors = {e.id: row for e, row in zip(entries, embed_entries(embedder, entries), strict=True)}
    retriever = throwaway_retriever(chunks, entries, embedder, kept=vectors)
    yield OURS, by_product(retriever, part.asked)
    answering = [entry for entry in entries if entry.field is not EntryField.NEGATIVE]  # what a peer would be given
    snapshot = build_snapshot(chunks, answering, vectors, embedder.dimensions, Segmenter())
    cosines = embedder.embed_queries([fold(one.text) for one in part.asked]) @ np.asarray(snapshot.vectors).T
    nearest = _by_document(cosines, snapshot)
    yield "cosine of the nearest", _baseline(nearest, part.asked, snapshot, nearest.max(axis=1))
    runner_up = np.partition(nearest, -2, axis=1)[:, -2:]
    yield "cosine, lead over the next", _baseline(nearest, part.asked, snapshot, runner_up[:, 1] - runner_up[:, 0])
    segmenter = Segmenter()
    bm25 = np.stack([snapshot.postings.coverage(snapshot.terms(one.text, segmenter)) for one in part.asked])
    lexical = _by_document(bm25, snapshot)
    yield "BM25", _baseline(lexical, part.asked, snapshot, lexical.max(axis=1))
    chance = np.random.default_rng(SEED).random(len(part.asked))
    yield "cosine's answers in random order", _baseline(nearest, part.asked, snapshot, chance)


def by_product(retriever: Retriever, asked: Sequence[Asked]) -> Verdicts:
    """The product's own search: its best passage and its confidence, rounded as it is shown."""
    now = datetime.now(UTC)
    confidence, right = np.zeros(len(asked)), np.zeros(len(asked), dtype=np.bool_)
    for number, one in enumerate(asked):
        best = retriever.search(Query(one.text), now=now).best
        if best is not None:
            confidence[number], right[number] = best.score, best.document_id in one.answered_by
    return Verdicts(confidence, right, np.array([bool(one.answered_by) for one in asked]), is_probability=True)


def _by_document(scores: NDArray[np.float32], snapshot: Snapshot) -> NDArray[np.float32]:
    """(questions, documents) best score of any of the document's entries."""
    order, start = snapshot.table.by_document
    return np.maximum.reduceat(scores[:, order], start[:-1], axis=1)


def _baseline(
    scores: NDArray[np.float32], asked: Sequence[Asked], snapshot: Snapshot, confidence: NDArray[Any]
) -> Verdicts:
    names = [snapshot.table.document_ids[document] for document in scores.argmax(axis=1)]
    right = np.array([name in one.answered_by for name, one in zip(names, asked, strict=True)])
    inside = np.array([bool(one.answered_by) for one in asked])
    return Verdicts(np.asarray(confidence, dtype=np.float64), right, inside)
