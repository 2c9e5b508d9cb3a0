"""Runs the experiments on failed cases: two searches, and an answer to which the right passage is given."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from assistant.answering import PASSAGES
from assistant.domain.knowledge import Chunk, DocumentKind
from assistant.domain.reply import Reply
from assistant.drafting import NEIGHBOURS, split_turns
from assistant.followup import asked_after, earlier_texts
from assistant.ports import Progress
from assistant.query import Query
from evals.answer_metrics import AnswerScorer, CaseScore
from evals.answer_metrics.figures import figures
from evals.answer_metrics.sentences import content_sentences
from evals.cases import Prediction, ReplyCase
from evals.root_causes.counterfactual import Clash, human_words, mended
from evals.root_causes.decide import MENDED_ABOUT, MENDED_NEAR, WORST_DRIFT, Facts, decide
from evals.root_causes.given import answer_given
from evals.root_causes.model import Diagnosis
from evals.root_causes.parts import ReplyParts, only_wants_person, parts_of, telling_parts
from evals.root_causes.support import LOOKED_AT, NEAR, KnowledgeSearch, Sought, Support
from evals.root_causes.vectors import vector_drift
from evals.transfer_run import Bench

SOLVED = 0.35
"""Accuracy from which a case counts as solved: four of five second humans of the demo reach it, unrelated replies do
not (docs/evaluation.md)."""


_PICKED = 2  # rank in the searches up to which a passage is looked at, however few of its words are the human's
_MENDS = 2  # passages that are tried with the human's figures in place of their own


@dataclass(slots=True)
class Mend:
    """A passage that was given with the human's figures; ``as_is`` is what it reaches with its own."""

    support: Support
    clashes: Sequence[Clash]
    score: float | None = None
    as_is: float | None = None


@dataclass(slots=True)
class _Open:
    """A case under examination."""

    case: ReplyCase
    reply: Reply
    parts: ReplyParts
    found: list[Support]
    only_person: bool
    held: dict[str, float] = field(default_factory=dict)
    given: Support | None = None
    rank: int | None = None
    ranks: dict[str, int] = field(default_factory=dict)
    oracle: Reply | None = None
    oracle_score: float | None = None
    read_score: float = 0.0
    said_score: float | None = None
    mends: list[Mend] = field(default_factory=list)
    rules_score: float | None = None
    drift: float | None = None
    quoted: tuple[tuple[str, str], ...] = ()

    def shown(self) -> list[Support]:
        """The best passages that a customer may be told, and those that the searches find first."""
        public = [s for s in self.found if s.chunk.audience == "public"]
        return [s for n, s in enumerate(public) if n < LOOKED_AT or s.near <= _PICKED]

    def mend(self, solved: float) -> Mend | None:
        """The passage that solves the case with the human's figures and not with its own."""
        made = (m for m in self.mends if m.score is not None and m.score >= solved and (m.as_is or 0.0) < solved)
        return max(made, key=lambda m: m.score or 0.0, default=None)


