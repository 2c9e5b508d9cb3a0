"""Gaps, drafted articles under review, flags and stocktake, for staff: what a knowledge desk page is built on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, Field

from api.auth import AnyCaller, Caller
from api.problems import Problem, documented
from api.routes import staff_examples as told
from api.routes.examples import shown
from assistant.bootstrap import Service
from assistant.domain.knowledge import Audience
from assistant.domain.review import OPEN, FlagReason, ReviewStatus
from assistant.errors import InputRejected, NotFound
from evals.loop.gap_runs import latest_gaps
from evals.loop.predicting import outcome_of
from evals.loop.review import ReviewDesk, review_desk
from evals.loop.review_record import flag_record, item_record
from evals.loop.stocktake import take_stock
from ingest.sources.schemas import parse_article

router = APIRouter(tags=["knowledge desk"])
_USUAL = ("unauthenticated", "not-permitted", "invalid", "unavailable")
ItemId = Annotated[str, Path(min_length=1, max_length=64, examples=["rv_3f9a0c11d2"])]
ArticleId = Annotated[str, Path(min_length=1, max_length=512, examples=["refund-time"])]
Note = Annotated[str, Field(max_length=2000)]


class Knowledge:
    """What these routes work on, of any workspace; stocktakes of one workspace are taken one at a time."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.taking: dict[str, asyncio.Lock] = {}

    def desk(self, workspace: str) -> ReviewDesk:
        """The review queue of a workspace."""
        return review_desk(self.service, workspace)


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class AcceptIn(_In):
    """For whom the text may be published."""

    audience: Audience = "public"
    note: Note = ""


class EditIn(_In):
    """The new text, in the article format; its id is kept whatever is sent."""

    article: dict[str, Any]
    note: Note = ""


class RejectIn(_In):
    """Why it is not wanted."""

    note: Note = ""


class PublishIn(_In):
    """Whether it may go without a replay of old cases."""

    without_replay: bool = False
    note: Note = ""


class FlagIn(_In):
    """What does not fit any more."""

    reason: FlagReason
    note: Note = ""


def _staff(caller: AnyCaller) -> Caller:
    if not caller.is_staff:
        raise Problem("not-permitted", "This needs an API key with the role agent or manager.")
    return caller


def _manager(caller: AnyCaller) -> Caller:
    if caller.role != "manager":
        raise Problem("not-permitted", "This needs an API key with the role manager.")
    return caller


def _knowledge(request: Request) -> Knowledge:
    knowledge: Knowledge | None = request.app.state.knowledge
    if knowledge is None:
        raise Problem("unavailable")
    return knowledge


Staff = Annotated[Caller, Depends(_staff)]
Manager = Annotated[Caller, Depends(_manager)]
Held = Annotated[Knowledge, Depends(_knowledge)]


@router.get(
    "/gaps",
    summary="Issues that cases fail on, costliest first",
    responses={200: shown(told.GAPS), **documented(*_USUAL)},
)
async def gaps(caller: Staff, held: Held) -> dict[str, Any]:
    """From the evaluation last run (`teachback eval gaps`); `at` is null where there was none yet."""
    folder = held.service.settings.data_dir / "runs" / caller.workspace
    try:
        run = await run_in_threadpool(latest_gaps, folder)
    except NotFound:
        return {"at": None, "cases": 0, "failed": 0, "gaps": []}
    items = await run_in_threadpool(held.desk(caller.workspace).store.items)
    reviews = {item.gap_id: {"id": item.id, "status": item.status} for item in items}
    record = run.record()
    return {**record, "gaps": [{**gap, "review": reviews.get(gap["id"])} for gap in record["gaps"]]}


@router.get("/reviews", summary="Drafted articles", responses={200: shown(told.REVIEWS), **documented(*_USUAL)})
async def reviews(
    caller: Staff,
    held: Held,
    status: Annotated[list[ReviewStatus] | None, Query(description="Open ones where none is named.")] = None,
    everything: Annotated[bool, Query(alias="all", description="Closed ones too.")] = False,
) -> dict[str, Any]:
    """The oldest first, without their histories."""
    wanted = tuple(status or ()) or (() if everything else tuple(sorted(OPEN)))
    items = await run_in_threadpool(held.desk(caller.workspace).store.items, wanted)
    return {"items": [item_record(item, history=False) for item in items]}


@router.get(
    "/reviews/{item_id}",
    summary="One drafted article",
    responses={200: shown(told.REVIEWED), **documented(*_USUAL, "not-found")},
)
async def review(item_id: ItemId, caller: Staff, held: Held) -> dict[str, Any]:
    """With its history and, once published and run again, `outcome`: what came of the prediction."""
    item = await run_in_threadpool(held.desk(caller.workspace).store.get, item_id)
    folder = held.service.settings.data_dir / "runs" / caller.workspace
    outcome = await run_in_threadpool(outcome_of, item, folder)
    return {**item_record(item), "outcome": None if outcome is None else outcome.record()}


