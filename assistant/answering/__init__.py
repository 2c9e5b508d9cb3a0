"""Decides and composes one reply: guard, handoff rules, live state, tasks, retrieval, then model or extract."""

from assistant.answering.answer_cache import AnswerCache
from assistant.answering.answerer import PASSAGES, Answerer

__all__ = ["PASSAGES", "AnswerCache", "Answerer"]
