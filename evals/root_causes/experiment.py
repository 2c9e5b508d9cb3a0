"""Runs the experiments on failed cases: two searches, and an answer to which the right passage is given."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from assistant.answering import PASSAGES, Answerer
from assistant.domain.knowledge import Chunk, DocumentKind, Passage
from assistant.domain.reply import Reply
from assistant.drafting import NEIGHBOURS, split_turns
from assistant.followup import standalone
from assistant.generation import GeneratedAnswerer
from assistant.language import spoken
from assistant.ports import Progress
from assistant.retrieval import Query, Retrieval, Retriever, SimilarCases
from assistant.state.answers import answer_from_state
from evals.answer_metrics import AnswerScorer, CaseScore
from evals.cases import Prediction, ReplyCase
from evals.root_causes.decide import HELD, NEAR, Facts, decide
from evals.root_causes.model import Diagnosis
from evals.root_causes.parts import ReplyParts, only_wants_person, parts_of
from evals.root_causes.support import KnowledgeSearch, Support, supporting
from evals.transfer_run import Bench

SOLVED = 0.35
"""Accuracy from which a case counts as solved: four of five second humans of the demo reach it, unrelated replies do
not (docs/evaluation-root-causes.md)."""


@dataclass(slots=True)
class _Open:
    """A case under examination."""

    case: ReplyCase
    reply: Reply
    score: CaseScore
    parts: ReplyParts
    found: list[Support]
    given: Support | None
    rank: int | None
    state_answer: bool
    oracle: Reply | None = None
    oracle_score: float | None = None
    rules_score: float | None = None


class RootCauses:
    """Diagnoses the failed cases of one replay, on the knowledge and with the answerer that the replay had."""

    def __init__(self, bench: Bench, scorer: AnswerScorer) -> None:
        self._bench = bench
        self._scorer = scorer
        self._search = KnowledgeSearch(bench.view, bench.cases, bench.embedder)
        self._live = bench.view.retriever()

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
        opened: list[_Open] = []
        for number, (case, score) in enumerate(failed, 1):
            opened.append(await asyncio.to_thread(self._examine, case, replies[case.case_id], score))
            if progress is not None:
                progress.advance("causes", number, 2 * len(failed))
        for number, each in enumerate(opened, 1):
            await self._given_the_passage(each)
            if progress is not None:
                progress.advance("causes", len(failed) + number, 2 * len(failed))
        self._score_given(opened)
        return [_diagnosis(each, solved) for each in opened]

    def _examine(self, case: ReplyCase, reply: Reply, score: CaseScore) -> _Open:
        now, hidden = self._moment(case), self._bench.guard.hidden(case).keys
        parts = parts_of(case, case.references[0])
        wanted = parts.rules or (*parts.actions, *parts.state)
        found = self._search.find(case, tuple(dict.fromkeys(wanted)), now=now, exclude=hidden)
        shown = [s for s in found if s.chunk.audience == "public"]
        given = shown[0] if shown else None
        good = {s.chunk.id for s in supporting(shown, HELD)} or ({given.chunk.id} if given else set())
        text, before, history = split_turns(case.turns)
        state_answer = case.user_state is not None and (
            answer_from_state(
                text, case.user_state, locale=spoken(case.locale, text), now=case.user_state.as_of, history=history
            )
            is not None
        )
        rank = self._rank(text, before, standalone(text, history), case, good, now, hidden)
        return _Open(case, reply, score, parts, found, given, rank, state_answer)

    def _rank(
        self,
        text: str,
        before: str,
        query: str,
        case: ReplyCase,
        good: set[str],
        now: datetime,
        hidden: frozenset[str],
    ) -> int | None:
        """The best rank at which the customer's words find one of the good passages, from 1; None where they do not."""
        if not good:
            return None
        asked = Query(query, k=10 * PASSAGES, locale=case.locale, exclude_conversations=hidden)
        passages = self._live.search(asked, now=now).passages
        ranks = [n for n, passage in enumerate(passages, 1) if passage.id in good]
        cases = self._live.similar_cases(text, before, limit=NEIGHBOURS, now=now, exclude=hidden).passages
        ranks += [n for n, passage in enumerate(cases[:PASSAGES], 1) if passage.id in good]
        return min(ranks, default=None)

    async def _given_the_passage(self, each: _Open) -> None:
        if each.given is None:
            return
        bench, case = self._bench, each.case
        oracle = _Only(self._live, each.given.chunk)
        answerer = Answerer(
            retriever=oracle,
            embedder=bench.embedder,
            state_source=None,
            generator=GeneratedAnswerer(bench.chat_model) if bench.chat_model is not None else None,
            settings=bench.settings,
            clock=bench.clock,
        )
        if bench.view.as_of and case.at is not None:
            bench.clock.stand_at(case.at)
        each.oracle = await answerer.draft(case.turns, state=case.user_state, locale=case.locale)

    def _score_given(self, opened: Sequence[_Open]) -> None:
        """Score the answers given the passage; and the human's own reply less all that rests on state or is an act."""
        given = [Prediction(e.case.case_id, e.oracle.text, e.oracle.decision) for e in opened if e.oracle is not None]
        rules = [Prediction(e.case.case_id, "\n".join(e.parts.rules)) for e in opened]
        of_given, of_rules = self._accuracies(given), self._accuracies(rules)
        for each in opened:
            each.oracle_score = of_given.get(each.case.case_id)
            each.rules_score = of_rules.get(each.case.case_id)

    def _accuracies(self, replies: Sequence[Prediction]) -> dict[str, float]:
        scored = self._scorer.score(replies)
        return {score.case_id: score.scores.accuracy for score in scored if score.scores is not None}

    def _moment(self, case: ReplyCase) -> datetime:
        return case.at if self._bench.view.as_of and case.at is not None else self._bench.clock.now()


