"""A process killed at every step between the customer's yes and the reply: one effect in the end, and it is told."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from assistant.bootstrap import Service
from assistant.domain.live import Question
from tests.integration.task_kill_driver import STEPS, USER
from tests.integration.task_shop import effects, task_service

ROOT = Path(__file__).resolve().parents[2]
EFFECT = [(USER, "cancelled", "SQ20877640")]
pytestmark = pytest.mark.timeout(180)


def drive(folder: Path, step: str, conversation: str, text: str) -> subprocess.CompletedProcess[str]:
    driver = Path(__file__).with_name("task_kill_driver.py")
    return subprocess.run(
        [sys.executable, str(driver), str(folder), step, conversation, text],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT), "PATH": "", "HOME": str(folder)},
    )


async def say(service: Service, conversation: str, text: str) -> Any:
    return await service.desk("shop").ask(Question(text, user_id=USER, conversation_id=conversation))


@pytest.mark.parametrize("recovered", [True, False], ids=["recovered", "asked_again"])
@pytest.mark.parametrize("step", STEPS)
def test_killed_anywhere_it_acts_once_and_is_told(tmp_path: Path, step: str, recovered: bool) -> None:
    async def confirm_pending() -> str:
        service = task_service(tmp_path)
        conversation = await service.desk("shop").open_conversation(user_id=USER, channel="test")
        shown = await say(service, conversation.id, "取消订单 SQ20877640")
        assert shown.task is not None
        assert shown.task.status == "awaiting_confirmation"
        service.close()
        return conversation.id

    conversation = asyncio.run(confirm_pending())
    killed = drive(tmp_path, step, conversation, "确认")
    assert killed.returncode == -signal.SIGKILL, killed.stderr[-2000:]

    async def after() -> None:
        service = task_service(tmp_path)
        service.clock.skip(minutes=5)  # type: ignore[attr-defined]  # the dead process's lease is over
        desk = service.desk("shop")
        assert desk.tasks is not None
        if recovered:
            told = await desk.recover_tasks()
            assert told == (0 if step == "before_row" else 1)
            assert effects(service) == ([] if step == "before_row" else EFFECT)
            if told:
                turns = (await desk.conversation(conversation)).turns
                assert "订单已经取消" in turns[-1].text
        again = await say(service, conversation, "确认")
        if not recovered or step == "before_row":
            assert again.task is not None
            assert again.task.status == "done"
        await say(service, conversation, "确认")
        assert await desk.recover_tasks() == 0
        assert effects(service) == EFFECT
        runs = desk.tasks.records.runs_of(conversation)
        assert [(run.status, run.reported) for run in runs] == [("done", True)]
        assert desk.tasks.records.first_broken_entry() is None
        service.close()

    asyncio.run(after())


def test_the_driver_itself_acts_when_it_is_not_killed(tmp_path: Path) -> None:
    opened = json.loads(drive(tmp_path, "open", "", "").stdout.splitlines()[-1])["conversation"]
    assert json.loads(drive(tmp_path, "none", opened, "取消订单 SQ20877640").stdout.splitlines()[-1])["status"]
    done = json.loads(drive(tmp_path, "none", opened, "确认").stdout.splitlines()[-1])
    assert done["status"] == "done"