class RootCauses:
    """Diagnoses the failed cases of one replay, on the knowledge and with the answerer that the replay had."""

    def __init__(self, bench: Bench, scorer: AnswerScorer) -> None:
        self._bench = bench
        self._scorer = scorer
        self._search = KnowledgeSearch(bench.view, scorer, bench.embedder)
        self._live = bench.view.retriever()

    def expect(self, failed: Sequence[ReplyCase], replies: Mapping[str, Reply]) -> None:
        """Have embedded in the background what the experiments on these cases will nearly always ask for."""
        embedder = self._bench.embedder
        for case in failed if embedder.ahead else ():
            self._search.expect(self._searches(case))
            for passage in replies[case.case_id].passages:
                embedder.expect_queries(content_sentences(passage.text))

    async def explain(
        self,
        replies: Mapping[str, Reply],
        scores: Sequence[CaseScore],
        progress: Progress | None = None,
        *,
        solved: float = SOLVED,
    ) -> list[Diagnosis]:
        """A diagnosis of each scored case below ``solved``, in order. Raises EmbeddingFailed."""
        failed = [
            (case, score)
            for case, score in zip(self._bench.cases, scores, strict=True)
            if score.scores is not None and score.scores.accuracy < solved and case.case_id in replies
        ]
        total = 2 * len(failed)

        def searched(done: int) -> None:
            if progress is not None and searches:
                progress.advance("causes", done * len(failed) // len(searches), total)

        searches = [sought for case, _ in failed for sought in self._searches(case)]
        found = iter(await asyncio.to_thread(self._search.find, searches, searched))
        opened = [
            self._opened(case, replies[case.case_id], [next(found) for _ in case.references]) for case, _ in failed
        ]
        for each, (_, score) in zip(opened, failed, strict=True):
            each.quoted = self._quoted_clashes(each.reply, score)
        await asyncio.to_thread(self._score_words, opened)
        for number, each in enumerate(opened, 1):
            if each.given is not None:
                each.rank = await asyncio.to_thread(self._rank, each, solved)
                each.oracle = await self._answer(each, each.given.chunk)
            if progress is not None:
                progress.advance("causes", len(failed) + number, total)
        await asyncio.to_thread(self._score_given, opened)
        await self._try_mended(opened, solved)
        await self._try_said(opened, solved)
        await asyncio.to_thread(self._check_vectors, opened, solved)
        return [_diagnosis(each, solved) for each in opened]

    def _searches(self, case: ReplyCase) -> list[Sought]:
        """One search for each accepted reply: by its rules, or by all it says where it holds no rule."""
        now, hidden = self._moment(case), self._bench.guard.hidden(case).keys
        parts = (parts_of(case, reference) for reference in case.references)
        return [Sought(case, p.rules or tuple(dict.fromkeys((*p.actions, *p.state))), now, hidden) for p in parts]

    def _opened(self, case: ReplyCase, reply: Reply, found: Sequence[Sequence[Support]]) -> _Open:
        """What was found for any of the accepted replies, each passage by the reply that it holds best.

        Its rivals are those of the reply with which it surely shares the subject: one reply may leave out the figure.
        """
        best: dict[str, Support] = {}
        for support in (support for supports in found for support in supports):
            known = best.get(support.chunk.id)
            if known is not None:
                held, other = (support, known) if support.score > known.score else (known, support)
                if other.rivals and other.subject > held.subject:
                    held = replace(held, rivals=other.rivals, subject=other.subject)
                support = replace(held, near=min(support.near, known.near))
            best[support.chunk.id] = support
        order = sorted(best.values(), key=lambda s: (-s.score, s.chunk.id))
        return _Open(case, reply, telling_parts(case), order, only_wants_person(case))

    def _quoted_clashes(self, reply: Reply, score: CaseScore) -> tuple[tuple[str, str], ...]:
        """(human's, reply's) figures that clash, where the reply has its figure from a passage that it cites."""
        chunks = (self._bench.view.chunk(citation.passage_id) for citation in reply.citations)
        held = {f.value for chunk in chunks if chunk is not None for f in figures(chunk.text)}
        return tuple((mine, theirs) for mine, theirs in score.contradictions if theirs in held)

    def _score_words(self, opened: Sequence[_Open]) -> None:
        """What the best passages' own words reach, and the passage that the answer is given.

        Words reach a short reply by luck, and a long passage holds many a word: both measures choose together.
        """
        for place in range(max((len(each.shown()) for each in opened), default=0)):
            offered = [(each, each.shown()[place]) for each in opened if len(each.shown()) > place]
            reached = self._accuracies([Prediction(each.case.case_id, support.words) for each, support in offered])
            for each, support in offered:
                each.held[support.chunk.id] = reached.get(each.case.case_id, 0.0)
        for each in opened:
            each.given = max(each.shown(), key=lambda s: each.held[s.chunk.id] + s.score, default=None)

    def _check_vectors(self, opened: Sequence[_Open], solved: float) -> None:
        """How far the index's vectors of the given passages are from what their texts embed to.

        Texts are embedded anew only for cases whose cause it could change: of the demo's failed cases one in four.
        """
        asked = [(each, each.given.chunk.id) for each in opened if each.given is not None and _open_to(each, solved)]
        drift = vector_drift(self._bench.view.knowledge, {key for _, key in asked}, self._bench.embedder)
        for each, key in asked:
            each.drift = drift.get(key)

    def _rank(self, each: _Open, solved: float) -> int | None:
        """The best rank at which the customer's words find a passage that could solve it; None where they do not."""
        if each.given is None:
            return None
        case, now, hidden = each.case, self._moment(each.case), self._bench.guard.hidden(each.case).keys
        good = {key for key, reached in each.held.items() if reached >= solved} | {each.given.chunk.id}
        text, before, history = split_turns(case.turns)
        question, context = asked_after(text, history)
        asked = Query(
            question,
            10 * PASSAGES,
            locale=case.locale,
            exclude_conversations=hidden,
            earlier=earlier_texts(history),
            context=context,
        )
        passages = self._live.search(asked, now=now).passages
        each.ranks = {passage.id: n for n, passage in enumerate(passages, 1)}
        ranks = [n for n, passage in enumerate(passages, 1) if passage.id in good]
        if each.given.chunk.kind is DocumentKind.RESOLUTION:
            cases = self._live.similar_cases(text, before, limit=NEIGHBOURS, now=now, exclude=hidden).passages
            ranks += [n for n, passage in enumerate(cases[:PASSAGES], 1) if passage.id in good]
        return min(ranks, default=None)

    def _score_given(self, opened: Sequence[_Open]) -> None:
        """Score the answers given the passage; and the human's own reply less all that rests on state or is an act."""
        given = [Prediction(e.case.case_id, e.oracle.text, e.oracle.decision) for e in opened if e.oracle is not None]
        rules = [Prediction(e.case.case_id, "\n".join(e.parts.rules)) for e in opened]
        read = [
            Prediction(e.case.case_id, self._search.read_out(e.case, e.given.chunk))
            for e in opened
            if e.given is not None
        ]
        of_given, of_rules, of_read = self._accuracies(given), self._accuracies(rules), self._accuracies(read)
        for each in opened:
            each.oracle_score = of_given.get(each.case.case_id)
            each.read_score = of_read.get(each.case.case_id, 0.0)
            each.rules_score = of_rules.get(each.case.case_id)

    async def _try_mended(self, opened: Sequence[_Open], solved: float) -> None:
        """Give the passages on the subject with the human's figures in place of theirs, and as they are.

        Only where none solves the case as it stands, or such a passage comes before the one that does.
        """
        for each in opened:
            each.mends = await asyncio.to_thread(self._mends, each, solved)
        for place in range(_MENDS):
            tried = [(e, e.mends[place]) for e in opened if len(e.mends) > place]
            scores = await self._scored([(e, mended(m.support.chunk, m.clashes)) for e, m in tried])
            for each, mend in tried:
                mend.score = scores.get(each.case.case_id)
            again = [(e, m) for e, m in tried if m.score is not None and m.score >= solved]
            scores = await self._scored([(e, m.support.chunk) for e, m in again if m.support is not e.given])
            for each, mend in again:
                mend.as_is = each.oracle_score if mend.support is each.given else scores.get(each.case.case_id)

    def _mends(self, each: _Open, solved: float) -> list[Mend]:
        solver = each.oracle_score is not None and each.oracle_score >= solved and each.given is not None
        last = each.ranks.get(each.given.chunk.id, 10 * PASSAGES) if solver and each.given is not None else None
        found = [
            Mend(support, clashing)
            for support in each.shown()
            if support.chunk.kind is DocumentKind.ARTICLE
            and support.meaning >= MENDED_ABOUT
            and (last is None or each.ranks.get(support.chunk.id, last) < last)
            and (clashing := self._search.clashes(each.case, support.chunk))
            and clashing[0].nearness >= MENDED_NEAR
        ]
        return sorted(found, key=lambda mend: -mend.clashes[0].nearness)[:_MENDS]

    async def _try_said(self, opened: Sequence[_Open], solved: float) -> None:
        """Give the human's own words as a passage, where no passage solves the case: can the answer tell them?"""
        asked = [e for e in opened if e.parts.size and (e.oracle_score or 0.0) < solved and e.mend(solved) is None]
        scores = await self._scored([(e, human_words(e.case, e.parts.every)) for e in asked])
        for each in asked:
            each.said_score = scores.get(each.case.case_id)

    async def _answer(self, each: _Open, chunk: Chunk) -> Reply:
        return await answer_given(self._bench, self._live, each.case, chunk)

    async def _scored(self, given: Sequence[tuple[_Open, Chunk]]) -> dict[str, float]:
        """Accuracy, by case, of the answers that are given these passages."""
        replies = [(each.case.case_id, await self._answer(each, chunk)) for each, chunk in given]
        made = [Prediction(key, reply.text, reply.decision) for key, reply in replies]
        return await asyncio.to_thread(self._accuracies, made)

    def _accuracies(self, replies: Sequence[Prediction]) -> dict[str, float]:
        return self._scorer.accuracies(replies)

    def _moment(self, case: ReplyCase) -> datetime:
        return case.at if self._bench.view.as_of and case.at is not None else self._bench.clock.now()


def _open_to(each: _Open, solved: float) -> bool:
    """Whether the cause depends on the vectors: it is another one where they are wrong than where they are right."""
    return len({_diagnosis(replace(each, drift=drift), solved).cause for drift in (0.0, WORST_DRIFT)}) > 1


def _diagnosis(each: _Open, solved: float) -> Diagnosis:
    best = each.given
    near = [s for s in each.found if s.chunk.kind is DocumentKind.ARTICLE and s.near <= NEAR]
    stale = max((s for s in near if s.rivals and (s.near == 1 or s is best)), key=lambda s: s.subject, default=None)
    on_subject = max((s.meaning for s in near), default=0.0)
    mend = each.mend(solved)
    facts = Facts(
        size=each.parts.size,
        state_share=each.parts.share(each.parts.state),
        action_share=each.parts.share(each.parts.actions),
        rules_share=each.parts.share(each.parts.rules),
        state_answer=bool(each.reply.state_used),
        only_person=each.only_person,
        support=best.score if best is not None else 0.0,
        held_score=each.held.get(best.chunk.id, 0.0) if best is not None else 0.0,
        read_score=each.read_score,
        internal_score=max((s.score for s in each.found if s.chunk.audience == "internal"), default=0.0),
        rank=each.rank,
        given_score=each.oracle_score,
        said_score=each.said_score,
        mended_score=mend.score if mend is not None else None,
        mended_near=mend.clashes[0].nearness if mend is not None else 0.0,
        mended_about=mend.support.meaning if mend is not None else 0.0,
        rules_score=each.rules_score or 0.0,
        rival_subject=stale.subject if stale is not None else 0.0,
        rival_is_best=stale is not None and best is not None and stale.chunk.document_id == best.chunk.document_id,
        article_on_subject=on_subject,
        says_changed=each.parts.says_changed,
        drift=each.drift,
        quoted_clashes=len(each.quoted),
        solved=solved,
        k=PASSAGES,
    )
    evidence: dict[str, object] = facts.record()
    evidence["held_values"] = list(each.parts.held_values)
    if best is not None:
        evidence["passage"] = {
            "document_id": best.chunk.document_id,
            "kind": best.chunk.kind.value,
            "title": best.chunk.title,
            "facts": round(best.facts, 3),
            "meaning": round(best.meaning, 3),
        }
    if each.oracle is not None:
        evidence["reply_given_the_passage"] = each.oracle.text
    if each.quoted:
        evidence["quoted"] = [list(pair) for pair in each.quoted[:4]]
    if mend is not None:
        lines = [{"says": c.sentence, "would_have_to_say": c.mended} for c in mend.clashes[:3]]
        pairs = [[f"{mine.kind} {mine.value}", theirs.value] for c in mend.clashes for mine, theirs in c.pairs]
        evidence["mended"] = {"document_id": mend.support.chunk.document_id, "lines": lines}
        evidence["rival"] = {"document_id": mend.support.chunk.document_id, "pairs": pairs[:4]}
    elif stale is not None:
        evidence["rival"] = {"document_id": stale.chunk.document_id, "pairs": [list(p) for p in stale.rivals[:4]]}
    return Diagnosis(each.case.case_id, decide(facts), evidence)
