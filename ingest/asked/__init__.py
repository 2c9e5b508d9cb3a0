"""What customers asked and in which situation, mined from transcripts: the suggestions learn from it."""

from ingest.asked.events import Asked, asked_in
from ingest.asked.intents import Grouping, group_questions
from ingest.asked.learning import learn_model, learn_suggestions

__all__ = ["Asked", "Grouping", "asked_in", "group_questions", "learn_model", "learn_suggestions"]
