"""Failed cases grouped by what they are about, and ranked by what they cost."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assistant.domain.conversation import Transcript
from assistant.extractive.resolutions import opening
from assistant.handoff import asks_for_person
from assistant.ports import Embedder
from assistant.text import fold, language_of
from evals.answer_metrics.background import SENTENCES
from evals.cases import ReplyCase, asked_by
from evals.root_causes import Diagnosis
from ingest.redaction import redact

ALIKE = 0.15
"""Mean cosine of two groups, each language's mean taken off, from which they are one issue. Chosen on groups a and b of
the demo, by pairs of cases with a gold article in common: precision 0.83, recall 0.45; on c and d 0.76 and 0.19. What
the customer says and what the human replied count alike: the questions alone reach a precision of 0.54 there."""
_TYPICAL_MINUTES = 10.0  # where a transcript does not tell how long it took
_LOW_RATING, _LOW_WEIGHT = 2, 0.5
_VALUE = {"black": 2.0, "vip": 2.0, "gold": 1.5, "silver": 1.2}
_LONGEST = 60
_SENTENCE = re.compile(r"(?<=[。！!？?；;…])|(?<=[A-Za-z)\]][.])\s+|\n")
_LONG_NUMBER = re.compile(r"\d{6}")
_TELLS = {"zh": 6, "en": 14}  # characters from which a turn can name an issue


@dataclass(frozen=True, slots=True)
class CaseCost:
    """What one conversation cost: a person's minutes with the customer, the rating, the customer's tier."""

    minutes: float
    csat: int | None
    tier: str

    @property
    def weighted(self) -> float:
        """Minutes, half as much again after a rating of 1 or 2, and up to twice for customers of high tiers."""
        unhappy = 1 + _LOW_WEIGHT * (self.csat is not None and self.csat <= _LOW_RATING)
        return self.minutes * unhappy * _VALUE.get(self.tier, 1.0)


@dataclass(frozen=True, slots=True)
class Gap:
    """One issue that cases fail on. ``name`` is its most telling question, in the customers' own words, redacted.

    ``cost`` is the sum of its cases' weighted minutes, so volume × cost apiece; ``case_ids`` are most central first.
    """

    id: str
    name: str
    locale: str
    case_ids: tuple[str, ...]
    conversation_ids: tuple[str, ...]
    causes: Mapping[str, int]
    cost: float
    minutes: float
    low_ratings: int

    def record(self) -> dict[str, Any]:
        """As JSON data."""
        return {
            "id": self.id,
            "name": self.name,
            "locale": self.locale,
            "cases": list(self.case_ids),
            "conversations": list(self.conversation_ids),
            "causes": dict(self.causes),
            "cost": round(self.cost, 1),
            "minutes": round(self.minutes, 1),
            "low_ratings": self.low_ratings,
        }


def case_costs(transcripts: Iterable[Transcript]) -> dict[str, CaseCost]:
    """Costs by conversation. Minutes run from the handoff (else the agent's first turn) to the end."""
    found: dict[str, CaseCost] = {}
    for transcript in transcripts:
        agent = [turn.at for turn in transcript.turns if turn.role == "agent" and turn.at is not None]
        start = (transcript.handoff.at if transcript.handoff else None) or (agent[0] if agent else None)
        end = transcript.closed_at or (agent[-1] if agent else None)
        minutes = _TYPICAL_MINUTES if start is None or end is None else (end - start).total_seconds() / 60
        profile = transcript.user_state.profile if transcript.user_state else {}
        found[transcript.conversation_id] = CaseCost(
            max(1.0, minutes), transcript.csat, str(profile.get("tier", "unknown"))
        )
    return found


def minutes_of(conversations: Iterable[str], costs: Mapping[str, CaseCost]) -> float:
    """People's minutes with these conversations, each once; 10 where a transcript does not tell."""
    unknown = CaseCost(_TYPICAL_MINUTES, None, "unknown")
    return sum(costs.get(each, unknown).minutes for each in set(conversations))


def find_gaps(
    cases: Sequence[ReplyCase],
    diagnoses: Sequence[Diagnosis],
    costs: Mapping[str, CaseCost],
    embedder: Embedder,
) -> list[Gap]:
    """The diagnosed cases as gaps, the costliest first. Raises EmbeddingFailed.

    Clusters are agglomerative with average linkage (Sokal & Michener 1958) over what the customers asked.
    """
    cause = {diagnosis.case_id: diagnosis.cause.value for diagnosis in diagnoses}
    failed = [case for case in cases if case.case_id in cause]
    if not failed:
        return []
    asked = _centred([asked_by(case) for case in failed], embedder)
    told = _centred([case.references[0] if case.references else asked_by(case) for case in failed], embedder)
    alike = np.asarray((asked @ asked.T + told @ told.T) / 2, dtype=np.float32)
    gaps = []
    for members in average_linkage(alike, ALIKE):
        central = sorted(members, key=lambda i: (-float(alike[i, members].mean()), failed[i].case_id))
        group = [failed[i] for i in central]
        conversations = tuple(dict.fromkeys(case.conversation_id for case in group))
        spent = [costs.get(c, CaseCost(_TYPICAL_MINUTES, None, "unknown")) for c in conversations]
        gaps.append(
            Gap(
                id=hashlib.sha256(min(c.case_id for c in group).encode()).hexdigest()[:10],
                name=one_line(redact(_telling_turn(group, embedder)).text),
                locale=group[0].locale,
                case_ids=tuple(case.case_id for case in group),
                conversation_ids=conversations,
                causes=dict(Counter(cause[case.case_id] for case in group).most_common()),
                cost=sum(cost.weighted for cost in spent),
                minutes=sum(cost.minutes for cost in spent),
                low_ratings=sum(cost.csat is not None and cost.csat <= _LOW_RATING for cost in spent),
            )
        )
    return sorted(gaps, key=lambda gap: (-gap.cost, gap.id))


def average_linkage(similarity: NDArray[np.float32], least: float) -> list[list[int]]:
    """Groups of row numbers: the two groups with the highest mean similarity merge until none reaches ``least``."""
    count = len(similarity)
    members: dict[int, list[int]] = {i: [i] for i in range(count)}
    table = similarity.astype(np.float64).copy()
    np.fill_diagonal(table, -np.inf)
    while len(members) > 1:
        first, second = divmod(int(np.argmax(table)), count)
        if table[first, second] < least:
            break
        a, b = len(members[first]), len(members[second])
        row = (a * table[first] + b * table[second]) / (a + b)
        table[first, :], table[:, first] = row, row
        table[first, first] = -np.inf
        table[second, :], table[:, second] = -np.inf, -np.inf
        members[first] += members.pop(second)
    return list(members.values())


def one_line(text: str, longest: int = _LONGEST) -> str:
    """The text on one line, cut at ``longest`` characters."""
    flat = " ".join(text.split())
    return flat if len(flat) <= longest else flat[: longest - 1].rstrip() + "…"


def _telling_turn(group: Sequence[ReplyCase], embedder: Embedder) -> str:
    """The customers' turn that tells most: nearest to what the humans replied to all, in most customers' language.

    Calls for a person and turns of a word or two name no issue, where another turn is there; of a long turn it is the
    sentence that tells most, without its greeting.
    """
    said = [turn.strip() for case in group for turn in asked_by(case).splitlines()]
    usual = Counter(language_of(turn) for turn in said).most_common(1)[0][0]
    telling = [t for t in said if len(t) >= _TELLS[usual] and language_of(t) == usual and not asks_for_person(t)]
    telling = [turn for turn in telling if not _LONG_NUMBER.search(turn)] or telling  # one parcel names no issue
    turns = list(dict.fromkeys(telling or said))
    replies = [case.references[0] for case in group if case.references]
    if not replies:
        return turns[-1]
    told = _centred(replies, embedder).mean(axis=0)
    best = turns[int(np.argmax(_centred(turns, embedder) @ told))]
    if len(best) <= _LONGEST:
        return best[opening(best) :]
    parts = [part.strip()[opening(part.strip()) :] for part in _SENTENCE.split(best)]
    parts = [part for part in parts if len(part) >= _TELLS[usual]] or [best]
    return parts[int(np.argmax(_centred(parts, embedder) @ told))]


def _centred(texts: Sequence[str], embedder: Embedder) -> NDArray[np.float32]:
    """Unit rows with the mean of each language taken off: what all texts of a shop share says nothing."""
    texts = [fold(text) for text in texts]
    rows = np.array(embedder.embed_queries(texts), dtype=np.float32)
    languages = np.array([language_of(text) for text in texts])
    for language in sorted(set(languages)):
        own = languages == language
        general = embedder.embed_queries(SENTENCES[language])  # a few cases are not enough for a mean of their own
        rows[own] -= np.vstack([rows[own], general]).mean(axis=0)
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9), dtype=np.float32)
