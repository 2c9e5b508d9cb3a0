"""Model-free measures of a reply against what a human replied; every one loses on courtesy."""

from evals.answer_metrics.accuracy import MEASURES, AnswerScorer, AnswerScores, CaseScore, combined
from evals.answer_metrics.overlap import chrf, corpus_bleu

__all__ = ["MEASURES", "AnswerScorer", "AnswerScores", "CaseScore", "chrf", "combined", "corpus_bleu"]
