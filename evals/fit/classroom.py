"""Asks lessons of an index as retrieval would, with each question itself, or all that answers it, hidden."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from assistant.fitted import Adapter
from assistant.fusion import Features, Fusion
from assistant.language_bias import across_languages
from assistant.ports import Embedder, Progress, TextSegmenter
from assistant.query import about
from assistant.ranked import gather
from assistant.retrieval import CANDIDATES
from assistant.store.snapshot import Snapshot
from assistant.text import fold, language_of
from evals.fit.lessons import Lesson

Rows = NDArray[np.int64]
Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Sheet:
    """One lesson's candidates by chunk, ready to be ranked; ``right`` marks chunks of articles that answer."""

    features: Features
    bonus: Numbers
    right: NDArray[np.bool_]


@dataclass(frozen=True)
class Graded:
    """A row a lesson: whether the top article answers, and its evidence as ``Support`` weighs it.

    ``evidence`` is (lessons, 4): cosine, coverage, lead over the next document, and what foreign and unseen add to the
    logit. A lesson without candidates has no evidence, is not right, and has chance 0.
    """

    right: NDArray[np.bool_]
    evidence: Numbers
    found: NDArray[np.bool_]


class Classroom:
    """Lessons over one snapshot; only public articles that are valid ``now`` answer."""

    def __init__(
        self,
        snapshot: Snapshot,
        texts: Mapping[str, str],
        embedder: Embedder,
        segmenter: TextSegmenter,
        lessons: Sequence[Lesson],
        now: datetime,
        progress: Progress | None = None,
    ) -> None:
        """``texts`` is the text of each question entry, by entry id. Raises EmbeddingFailed."""
        self.lessons = lessons
        self._snapshot = snapshot
        self._embedder = embedder
        self.vectors = embedder.embed_queries([fold(lesson.text) for lesson in lessons])
        table = snapshot.table
        self._number = {name: number for number, name in enumerate(table.document_ids)}
        same: dict[str, list[int]] = {}
        for row, key in enumerate(table.entry_ids):
            if table.is_question[row] and key in texts:
                same.setdefault(fold(texts[key]), []).append(row)
        allowed = table.allowed("public", now) & table.is_article
        order, start = table.by_document
        self._entries: list[Rows] = []
        self._lexical: list[NDArray[np.float32]] = []
        for number, lesson in enumerate(lessons):
            mask = allowed.copy()
            mask[same.get(fold(lesson.text), [])] = False
            coverage = snapshot.postings.coverage(snapshot.terms(lesson.text, segmenter))
            near = np.asarray(snapshot.vectors) @ self.vectors[number]
            rows = np.concatenate([_top(near, mask), _top(coverage, mask)])
            documents = np.unique(table.document[rows])
            entries = [order[start[d] : start[d + 1]] for d in documents]
            chosen = np.concatenate(entries) if entries else np.zeros(0, dtype=np.int64)
            chosen = chosen[mask[chosen]]
            self._entries.append(chosen)
            self._lexical.append(coverage[chosen])
            if progress is not None:
                progress.advance("lessons", number + 1, len(lessons))

    @property
    def snapshot(self) -> Snapshot:
        """The index that is asked."""
        return self._snapshot

    def sheets(self, adapter: Adapter | None, rows: Sequence[int], *, away: bool = False) -> list[Sheet | None]:
        """The candidates of these lessons; ``away`` hides all that answers them, and then nothing is right."""
        vectors = self.vectors[rows] if adapter is None else adapter.apply(self.vectors[rows])
        return [self._sheet(number, vector, away) for number, vector in zip(rows, vectors, strict=True)]

    def _sheet(self, number: int, vector: NDArray[np.float32], away: bool) -> Sheet | None:
        lesson, table = self.lessons[number], self._snapshot.table
        entries, lexical = self._entries[number], self._lexical[number]
        answering = np.array([self._number[name] for name in lesson.right if name in self._number], dtype=np.int64)
        if away:
            kept = ~np.isin(table.document[entries], answering)
            entries, lexical = entries[kept], lexical[kept]
        if not len(entries):
            return None
        language = language_of(fold(lesson.text))
        dense = np.asarray(self._snapshot.vectors[entries]) @ vector
        dense = across_languages(self._snapshot, entries, dense, language, self._embedder)
        features = gather(table, entries, dense, lexical, language)
        bonus = about(table, fold(lesson.text), features)
        return Sheet(features, bonus, np.isin(features.document, answering))


def grade(sheets: Sequence[Sheet | None], fusion: Fusion) -> Graded:
    """How the lessons go with these weights; the calibration plays no part in it."""
    right = np.zeros(len(sheets), dtype=np.bool_)
    evidence = np.zeros((len(sheets), 4))
    for number, sheet in enumerate(sheets):
        if sheet is not None:
            raw = fusion.raw(sheet.features) + sheet.bonus
            top = int(raw.argmax())
            others = raw[sheet.features.document != sheet.features.document[top]]
            dense, lexical = fusion.mixed(sheet.features)
            widest = fusion.support.widest_margin
            lead = min(float(raw[top] - others.max()), widest) if len(others) else widest
            offset = fusion.support.offset(lexical[top : top + 1], sheet.features.foreign[top : top + 1])
            right[number] = sheet.right[top]
            evidence[number] = dense[top], lexical[top], lead, offset[0]
    return Graded(right, evidence, np.array([sheet is not None for sheet in sheets]))


def _top(scores: NDArray[np.float32], mask: NDArray[np.bool_]) -> Rows:
    limit = min(CANDIDATES, len(scores))
    if not limit:
        return np.zeros(0, dtype=np.int64)
    kept = np.where(mask, scores, -np.inf)
    best = np.argpartition(-kept, limit - 1)[:limit]
    return np.asarray(best[mask[best] & (scores[best] > 0)], dtype=np.int64)
