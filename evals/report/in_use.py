"""What the workspace's own records say beside a replay: drafts that went out, suggestions asked, the review queue."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from assistant.bootstrap import Service
from assistant.metering import Spent
from assistant.store.drafts import DraftRecords
from assistant.store.reviews import ReviewRecords
from evals.draft_report import DraftReport, report_on_drafts
from evals.suggesting.live import LiveHits, live_hits


@dataclass(frozen=True, slots=True)
class InUse:
    """``reviews`` counts drafted articles by status, ``flags`` articles that agents flagged and nobody settled.

    ``spent`` is what the chat model took for live replies.
    """

    drafts: DraftReport
    suggestions: LiveHits
    reviews: Mapping[str, int]
    flags: int
    spent: Spent


def in_use(service: Service, workspace: str) -> InUse:
    """The figures of one workspace. Raises EmbeddingFailed."""
    reviews = ReviewRecords(service.engine, workspace)
    return InUse(
        report_on_drafts(DraftRecords(service.engine, workspace).all()),
        live_hits(service, workspace),
        dict(Counter(item.status for item in reviews.items())),
        len({flag.article_id for flag in reviews.flags()}),
        service.usage(workspace).spent(),
    )
