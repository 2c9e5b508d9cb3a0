"""Sends reply events as server-sent events, keeps slow streams alive, and stops the work when nobody listens."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AbstractAsyncContextManager, aclosing, nullcontext
from typing import Any

from fastapi import Request
from starlette.requests import ClientDisconnect
from starlette.responses import StreamingResponse

from api.problems import language_of, log_problem, problem_body, problem_of, trace_id_of
from assistant.domain.live import ReplyDelta, ReplyDone, ReplyEvent, ReplyReset, ReplyStarted
from assistant.domain.reply import Reply
from assistant.reply_record import reply_record

HEARTBEAT = ": still here\n\n"


class _Unfinished(Exception):
    """The events ended without ReplyDone."""


def sse(event: str, data: Any) -> str:
    """One server-sent event. JSON escapes line breaks, so one ``data:`` line is enough."""
    return f"event: {event}\ndata: {json.dumps(data, ensure_ascii=False, separators=(',', ':'))}\n\n"


def event_text(event: ReplyEvent) -> str:
    """How one reply event looks on the wire."""
    match event:
        case ReplyStarted():
            return sse("started", {"conversation_id": event.conversation_id, "trace_id": event.trace_id})
        case ReplyDelta():
            return sse("delta", {"text": event.text})
        case ReplyReset():
            return sse("reset", {"reason": event.reason})
        case ReplyDone():
            return sse("reply", reply_record(event.reply))


def event_stream(request: Request, events: AsyncIterator[ReplyEvent], *, heartbeat_s: float) -> StreamingResponse:
    """A streaming answer. When the client leaves, the framework cancels it, and with it the work."""
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(
        _texts(request, events, heartbeat_s), media_type="text/event-stream; charset=utf-8", headers=headers
    )


async def whole_reply(request: Request, events: AsyncIterator[ReplyEvent]) -> Reply:
    """The reply at the end of the events. Raises ClientDisconnect when the client leaves first; the work stops."""
    work = asyncio.ensure_future(_last(events))
    gone = asyncio.ensure_future(_disconnected(request))
    try:
        await asyncio.wait((work, gone), return_when=asyncio.FIRST_COMPLETED)
        if not work.done():
            raise ClientDisconnect
        return work.result()
    finally:
        await _stop(work)
        await _stop(gone)


async def _texts(request: Request, events: AsyncIterator[ReplyEvent], heartbeat_s: float) -> AsyncIterator[str]:
    # The queue holds one event: a slow reader slows the work down instead of filling memory.
    queue: asyncio.Queue[str | None] = asyncio.Queue(1)
    pump = asyncio.ensure_future(_pump(request, events, queue))
    try:
        while True:
            try:
                text = await asyncio.wait_for(queue.get(), heartbeat_s)
            except TimeoutError:
                text = HEARTBEAT
            if text is None:
                return
            yield text
    finally:
        await _stop(pump)


async def _pump(request: Request, events: AsyncIterator[ReplyEvent], queue: asyncio.Queue[str | None]) -> None:
    trace_id = trace_id_of(request)
    try:
        async with _closing(events):
            async for event in events:
                if isinstance(event, ReplyStarted):
                    trace_id = event.trace_id
                await queue.put(event_text(event))
                if isinstance(event, ReplyDone):
                    break
            else:
                raise _Unfinished
    except Exception as exc:  # noqa: BLE001  status 200 is out already: the error event must say it
        problem = problem_of(exc)
        log_problem(exc, problem, trace_id)
        language = language_of(request.headers.get("accept-language"))
        await queue.put(sse("error", problem_body(problem, language, trace_id)))
    await queue.put(None)


async def _last(events: AsyncIterator[ReplyEvent]) -> Reply:
    async with _closing(events):
        async for event in events:
            if isinstance(event, ReplyDone):
                return event.reply
    raise _Unfinished


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _stop(task: asyncio.Future[Any]) -> None:
    task.cancel()
    # gather takes in the cancellation, and an error that came too late to be told.
    await asyncio.gather(task, return_exceptions=True)


def _closing(events: AsyncIterator[ReplyEvent]) -> AbstractAsyncContextManager[object]:
    return aclosing(events) if isinstance(events, AsyncGenerator) else nullcontext()
