"""From what the experiments measured to one cause. Pure; its constants were chosen on the demo."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from evals.root_causes.model import Cause

SAME_SUBJECT = 0.25  # agreement from which another figure is another version, and not another matter
SURELY_SAME = 0.6  # the same, where the passage would otherwise be taken to hold what the human said
WORST_DRIFT = 2.0
DRIFT = 0.1  # 1 less the cosine of a stored vector with its text's; intact ones measure 0.00
QUOTED_ON = 0.2  # agreement of an article from which a figure quoted against the human's is about the same
SOLVES = 0.25  # support below which a passage that solves a case when given alone does so by luck
HOLDS, WORDS_HOLD = (
    0.55,
    0.45,
)  # support and words from which a passage holds what the human said, though no answer shows it
MUTE = 0.5  # accuracy below which the answering step fails on the human's own words
MENDED_NEAR, MENDED_ABOUT = (
    0.2,
    0.15,
)  # agreement of the mended clause, and of its passage, to be about it
ON_SUBJECT = 0.05  # agreement of an article with a human who says that the rule has changed
STATE, ACTION = 0.25, 0.25  # shares of the reply from which it rests on state, or is something done
RULES_SOLVE = 0.5  # accuracy of the human's reply less state and acts from which knowledge alone would have done


@dataclass(frozen=True, slots=True)
class Facts:
    """What the experiments on one case measured. Shares and scores are 0–1; ``rank`` counts from 1.

    ``held_score`` is the accuracy that the best passage's own words can reach, chosen with the human's reply at hand,
    ``read_score`` that of its words nearest to the customer's, chosen without it; ``given_score`` that of the answer
    which was given this passage, ``said_score`` of the one that was given the human's words as a passage;
    ``rules_score`` that of the human's own reply without the sentences that rest on state or act. ``mended_score`` is
    that of the answer given a passage with the human's figures in place of its own, where that passage as it stands
    does not solve the case and comes before any that does; ``mended_near`` and ``mended_about`` say how surely it is
    about the same. ``drift`` is 1 less the cosine of the passage's worst vector in the index with that of its text,
    None where no drift could change the cause; ``quoted_clashes`` counts figures of the live reply, taken from what it
    cites, that clash with the human's.
    """

    size: int
    state_share: float
    action_share: float
    rules_share: float
    state_answer: bool
    only_person: bool
    support: float
    held_score: float
    read_score: float
    internal_score: float
    rank: int | None
    given_score: float | None
    said_score: float | None
    mended_score: float | None
    mended_near: float
    mended_about: float
    rules_score: float
    rival_subject: float
    rival_is_best: bool
    article_on_subject: float
    says_changed: bool
    drift: float | None
    quoted_clashes: int
    solved: float
    k: int

    def record(self) -> dict[str, Any]:
        """As JSON data."""
        return {name: round(v, 3) if isinstance(v, float) else v for name, v in asdict(self).items()}


def decide(facts: Facts) -> Cause:
    """The cause. Each step is one experiment's outcome, the most certain first."""
    if facts.only_person:
        return Cause.PERSON_WANTED
    if facts.size == 0:
        return Cause.UNDETERMINED
    solves = _solves(facts)
    held = facts.held_score >= WORDS_HOLD and facts.support >= HOLDS
    if facts.drift is not None and facts.drift >= DRIFT and (solves or held):
        return Cause.RETRIEVAL_MISSED  # the index does not hold what the passage's text embeds to
    if mended_solves(facts):
        return Cause.KNOWLEDGE_STALE  # had it the human's figures, the passage would have solved the case
    if facts.rival_subject >= SURELY_SAME or (facts.quoted_clashes and facts.article_on_subject >= QUOTED_ON):
        return Cause.KNOWLEDGE_STALE
    if solves:
        return Cause.RETRIEVAL_MISSED  # alone it solves the case: it was not found, or came too low among others
    mute = facts.said_score is not None and facts.said_score < MUTE
    if not held and not mute and _another_version(facts):
        return Cause.KNOWLEDGE_STALE
    if not held and facts.rules_score < RULES_SOLVE:
        if facts.action_share >= ACTION and facts.action_share >= 0.6 * facts.state_share:
            return Cause.ACTION_NEEDED
        if facts.state_share >= STATE:
            return Cause.STATE_NEEDED
    if mute:
        return Cause.ANSWER_DID_NOT_SOLVE  # an article with the very words would not have helped
    if not held:
        return Cause.KNOWLEDGE_MISSING
    if facts.rank is None or facts.rank > facts.k:
        return Cause.RETRIEVAL_MISSED
    return Cause.ANSWER_DID_NOT_SOLVE


def mended_solves(facts: Facts) -> bool:
    """Whether other figures in a passage about the same are what stood between it and the human's reply."""
    return (
        facts.mended_score is not None
        and facts.mended_score >= facts.solved
        and facts.mended_near >= MENDED_NEAR
        and facts.mended_about >= MENDED_ABOUT
    )


def _solves(facts: Facts) -> bool:
    """The passage alone solves the case, and not by luck: it is about the same, or all readings of it agree."""
    if facts.given_score is None or facts.given_score < facts.solved:
        return False
    return facts.support >= SOLVES or min(facts.held_score, facts.read_score) >= facts.solved


def _another_version(facts: Facts) -> bool:
    """An article on the same subject gives other figures, or the human says that what it gives has changed."""
    return facts.rival_subject >= SAME_SUBJECT or (facts.says_changed and facts.article_on_subject >= ON_SUBJECT)
