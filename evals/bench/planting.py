"""Breaks a shop's knowledge in known ways, and makes sure that what is broken is really broken.

Nothing here asks the attributor: that an article holds a case's answer is tried by giving it to the answerer alone.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from assistant.domain.knowledge import Chunk, EntryField, Passage
from assistant.domain.reply import Reply
from assistant.extractive import ExtractiveAnswerer
from assistant.extractive.answerer import ExtractiveAnswer
from assistant.indexing import embed_entries
from assistant.text import fold
from evals.answer_metrics import AnswerScorer
from evals.answer_metrics.facts import facts_recall, weights_of
from evals.answer_metrics.figures import Figure, agree, figures
from evals.answer_metrics.semantic import Background, SentenceVectors, agreements
from evals.answer_metrics.sentences import content_sentences
from evals.cases import Prediction, ReplyCase, asked_by
from evals.knowledge_view import Knowledge
from evals.root_causes.experiment import SOLVED
from evals.root_causes.given import answer_given
from evals.transfer_run import Bench

TRIED = 8  # passages given to the answerer alone for each case: so many by meaning, and so many by words and figures
_SAME = 0.2  # agreement from which a sentence with the human's figure says what the human says
_CHANGED = ("duration", "amount", "share", "count", "measure", "number", "time")
_HAN = "零一二三四五六七八九"
_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_LISTED = re.compile(r"^\W*\d{1,2}[.、)]\s*")
_NUMBER = re.compile(rf"\d+(?:\.\d+)?|[{_HAN}两十]+|\b(?:{'|'.join(_WORDS)})\b", re.IGNORECASE)


@dataclass(frozen=True)
class Ground:
    """A whole shop before anything is broken: the cases that one article solves, and what else would solve them.

    ``holders`` are, by case, the chunks that solve it when they are all that the answerer has; ``said`` are, by case,
    the knowledge's sentences that tell the customer a figure which the human tells as well, with these figures.
    """

    bench: Bench
    solved: Mapping[str, Sequence[ReplyCase]]
    replies: Mapping[str, Reply]
    gold: Mapping[str, Collection[str]]
    holders: Mapping[str, frozenset[str]]
    said: Mapping[str, Mapping[tuple[str, str], frozenset[Figure]]]

    def figures_told(self, case_id: str) -> frozenset[Figure]:
        """The figures of ``said`` for this case."""
        return frozenset(f for found in self.said.get(case_id, {}).values() for f in found)


@dataclass(frozen=True)
class Broken:
    """The knowledge with the fault in it, and the cases that it cannot be planted for, with the reason."""

    knowledge: Knowledge
    left_out: Mapping[str, str] = field(default_factory=dict)


def family(article_id: str) -> str:
    """The article whatever its language."""
    return re.sub(r"-en$", "", article_id)


async def survey(
    bench: Bench,
    scorer: AnswerScorer,
    solved: Mapping[str, Sequence[ReplyCase]],
    replies: Mapping[str, Reply],
    gold: Mapping[str, Collection[str]],
) -> Ground:
    """What holds the answers of these cases, by experiment. Raises EmbeddingFailed."""
    cases = sorted((case for group in solved.values() for case in group), key=lambda case: case.case_id)
    near = _Nearness(bench, cases)
    tried = {case.case_id: near.likely(case) for case in cases}
    live = bench.view.retriever()
    holders: dict[str, set[str]] = {case.case_id: set() for case in cases}
    for place in range(max(map(len, tried.values()), default=0)):
        given: dict[str, tuple[Chunk, Reply]] = {}
        for case in cases:
            if place < len(tried[case.case_id]):
                chunk = tried[case.case_id][place]
                given[case.case_id] = (chunk, await answer_given(bench, live, case, chunk))
        made = [Prediction(key, reply.text, reply.decision) for key, (_, reply) in given.items() if reply.citations]
        for score in scorer.score(made):
            if score.scores is not None and score.scores.accuracy >= SOLVED:
                holders[score.case_id].add(given[score.case_id][0].id)
    said = {case.case_id: near.saying(case, replies[case.case_id]) for case in cases}
    return Ground(bench, solved, replies, gold, {key: frozenset(ids) for key, ids in holders.items()}, said)


class _Nearness:
    """How near the knowledge's sentences are to what the humans said."""

    def __init__(self, bench: Bench, cases: Sequence[ReplyCase]) -> None:
        self._chunks = [chunk for chunk in bench.view.knowledge.chunks if chunk.audience == "public"]
        self._held = {chunk.id: tuple(dict.fromkeys(content_sentences(chunk.text))) for chunk in self._chunks}
        self._vectors = SentenceVectors(bench.embedder)
        every = [
            (s, case.conversation_id) for case in bench.cases for r in case.references for s in content_sentences(r)
        ]
        held = [sentence for sentences in self._held.values() for sentence in sentences]
        self._vectors.prepare((*(sentence for sentence, _ in every), *held))
        self._background = Background(every, self._vectors)
        self._weights = weights_of(reference for case in bench.cases for reference in case.references)

    def likely(self, case: ReplyCase) -> list[Chunk]:
        """The chunks that might solve the case: the nearest to the human's reply by meaning, and by words."""
        wanted = content_sentences(case.references[0])
        mine = self._vectors.of(wanted)
        meaning, words = {}, {}
        for chunk in self._chunks:
            held = self._held[chunk.id]
            meaning[chunk.id] = float((mine @ self._vectors.of(held).T).max(axis=1).mean()) if held else 0.0
            words[chunk.id] = facts_recall(chunk.text, case.references[0], asked_by(case), self._weights)
        chosen = dict.fromkeys(
            key for by in (meaning, words) for key in sorted(by, key=lambda key: (-by[key], key))[:TRIED]
        )
        by_id = {chunk.id: chunk for chunk in self._chunks}
        return [by_id[key] for key in chosen]

    def saying(self, case: ReplyCase, reply: Reply) -> dict[tuple[str, str], frozenset[Figure]]:
        """(chunk id, sentence) with the figures that it holds of those which both the human and the reply tell."""
        told = figures(reply.text)
        wanted = [s for s in content_sentences(case.references[0]) if figures(s)]
        found: dict[tuple[str, str], frozenset[Figure]] = {}
        for sentence in wanted:
            shared = [f for f in figures(sentence) if f.kind.startswith(_CHANGED) and _among(f, told)]
            if not shared:
                continue
            for chunk in self._chunks:
                held = [s for s in self._held[chunk.id] if any(_among(f, _stated(s)) for f in shared)]
                if not held:
                    continue
                agreed = agreements([sentence], held, self._vectors, self._background, case.conversation_id)[0]
                for other, nearness in zip(held, agreed, strict=True):
                    if nearness >= _SAME:
                        same = frozenset(f for f in shared if _among(f, _stated(other)))
                        found[chunk.id, other] = found.get((chunk.id, other), frozenset()) | same
        return found


