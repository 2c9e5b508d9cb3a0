"""A small workspace with the demo shop's users and tasks, for tests: no model, a hash embedder, a clock to set."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

from assistant.bootstrap import Service
from assistant.desk import Desk
from assistant.domain.live import Question
from assistant.domain.reply import Reply
from assistant.settings import Settings
from ingest.demo import SHOP_TIME, render_demo
from ingest.pipeline import Ingestion

ARTICLES = ("zh/change-address", "en/change-address-en", "zh/invoice-electronic")
ADDRESS = "杭州市西湖区文三路 12 号 3 幢 502 室"


class SetClock:
    """The machine's time, moved on by ``skip``."""

    def __init__(self) -> None:
        self._skipped = timedelta()

    def now(self) -> datetime:
        """Now, aware."""
        return datetime.now(UTC) + self._skipped

    def skip(self, **span: float) -> None:
        """Let time pass."""
        self._skipped += timedelta(**span)


def task_service(folder: Path, **settings: object) -> Service:
    """The workspace ``shop``; building it again in the same folder finds everything as it was left."""
    # these tests are not about the state's budget, which a busy machine can exceed
    settings = {"state_budget_ms": 10_000, **settings}
    service = Service(Settings(data_dir=folder, embedder="hash", **settings))  # type: ignore[arg-type]
    service.clock = SetClock()  # type: ignore[assignment]
    shop = service.demo_folder("shop")
    if not (shop / "users.json").exists():
        render_demo(shop, datetime.now(SHOP_TIME).date())
        paths = [shop / "articles" / f"{name}.md" for name in ARTICLES]
        Ingestion(service.records("shop"), service.keeper("shop"), service.clock.now).run(paths)
    return service


class Chat:
    """One conversation of one user at the desk."""

    def __init__(self, desk: Desk, user_id: str | None) -> None:
        self.desk = desk
        self.user_id = user_id
        self.id = ""

    async def say(self, text: str, confirmation: str | None = None) -> Reply:
        """The reply to this message."""
        if not self.id:
            self.id = (await self.desk.open_conversation(user_id=self.user_id, channel="test")).id
        return await self.desk.ask(
            Question(text, user_id=self.user_id, conversation_id=self.id, confirmation=confirmation)
        )


def effects(service: Service) -> list[tuple[str, str, str]]:
    """(user, kind, subject) of everything that was really done at the shop."""
    path = service.demo_folder("shop") / "shop.db"
    if not path.exists():
        return []
    connection = sqlite3.connect(path)
    try:
        return connection.execute("select user_id, kind, subject from changes order by id").fetchall()
    finally:
        connection.close()