class _Only(Retriever):
    """A retriever that finds one passage, whatever is asked: what the answer makes of the right one."""

    def __init__(self, like: Retriever, chunk: Chunk) -> None:
        self.__dict__.update(like.__dict__)
        self._passage = Passage(
            id=chunk.id,
            document_id=chunk.document_id,
            kind=chunk.kind,
            title=chunk.title,
            heading=chunk.heading,
            text=chunk.text,
            score=1.0,
            locale=chunk.locale,
            audience=chunk.audience,
            url=chunk.url,
            conversation_id=chunk.conversation_id,
            updated_at=chunk.updated_at,
            valid_until=chunk.valid_until,
        )

    def search(self, query: Query, *, now: datetime) -> Retrieval:
        return Retrieval((self._passage,))

    def similar_cases(
        self, text: str, context: str, *, limit: int, now: datetime, exclude: frozenset[str] = frozenset()
    ) -> SimilarCases:
        if self._passage.kind is not DocumentKind.RESOLUTION:
            return SimilarCases((), np.zeros(0, dtype=np.float32), np.zeros((0, 1), dtype=np.float32))
        one = np.ones((1, 1), dtype=np.float32)
        return SimilarCases((self._passage,), np.ones(1, dtype=np.float32), one)


def _diagnosis(each: _Open, solved: float) -> Diagnosis:
    best = each.given
    near = [s for s in each.found if s.chunk.kind is DocumentKind.ARTICLE and s.near <= NEAR]
    stale = max((s for s in near if s.rivals), key=lambda s: s.subject, default=None)
    on_subject = max((s.meaning for s in near), default=0.0)
    facts = Facts(
        size=each.parts.size,
        state_share=each.parts.share(each.parts.state),
        action_share=each.parts.share(each.parts.actions),
        rules_share=each.parts.share(each.parts.rules),
        state_answer=each.state_answer,
        only_person=only_wants_person(each.case),
        support=best.score if best is not None else 0.0,
        internal_support=max((s.score for s in each.found if s.chunk.audience == "internal"), default=0.0),
        rank=each.rank,
        given_score=each.oracle_score,
        rules_score=each.rules_score or 0.0,
        rival_subject=stale.subject if stale is not None else 0.0,
        rival_is_best=stale is not None and best is not None and stale.chunk.document_id == best.chunk.document_id,
        article_on_subject=on_subject,
        says_changed=each.parts.says_changed,
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
    if stale is not None:
        evidence["rival"] = {"document_id": stale.chunk.document_id, "pairs": [list(p) for p in stale.rivals[:4]]}
    return Diagnosis(each.case.case_id, decide(facts), evidence)
