"""Answers without a model: the sentences, steps and rows of the best supported passage, quoted."""

from assistant.extractive.answerer import ExtractiveAnswer, ExtractiveAnswerer

__all__ = ["ExtractiveAnswer", "ExtractiveAnswerer"]
