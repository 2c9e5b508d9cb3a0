"""An article drafted for a gap without a model: the clearest of the human resolutions, redacted, with its sources."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from assistant.domain.knowledge import Article
from assistant.domain.review import WrittenFrom
from assistant.extractive.resolutions import is_general
from assistant.text import language_of
from evals.cases import ReplyCase
from evals.loop.gaps import Gap, one_line
from evals.provenance import SOURCE_TAG
from evals.root_causes.parts import parts_of
from ingest.redaction import redact

ASSEMBLED = "resolution"
_QUESTIONS = 6
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
    body = redact("\n".join(clearest), language).text
    asking = _members(gap, cases)[:_QUESTIONS]
    questions = tuple(dict.fromkeys(redact(one_line(case.question), language).text for case in asking))
    # Who asked one of the article's own questions is found by it: a source too, or a replay would count it as a gain.
    used = {case.case_id: case for case in (best, *asking)}.values()
    return Draft(
        Article(
            id=f"gap-{gap.id}",
            title=redact(gap.name, language).text,
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


def told_by(gap: Gap, cases: Mapping[str, ReplyCase]) -> list[tuple[ReplyCase, tuple[str, ...]]]:
    """The gap's cases whose human reply holds rules that hold for anyone, with these sentences."""
    found = []
    for case in _members(gap, cases):
        for reference in case.references[:1]:
            rules = tuple(rule for rule in parts_of(case, reference).rules if is_general(rule))
            if sum(map(len, rules)) >= _LEAST:
                found.append((case, rules))
    return found


def _members(gap: Gap, cases: Mapping[str, ReplyCase]) -> list[ReplyCase]:
    return [cases[key] for key in gap.case_ids if key in cases]
