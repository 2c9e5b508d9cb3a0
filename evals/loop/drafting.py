"""From the gaps last found to drafts in the review queue: by the model where one is set and keeps to its sources."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from assistant.bootstrap import Service
from assistant.domain.review import ReviewItem
from assistant.errors import ModelUnavailable
from evals.case_sets import cases_from_transcripts
from evals.cases import ReplyCase
from evals.loop.drafts import Draft, draft_for
from evals.loop.gap_runs import latest_gaps
from evals.loop.review import review_desk
from evals.loop.writing import written_draft
from ingest.sources.schemas import parse_transcript


@dataclass(frozen=True, slots=True)
class Drafted:
    """New review items; by gap id why there is none, and why the model's draft was not taken."""

    items: tuple[ReviewItem, ...]
    without: Mapping[str, str] = field(default_factory=dict)
    model_failed: Mapping[str, str] = field(default_factory=dict)


async def draft_gaps(service: Service, workspace: str, gap_ids: Sequence[str], top: int) -> Drafted:
    """Draft for these gaps, or for the ``top`` costliest. Raises NotFound where gaps or the named one are unknown."""
    run = latest_gaps(service.settings.data_dir / "runs" / workspace)
    gaps = [run.gap(gap_id) for gap_id in dict.fromkeys(gap_ids)] if gap_ids else list(run.gaps[:top])
    cases = cases_of(service, workspace)
    desk = review_desk(service, workspace)
    drafts: list[Draft] = []
    without: dict[str, str] = {}
    model_failed: dict[str, str] = {}
    for gap in gaps:
        now = service.clock.now()
        draft: Draft | None = None
        if service.chat_model is not None:
            try:
                draft = await written_draft(service.chat_model, gap, cases, now)
            except ModelUnavailable as exc:
                model_failed[gap.id] = str(exc)
        draft = draft or draft_for(gap, cases, now)
        if draft is None:
            without[gap.id] = "no human reply holds a rule that would help the next customer"
        else:
            drafts.append(draft)
    items = await asyncio.to_thread(desk.propose, drafts, {gap.id: gap.name for gap in gaps})
    made = {item.gap_id for item in items}
    without |= {d.gap_id: "its conversations were drafted from before" for d in drafts if d.gap_id not in made}
    return Drafted(tuple(items), without, model_failed)


def cases_of(service: Service, workspace: str) -> dict[str, ReplyCase]:
    """The reply cases of the workspace's transcripts, by id."""
    stored = service.records(workspace).transcripts()
    return {case.case_id: case for case in cases_from_transcripts(parse_transcript(dict(t), "records") for t in stored)}