# -- the faults ----------------------------------------------------------------------------------------------------


def deleted(ground: Ground, hit: Mapping[str, Sequence[ReplyCase]]) -> Broken:
    """Without these articles in either language, what the labels name for the cases, and whatever else solves them."""
    knowledge = ground.bench.view.knowledge
    cases = {case.case_id for group in hit.values() for case in group}
    held = {chunk_id for key in cases for chunk_id in ground.holders[key]}
    gone = {*hit, *(family(name) for key in cases for name in ground.gold.get(key, ()))}
    gone.update(family(chunk.document_id) for chunk in knowledge.chunks if chunk.id in held)
    return Broken(knowledge.without((c.kind, c.document_id) for c in knowledge.chunks if family(c.document_id) in gone))


def made_stale(ground: Ground, hit: Mapping[str, Sequence[ReplyCase]]) -> Broken:
    """Other figures in the very sentences that say what the humans say, wherever they stand: they were true once."""
    knowledge = ground.bench.view.knowledge
    change: dict[str, dict[str, set[Figure]]] = {}
    left_out: dict[str, str] = {}
    for case in (case for group in hit.values() for case in group):
        said = ground.said[case.case_id]
        if not said:
            left_out[case.case_id] = "no_figure_in_common"
        for (chunk_id, sentence), shared in said.items():
            change.setdefault(chunk_id, {}).setdefault(sentence, set()).update(shared)
    chunks = [
        replace(chunk, text=_with_other_figures(chunk.text, change[chunk.id]))
        for chunk in knowledge.chunks
        if chunk.id in change
    ]
    return Broken(_rewritten(knowledge, chunks, ground.bench), left_out)


def still_told(ground: Ground, case_id: str, reply: str) -> bool:
    """Whether the reply still tells every figure that was made another one in the knowledge."""
    told = figures(reply)
    return all(_among(figure, told) for figure in ground.figures_told(case_id))


