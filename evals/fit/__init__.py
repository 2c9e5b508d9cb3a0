"""Fits fusion weights, calibration and a light adapter to one workspace, and keeps them only where they win."""

from evals.fit.comparing import Comparison, compare_and_fit
from evals.fit.lessons import Lesson, lessons_of_articles, lessons_of_cases

__all__ = ["Comparison", "Lesson", "compare_and_fit", "lessons_of_articles", "lessons_of_cases"]
