"""One figure for a reply: does it say and do what the human said and did, without saying the opposite?

    accuracy = (0.50 · facts + 0.35 · semantic + 0.15 · action) ÷ weights present · (1 − 0.7 · √contradiction)

``action`` is absent where the reference acts on nothing. Facts are scaled down for a reply more than three times as
long as the reference, or pasting the whole knowledge base would win. Courtesy sentences of either side weigh nothing;
an empty reply, or one of courtesy alone, has 0. Weights and constants were chosen on groups a and b of the demo store.
On c and d, 56 cases: constant courtesy 0.00, random human 0.02, nearest old reply 0.20, second human 0.59. A reply is
therefore to be read beside the second human's figure: two people who are both right do not reach 1.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields, replace

from assistant.ports import Embedder
from evals.answer_metrics.actions import action_agreement, actions
from evals.answer_metrics.contradiction import contradiction
from evals.answer_metrics.facts import Weights, facts_recall, weights_of
from evals.answer_metrics.overlap import chrf
from evals.answer_metrics.semantic import Background, SentenceVectors, agreements, semantic
from evals.answer_metrics.sentences import content_sentences
from evals.cases import Prediction, ReplyCase, asked_by

FACTS, SEMANTIC, ACTION = 0.5, 0.35, 0.15
CONTRADICTION = 0.7
_BREVITY_TIMES, _BREVITY_EXTRA = 3, 60  # characters of content that a reply may have beside its reference


@dataclass(frozen=True, slots=True)
class AnswerScores:
    """Measures 0–1 of one reply against its nearest reference; ``action`` None where the reference acts on nothing.

    ``contradiction`` is the only one where less is better; ``chrf`` is for comparison with others.
    """

    accuracy: float
    facts_recall: float
    semantic: float
    action: float | None
    contradiction: float
    chrf: float

    def values(self) -> dict[str, float | None]:
        """By measure, in the order of ``MEASURES``."""
        return asdict(self)


MEASURES = tuple(field.name for field in fields(AnswerScores))


@dataclass(frozen=True, slots=True)
class CaseScore:
    """The scores of one case, or why there are none: ``no_prediction`` or ``no_reference``."""

    case_id: str
    scores: AnswerScores | None
    unscored: str | None = None
    contradictions: tuple[tuple[str, str], ...] = ()


class AnswerScorer:
    """Scores replies to one set of cases; what luck reaches is measured on the references of the same set.

    Scores of two runs compare when both come from the same cases and the same embedder.
    """

    def __init__(self, cases: Sequence[ReplyCase], embedder: Embedder) -> None:
        """Embeds the references. Raises EmbeddingFailed."""
        self._cases = cases
        self._vectors = SentenceVectors(embedder)
        self._weights = weights_of(reference for case in cases for reference in case.references)
        pool = [
            (sentence, case.conversation_id)
            for case in cases
            for reference in case.references
            for sentence in content_sentences(reference)
        ]
        self._vectors.prepare(sentence for sentence, _ in pool)
        self._background = Background(pool, self._vectors)

    @property
    def luck(self) -> tuple[SentenceVectors, Background, Weights]:
        """What replies are measured by: vectors, what luck reaches and the words' weights, for others to share."""
        return self._vectors, self._background, self._weights

    def score(self, predictions: Iterable[Prediction]) -> list[CaseScore]:
        """A score for each case in order; predictions of other cases are ignored. Raises EmbeddingFailed.

        A case without a prediction, or without a reference that says something, is unscored.
        """
        by_case = self._prepared(predictions)
        return [self._score(case, by_case.get(case.case_id)) for case in self._cases]

    def accuracies(self, predictions: Iterable[Prediction]) -> dict[str, float]:
        """Accuracy alone by case id, of those that ``score`` would score. Raises EmbeddingFailed."""
        by_case = self._prepared(predictions)
        found: dict[str, float] = {}
        for case in self._cases:
            references = _telling(case) if case.case_id in by_case else []
            if references:
                measured = (self._against(case, by_case[case.case_id], reference) for reference in references)
                found[case.case_id] = max(scores.accuracy for scores, _ in measured)
        return found

    def _prepared(self, predictions: Iterable[Prediction]) -> dict[str, Prediction]:
        by_case = {prediction.case_id: prediction for prediction in predictions}
        replies = (by_case[case.case_id].reply for case in self._cases if case.case_id in by_case)
        self._vectors.prepare(sentence for reply in replies for sentence in content_sentences(reply))
        return by_case

    def _score(self, case: ReplyCase, prediction: Prediction | None) -> CaseScore:
        references = _telling(case)
        if not references:
            return CaseScore(case.case_id, None, "no_reference")
        if prediction is None:
            return CaseScore(case.case_id, None, "no_prediction")
        measured = [(*self._against(case, prediction, reference), reference) for reference in references]
        best, clashes, nearest = max(measured, key=lambda made: made[0].accuracy)
        best = replace(best, chrf=chrf(prediction.reply, [nearest]))
        return CaseScore(case.case_id, best, None, clashes)

    def _against(
        self, case: ReplyCase, prediction: Prediction, reference: str
    ) -> tuple[AnswerScores, tuple[tuple[str, str], ...]]:
        """The measures but for chrF, which the nearest reference alone is asked for; and the pairs that clash."""
        said, wanted = content_sentences(prediction.reply), content_sentences(reference)
        wanted_actions = actions(reference)
        decision = prediction.decision if prediction.reply.strip() else None
        action = action_agreement(actions(prediction.reply, decision), wanted_actions)
        question = asked_by(case)
        if not said:
            scores = AnswerScores(combined(0.0, 0.0, action, 0.0), 0.0, 0.0, action, 0.0, 0.0)
            return scores, ()
        agreed = agreements(wanted, said, self._vectors, self._background, case.conversation_id)
        clash = contradiction(said, wanted, agreed, question)
        facts = facts_recall(prediction.reply, reference, question, self._weights) * _brevity(said, wanted)
        meaning = semantic(agreed, wanted, said)
        accuracy = combined(facts, meaning, action, clash.share)
        return AnswerScores(accuracy, facts, meaning, action, clash.share, 0.0), clash.figures + clash.verdicts


def _telling(case: ReplyCase) -> list[str]:
    return [reference for reference in case.references if content_sentences(reference)]


def combined(facts: float, meaning: float, action: float | None, clash: float) -> float:
    """Accuracy from its parts, by the formula above."""
    parts = [(FACTS, facts), (SEMANTIC, meaning)] + ([] if action is None else [(ACTION, action)])
    mean = sum(weight * part for weight, part in parts) / sum(weight for weight, _ in parts)
    return mean * (1 - CONTRADICTION * math.sqrt(clash))


def _brevity(said: Sequence[str], wanted: Sequence[str]) -> float:
    allowed = _BREVITY_TIMES * sum(map(len, wanted)) + _BREVITY_EXTRA
    return min(1.0, allowed / max(1, sum(map(len, said))))
