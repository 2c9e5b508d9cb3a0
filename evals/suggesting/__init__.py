"""Whether suggested questions were then asked: on held-back weeks of transcripts, and on the live store."""

from evals.suggesting.live import LiveHits, live_hits
from evals.suggesting.run import SuggestionEvaluation, evaluate_suggestions

__all__ = ["LiveHits", "SuggestionEvaluation", "evaluate_suggestions", "live_hits"]
