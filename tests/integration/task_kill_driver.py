"""Run by ``test_task_kill`` in a process of its own: answers one message, and dies by SIGKILL at a named step.

Usage: task_kill_driver.py FOLDER STEP CONVERSATION TEXT. Prints the reply's task status as its last line.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from assistant.domain.live import Question
from assistant.store.conversations import ConversationRecords
from assistant.store.task_records import TaskRecords
from assistant.tasks.backend import TaskBackend
from tests.integration.task_shop import task_service

USER = "u1010"
STEPS = (
    "before_row",
    "after_row",
    "before_call",
    "in_call",
    "after_call",
    "after_answer",
    "after_outcome",
    "before_reply",
)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def arm(step: str) -> None:
    """Put the kill at this step: each is a method of ours, before or after its own work."""
    confirm, advance, act = TaskRecords.confirm, TaskRecords.advance, TaskBackend.act
    append = ConversationRecords.append

    def confirming(self: TaskRecords, *args: Any, **named: Any) -> Any:
        if step == "before_row":
            die()
        made = confirm(self, *args, **named)
        if step == "after_row":
            die()
        return made

    def advancing(self: TaskRecords, run: Any, status: Any, **named: Any) -> Any:
        after = advance(self, run, status, **named)
        if (step, named["event"]) in (("after_answer", "answered"), ("after_outcome", "read_back")):
            die()
        return after

    async def acting(self: TaskBackend, *args: Any, **named: Any) -> Any:
        if step == "before_call":
            die()
        outcome = await act(self, *args, **named)
        if step == "after_call":
            die()
        return outcome

    def appending(self: ConversationRecords, conversation_id: str, turn: Any, **named: Any) -> int:
        if step == "before_reply" and turn.role == "assistant":
            die()
        return append(self, conversation_id, turn, **named)

    TaskRecords.confirm = confirming  # type: ignore[method-assign]
    TaskRecords.advance = advancing  # type: ignore[method-assign]
    TaskBackend.act = acting  # type: ignore[method-assign]
    ConversationRecords.append = appending  # type: ignore[method-assign]
    if step == "in_call":
        from assistant.demo_shop.store import ShopStore

        once = ShopStore.once

        def killed_inside(self: ShopStore, *args: Any) -> Any:
            once(self, *args)  # the effect is there, its answer never leaves
            die()

        ShopStore.once = killed_inside  # type: ignore[method-assign]


async def main(folder: Path, step: str, conversation: str, text: str) -> None:
    service = task_service(folder)
    desk = service.desk("shop")
    work: dict[str, Callable[[], Awaitable[Any]]] = {
        "open": lambda: desk.open_conversation(user_id=USER, channel="test"),
        "recover": desk.recover_tasks,
    }
    if step in work:
        if step == "recover":
            service.clock.skip(hours=1)  # type: ignore[attr-defined]  # the dead process's lease is over
        result = await work[step]()
        print(json.dumps({"conversation": getattr(result, "id", ""), "told": result if step == "recover" else 0}))
    else:
        arm(step)
        reply = await desk.ask(Question(text, user_id=USER, conversation_id=conversation))
        print(json.dumps({"status": None if reply.task is None else reply.task.status, "text": reply.text}))
    service.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]))
