"""Is what the human said in the knowledge? Searched with the human's own words, by meaning and by words alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from assistant.domain.knowledge import Chunk, DocumentKind
from assistant.errors import EmbeddingFailed
from assistant.llm.wrapped import WrappedEmbedder
from assistant.ports import Vectors
from assistant.query import Query
from assistant.retrieval import Retriever
from evals.answer_metrics import AnswerScorer
from evals.answer_metrics.contradiction import contradiction
from evals.answer_metrics.facts import facts_recall
from evals.answer_metrics.figures import Figure, agree, figures
from evals.answer_metrics.semantic import agreements
from evals.answer_metrics.sentences import content_sentences
from evals.caching_embedder import CachingEmbedder
from evals.cases import ReplyCase, asked_by
from evals.knowledge_view import KnowledgeView
from evals.root_causes.counterfactual import Clash, clashes, telling_clauses
from evals.root_causes.reading import read_out

DEPTH = 8  # passages looked into from each search
NEAR = 3  # rank in the searches up to which a passage is looked at for another version of the same
LOOKED_AT = 3  # best passages whose own words are scored
_FACTS, _MEANING = 0.6, 0.4
_ABOUT = 0.2  # agreement in meaning below which a passage with the same figures is about something else
_ALIGNED = 0.15  # agreement from which two sentences may be about one thing
_ALSO = 0.6  # of the nearest sentence's agreement: others this near are looked at as well
_WORDS = 2
_COMPARED = ("duration", "amount", "share", "count", "measure", "number", "time")
_UNITS = ("amount", "count", "measure")  # what a number without a unit may stand for, "over 200" and "over 200 yuan"


@dataclass(frozen=True, slots=True)
class Support:
    """How far one passage holds what the human said: ``score`` 0–1, with its parts.

    ``rivals`` are (human's, passage's) figures or statements where the passage, in a sentence about the same, says
    another thing; ``subject`` 0–1 is how surely that sentence is about the same. ``near`` is the passage's best rank in
    the searches, from 1. ``words`` are its sentences that come nearest to the human's: the best it could have given.
    Rivals and words are looked for only in the nearest passages (``NEAR``) and the best (``LOOKED_AT``).
    """

    chunk: Chunk
    score: float
    facts: float
    meaning: float
    subject: float
    rivals: tuple[tuple[str, str], ...]
    near: int
    words: str


@dataclass(frozen=True, slots=True)
class Sought:
    """One search: sentences of a human's reply to this case, at the moment it was given, less what is hidden."""

    case: ReplyCase
    wanted: tuple[str, ...]
    now: datetime
    exclude: frozenset[str]


class KnowledgeSearch:
    """Searches one view with what humans replied. Many searches at once: their texts are embedded in large batches."""

    def __init__(self, view: KnowledgeView, scorer: AnswerScorer, embedder: CachingEmbedder) -> None:
        """``scorer`` knows what luck reaches."""
        self._view = view
        self._embedder = embedder
        self._by_meaning = view.retriever(embedder)
        self._by_words = view.retriever(_Blind(embedder))
        self._vectors, self._background, self._weights = scorer.luck
        self._sentences: dict[str, tuple[str, ...]] = {}

    def expect(self, searches: Iterable[Sought]) -> None:
        """Have the wanted texts of these embedded in the background, as ``find`` will search for them."""
        self._embedder.expect_queries(self._by_meaning.reading(" ".join(s.wanted)) for s in searches if s.wanted)

    def find(self, searches: Sequence[Sought], progress: Callable[[int], None] | None = None) -> list[list[Support]]:
        """For each search its passages by how far they hold what is wanted, best first.

        Raises EmbeddingFailed. Internal passages are among them: an agent may know what a customer may not be told.
        ``progress`` is told how many searches are done.
        """
        texts = (text for s in searches if s.wanted for text in (" ".join(s.wanted), asked_by(s.case)))
        self._embedder.prepare_queries(map(self._by_meaning.reading, texts))
        candidates = [self._candidates(sought) if sought.wanted else {} for sought in searches]
        held = (sentence for chunks in candidates for chunk in chunks for sentence in self._sentences_of(chunk))
        self._vectors.prepare((*(sentence for sought in searches for sentence in sought.wanted), *held))
        found = []
        for number, (sought, chunks) in enumerate(zip(searches, candidates, strict=True), 1):
            found.append(self._supports(sought, chunks))
            if progress is not None:
                progress(number)
        return found

    def clashes(self, case: ReplyCase, chunk: Chunk) -> list[Clash]:
        """The passage's sentences with other figures than the human's, nearest first. Raises EmbeddingFailed."""
        clauses = telling_clauses(s for reference in case.references for s in content_sentences(reference))
        held = self._sentences_of(chunk)
        if not clauses or not held:
            return []
        agreed = agreements(clauses, held, self._vectors, self._background, case.conversation_id)
        return clashes(clauses, held, agreed, "\n".join((*case.references, asked_by(case))))

    def read_out(self, case: ReplyCase, chunk: Chunk) -> str:
        """What the customer's words alone pick out of the passage. Raises EmbeddingFailed."""
        return read_out(case, self._sentences_of(chunk), self._vectors)

    def _supports(self, sought: Sought, chunks: Mapping[Chunk, int]) -> list[Support]:
        if not chunks:
            return []
        held = list(dict.fromkeys(s for chunk in chunks for s in self._sentences_of(chunk)))
        agreed = agreements(sought.wanted, held, self._vectors, self._background, sought.case.conversation_id)
        column = {sentence: number for number, sentence in enumerate(held)}
        question = asked_by(sought.case)
        columns = {chunk.id: [column[s] for s in self._sentences_of(chunk)] for chunk in chunks}
        found = [
            self._support(sought.wanted, chunk, near, agreed[:, columns[chunk.id]], question)
            for chunk, near in chunks.items()
        ]
        found.sort(key=lambda s: (-s.score, s.chunk.kind is DocumentKind.RESOLUTION, s.chunk.id))
        best = [s.chunk.id for s in found if s.chunk.audience == "public"][:LOOKED_AT]
        return [
            self._closely(support, sought.wanted, agreed[:, columns[support.chunk.id]], question)
            if support.near <= NEAR or support.chunk.id in best
            else support
            for support in found
        ]

    def _candidates(self, sought: Sought) -> dict[Chunk, int]:
        text = " ".join(sought.wanted)
        queries: list[tuple[Retriever, str]] = [
            (self._by_meaning, text),
            (self._by_words, text),
            (self._by_meaning, asked_by(sought.case)),
        ]
        ranks: dict[str, int] = {}
        for retriever, words in queries:
            query = Query(words, k=DEPTH, audience="internal", exclude_conversations=sought.exclude)
            for rank, passage in enumerate(retriever.search(query, now=sought.now).passages, 1):
                ranks[passage.id] = min(rank, ranks.get(passage.id, rank))
        return {chunk: rank for key, rank in ranks.items() if (chunk := self._view.chunk(key)) is not None}

    def _support(
        self, wanted: Sequence[str], chunk: Chunk, near: int, agreed: NDArray[np.float32], question: str
    ) -> Support:
        text = f"{chunk.title}\n{chunk.heading}\n{chunk.text}"
        facts = facts_recall(text, "\n".join(wanted), question, self._weights)
        if not agreed.shape[1]:
            return Support(chunk, 0.0, facts, 0.0, 0.0, (), near, "")
        meaning = float(np.average(agreed.max(axis=1), weights=[min(len(s), 60) for s in wanted]))
        # a figure alone (59 元) stands in many places: it supports only what is also about the same
        score = (_FACTS * facts + _MEANING * meaning) * min(1.0, meaning / _ABOUT)
        return Support(chunk, score, facts, meaning, 0.0, (), near, "")

    def _closely(self, support: Support, wanted: Sequence[str], agreed: NDArray[np.float32], question: str) -> Support:
        """With what the passage says otherwise, and its words: these cost more than all else together."""
        held = self._sentences_of(support.chunk)
        if not held:
            return support
        clash = contradiction(held, wanted, agreed, question)
        pairs, subject = _rivals(wanted, held, agreed, question)
        if clash.verdicts:
            pairs, subject = (*pairs, *clash.verdicts), max(subject, float(agreed.max()))
        return replace(support, subject=subject, rivals=pairs, words=_words(wanted, held, agreed))

    def _sentences_of(self, chunk: Chunk) -> tuple[str, ...]:
        if chunk.id not in self._sentences:
            self._sentences[chunk.id] = tuple(dict.fromkeys(content_sentences(chunk.text)))
        return self._sentences[chunk.id]