def poisoned(ground: Ground, hit: Mapping[str, Sequence[ReplyCase]]) -> Broken:
    """The index holds vectors for these articles that point away from all else: nothing finds them by meaning."""
    knowledge = ground.bench.view.knowledge
    ids = {c.id for c in knowledge.chunks if family(c.document_id) in hit}
    mean = np.mean([knowledge.vectors[e.id] for e in knowledge.entries], axis=0)
    away = (-mean / np.linalg.norm(mean)).astype(np.float32)
    return Broken(knowledge.with_vectors({e.id: away for e in knowledge.entries if e.chunk_id in ids}))


@contextmanager
def broken_answering() -> Iterator[None]:
    """The step that writes the answer gives what helps nobody, whatever passages it is shown.

    Drafts are written without a model, so that there is no prompt to break in a replay; the step itself is broken,
    in two ways by turns: it quotes the end of its best passage cut off, or points elsewhere without saying anything.
    """
    whole = ExtractiveAnswerer.answer

    def broken(self: ExtractiveAnswerer, question: str, passages: Sequence[Passage], **_: Any) -> ExtractiveAnswer:
        quoted = content_sentences(passages[0].text)[-1:] if passages and len(question) % 2 else ()
        text = quoted[0][:12] if quoted else "您可以在商品详情页查看说明。"
        return ExtractiveAnswer(text, (), 0.5, False)

    ExtractiveAnswerer.answer = broken  # type: ignore[method-assign]
    try:
        yield
    finally:
        ExtractiveAnswerer.answer = whole  # type: ignore[method-assign]


def _rewritten(knowledge: Knowledge, chunks: Sequence[Chunk], bench: Bench) -> Knowledge:
    """The knowledge with these chunks for those with the same ids, their bodies embedded anew."""
    by_id = {chunk.id: chunk for chunk in chunks}
    all_chunks = tuple(by_id.get(chunk.id, chunk) for chunk in knowledge.chunks)
    entries = []
    for entry in knowledge.entries:
        if (new := by_id.get(entry.chunk_id)) is not None and entry.field is EntryField.BODY:
            entry = replace(entry, text="\n".join(part for part in (new.title, new.heading, new.text) if part))
        entries.append(entry)
    changed = [entry for entry in entries if entry.chunk_id in by_id and entry.field is EntryField.BODY]
    rows = embed_entries(bench.embedder, changed)
    rewritten = Knowledge(all_chunks, tuple(entries), knowledge.vectors)
    return rewritten.with_vectors({entry.id: row for entry, row in zip(changed, rows, strict=True)})


def _with_other_figures(text: str, change: Mapping[str, Collection[Figure]]) -> str:
    lines = [fold(line) for line in text.splitlines()]
    for sentence, wanted in change.items():
        other = another(sentence, wanted)
        lines = [line.replace(sentence, other) for line in lines]
    return "\n".join(lines)


def another(sentence: str, wanted: Collection[Figure]) -> str:
    """The sentence with other numbers where these figures stood; unchanged where no number of it makes them up."""
    for figure in sorted(wanted, key=lambda f: (f.kind, f.value)):
        for number in dict.fromkeys(_NUMBER.findall(sentence)):
            changed = _without(sentence, number)
            if _among(figure, figures(sentence)) and not _among(figure, figures(changed)):
                sentence = changed
                break
    return sentence


def _without(sentence: str, number: str) -> str:
    def other(match: re.Match[str]) -> str:
        return _another_number(number) if match.group() == number else match.group()

    return _NUMBER.sub(other, sentence)


def _another_number(number: str) -> str:
    if number[0].isdigit():
        value = float(number)
        value = value + 2 if value < 23 else 2 * value + 1
        return f"{value:.2f}".rstrip("0").rstrip(".")
    if number.casefold() in _WORDS:
        return _WORDS[(_WORDS.index(number.casefold()) + 2) % len(_WORDS)] if number.casefold() != "ten" else "fifteen"
    return "六" if number != "六" else "九"


def _stated(sentence: str) -> frozenset[Figure]:
    """The sentence's figures, less the number that a list gives it."""
    return figures(_LISTED.sub("", sentence))


def _among(figure: Figure, others: Collection[Figure]) -> bool:
    return any(agree(figure, other) for other in others)
