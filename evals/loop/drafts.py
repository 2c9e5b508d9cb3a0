"""An article drafted for a gap without a model: the clearest of the human resolutions, redacted, with its sources."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from assistant.domain.knowledge import Article
from assistant.extractive.resolutions import is_general
from assistant.text import language_of
from evals.cases import ReplyCase
from evals.loop.gaps import Gap, one_line
from evals.root_causes.parts import parts_of
from ingest.redaction import redact

SOURCE_TAG = "from:"
_QUESTIONS = 6
_LEAST = 12  # characters of rules below which there is nothing to write an article from


@dataclass(frozen=True, slots=True)
class Draft:
    """A candidate article for review. Nothing but a person's acceptance puts it into the knowledge."""

    article: Article
    gap_id: str
    case_ids: tuple[str, ...]

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
    members = [cases[key] for key in gap.case_ids if key in cases]
    language = language_of(gap.name)
    told: list[tuple[int, ReplyCase, Sequence[str]]] = []
    for case in members:
        for reference in case.references[:1]:
            rules = tuple(rule for rule in parts_of(case, reference).rules if is_general(rule))
            size = sum(map(len, rules))
            if size >= _LEAST:
                told.append((size, case, rules))
    if not told:
        return None
    same = [item for item in told if language_of(" ".join(item[2])) == language] or told
    _, best, clearest = max(same, key=lambda item: (item[0], item[1].case_id))
    body = redact("\n".join(clearest), language).text
    questions = tuple(dict.fromkeys(redact(one_line(case.question), language).text for case in members))[:_QUESTIONS]
    return Draft(
        Article(
            id=f"gap-{gap.id}",
            title=redact(gap.name, language).text,
            body=body,
            locale=language,
            audience="internal",
            questions=questions,
            tags=(f"{SOURCE_TAG}{best.conversation_id}",),
            updated_at=now,
        ),
        gap.id,
        (best.case_id,),
    )


def sources_of(article: Article) -> frozenset[str]:
    """The conversations that a candidate says it was written from."""
    return frozenset(tag[len(SOURCE_TAG) :] for tag in article.tags if tag.startswith(SOURCE_TAG))