def _rivals(
    wanted: Sequence[str], held: Sequence[str], agreed: NDArray[np.float32], question: str
) -> tuple[tuple[tuple[str, str], ...], float]:
    """The human's figures that the passage lacks where its sentences on the same have another; and how near they are.

    A figure that the human or the customer names as well is no rival: it stands for something else.
    """
    everywhere = frozenset(f for sentence in held for f in figures(sentence))
    told = frozenset(f for sentence in wanted for f in figures(sentence)) | figures(question)
    pairs: list[tuple[str, str]] = []
    subject = 0.0
    for row, sentence in enumerate(wanted):
        least = max(_ALIGNED, _ALSO * float(agreed[row].max()))
        about = sorted((n for n in range(len(held)) if agreed[row, n] >= least), key=lambda n: -agreed[row, n])
        for figure in sorted(figures(sentence), key=lambda f: (f.kind, f.value)):
            if not figure.kind.startswith(_COMPARED) or _among(figure, everywhere):
                continue
            rival = next(
                (
                    (f.value, n)
                    for n in about
                    for f in sorted(figures(held[n]), key=lambda f: f.value)
                    if _comparable(figure, f) and not _among(f, told)
                ),
                None,
            )
            if rival is not None:
                pairs.append((f"{figure.kind} {figure.value}", rival[0]))
                subject = max(subject, float(agreed[row, rival[1]]))
    return tuple(pairs), subject


def _comparable(mine: Figure, other: Figure) -> bool:
    """What would agree were it equal may be a rival: of one kind, or the human's without a unit that we know."""
    return mine.kind == other.kind or (mine.kind == "number" and other.kind.startswith(_UNITS))


def _words(wanted: Sequence[str], held: Sequence[str], agreed: NDArray[np.float32]) -> str:
    """For each of the human's sentences the two nearest, and the nearest with one of its figures; in their order."""
    chosen: set[int] = set()
    for row, sentence in enumerate(wanted):
        order = sorted(range(len(held)), key=lambda n: -float(agreed[row, n]))
        chosen.update(n for n in order[:_WORDS] if agreed[row, n] > 0)
        for figure in figures(sentence):
            holder = next((n for n in order if _among(figure, figures(held[n]))), None)
            if holder is not None:
                chosen.add(holder)
    return "\n".join(held[n] for n in sorted(chosen))


def _among(figure: Figure, others: frozenset[Figure]) -> bool:
    return any(agree(figure, other) for other in others)


class _Blind(WrappedEmbedder):
    """An embedder that never embeds: search falls back to words, so a broken vector cannot hide a passage."""

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        raise EmbeddingFailed("this search goes by words alone")

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        raise EmbeddingFailed("this search goes by words alone")
