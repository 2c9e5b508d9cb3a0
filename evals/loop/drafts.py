"""An article drafted for a gap without a model: the clearest of the human resolutions, redacted, with its sources."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from assistant.domain.knowledge import Article
from assistant.domain.review import WrittenFrom
from assistant.drafting import split_turns, tells
from assistant.extractive.resolutions import is_general, opening
from assistant.text import language_of
from evals.answer_metrics.figures import agree, figures
from evals.cases import ReplyCase
from evals.loop.gaps import Gap, one_line
from evals.provenance import SOURCE_TAG
from evals.root_causes.parts import parts_of
from ingest.redaction import redact

ASSEMBLED = "resolution"
_QUESTIONS = 6  # cases whose askings an article takes
_LONGEST_QUESTION = 120
_OWN = frozenset({"id", "date", "time"})  # an amount or a length of time may be the rule's
_NUMBER = re.compile(r"(?<![A-Za-z0-9-])(?=[A-Za-z0-9-]*\d{6})(?:[A-Za-z]{1,4}-?)?[0-9][A-Za-z0-9-]{6,}(?![A-Za-z0-9])")
_NUMBERED = {"zh": "[单号]", "en": "[number]"}  # an order or a parcel is one customer's; what is mined keeps it
_INTRODUCES = re.compile(r"(?:[A-Z][a-z]+, )?(?:this is |it's |I'm )?[A-Z][a-z]+ (?:speaking|here)[.,!]*$")
_LEAST = 12  # characters of rules below which there is nothing to write an article from


@dataclass(frozen=True, slots=True)
class Draft:
    """A candidate article for review. Nothing but a person's acceptance puts it into the knowledge.

    ``drafted_by`` is ``resolution`` where it was assembled from what a person said, else the model's name.
    """

    article: Article
    gap_id: str
    written_from: tuple[WrittenFrom, ...]
    drafted_by: str = ASSEMBLED

    def record(self) -> dict[str, Any]:
        """A line of the article format; its tags name the conversations that it was written from."""
        article = self.article
        return {
            "id": article.id,
            "title": article.title,
            "body": article.body,
            "locale": article.locale,
            "audience": article.audience,
            "questions": list(article.questions),
            "tags": list(article.tags),
            "updated_at": article.updated_at.isoformat() if article.updated_at else None,
        }


def draft_for(gap: Gap, cases: Mapping[str, ReplyCase], now: datetime) -> Draft | None:
    """A draft from the gap's cases, or None where no human's reply holds a rule that helps the next customer.

    The clearest resolution is the one with the most that holds for anyone; what was looked up or done for one customer
    is left out, and personal data is redacted. Its audience is internal until a reviewer says otherwise.
    """
    language = language_of(gap.name)
    told = told_by(gap, cases)
    if not told:
        return None
    same = [item for item in told if language_of(" ".join(item[1])) == language] or told
    best, clearest = max(same, key=lambda item: (sum(map(len, item[1])), item[0].case_id))
    body = impersonal("\n".join(clearest), language)
    asking = _members(gap, cases)[:_QUESTIONS]
    questions = tuple(dict.fromkeys(question for case in asking for question in askings(case)))
    # Who asked one of the article's own questions is found by it: a source too, or a replay would count it as a gain.
    used = {case.case_id: case for case in (best, *asking)}.values()
    return Draft(
        Article(
            id=f"gap-{gap.id}",
            title=impersonal(gap.name, language),
            body=body,
            locale=language,
            audience="internal",
            questions=questions,
            tags=tuple(dict.fromkeys(f"{SOURCE_TAG}{case.conversation_id}" for case in used)),
            updated_at=now,
        ),
        gap.id,
        tuple(WrittenFrom(case.conversation_id, case.case_id) for case in used),
    )


def askings(case: ReplyCase) -> tuple[str, ...]:
    """How this customer asked, redacted: what was needed in one line, and the first words on it where there were more.

    It is what the assistant will look for when the next customer writes like this one; a call for a person is not.
    """
    need, before, _ = split_turns(case.turns)
    first = next((turn.text for turn in case.turns if turn.role == "customer" and tells(turn.text)), need)
    asked = (need, first) if before else (need,)
    lines = (one_line(impersonal(text, language_of(text)), _LONGEST_QUESTION) for text in asked if text.strip())
    return tuple(dict.fromkeys(lines))


def impersonal(text: str, language: str) -> str:
    """The text without personal data and without numbers of orders and parcels, placeholders in their stead."""
    return _NUMBER.sub(_NUMBERED["zh" if language == "zh" else "en"], redact(text, language).text)


def told_by(gap: Gap, cases: Mapping[str, ReplyCase]) -> list[tuple[ReplyCase, tuple[str, ...]]]:
    """The gap's cases whose human reply holds rules that hold for anyone, with these sentences."""
    found = []
    for case in _members(gap, cases):
        for reference in case.references[:1]:
            rules = tuple(
                _rule(s)
                for s in parts_of(case, reference).rules
                if is_general(s) and not _INTRODUCES.match(_rule(s)) and not _of_one(s, case) and not _NUMBER.search(s)
            )
            if sum(map(len, rules)) >= _LEAST:
                found.append((case, rules))
    return found


def _rule(sentence: str) -> str:
    """The sentence without the courtesy that it opens with."""
    return sentence[opening(sentence) :].strip()


def _of_one(sentence: str, case: ReplyCase) -> bool:
    """Whether the sentence repeats a number, date or hour that this customer gave: it is about theirs."""
    said = [f for turn in case.turns if turn.role == "customer" for f in figures(turn.text) if f.kind in _OWN]
    return any(agree(figure, other) for figure in figures(sentence) if figure.kind in _OWN for other in said)


def _members(gap: Gap, cases: Mapping[str, ReplyCase]) -> list[ReplyCase]:
    return [cases[key] for key in gap.case_ids if key in cases]
