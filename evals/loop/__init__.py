"""From failures to reviewed knowledge: gaps, drafted articles, and old cases replayed on them before publishing."""

from evals.loop.drafts import Draft, draft_for
from evals.loop.gaps import CaseCost, Gap, case_costs, find_gaps
from evals.loop.shadow import ShadowReport, replay_candidates

__all__ = ["CaseCost", "Draft", "Gap", "ShadowReport", "case_costs", "draft_for", "find_gaps", "replay_candidates"]