_DECIDING = {200: shown(told.WHOLE_ITEM), **documented(*_USUAL, "not-found", "conflict", "too-large")}


@router.post("/reviews/{item_id}/accept", summary="Accept a draft as it is", responses=_DECIDING)
async def accept(item_id: ItemId, body: AcceptIn, caller: Manager, held: Held) -> dict[str, Any]:
    """The item after it."""
    return await _decided(
        held, caller, lambda d, who: d.accept(item_id, who=who, audience=body.audience, note=body.note)
    )


@router.post("/reviews/{item_id}/edit", summary="Replace a draft's text, and accept it", responses=_DECIDING)
async def edit(item_id: ItemId, body: EditIn, caller: Manager, held: Held) -> dict[str, Any]:
    """The item after it. What was replayed on the old text counts no longer."""
    article = parse_article({"id": item_id, **body.article}, "article")
    return await _decided(held, caller, lambda d, who: d.edit(item_id, article, who=who, note=body.note))


@router.post("/reviews/{item_id}/reject", summary="Reject a draft", responses=_DECIDING)
async def reject(item_id: ItemId, body: RejectIn, caller: Manager, held: Held) -> dict[str, Any]:
    """The item after it; its conversations are not drafted from again."""
    return await _decided(held, caller, lambda d, who: d.reject(item_id, who=who, note=body.note))


@router.post("/reviews/{item_id}/publish", summary="Make an accepted article knowledge", responses=_DECIDING)
async def publish(item_id: ItemId, body: PublishIn, caller: Manager, held: Held) -> dict[str, Any]:
    """The item after it. Needs a replay of its present text (`teachback review replay`) or `without_replay`."""
    return await _decided(
        held,
        caller,
        lambda d, who: d.publish(item_id, who=who, without_replay=body.without_replay, note=body.note),
    )


@router.get(
    "/articles/{article_id:path}/flags",
    summary="Flags on an article",
    responses={200: shown(told.FLAGS), **documented(*_USUAL)},
)
async def flags(
    article_id: ArticleId,
    caller: Staff,
    held: Held,
    settled: Annotated[bool, Query(description="Those dealt with too.")] = False,
) -> dict[str, Any]:
    """The oldest first."""
    store = held.desk(caller.workspace).store
    found = await run_in_threadpool(lambda: store.flags(article_id, settled=settled))
    return {"flags": [flag_record(flag) for flag in found]}


@router.post(
    "/articles/{article_id:path}/flags",
    summary="Say that an article no longer fits",
    status_code=201,
    responses={201: shown(told.FLAG, "The flag"), **documented(*_USUAL, "not-found", "too-large")},
)
async def flag(article_id: ArticleId, body: FlagIn, caller: Staff, held: Held) -> dict[str, Any]:
    """The flag. The article stays in use until a manager has dealt with it."""
    desk = held.desk(caller.workspace)
    made = await run_in_threadpool(lambda: desk.flag(article_id, body.reason, who=_who(caller), note=body.note))
    return flag_record(made)


@router.post(
    "/flags/{flag_id}/settle",
    summary="A flag was dealt with",
    responses={200: shown(told.SETTLED), **documented(*_USUAL, "not-found")},
)
async def settle(
    flag_id: Annotated[str, Path(min_length=1, max_length=64)], caller: Manager, held: Held
) -> dict[str, Literal[True]]:
    """Settling twice keeps the first."""
    desk = held.desk(caller.workspace)
    await run_in_threadpool(lambda: desk.settle(flag_id, who=_who(caller)))
    return {"settled": True}


@router.get(
    "/stocktake",
    summary="Articles to look at, with evidence",
    responses={200: shown(told.STOCK), **documented(*_USUAL)},
)
async def stocktake(caller: Staff, held: Held) -> dict[str, Any]:
    """Worked out anew: seconds to a minute for some hundred articles. One at a time in a workspace."""
    async with held.taking.setdefault(caller.workspace, asyncio.Lock()):
        found = await run_in_threadpool(take_stock, held.service, caller.workspace)
    return found.record()


async def _decided(held: Knowledge, caller: Caller, decide: Callable[[ReviewDesk, str], Any]) -> dict[str, Any]:
    try:
        item = await run_in_threadpool(decide, held.desk(caller.workspace), _who(caller))
    except InputRejected as exc:
        raise Problem("invalid", exc.reason) from exc
    return item_record(item)


def _who(caller: Caller) -> str:
    """The key that decided: its label, where it was given one, and its id. Whoever holds it is known to its owner."""
    return f"{caller.key_label} (key:{caller.key_id})" if caller.key_label else f"key:{caller.key_id}"
